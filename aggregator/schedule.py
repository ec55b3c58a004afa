"""When to look at a feed again: its history, what the last visit showed, and now, to the next due time. Pure.

A poll is worth `cost` item-seconds of waiting: a feed is due when the items expected to have come, times how long
they have waited, reach that sum. For a steady rate r this is sqrt(2 cost / r), the optimum of Sia, Cho and Cho
(2007). The expected rate is learned: a decayed mean, profiles of the hours and weekdays (UTC), and an echo, which
says how much more or less comes some time after the last item than the profiles say: bursts, pauses and steady
beats. Whatever a server asks is a lower bound on top.

Constants are tuned on 90 series of real publication times, `bench/schedule.py` (2026-11).
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from math import exp, inf, log, sqrt
from typing import Any
from zlib import crc32

from aggregator.model import Due, Hints, History, Observation, Pace, Reason

LAGS_S = tuple(60.0 * minutes for minutes in (0, 5, 10, 20, 40, 60, 90, 120, 240, 480))
"""Where the classes of the echo begin, in seconds since the last item."""

_HOUR_S = 3_600.0
_DAY_S = 86_400.0
_HALF_LIFE_S = 14 * _DAY_S
_PRIOR_ITEMS = 0.5  # a feed without history is expected to bring one item a day
_PRIOR_EXPOSURE_S = 0.5 * _DAY_S
_HOURS_PRIOR = 5.0  # items it takes for a profile to count half
_DAYS_PRIOR = 20.0
_ECHO_PRIOR = 3.0
_FAINTEST = 0.001  # of the usual rate is always expected
_EVEN_RATE = 100 / _DAY_S  # where a poll costs exactly `cost`; a poll of a quieter feed costs less, by
_EVEN_POWER = 0.08  # this power of the rate: its items wait longest, and the longest waits are what hurts
_WINDOW_SHARE = 1 / 3  # of a document's places that may fill up before we look again
_STAGGER = 0.5  # of the first wait is chance, so that feeds added together part at once,
_SWAY = 0.02  # and this much of each later one
_JITTER = 0.1  # of a wait that someone else set, always upwards
_JITTER_MAX_S = 1_800.0
_HINT_CAP_S = _DAY_S
_RETRY_CAP_S = 7 * _DAY_S
_REFUSED_S = 4 * _HOUR_S
_GONE_S = 30 * _DAY_S
_SPREAD_MOST = 1_000


def next_due(history: History, outcome: Observation, now: datetime, settings: Pace) -> Due:
    """When the feed is due again, which bound decided, and the history with `outcome` in it.

    Never raises and reads no clock; the jitter that keeps feeds out of step comes from `now` and the history.
    """
    chance = _chance(history, now)
    if outcome.reason is not None:
        known = replace(history, failures=history.failures + 1)
        wait_s, why = _backoff(outcome.reason, known.failures, settings, chance)
    else:
        known = _learned(history, outcome, now)
        wait_s, why = _worth_a_poll(known, outcome.entries, now.timestamp(), settings)
        wait_s *= (1 - chance * (_SWAY if history.last_poll else _STAGGER)) * 0.5 ** min(known.losses, 3)
        wait_s, why = _allowed(settings, wait_s, why, chance)
    wait_s, why = _asked(known.ttl_s, outcome.hints, (wait_s, why), chance)
    return Due(at=now + timedelta(seconds=wait_s), why=why, history=known)


def to_json(history: History) -> str:
    """`history` as one line of JSON."""
    plain = {field.name: _plain(getattr(history, field.name)) for field in fields(History)}
    return json.dumps(plain, separators=(",", ":"))


def from_json(text: str) -> History:
    """The history that `to_json` wrote, by this or an older version: unknown keys are dropped, missing ones empty."""
    stored: dict[str, Any] = json.loads(text or "{}")
    known: dict[str, Any] = {}
    for name in (field.name for field in fields(History) if stored.get(field.name) is not None):
        value = stored[name]
        known[name] = tuple(value) if isinstance(value, list) else value
    if "last_poll" in known:
        known["last_poll"] = datetime.fromisoformat(known["last_poll"])
    return History(**known)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [round(number, 3) for number in value]
    return value


# ---------------------------------------------------------------- how long to wait


def _allowed(pace: Pace, wait_s: float, why: str, chance: float) -> tuple[float, str]:
    """`wait_s`, unless the operator set the interval or will not have it so short."""
    if pace.every is not None:
        return _later(pace.every.total_seconds(), chance), "every"
    floor_s = pace.polling.floor.total_seconds()
    return (wait_s, why) if wait_s > floor_s else (_later(floor_s, chance), "floor")


def _asked(ttl_s: float | None, hints: Hints, ours: tuple[float, str], chance: float) -> tuple[float, str]:
    """`ours`, or what the server asks if that is longer. A refusal counts for a week, freshness for a day."""
    wait_s, why = ours
    for asked_s, cap_s, name in (
        (ttl_s, _HINT_CAP_S, "ttl"),
        (hints.max_age_s, _HINT_CAP_S, "max_age"),
        (hints.retry_after_s, _RETRY_CAP_S, "retry_after"),
    ):
        if asked_s is not None and asked_s > wait_s and wait_s < cap_s:
            wait_s, why = min(_later(asked_s, chance), cap_s), name
    return wait_s, why


def _backoff(reason: Reason, failures: int, pace: Pace, chance: float) -> tuple[float, str]:
    """How long to leave a failing feed alone: never more than a day, but for one that is gone."""
    if reason is Reason.GONE:
        return _GONE_S, "gone"
    doubled = 2.0 ** min(failures - 1, 30)
    if reason is Reason.TOO_MANY:
        wait_s = _REFUSED_S * doubled
    elif reason is Reason.UNAUTHORIZED:
        wait_s = _REFUSED_S if failures == 1 else _DAY_S
    else:  # half of the wait is chance, so that feeds that fell together rise apart
        wait_s = pace.polling.floor.total_seconds() * doubled * (1 + chance)
    return min(_later(wait_s, chance), _DAY_S), "backoff"


def _later(wait_s: float, chance: float) -> float:
    return wait_s + min(_JITTER * wait_s, _JITTER_MAX_S) * chance


def _chance(history: History, now: datetime) -> float:
    """A number in [0, 1) that differs between feeds and visits, and is the same for the same arguments."""
    return crc32(repr((now.timestamp(), history.items, history.exposure_s, history.failures)).encode()) / 2**32


# ---------------------------------------------------------------- what is expected


def _worth_a_poll(history: History, entries: int, now_s: float, pace: Pace) -> tuple[float, str]:
    """Seconds until waiting has cost a poll ("rate"), the document fills up ("window"), or the cap is reached."""
    cost = pace.polling.cost / pace.weight
    cost *= (_mean_rate(history) * _profile(history, now_s) / _EVEN_RATE) ** _EVEN_POWER
    room = max(entries * _WINDOW_SHARE, 1.0) if entries else inf
    cap_s = pace.polling.cap.total_seconds()
    at_s = spent = unseen = 0.0
    for span_s, rate in _expected(history, now_s):
        fills_s = (room - unseen) / rate
        costs_s = (sqrt(unseen * unseen + 2 * rate * (cost - spent)) - unseen) / rate
        if min(fills_s, costs_s) <= span_s or at_s + span_s >= cap_s:
            wait_s = at_s + min(fills_s, costs_s)
            if wait_s >= cap_s:
                break
            return wait_s, "rate" if costs_s <= fills_s else "window"
        spent += unseen * span_s + rate * span_s * span_s / 2
        unseen += rate * span_s
        at_s += span_s
    return cap_s, "cap"


def _expected(history: History, now_s: float) -> Iterator[tuple[float, float]]:
    """The time ahead in pieces: how long each is, and the items expected in it per second."""
    mean, at_s, still = _mean_rate(history), now_s, 1.0
    together = min((history.moments + 1) / (history.items + 1), 1.0)  # moments for each item
    while True:
        plain, echo, span_s = mean * _profile(history, at_s), 1.0, _HOUR_S - at_s % _HOUR_S
        if history.last_came is not None:
            lag_s = max(at_s - history.last_came, 0.0)
            echo, left_s = _echo_at(history, lag_s)
            span_s = max(min(span_s, left_s), 1.0)
        # The echo holds as long as nothing new has come; `still` is the chance of that.
        fade = exp(-plain * echo * together * span_s / 2)
        yield span_s, plain * max(1 + (echo - 1) * still * fade, _FAINTEST)
        still *= fade * fade
        at_s += span_s


def _mean_rate(history: History) -> float:
    return (history.items + _PRIOR_ITEMS) / (history.exposure_s + _PRIOR_EXPOSURE_S)


def _profile(history: History, at_s: float) -> float:
    """How many times the mean rate is usual at this hour of this weekday."""
    if not history.hours:
        return 1.0
    hours, number = history.hours, int(at_s // _HOUR_S) % 24
    usual = (hours[number - 1] + 4 * hours[number] + hours[(number + 1) % 24]) / 6
    of_hour = (24 * usual + _HOURS_PRIOR) / (history.items + _HOURS_PRIOR)
    of_day = (7 * history.days[int(at_s // _DAY_S) % 7] + _DAYS_PRIOR) / (history.items + _DAYS_PRIOR)
    return of_hour * of_day


def _echo_at(history: History, lag_s: float) -> tuple[float, float]:
    """How many times the usual rate holds `lag_s` after the last item, and for how many seconds more."""
    number = _lag_class(lag_s)
    left_s = LAGS_S[number + 1] - lag_s if number + 1 < len(LAGS_S) else inf
    return (history.echo_came[number] + _ECHO_PRIOR) / (history.echo_due[number] + _ECHO_PRIOR), left_s


# ---------------------------------------------------------------- what is learned


def _learned(history: History, outcome: Observation, now: datetime) -> History:
    """`history` after a visit that went well. The dates in a first document count as if we had been there."""
    now_s = now.timestamp()
    last_s = history.last_poll.timestamp() if history.last_poll else -inf
    dated = _dated(outcome, last_s, now_s)
    since_s = last_s if history.last_poll else (dated or [now_s])[0]
    gap_s = max(now_s - since_s, 0.0)
    came = dated + _spread(outcome.new - len(dated), last_s, now_s)
    kept = 0.5 ** (gap_s / _HALF_LIFE_S)
    weights = [0.5 ** ((now_s - at) / _HALF_LIFE_S) for at in came]
    items = history.items * kept + sum(weights)
    exposure_s = history.exposure_s * kept + (1 - kept) * _HALF_LIFE_S / log(2)
    echo_came, echo_due, last_came = _echo(history, dated, (since_s, now_s), items / max(exposure_s, _HOUR_S), kept)
    slipped = outcome.entries > 1 and outcome.new >= outcome.entries and history.last_poll is not None
    return History(
        items=items,
        exposure_s=exposure_s,
        last_poll=now,
        hours=_tallied(history.hours or (0.0,) * 24, kept, came, weights, _HOUR_S),
        days=_tallied(history.days or (0.0,) * 7, kept, came, weights, _DAY_S),
        echo_came=echo_came,
        echo_due=echo_due,
        moments=history.moments * kept + len(set(dated)),
        last_came=last_came if len(dated) == len(came) else None,
        ttl_s=outcome.ttl_s if outcome.ttl_s or outcome.new or outcome.published else history.ttl_s,
        losses=history.losses + 1 if slipped else max(history.losses - 1, 0),
    )


def _dated(outcome: Observation, last_s: float, now_s: float) -> list[float]:
    """When new items came, of those whose date can be true: after the last visit and not ahead of us."""
    inside = sorted(at for at in (when.timestamp() for when in outcome.published) if last_s < at <= now_s)
    return inside[-outcome.new :] if outcome.new else []


def _spread(count: int, last_s: float, now_s: float) -> list[float]:
    """`count` moments, evenly since the last visit; none when there was no visit."""
    if last_s == -inf:
        return []
    step_s = (now_s - last_s) / max(count, 1)
    return [last_s + step_s * (number + 0.5) for number in range(min(count, _SPREAD_MOST))]


def _tallied(
    counts: tuple[float, ...], kept: float, came: list[float], weights: list[float], class_s: float
) -> tuple[float, ...]:
    fresh = [kept * count for count in counts]
    for at, weight in zip(came, weights, strict=True):
        fresh[int(at // class_s) % len(fresh)] += weight
    return tuple(fresh)


def _echo(
    history: History, came: list[float], span: tuple[float, float], mean: float, kept: float
) -> tuple[tuple[float, ...], tuple[float, ...], float | None]:
    """What came and what was due by the time since the last item, and when that was, with `span` looked through."""
    seen = [kept * count for count in history.echo_came] or [0.0] * len(LAGS_S)
    due = [kept * count for count in history.echo_due] or [0.0] * len(LAGS_S)
    last, at_s = history.last_came, span[0]
    for moment, count in (*sorted(Counter(came).items()), (span[1], 0)):
        if last is not None:
            rate, lag_s = mean * _profile(history, moment), max(at_s - last, 0.0)
            end_s = max(moment - last, lag_s)  # a clock may have jumped back
            final = _lag_class(end_s)
            for number in range(_lag_class(lag_s), final + 1):
                until_s = LAGS_S[number + 1] if number < final else end_s
                due[number] += rate * (until_s - max(LAGS_S[number], lag_s))
            seen[final] += count
        last = moment if count else last
        at_s = moment
    return tuple(seen), tuple(due), last


def _lag_class(lag_s: float) -> int:
    return max(bisect_right(LAGS_S, lag_s) - 1, 0)
