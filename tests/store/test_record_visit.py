"""What one visit changes: items, revisions, stories and what is told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support.making import LONG, MINUTE, NOW, RULE, WORDS, blank, item, reading

from aggregator.errors import LeaseLost
from aggregator.model import Reason, Rejected, Validators


def test_every_entry_is_new_revised_unchanged_or_rejected(bench):
    first = bench.says(item(guid="1"), item(guid="2", link="https://one.example.org/2"), rejected=("entry-failed",))
    assert (first.new, first.revised, first.unchanged, first.rejected) == (2, 0, 0, 1)

    second = bench.says(item(guid="1", title="An edited headline"), item(guid="2", link="https://one.example.org/2"))
    assert (second.new, second.revised, second.unchanged, second.rejected) == (0, 1, 1, 0)
    assert bench.count("rejections") == 1


def test_an_unread_document_counts_its_known_entries_as_unchanged(bench):
    bench.says(item())
    report = bench.store.record_visit(blank(bench.lease(), outcome="not_modified"), bench.find)
    assert (report.outcome, report.unchanged) == ("not_modified", 1)


def test_a_revision_keeps_what_the_item_said_before(bench):
    bench.says(item(title="First words"))
    bench.says(item(title="Second words"), at=NOW + MINUTE)
    (stored,) = bench.store.items()
    assert (stored.item.title, stored.revision) == ("Second words", 2)
    assert [old["title"] for old in bench.store.revisions(int(stored.id))] == ["First words"]


def test_an_old_text_that_returns_is_known_and_tells_nothing(bench):
    bench.says(item(title="Taliban one"))
    bench.says(item(title="Taliban two"))
    told = bench.alerts()
    bench.says(item(title="Taliban one"))
    assert bench.alerts() == told


def test_a_guid_reused_for_another_story_is_a_new_item_and_alerts(bench):
    bench.says(item(title="Taliban close a school", guid="1", link="https://one.example.org/a"))
    report = bench.says(item(title="Taliban open a road", guid="1", link="https://one.example.org/b"))
    assert (report.new, report.revised) == (1, 0)
    assert bench.alerts("words") == [("words", False, ("taliban",))] * 2


def test_two_stories_under_one_reused_guid_stay_apart_when_both_come_back(bench):
    a = item(title="Taliban close a school", guid="1", link="https://one.example.org/a")
    b = item(title="Taliban open a road", guid="1", link="https://one.example.org/b")
    bench.says(a)
    bench.says(b)
    for again in (a, b, a):
        report = bench.says(again)
        assert (report.new, report.revised, report.unchanged) == (0, 0, 1)


def test_entries_that_share_one_guid_or_one_link_are_all_kept(bench):
    report = bench.says(
        item(title="First of many", guid="1", link="https://one.example.org/"),
        item(title="Second of many", guid="1", link="https://one.example.org/"),
        item(title="Third of many", guid="", link="https://one.example.org/"),
        item(title="Fourth of many", guid=None, link=None),
    )
    assert (report.new, bench.count("items")) == (4, 4)


def test_two_feeds_may_use_the_same_guid(bench):
    bench.says(item(title="One outlet says this", guid="1"), name="one")
    bench.says(item(title="Another says that", guid="1", link="https://two.example.org/1"), name="two")
    assert bench.count("items") == 2


def test_a_term_alerts_once_per_watchlist_and_later_terms_alert_as_updates(bench):
    bench.says(item(title="Taliban announce a general amnesty"))
    bench.says(item(title="Taliban announce a general amnesty, relocation to follow"))
    bench.says(item(title="Taliban announce a general amnesty, relocation will follow"))
    assert bench.alerts("amnesty-watch") == [
        ("amnesty-watch", False, ("amnesty", "taliban")),
        ("amnesty-watch", True, ("relocation",)),
    ]


def test_a_word_that_arrives_with_an_edit_alerts(bench):
    bench.says(item(title="A quiet headline"))
    assert bench.alerts() == []
    bench.says(item(title="A quiet headline about the Taliban"))
    assert bench.alerts("words") == [("words", False, ("taliban",))]


def test_one_story_in_three_feeds_alerts_once(bench):
    for name in ("one", "two", "three"):
        bench.says(
            item(title="Taliban general amnesty", summary=LONG, guid=name, link=f"https://{name}.example.org/x"),
            name=name,
        )
    assert bench.alerts("amnesty-watch") == [("amnesty-watch", False, ("amnesty", "taliban"))]
    assert bench.stories() == 1


def test_a_copy_under_another_headline_tells_only_what_is_new_in_it(bench):
    bench.says(item(title="Taliban general amnesty", summary=LONG, link="https://one.example.org/x"), name="one")
    bench.says(item(title="Taliban relocation", summary=LONG, link="https://two.example.org/y"), name="two")
    assert bench.alerts("amnesty-watch")[1:] == [("amnesty-watch", True, ("relocation",))]


def test_boilerplate_under_every_headline_of_one_site_hides_nothing(bench):
    bench.says(
        item(title="Taliban close a school", summary=LONG, guid="1", link="https://one.example.org/1"),
        item(title="Taliban open a road", summary=LONG, guid="2", link="https://one.example.org/2"),
    )
    assert len(bench.alerts("words")) == 2


def test_two_stories_behind_one_link_both_alert(bench):
    bench.says(
        item(title="Taliban close a school", guid="1", link="https://one.example.org/live"),
        item(title="Taliban open a road", guid="2", link="https://one.example.org/live"),
    )
    assert len(bench.alerts("words")) == 2


def test_an_article_owed_is_read_once_and_matched_with_the_headline(bench):
    bench.says(item(title="Taliban speak"), articles=True)
    assert bench.alerts("amnesty-watch") == []
    (lease,) = bench.store.claim_articles(NOW, 10, "reader")
    bench.store.record_article(reading(lease, "They promised a general amnesty."), bench.find)
    assert bench.alerts("amnesty-watch") == [("amnesty-watch", False, ("amnesty", "taliban"))]
    assert bench.store.claim_articles(NOW + timedelta(days=9), 10, "reader") == ()


def test_an_edit_is_matched_together_with_the_article_read_before(bench):
    bench.says(item(title="They speak"), articles=True)
    (lease,) = bench.store.claim_articles(NOW, 10, "reader")
    bench.store.record_article(reading(lease, "A general amnesty was promised."), bench.find)
    bench.says(item(title="Taliban speak"), articles=True)
    assert bench.alerts("amnesty-watch") == [("amnesty-watch", False, ("amnesty", "taliban"))]


def test_an_article_that_cannot_be_read_waits_and_then_fails_with_its_reason(bench):
    bench.says(item(title="Taliban speak"), articles=True)
    (lease,) = bench.store.claim_articles(NOW, 10, "reader")
    later = NOW + MINUTE
    bench.store.record_article(reading(lease, None, reason=Reason.TIMEOUT, retry_at=later), bench.find)
    assert bench.store.items()[0].article_state == "pending"
    assert bench.store.claim_articles(NOW, 10, "reader") == ()
    (lease,) = bench.store.claim_articles(later, 10, "reader")
    bench.store.record_article(reading(lease, None, reason=Reason.NO_TEXT), bench.find)
    (stored,) = bench.store.items()
    assert (stored.article_state, stored.article_reason) == ("failed", "no_text")


def test_two_headlines_with_one_article_on_two_sites_become_one_story(bench):
    article = f"{LONG} {LONG}"
    for name, title in (("one", "Taliban decree"), ("two", "Decree of the Taliban")):
        bench.says(item(title=title, guid=name, link=f"https://{name}.example.org/x"), name=name, articles=True)
    assert bench.stories() == 2
    for lease in bench.store.claim_articles(NOW, 10, "reader"):
        bench.store.record_article(reading(lease, f"{article} A general amnesty was promised."), bench.find)
    assert bench.stories() == 1
    assert [told for told in bench.alerts("words") if "amnesty" in told[2]] == [("words", True, ("amnesty",))]


def test_a_page_that_another_feed_led_to_is_not_read_twice(bench):
    shared = "https://one.example.org/page"
    bench.says(item(title="Taliban one", link=shared), name="one", articles=True)
    (lease,) = bench.store.claim_articles(NOW, 10, "reader")
    bench.store.record_article(reading(lease, "The text of the page."), bench.find)
    bench.says(item(title="Taliban two", link=shared), name="two", articles=True)
    (lease,) = bench.store.claim_articles(NOW, 10, "reader")
    assert lease.text == "The text of the page."


def test_a_late_worker_is_refused_and_changes_nothing(bench):
    late = bench.lease(at=NOW)
    taken = bench.lease(at=NOW + timedelta(hours=1)) if late else None
    assert taken is not None
    stale = replace(late, token="stale")
    with pytest.raises(LeaseLost):
        bench.store.record_visit(blank(stale, validators=Validators(etag="x")), bench.find)
    assert bench.store.items() == []


def test_validators_change_only_when_a_visit_says_so(bench):
    given = Validators(etag='W/"é"', last_modified="sunday", url="https://one.example.org/feed")
    bench.says(item(), validators=given)
    assert bench.lease(at=NOW + MINUTE).validators == given
    bench.store.record_visit(
        blank(replace(bench.lease(at=NOW + timedelta(hours=1))), outcome="failed", reason=Reason.TIMEOUT), bench.find
    )
    assert bench.lease(at=NOW + timedelta(hours=2)).validators == given


def test_a_million_characters_of_one_word_make_one_short_alert(open_bench):
    bench = open_bench(WORDS)
    bench.says(item(title="Taliban " * 125_000))
    ((alert, _),) = bench.store.alerts()
    assert len(alert.terms) == 20


def test_rejected_entries_keep_their_reason_and_place(bench):
    bench.says(rejected=("entry-failed", "no-text"))
    rows = bench.store._conn.execute("SELECT reason FROM rejections ORDER BY reason").fetchall()
    assert [row[0] for row in rows] == ["entry-failed", "no-text"]
    assert Rejected(reason="entry-failed", position=0).position == 0


def test_watchlists_of_one_item_alert_each(open_bench):
    bench = open_bench(RULE, WORDS)
    bench.says(item(title="Taliban relocation"))
    assert {alert[0] for alert in bench.alerts()} == {"amnesty-watch", "words"}


def untitled(text, guid, link):
    return item(title="", summary=text, guid=guid, link=link)


@pytest.mark.parametrize("title", ["", "Breaking news"])
def test_posts_without_a_telling_title_behind_one_link_all_alert(bench, title):
    for guid, text in (("1", "Taliban close a school in the north today"), ("2", "Taliban execute two men in Herat")):
        bench.says(item(title=title, summary=text, guid=guid, link="https://one.example.org/channel"))
    assert len(bench.alerts("words")) == 2


def test_a_reused_guid_without_a_title_is_told_apart_by_its_text(bench):
    bench.says(untitled("Taliban close a school in the north today", "1", "https://one.example.org/a"))
    report = bench.says(untitled("Taliban execute two men in Herat", "1", "https://one.example.org/b"))
    assert (report.new, report.alerts) == (1, 1)


def test_a_daily_bulletin_with_the_same_teaser_alerts_for_each_days_article(bench):
    for day in (1, 2):
        now = NOW + timedelta(days=day)
        link = f"https://one.example.org/bulletin/{day}"
        bench.says(
            item(title="Evening bulletin in brief", summary=LONG, guid=str(day), link=link), at=now, articles=True
        )
        (lease,) = bench.store.claim_articles(now, 9, "r")
        assert (
            bench.store.record_article(reading(lease, f"Day {day}: the Taliban did thing {day}.", now), bench.find) == 1
        )


def test_a_teaser_that_one_site_has_under_two_titles_hides_nothing_on_another(bench):
    for n, (name, title) in enumerate(
        (("one", "Taliban close a school"), ("one", "Taliban open a road"), ("two", "Taliban meet"))
    ):
        link = f"https://{name}.example.org/{n}"
        bench.says(item(title=title, summary=LONG, guid=str(n), link=link), name=name)
    assert len(bench.alerts("words")) == 3


def test_entries_of_one_document_that_differ_only_in_their_text_are_not_revised_for_ever(bench):
    pair = [item(title="Taliban speak again today", summary=text) for text in ("a", "b")]
    assert bench.says(*pair).new == 2
    again = bench.says(*pair)
    assert (again.new, again.revised, again.unchanged) == (0, 0, 2)


def test_an_entry_that_stands_in_the_document_unparsed_is_never_taken_for_another(bench):
    shared = {"guid": "g", "link": "https://one.example.org/"}
    first = item(title="Taliban close a school", slice_hash=b"1" * 16, **shared)
    second = item(title="Taliban execute two men", slice_hash=b"2" * 16, **shared)
    bench.says(first)
    report = bench.says(second, known=1, standing=frozenset({b"1" * 16}))
    assert (report.new, report.revised, report.unchanged, report.alerts) == (1, 0, 1, 1)
    assert bench.store.known_slices(bench.lease().id, (b"1" * 16, b"2" * 16, b"3" * 16)) == {b"1" * 16, b"2" * 16}


def test_the_same_words_under_a_new_guid_are_no_new_item(bench):
    bench.says(item(guid="made at 10:00"))
    assert bench.says(item(guid="made at 10:15")).unchanged == 1


@pytest.mark.parametrize(("minutes", "owed"), [(10, 0), (61, 1)])
def test_the_page_of_a_changed_headline_is_read_again_once_an_hour(bench, minutes, owed):
    bench.says(item(title="Ministry issues a decree"), articles=True)
    (lease,) = bench.store.claim_articles(NOW, 9, "r")
    bench.store.record_article(reading(lease, "First words."), bench.find)
    later = NOW + minutes * MINUTE
    bench.says(item(title="Ministry withdraws its decree"), at=later, articles=True)
    assert len(bench.store.claim_articles(later, 9, "r")) == owed
    assert bench.store.items()[0].item.article == "First words."


def test_a_page_that_failed_is_tried_again_when_its_item_changes(bench):
    bench.says(item(title="Ministry issues a decree"), articles=True)
    (lease,) = bench.store.claim_articles(NOW, 9, "r")
    bench.store.record_article(reading(lease, None, reason=Reason.NOT_FOUND), bench.find)
    bench.says(item(title="Ministry issues a decree", summary="more"), at=NOW + MINUTE, articles=True)
    assert len(bench.store.claim_articles(NOW + MINUTE, 9, "r")) == 1


def test_a_page_that_a_feed_names_daily_under_new_ids_is_a_new_item_each_day(bench):
    """Only a link that is its own id stands for the item behind it: a live page has other words each day."""
    live = "https://one.example.org/live"
    bench.store._conn.execute("INSERT INTO addresses (feed, url, read_at) SELECT id, 'x', 1 FROM feeds")
    bench.says(item("What happened in Kabul", "day-1", live), articles=True)
    assert bench.says(item("What happened in Kabul", "day-2", live, summary="More."), articles=True).new == 1
    assert bench.says(item("What happened in Kabul", live, live), articles=True).unchanged == 1
