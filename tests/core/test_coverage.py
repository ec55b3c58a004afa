"""Whether a feed is still heard: every trouble begins when it should, ends when it should, and not before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import coverage
from aggregator.coverage import Sight
from aggregator.model import Due, History, Observation, Pace, Reason, Standing, Trouble
from aggregator.schedule import next_due
from aggregator.settings import Polling

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # a Tuesday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
KNOWN = History(last_poll=NOW - HOUR)


def sight(**more):
    given = {"at": NOW, "history": KNOWN, "looked": NOW - HOUR, "planned": NOW, "last_new": NOW - HOUR, "entries": 20}
    return Sight(**(given | more))


def seen(what, standing=None, already=None):
    return coverage.troubles(standing or Standing(failing_since=NOW - HOUR), what, already or {})


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("reason", "more", "failing_for", "trouble"),
    [
        (Reason.GONE, {}, 0 * HOUR, Trouble.GONE),
        (Reason.INTERNAL, {}, 0 * HOUR, Trouble.BROKEN),
        (Reason.PARSE_TIMEOUT, {}, 0 * HOUR, Trouble.BROKEN),
        (Reason.UNAUTHORIZED, {}, 0 * HOUR, None),
        (Reason.UNAUTHORIZED, {"repeated": True}, 4 * HOUR, Trouble.REFUSED),
        (Reason.NOT_A_FEED, {}, 0 * HOUR, None),
        (Reason.NOT_A_FEED, {"repeated": True}, HOUR, Trouble.NOT_A_FEED),
        (Reason.SUSPICIOUS_EMPTY, {"repeated": True}, HOUR, Trouble.EMPTY),
        (Reason.TIMEOUT, {"repeated": True}, 23 * HOUR, None),
        (Reason.TIMEOUT, {}, 24 * HOUR, Trouble.FAILING),
        (Reason.NOT_FOUND, {"repeated": True}, 6 * DAY, None),
        (Reason.NOT_FOUND, {}, 7 * DAY, Trouble.NOT_FOUND),
    ],
)
def test_a_failure_becomes_trouble_when_it_is_certain(reason, more, failing_for, trouble):
    found = seen(sight(reason=reason, detail="why", entries=0, **more), Standing(failing_since=NOW - failing_for))
    assert set(found) == ({trouble} if trouble else set())
    assert set(found.values()) <= {f"{reason}: why"}


def test_a_failure_is_over_only_when_a_visit_goes_well():
    already = {Trouble.REFUSED: NOW - DAY}
    other_reason = sight(reason=Reason.TIMEOUT, entries=0)
    assert set(seen(other_reason, already=already)) == {Trouble.REFUSED}
    assert seen(sight(), Standing(), already) == {}


def test_what_is_said_more_exactly_is_not_said_twice():
    standing = Standing(failing_since=NOW - 2 * DAY)
    already = {Trouble.NOT_A_FEED: NOW - DAY}
    assert set(seen(sight(reason=Reason.RESET, entries=0), standing, already)) == {Trouble.NOT_A_FEED}


# ---------------------------------------------------------------- what a document shows


def test_a_document_of_news_only_may_hide_what_slipped_out_of_it():
    assert set(seen(sight(new=20))) == {Trouble.OVERFLOW}
    assert seen(sight(new=19)) == {}
    assert seen(sight(new=1, entries=1)) == {}, "a feed of one entry always looks so"
    assert seen(sight(new=20, history=History(), looked=None)) == {}, "the first visit knows nothing"


def test_what_happened_in_a_moment_is_shown_for_a_day():
    assert set(seen(sight(), already={Trouble.OVERFLOW: NOW - 23 * HOUR})) == {Trouble.OVERFLOW}
    assert seen(sight(), already={Trouble.OVERFLOW: NOW - 24 * HOUR}) == {}


def test_entries_that_cannot_be_read_are_lost_until_a_document_is_whole():
    found = seen(sight(unreadable=("entry-unreadable", "not-text", "not-text")))
    assert found == {Trouble.ENTRIES_LOST: "3 of 20 entries cannot be read (entry-unreadable, not-text)"}
    already = {Trouble.ENTRIES_LOST: NOW}
    assert seen(sight(entries=0), already=already) == {Trouble.ENTRIES_LOST: None}, "304: the document is as it was"
    assert seen(sight(delta=True), already=already) == {Trouble.ENTRIES_LOST: None}, "what is lost may stand elsewhere"
    assert seen(sight(), already=already) == {}


def test_a_difference_between_the_two_ways_to_read_is_shown():
    assert seen(sight(passed_over=2)) == {Trouble.SLICES_DIFFER: "new items that were taken for known: 2"}


def test_a_server_that_lies_is_shown_as_long_as_it_is_doubted():
    assert set(seen(sight(lying=True))) == {Trouble.UNCHANGING}
    assert seen(sight(), already={Trouble.UNCHANGING: NOW - HOUR}) == {}


def test_what_a_fallback_brings_is_no_overflow_and_the_dead_address_is_told():
    stands_in = sight(new=20, fallback="its own address brings nothing")
    assert set(seen(stands_in, already={Trouble.NOT_A_FEED: NOW})) == {Trouble.FALLBACK}, "the own address takes over"
    later = replace(stands_in, new=20)
    assert set(seen(later, already={Trouble.FALLBACK: NOW})) == {Trouble.FALLBACK, Trouble.OVERFLOW}
    assert seen(sight(new=20), already={Trouble.FALLBACK: NOW}) == {}, "the first document of its own is all new too"


def test_a_pause_of_more_than_a_day_is_shown_as_long_as_it_is_asked_for():
    assert seen(sight(paused=(NOW, NOW + 24 * HOUR))) == {}
    assert seen(sight(paused=(NOW, NOW + 25 * HOUR))) == {
        Trouble.PAUSED: "its server allows no visit before 2026-11-25 09:00 UTC"
    }
    assert seen(sight(), already={Trouble.PAUSED: NOW}) == {}


# ---------------------------------------------------------------- silence


class Replay:
    """A feed that is visited when our own schedule says so, under a moved clock."""

    def __init__(self, start=NOW - 60 * DAY):
        self.history, self.standing = History(), Standing()
        self.at, self.looked, self.planned, self.last_new = start, None, start, None
        self.held = {}

    def visit(self, *published, at=None, reason=None):
        self.at = at or self.planned
        what = Sight(
            at=self.at, history=self.history, looked=self.looked, planned=self.planned, last_new=self.last_new,
            new=len(published), entries=0 if reason else 30, reason=reason,
        )  # fmt: skip
        outcome = Observation(new=len(published), entries=30, published=published, reason=reason)
        due = next_due(self.history, outcome, self.at, Pace(polling=Polling()))
        self.standing = coverage.after(self.standing, what, due.history)
        found = coverage.troubles(self.standing, what, dict.fromkeys(self.held, self.at))
        self.held = {kind: detail or self.held[kind] for kind, detail in found.items()}
        self.sight, self.due = what, due
        self.history, self.looked, self.planned = due.history, self.at, due.at
        self.last_new = self.at if published else self.last_new
        return self.held

    def follow(self, moments, until):
        """Visit until `until`; at each visit the moments that have come are news. The troubles at the end."""
        moments = sorted(moments)
        while self.planned <= until:
            came = [one for one in moments if one <= self.planned]
            moments = moments[len(came) :]
            self.visit(*came)
            if Trouble.SILENT in self.held:
                return self.held
        return self.held


def every(step, begin, end, hours=range(24), days=range(7)):
    at = begin
    while at < end:
        if at.hour in hours and at.weekday() in days:
            yield at
        at += step


def test_a_busy_feed_that_dies_is_silent_after_half_a_day():
    feed = Replay()
    assert feed.follow(every(20 * MINUTE, feed.at, NOW), NOW) == {}
    held = feed.follow([], NOW + 3 * DAY)
    assert held[Trouble.SILENT].startswith("nothing new since 2026-11-24 ")
    assert "arrivals were due by its own rhythm" in held[Trouble.SILENT]
    assert timedelta(hours=12) <= feed.at - NOW <= timedelta(hours=20)


@pytest.mark.parametrize(
    ("name", "step", "hours", "days"),
    [
        ("nights", 30 * MINUTE, range(6, 18), range(7)),
        ("weekends", HOUR, range(24), range(5)),
        ("working hours", 20 * MINUTE, range(8, 16), range(5)),
        ("one item a week", 7 * DAY, range(24), range(7)),
        ("one item a month", 30 * DAY, range(24), range(7)),
    ],
)
def test_a_feed_that_rests_as_it_always_does_is_not_silent(name, step, hours, days):
    feed = Replay(NOW - 120 * DAY)
    assert feed.follow(every(step, feed.at, NOW, hours, days), NOW) == {}, name


def test_a_new_item_ends_the_silence():
    feed = Replay()
    feed.follow(every(20 * MINUTE, feed.at, NOW), NOW)
    feed.follow([], NOW + 3 * DAY)
    assert feed.visit() == feed.held != {}
    assert feed.visit(feed.planned) == {}


def test_a_silence_that_ended_by_itself_must_be_outdone_by_the_next():
    feed = Replay()
    feed.follow(every(20 * MINUTE, feed.at, NOW), NOW)
    feed.follow([], NOW + 3 * DAY)
    first = feed.at - NOW
    feed.visit(feed.planned)
    again = feed.planned
    feed.follow(every(20 * MINUTE, again, again + 2 * DAY), again + 2 * DAY)
    died = feed.at
    feed.follow([], died + 10 * DAY)
    assert Trouble.SILENT in feed.held
    assert feed.at - died > first * 1.3


def test_time_of_which_we_know_nothing_is_no_silence():
    """The monitor was switched off. A visit that fails says nothing of that time, one that goes well says it all."""
    feed = Replay()
    feed.follow(every(20 * MINUTE, feed.at, NOW), NOW)
    off, known = NOW + 100 * DAY, (feed.standing, feed.held)
    looked, planned = feed.looked, feed.planned
    assert feed.visit(at=off, reason=Reason.TIMEOUT) == {}
    (feed.standing, feed.held), feed.looked, feed.planned = known, looked, planned
    assert feed.visit(off, at=off) == {}
    (feed.standing, feed.held), feed.looked, feed.planned = known, looked, planned
    assert set(feed.visit(at=off)) == {Trouble.SILENT}


def test_a_failing_feed_is_silent_too_and_the_exact_failure_is_told_alone():
    feed = Replay()
    feed.follow(every(20 * MINUTE, feed.at, NOW), NOW)
    while feed.planned < NOW + 30 * HOUR and not feed.held:
        feed.visit(reason=Reason.TIMEOUT)
    assert set(feed.held) == {Trouble.SILENT}
    other = Replay()
    other.follow(every(20 * MINUTE, other.at, NOW), NOW)
    while other.planned < NOW + 30 * HOUR:
        other.visit(reason=Reason.NOT_A_FEED)
    still = coverage.troubles(other.standing, replace(other.sight, repeated=True), {Trouble.NOT_A_FEED: NOW})
    assert set(still) == {Trouble.NOT_A_FEED}


def test_a_feed_too_quiet_for_chances_is_silent_after_a_month_and_half_as_long_as_ever():
    waits = lambda days, longest: Standing(  # noqa: E731
        waited_s=days * DAY.total_seconds(), longest_s=longest * DAY.total_seconds()
    )
    assert seen(sight(), waits(29, 10)) == {}
    found = seen(sight(unmodified=True), waits(30, 10))
    assert found[Trouble.SILENT].endswith('its longest silence before was 10 days; its server answers "not modified"')
    assert seen(sight(), waits(40, 30)) == {}


def test_the_next_look_finds_the_silence_between_two_visits():
    """A feed that is asked once a day, on its publisher's wish, is not found silent a day late."""
    feed = Replay()
    feed.follow(every(20 * MINUTE, feed.at, NOW), NOW)
    due = Due(at=feed.at + DAY, why="max_age", history=feed.history)
    look = coverage.next_look(feed.standing, feed.sight, due, {})
    assert feed.at + 11 * HOUR <= look <= feed.at + 20 * HOUR
    what = Sight(at=look, history=feed.history, looked=feed.at, planned=due.at, last_new=feed.last_new)
    assert set(coverage.troubles(coverage.between(feed.standing, what), what, {})) == {Trouble.SILENT}
    early = replace(what, at=look - 2 * HOUR)
    assert coverage.troubles(coverage.between(feed.standing, early), early, {}) == {}


def test_the_next_look_is_when_something_begins_or_ends():
    due = Due(at=NOW + DAY, why="backoff", history=KNOWN)
    assert coverage.next_look(Standing(), sight(), due, {}) is None
    failing = Standing(failing_since=NOW - 20 * HOUR)
    assert coverage.next_look(failing, sight(reason=Reason.DNS), due, {}) == NOW + 4 * HOUR
    assert coverage.next_look(Standing(), sight(), due, {Trouble.OVERFLOW: NOW - HOUR}) == NOW + 23 * HOUR


@given(
    st.lists(st.tuples(st.integers(1, 5000), st.booleans(), st.booleans()), max_size=60),
)
def test_whatever_happens_a_silence_needs_half_a_day_and_a_known_rhythm(visits):
    feed = Replay()
    feed.visit(*(feed.at - n * HOUR for n in range(10)))
    for minutes, news, fails in visits:
        feed.visit(
            *([feed.at] if news and not fails else []), at=feed.at + minutes * MINUTE,
            reason=Reason.TIMEOUT if fails else None,
        )  # fmt: skip
        if Trouble.SILENT in feed.held:
            assert feed.standing.waited_s >= coverage.LEAST.total_seconds()
            assert feed.at - feed.last_new >= coverage.LEAST
            assert not news or fails
        if not fails:
            assert feed.standing.failing_since is None
        assert feed.standing.quiet >= 0


# ---------------------------------------------------------------- stored, and named


@pytest.mark.parametrize(
    "standing",
    [Standing(), Standing(quiet=1.25, quietest=3.5, arrivals=7.0, waited_s=9.0, longest_s=3600.0, failing_since=NOW)],
)
def test_a_standing_survives_its_storing(standing):
    assert coverage.from_json(coverage.to_json(standing)) == standing
    assert coverage.from_json('{"quiet":2.0,"of_a_later_version":1}') == Standing(quiet=2.0)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<!DOCTYPE html><title>Just a moment...</title>", "a captcha"),
        (b"<html><div class='g-recaptcha'></div><input type='password'></html>", "a captcha"),
        (b"<HTML><form><input name=p TYPE=password></form>", "a login page"),
        (b"<html><h1>example.org</h1>This domain is for sale!</html>", "a page of a parked domain"),
        (b"<html><script src='https://cdn.example/onetrust.js'></script>", "a consent page"),
        (b"<html><body>Welcome</body></html>", "a web page"),
        (b'{"error": "no"}', None),
        (b"", None),
    ],
)
def test_what_came_in_place_of_a_feed_is_named(body, what):
    assert coverage.page(body) == what
