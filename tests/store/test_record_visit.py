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
