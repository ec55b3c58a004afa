"""Whether a feed is still heard: its rhythm, its failures and what a visit showed, to the troubles it is in. Pure.

Silence is judged against the feed's own rhythm. Each visit adds what the learned mean and the profiles of hours and
weekdays let expect since the visit before, counted in arrivals, for ten items at once are one. A feed is silent when
so many were expected that none at all has a chance below 1 in 1,000, and half as many again as in the longest silence
that ended by itself: real feeds pause more than chance says. Time in which nobody could know is no silence.

Constants are tuned on 90 series of real publication times, `bench/silence.py` (2026-11).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import log
from typing import Any

from aggregator import schedule
from aggregator.model import Due, History, Reason, Standing, Trouble

CHANCE = 1e-3
SLACK = 1.5  # times the longest silence that ended by itself
LEAST = timedelta(hours=12)  # without anything new, however busy the feed is
LEAST_NEW = timedelta(days=3)  # of a feed whose weekends were not seen yet
SEEN_S = 10 * 86_400.0  # decayed seconds of watching that two weeks make
KNOWN = 3  # arrivals it takes to speak of a rhythm
LONG = timedelta(days=30)  # of a feed too quiet for chances; and SLACK times its longest wait
FAILING_AFTER = timedelta(days=1)
NOT_FOUND_AFTER = timedelta(days=7)
PAUSE = timedelta(days=1)
OFFLINE_AFTER = timedelta(minutes=15)

LINGERS = {  # what happens in a moment is shown for so long after it happened last
    Trouble.OVERFLOW: timedelta(days=1),
    Trouble.SLICES_DIFFER: timedelta(days=1),
    Trouble.WATCHLIST_STOPPED: timedelta(days=1),
}
_AT_ONCE = {
    Reason.GONE: Trouble.GONE,
    Reason.INTERNAL: Trouble.BROKEN,
    Reason.PARSE_FAILED: Trouble.BROKEN,
    Reason.PARSE_TIMEOUT: Trouble.BROKEN,
}
_WHEN_REPEATED = {  # a firewall's bad mood passes; a second visit says whether it did
    Reason.UNAUTHORIZED: Trouble.REFUSED,
    Reason.NOT_A_FEED: Trouble.NOT_A_FEED,
    Reason.SUSPICIOUS_EMPTY: Trouble.EMPTY,
}
_FAILURES = {*_AT_ONCE.values(), *_WHEN_REPEATED.values(), Trouble.FAILING, Trouble.NOT_FOUND}
_ARRIVALS_HALF_LIFE_S = 14 * 86_400.0  # as that of the history's items, which they are compared with
_QUIETEST_HALF_LIFE_S = 90 * 86_400.0
_SPARE = timedelta(hours=1)  # that a visit may be late without our having looked away
_STEP = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a visit showed of a feed, or how it stands at a moment between two visits."""

    at: datetime
    history: History  # as known before this visit
    looked: datetime | None  # the visit before; None: there was none
    planned: datetime  # when a visit was due after that
    last_new: datetime | None  # before this visit
    new: int = 0
    entries: int = 0  # in the document that was read; 0: none was
    delta: bool = False  # it held only what changed, so that all of it may well be new
    reason: Reason | None = None  # of the last visit, when it failed
    detail: str = ""
    repeated: bool = False  # the visit before failed for the same reason
    unmodified: bool = False  # the server said so at the last visit
    paused: tuple[datetime, datetime] | None = None  # from when until when the server wants no visit
    unreadable: tuple[str, ...] = ()  # why entries of the document could not become items
    passed_over: int = 0  # new items of a full reading that stood in what was taken for known
    fallback: str = ""  # why its own address gives way to another one; "": it does not
    lying: bool = False  # the server has said "not modified" of what was modified


# ---------------------------------------------------------------- what is remembered


def after(before: Standing, sight: Sight, learned: History) -> Standing:
    """`before` with a visit in it; `learned` is the feed's history after the visit.

    A visit that went well and found nothing new says that nothing came since the last one, however long that is ago.
    One that failed says nothing: of that time only what was planned counts, for we may have been switched off.
    """
    span = _planned(sight) if sight.reason else _gap(sight)
    now = replace(
        _waiting(before, sight, span),
        quietest=before.quietest * 0.5 ** (span.total_seconds() / _QUIETEST_HALF_LIFE_S),
        arrivals=before.arrivals * 0.5 ** (span.total_seconds() / _ARRIVALS_HALF_LIFE_S),
        failing_since=(before.failing_since or sight.at) if sight.reason else None,
    )
    if sight.history.last_poll is None:  # the dates in a first document count as if we had been there
        return replace(now, arrivals=learned.moments, quiet=0.0, waited_s=0.0)
    if not sight.new:
        return now
    return replace(
        now,
        quiet=0.0,
        quietest=max(now.quietest, now.quiet),
        arrivals=now.arrivals + 1,
        waited_s=0.0,
        longest_s=max(now.longest_s, now.waited_s),
    )


def between(before: Standing, sight: Sight) -> Standing:
    """`before` with the time in it since the last visit, as far as no visit was due."""
    return _waiting(before, sight, _planned(sight))


def _gap(sight: Sight) -> timedelta:
    return max(sight.at - sight.looked, timedelta(0)) if sight.looked else timedelta(0)


def _planned(sight: Sight) -> timedelta:
    """How much of the gap was planned."""
    return min(_gap(sight), max(sight.planned + _SPARE - (sight.looked or sight.at), timedelta(0)))


def _waiting(before: Standing, sight: Sight, span: timedelta) -> Standing:
    """`before` after waiting in vain for so long."""
    if sight.looked is None:
        return before
    expected = _arrivals(before, sight.history, sight.looked, sight.looked + span)
    return replace(before, quiet=before.quiet + expected, waited_s=before.waited_s + span.total_seconds())


def _arrivals(standing: Standing, history: History, since: datetime, until: datetime) -> float:
    """How many arrivals the feed's rhythm lets expect."""
    if not history.items:
        return 0.0
    each = min(standing.arrivals / history.items, 1.0)
    return each * schedule.expected_items(history, since.timestamp(), until.timestamp())


# ---------------------------------------------------------------- what is wrong


def troubles(standing: Standing, sight: Sight, already: Mapping[Trouble, datetime]) -> dict[Trouble, str | None]:
    """All that is wrong with a feed, with a plain detail; None: as it was told before.

    `already` is what was wrong with it until now, with when each was seen last.
    """
    seen = dict(_seen(standing, sight))
    if (Trouble.FALLBACK in seen) != (Trouble.FALLBACK in already):
        seen.pop(Trouble.OVERFLOW, None)  # the first document of another address is all new
    failures = _FAILURES & (seen.keys() | already.keys())
    if failures - {Trouble.FAILING}:
        seen.pop(Trouble.FAILING, None)  # said more exactly
    if failures and Trouble.SILENT not in already:
        seen.pop(Trouble.SILENT, None)
    kept = (kind for kind, seen_at in already.items() if kind not in seen and _lasts(kind, seen_at, sight))
    return {**dict.fromkeys(kept), **seen}


def _lasts(kind: Trouble, seen_at: datetime, sight: Sight) -> bool:
    """Whether a trouble that is not to be seen just now goes on."""
    if kind in LINGERS:
        return sight.at - seen_at < LINGERS[kind]
    if kind in _FAILURES:
        return sight.reason is not None
    if kind is Trouble.SILENT:
        return not sight.new
    return kind is Trouble.ENTRIES_LOST and (not sight.entries or sight.delta)


def _seen(standing: Standing, sight: Sight) -> Iterator[tuple[Trouble, str]]:
    if sight.reason is not None:
        yield from _failure(sight.reason, standing, sight)
    elif 1 < sight.entries <= sight.new and not sight.delta and sight.history.last_poll is not None:
        yield Trouble.OVERFLOW, f"all {sight.entries} entries were new: others may have come and gone unseen"
    if silence := _silence(standing, sight):
        yield Trouble.SILENT, silence
    if sight.paused and sight.paused[1] - sight.paused[0] > PAUSE:
        yield Trouble.PAUSED, f"its server allows no visit before {_moment(sight.paused[1])}"
    if sight.fallback:
        yield Trouble.FALLBACK, sight.fallback
    if sight.unreadable:
        why = ", ".join(sorted(set(sight.unreadable)))
        yield Trouble.ENTRIES_LOST, f"{len(sight.unreadable)} of {sight.entries} entries cannot be read ({why})"
    if sight.passed_over:
        yield Trouble.SLICES_DIFFER, f"new items that were taken for known: {sight.passed_over}"
    if sight.lying:
        yield Trouble.UNCHANGING, 'its server has said "not modified" although there was something new'


def _failure(reason: Reason, standing: Standing, sight: Sight) -> Iterator[tuple[Trouble, str]]:
    said = f"{reason}: {sight.detail}" if sight.detail else str(reason)
    since = standing.failing_since or sight.at
    if reason in _AT_ONCE:
        yield _AT_ONCE[reason], said
    elif reason in _WHEN_REPEATED and sight.repeated:
        yield _WHEN_REPEATED[reason], said
    elif reason is Reason.NOT_FOUND:
        if sight.at - since >= NOT_FOUND_AFTER:
            yield Trouble.NOT_FOUND, said
    elif sight.at - since >= FAILING_AFTER:
        yield Trouble.FAILING, said


def _silence(standing: Standing, sight: Sight) -> str | None:
    """How the feed is silent, None when it is not."""
    if sight.new or sight.last_new is None:
        return None
    since, waited = f"nothing new since {_moment(sight.last_new)}", timedelta(seconds=standing.waited_s)
    answers = '; its server answers "not modified"' if sight.unmodified else ""
    if standing.arrivals >= KNOWN and waited >= _least(sight.history) and standing.quiet > _most_quiet(standing):
        return f"{since}, where about {standing.quiet:.0f} arrivals were due by its own rhythm{answers}"
    if standing.longest_s and waited >= _long(standing):
        return f"{since}; its longest silence before was {_long_words(standing.longest_s)}{answers}"
    return None


def _most_quiet(standing: Standing) -> float:
    """More arrivals than this, expected in vain, are a silence."""
    return max(-log(CHANCE), SLACK * standing.quietest)


def _least(history: History) -> timedelta:
    return LEAST if history.exposure_s >= SEEN_S else LEAST_NEW


def _long(standing: Standing) -> timedelta:
    return max(LONG, timedelta(seconds=SLACK * standing.longest_s))


def _long_words(span_s: float) -> str:
    days = span_s / 86_400
    return f"{days:.0f} days" if days >= 2 else f"{days * 24:.0f} h"  # noqa: PLR2004 - one day is 24 h, not "1 days"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


# ---------------------------------------------------------------- when to look again


def next_look(standing: Standing, sight: Sight, due: Due, held: Mapping[Trouble, datetime]) -> datetime | None:
    """When something may be wrong with the feed, or over, before its next visit; None: the visit will say.

    `held` is what is wrong with it, with when each was seen last.
    """
    moments = [seen_at + LINGERS[kind] for kind, seen_at in held.items() if kind in LINGERS]
    if standing.failing_since is not None:
        moments += [standing.failing_since + wait for wait in (FAILING_AFTER, NOT_FOUND_AFTER)]
    if Trouble.SILENT not in held:
        moments += _turns_silent(standing, sight, due)
    return min((moment for moment in moments if sight.at < moment), default=None)


def _turns_silent(standing: Standing, sight: Sight, due: Due) -> Iterator[datetime]:
    if standing.longest_s:
        yield sight.at + _long(standing) - timedelta(seconds=standing.waited_s)
    if standing.arrivals < KNOWN:
        return
    at, quiet, most = sight.at, standing.quiet, _most_quiet(standing)
    if quiet + _arrivals(standing, due.history, at, due.at) <= most:
        return  # nearly always
    while at < due.at:
        begin, at = at, min(at + _STEP, due.at)
        quiet += _arrivals(standing, due.history, begin, at)
        if quiet > most and at - sight.at + timedelta(seconds=standing.waited_s) >= _least(due.history):
            yield at
            return


# ---------------------------------------------------------------- storing


def to_json(standing: Standing) -> str:
    """`standing` as one line of JSON."""
    since = standing.failing_since
    numbers = {name: round(getattr(standing, name), 3) for name in _NUMBERS}
    stored = numbers | {"failing_since": since and since.isoformat()}
    return json.dumps({name: value for name, value in stored.items() if value}, separators=(",", ":"))


def from_json(text: str) -> Standing:
    """The standing that `to_json` wrote, by this or another version."""
    stored: dict[str, Any] = json.loads(text)
    since = stored.get("failing_since")
    numbers = {name: stored[name] for name in _NUMBERS if name in stored}
    return Standing(**numbers, failing_since=datetime.fromisoformat(since) if since else None)


_NUMBERS = ("quiet", "quietest", "arrivals", "waited_s", "longest_s")


# ---------------------------------------------------------------- what came in place of a feed

_LOOKED_AT = 65_536  # bytes
_PAGES: tuple[tuple[str, tuple[bytes, ...]], ...] = (  # the first that fits; words that stand in the page's source
    ("a captcha", (b"captcha", b"cf-challenge", b"challenge-platform", b"just a moment...", b"are you a robot",
                   b"verify you are human", b"ddos-guard", b"_incapsula_", b"px-captcha")),
    ("a page of a parked domain", (b"domain is for sale", b"buy this domain", b"domain is parked", b"parkingcrew",
                                   b"sedoparking", b"bodis.com", b"domain may be for sale", b"hugedomains")),
    ("a login page", (b'type="password"', b"type='password'", b"type=password")),
    ("a consent page", (b"consent.google", b"cookie consent", b"cookie-consent", b"consent-form", b"onetrust",
                        b"before you continue", b"didomi", b"cookiebot", b"consentmanager")),
)  # fmt: skip


def page(body: bytes) -> str | None:
    """What sort of web page `body` is, for people; None when it is none."""
    start = body[:_LOOKED_AT].lower()
    if b"<html" not in start and b"<!doctype html" not in start and b"<body" not in start:
        return None
    for what, signs in _PAGES:
        if any(sign in start for sign in signs):
            return what
    return "a web page"
