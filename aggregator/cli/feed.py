"""One feed, as `feeds show` tells of it: how it does, when it is read next and why then, and when it publishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aggregator import compose, schedule
from aggregator.cli import chart, health, show
from aggregator.model import Doubt, History, Trouble
from aggregator.settings import FeedSpec
from aggregator.store import StoredFeed

DAY_S = 86_400.0
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DOUBTS = {
    Doubt.FALSE_304: "its server said that nothing had changed, and hid news: it is asked for the whole once a day",
    Doubt.MAX_AGE_CAPPED: "its server wants to be asked more rarely than once a day (max-age); a day is what it gets",
    Doubt.TTL_CAPPED: "the document wants to be read more rarely than once a day (ttl, sy:); a day is what it gets",
    Doubt.LONG_PAUSE: "its server wants to be left alone for more than a day (Retry-After), and is, up to a week",
    Doubt.SKIPS_ALL: "the document skips every hour of the day (skipHours), which is not followed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a feed that the database has."""

    feed: StoredFeed
    history: History
    now: datetime

    @property
    def next_at(self) -> datetime:
        """When it is read next, if nothing comes between."""
        return max(self.feed.due_at, self.feed.paused_until or self.feed.due_at)


def record(spec: FeedSpec, known: Known | None) -> dict[str, Any]:
    """The JSON fields of `feeds show`; those that only a known feed has are null before it is."""
    if known is None:
        more = ("next", "because", "paused_until", "hints", "rhythm")
        return health.record(spec, None) | dict.fromkeys(more) | {"doubts": ()}
    history = known.history
    return health.record(spec, known.feed) | {
        "next": known.next_at,
        "because": because(known),
        "paused_until": known.feed.paused_until,
        "doubts": schedule.doubts(history, known.now),
        "hints": {
            "max_age_s": history.max_age_s, "retry_after_s": history.retry_after_s, "ttl_s": history.ttl_s,
            "update_base": _moment(history.update_base), "skip_hours": history.skip_hours,
            "skip_days": history.skip_days,
        },
        "rhythm": _rhythm(history),
    }  # fmt: skip


def lines(spec: FeedSpec, known: Known | None) -> Iterator[tuple[str, object]]:
    """What people are told, in pairs of name and value."""
    feed = known.feed if known else None
    yield "Feed", spec.name
    yield "Address", health.address(spec.url)
    yield "Read as", " with links ".join(filter(None, (spec.type, spec.select))) if spec.type != "feed" else None
    if feed and feed.address:
        yield "Asked at", f"{health.address(feed.address)} (it moved for good; feeds.yaml may follow)"
    if feed and feed.moved_to:
        yield "Moving to", f"{health.address(feed.moved_to)} (its server says for good; believed after a day)"
    yield "Title", feed and feed.title
    yield "Language", spec.lang
    yield "Tags", ", ".join(spec.tags)
    yield "State", health.state(feed)
    if known is not None:
        yield from _doings(known)
        yield from _wishes(known.history)
        yield from (("Doubt", DOUBTS[doubt]) for doubt in schedule.doubts(known.history, known.now))


def _doings(known: Known) -> Iterator[tuple[str, object]]:
    feed = known.feed
    for one in feed.troubles:
        yield "Trouble", f"{one.kind} since {show.utc(one.since)} UTC: {one.detail}"
        yield "", compose.ADVICE[Trouble(one.kind)][1]
    if feed.visited_at:
        yield "Last visit", f"{_ago(feed.visited_at, known.now)}: {health.why(feed) or feed.outcome}"
    yield "Failures", f"{feed.failures} in a row" if feed.failures else None
    if feed.stand_in:
        yield "Read", health.by_fallback(feed)
        yield "Own address", f"asked again {_ahead(feed.stand_in.retry_at, known.now)}"
    yield "Last read", _ago(feed.read_at, known.now) if feed.read_at else "never"
    yield "Last new item", feed.new_at and _ago(feed.new_at, known.now)
    if feed.twin_of:
        yield "Next visit", f"none: {feed.twin_of} has the same document and is read for both"
    else:
        yield "Next visit", _ahead(known.next_at, known.now)
        yield "why then", because(known)
    yield "Format", ", ".join(filter(None, (feed.format, *feed.flags)))
    yield "Items", f"{feed.items:,}"


def because(known: Known) -> str:
    """Which bound decided when the feed is read next, in words."""
    feed = known.feed
    if feed.paused_until and feed.paused_until > feed.due_at:
        return "its server refused us (429 or 503): the whole host rests"
    said = _BECAUSE.get(feed.due_why)
    return said(known) if said else health.WHY.get(feed.due_why, feed.due_why)


def _by_rhythm(known: Known) -> str:
    begun, due = known.feed.visited_at or known.now, known.feed.due_at
    items = schedule.expected_items(known.history, begun.timestamp(), due.timestamp())
    return f"its own rhythm of news: about {items:.1f} new items by then"


def _by_ttl(known: Known) -> str:
    base = _moment(known.history.update_base)
    beats = f", counted from {base:%H:%M} UTC" if base else ""
    return f"the document asks for {_span(known.history.ttl_s)} between two visits{beats}"


_BECAUSE: Mapping[str, Callable[[Known], str]] = {
    "rate": _by_rhythm,
    "ttl": _by_ttl,
    "max_age": lambda known: f"max-age of its server, {_span(known.history.max_age_s)}",
    "retry_after": lambda known: f"Retry-After of its server, {_span(known.history.retry_after_s)}",
    "skip": lambda known: f"the document asks not to be read {_skipped(known.history)}",
    "backoff": lambda known: f"failures in a row: {known.feed.failures}; each doubles the wait, up to a day",
}


def _wishes(history: History) -> Iterator[tuple[str, object]]:
    asked = (("max-age", history.max_age_s), ("Retry-After", history.retry_after_s))
    yield "Server asks", ", ".join(f"{name} {_span(seconds)}" for name, seconds in asked if seconds)
    said = [f"ttl {_span(history.ttl_s)}"] if history.ttl_s else []
    if history.skip_hours or history.skip_days:
        said.append(f"not {_skipped(history)}")
    yield "Feed asks", ", ".join(said)


def _skipped(history: History) -> str:
    hours = ", ".join(f"{first:02}:00-{last:02}:59" for first, last in _runs(history.skip_hours))
    days = ", ".join(WEEKDAYS[day] for day in history.skip_days)
    return " or on ".join(filter(None, (hours and f"at {hours} UTC", days))) if hours else f"on {days}"


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Hours in order as stretches without a gap, also over midnight: (first, last)."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    if len(runs) > 1 and (runs[0][0], runs[-1][1]) == (0, 23):
        return [*runs[1:-1], (runs[-1][0], runs[0][1])]
    return runs


# ---------------------------------------------------------------- when it publishes


def print_rhythm(history: History, now: datetime) -> None:
    """A chart of how many items come in each hour of the day."""
    rhythm = _rhythm(history)
    if rhythm is None:
        return
    show.text()
    show.heading(f"When it publishes: about {rhythm['items_a_day']:.2g} items a day, by hour of the day (UTC)")
    for line, bars in chart.by_hour(rhythm["by_hour"], now.astimezone(UTC).hour):
        show.text(show.coloured(line, "cyan") if bars else line)


def _rhythm(history: History) -> dict[str, Any] | None:
    """Items a day, by hour and by weekday, as learned; None before anything was."""
    days = history.exposure_s / DAY_S
    if history.items < 1 or days < 1 / 24:
        return None
    by_weekday = (*history.days[4:], *history.days[:4])  # stored Thursday first, as the epoch began
    return {
        "items_a_day": round(history.items / days, 3),
        "by_hour": [round(count / days, 3) for count in history.hours],
        "by_weekday": [round(7 * count / days, 3) for count in by_weekday],
    }


# ---------------------------------------------------------------- times


def _span(seconds: float | None) -> str:
    """`12 h`, `1 h 30 min`, `45 s`: the two largest units that are not zero."""
    left, said = round(seconds or 0), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            said.append(f"{count} {unit}")
    return " ".join(said[:2]) or "0 s"


def _ago(at: datetime, now: datetime) -> str:
    return f"{show.utc(at)} UTC, {show.age(now - at)} ago"


def _ahead(at: datetime, now: datetime) -> str:
    return f"{show.utc(at)} UTC, {'in ' + show.age(at - now) if at > now else 'due now'}"


def _moment(epoch_s: float | None) -> datetime | None:
    return None if epoch_s is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=epoch_s)
