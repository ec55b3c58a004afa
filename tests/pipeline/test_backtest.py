"""A back-test finds what live judging finds, and tells what live judging would have told."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.making import AMNESTY, MINUTE, NOW, RELOCATION, RULE, TALIBAN, WORDS, feed, item, reading, routes, visit

from aggregator import backtest, reader, watch
from aggregator.settings import Concept, Watchlist
from aggregator.store import Archived, Store
from aggregator.text.variants import edition

CONCEPTS = (TALIBAN, AMNESTY, RELOCATION)
TEXTS = (
    "Taliban announce a general amnesty", "Taliban speak", "General amnesty for all", "طالبان و relocation",
    "دطالبانو relocations", "Rain in Herat", "The Taleban", "A mistake: talibanised", "Relocation, relocation",
)  # fmt: skip
ARTICLES = (None, "The Taliban promise a general amnesty.", "Relocation of families.", "طالبان")


def matcher(*watchlists):
    return watch.compile(watchlists, CONCEPTS)


class Archive:
    """A store that judged its items live, with the watchlists of that time."""

    def __init__(self, path, *watchlists):
        self.find = partial(reader.finding, matcher(*watchlists), {})
        self.store = Store.open(path, routes(RULE, WORDS))
        self.store.sync_feeds((feed("one"), feed("two")), NOW)
        self.store.note_rules(backtest.definitions(watchlists, CONCEPTS), NOW)

    def says(self, *items, name="one", at=NOW, articles=()):
        (lease,) = self.store.claim_named(at, [name], 1, "token", per_host=64)
        self.store.record_visit(visit(lease, items, self.find, at, articles=bool(articles)), self.find)
        if not articles:
            return
        for lease in self.store.claim_articles(at, 100, "token", per_host=64):
            text = articles[lease.item % len(articles)]
            if text:
                self.store.record_article(reading(lease, text, at), self.find)

    def run(self, rule=RULE, **more):
        return backtest.run(self.store, CONCEPTS, rule, **more)

    def tell(self, *watchlists, at=NOW):
        return lambda items: self.store.tell_missed(items, partial(reader.finding, matcher(*watchlists), {}), at)

    def alerts(self, watchlist):
        found = reversed(self.store.alerts(limit=1000, watchlist=watchlist))
        return [(alert.item, alert.update, tuple(sorted({hit.term for hit in alert.terms}))) for alert, _ in found]


@pytest.fixture
def archive(tmp_path):
    made = []

    def make(*watchlists):
        made.append(Archive(tmp_path / f"{len(made)}" / "aggregator.db", *watchlists))
        return made[-1]

    yield make
    for one in made:
        one.store.close()


def newsday(watched):
    """Forty items of two feeds, half of them with an article, each text under its own headline."""
    for n in range(40):
        one = item(
            TEXTS[n % len(TEXTS)] + f" {n}", str(n), f"https://one.example.org/{n}", summary=f"Item {n} of the day"
        )
        watched.says(one, name=("one", "two")[n % 2], at=NOW + n * MINUTE, articles=ARTICLES if n % 4 < 2 else ())


@pytest.mark.parametrize("rule", [RULE, WORDS], ids=lambda one: one.name)
def test_a_back_test_finds_exactly_the_items_that_were_hits_live(archive, rule):
    live = archive(rule)
    newsday(live)
    found = live.run(rule, sample=1000)
    assert {f"{match.item.id}" for match in found.sample} == {alert.item for alert, _ in live.store.alerts(limit=1000)}
    assert 5 < found.hits < found.items == 40


def test_alerts_raised_later_are_those_of_live_judging(archive):
    live, later = archive(RULE), archive()
    newsday(live)
    newsday(later)
    assert later.alerts(RULE.name) == []
    report = later.run(tell=later.tell(RULE))
    told = {alert[0] for alert in live.alerts(RULE.name)}
    assert {alert[0] for alert in later.alerts(RULE.name)} == told
    assert report.alerts == len(told)


def test_what_was_told_stays_told(archive):
    live = archive(RULE)
    newsday(live)
    before = live.alerts(RULE.name)
    assert live.run(tell=live.tell(RULE)).alerts == 0
    assert live.alerts(RULE.name) == before


def test_a_story_is_told_once_and_new_terms_as_an_update(archive):
    live = archive(Watchlist(name=RULE.name, label="", rule="@taliban AND @amnesty"))
    text = "Taliban announce a general amnesty, and the relocation of all families of the valley to other places"
    live.says(item(text, "1", "https://one.example.org/1"))
    live.says(item(text, "2", "https://one.example.org/1"), name="two", at=NOW + MINUTE)
    assert live.run(tell=live.tell(RULE)).alerts == 1
    assert live.alerts(RULE.name) == [("1", False, ("amnesty", "taliban")), ("1", True, ("relocation",))]


def test_the_alerts_of_a_batch_come_all_or_not_at_all(archive):
    later = archive()
    newsday(later)

    def dies(at, one, *more):
        if at.title.endswith("20"):
            raise KeyboardInterrupt
        return reader.finding(matcher(RULE), {}, at, one, *more)

    with pytest.raises(KeyboardInterrupt):
        later.store.tell_missed(range(1, 41), dies, NOW)
    assert later.alerts(RULE.name) == []


def test_gained_and_lost_are_told_apart(archive):
    live = archive()
    for n, title in enumerate(("Rain", "Snow", "Rain and snow")):
        live.says(item(title, f"{n}", f"https://one.example.org/{n}"))
    old, new = (Watchlist(name=rule, label="", rule=rule) for rule in ("rain", "snow"))
    report = live.run(new, against=old)
    assert (report.hits, report.gained, report.lost) == (2, 1, 1)
    assert [match.item.title for match in (*report.gained_sample, *report.lost_sample)] == ["Snow", "Rain"]
    assert {hit.text.lower() for match in report.sample for hit in match.hits} == {"snow"}


def test_days_and_bounds(archive):
    live = archive()
    for day in range(10):
        live.says(item(f"Taliban {day}", f"{day}", f"https://one.example.org/{day}"), at=NOW + timedelta(days=day))
    seen = []
    report = live.run(WORDS, since=NOW + timedelta(days=7), watching=seen.append)
    assert (report.items, report.hits, seen) == (3, 3, [10])
    assert list(report.days) == [(NOW + timedelta(days=day)).date() for day in (7, 8, 9)]


def test_an_item_that_came_while_the_clock_was_wrong_is_judged(archive):
    live = archive()
    for n, (name, hours) in enumerate((("one", 0), ("one", 30), ("two", 1), ("one", 31))):
        at = NOW + timedelta(hours=hours)
        live.says(item(f"Taliban {n}", f"{n}", f"https://one.example.org/{n}"), name=name, at=at)
    for hours, ids in ((0.5, [2, 3, 4]), (20, [2, 4]), (30.5, [4])):
        batches = live.store.archived(NOW + timedelta(hours=hours), batch=1)
        assert [one.id for batch in batches for one in batch] == ids
    assert live.store.archived_ids(NOW + timedelta(days=40)) == (4, 4)


def test_a_sample_is_fair_the_same_each_time_and_no_larger_than_asked():
    def drawn():
        some = backtest.Drawn(10)
        for n in range(1000):
            some.offer(n)
        return some.drawn()

    assert drawn() == drawn() == tuple(sorted(drawn()))
    assert len(drawn()) == 10
    assert max(drawn()) > 500 > min(drawn())
    assert backtest.Drawn(0).drawn() == ()


LETTERS = st.text(st.sampled_from("abc .\n\u0301ـ،\u200cﷺßéطالبانTaliban rain"), max_size=40)


@given(st.lists(st.tuples(LETTERS, LETTERS, LETTERS), min_size=1, max_size=40))
def test_a_batch_is_judged_as_its_items_are_one_by_one(texts):
    batch = [
        Archived(n, 0, "one", "one.example.org", title, summary, "", article, "[]", "en", None, None, None)
        for n, (title, summary, article) in enumerate(texts)
    ]
    rules = matcher(Watchlist(name="w", label="", keywords=("Taliban", "طالبان", "rain", "a")))
    together = [verdict.hits for _, verdict in backtest.judged(rules, batch, {})]
    assert together == [rules.hits(archived.item) for archived in batch]


# ---------------------------------------------------------------- verdicts and versions


def test_a_version_changes_with_what_the_rule_finds_and_with_nothing_else():
    def version(rule, *concepts, **more):
        return backtest.version(backtest.definition(Watchlist(name="w", label="", rule=rule, **more), concepts))

    first = version("@taliban AND @amnesty", TALIBAN, AMNESTY)
    same = version("  @taliban   AND (@amnesty)", TALIBAN, AMNESTY, RELOCATION, severity="high")
    others = (
        version("@amnesty AND @taliban", TALIBAN, AMNESTY),
        version("@taliban AND @amnesty", TALIBAN, replace(AMNESTY, excepts=("Amnesty International",))),
        version("@taliban AND @amnesty", Concept(name="taliban", terms=(("en", ("Taleban",)),)), AMNESTY),
    )
    assert same == first
    assert len({first, *others}) == 4


def test_a_version_changes_with_the_lists_of_endings_and_with_folding():
    said = backtest.definition(RULE, CONCEPTS)
    assert (
        said["words"]
        == backtest.definition(Watchlist(name="k", label="", keywords=("visa",)), ())["words"]
        == edition()
    )
    assert backtest.version(said) != backtest.version({**said, "words": "another edition"})


def test_rules_are_remembered_with_the_time_from_which_they_held(archive):
    live = archive(RULE)
    changed = Watchlist(name=RULE.name, label="", rule="@taliban")
    live.store.note_rules(backtest.definitions([RULE], CONCEPTS), NOW + MINUTE)
    live.store.note_rules(backtest.definitions([changed], CONCEPTS), NOW + 2 * MINUTE)
    live.store.note_rules(backtest.definitions([RULE], CONCEPTS), NOW + 3 * MINUTE)
    rules = [live.store.rule_at(RULE.name, NOW + n * MINUTE) for n in range(4)]
    assert [(rule.since - NOW) / MINUTE for rule in rules] == [0, 0, 2, 3]
    assert rules[0].version == rules[3].version != rules[2].version
    assert rules[2].definition["rule"] == "@taliban"
    assert live.store.rule_at(RULE.name, NOW - MINUTE) is None


def test_a_hit_leaves_a_verdict_with_the_version_and_a_miss_leaves_none(archive):
    later = archive()
    newsday(later)
    later.store.note_rules(backtest.definitions([RULE], CONCEPTS), NOW)
    found = later.run(sample=1000, tell=later.tell(RULE, at=NOW + MINUTE))
    hits = {match.item.id for match in found.sample}
    verdicts = {one: later.store.verdict(one, RULE.name) for one in range(1, 41)}
    assert {one for one, verdict in verdicts.items() if verdict} == hits
    verdict = verdicts[min(hits)]
    assert (verdict.at, verdict.revision) == (NOW + MINUTE, 1)
    assert verdict.rule.version == backtest.version(backtest.definition(RULE, CONCEPTS))
