"""When to look at a feed again: its history, what the last visit showed, and now, to the next due time. Pure.

A poll is worth `cost` item-seconds of waiting: a feed is due when the items expected to have come, times how long
they have waited, reach that sum. For a steady rate r this is sqrt(2 cost / r), the optimum of Sia, Cho and Cho
(2007). The rate is learned per feed: a decayed mean, a profile of the hours of the day (UTC), and a burst after
each item. Whatever a server asks is a lower bound on top.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import fields
from datetime import datetime, timedelta
from math import exp, log
from typing import Any
from zlib import crc32

from aggregator.model import Due, History, Observation, Pace, Reason

_HOUR_S = 3_600.0
_DAY_S = 86_400.0
_HALF_LIFE_S = 14 * _DAY_S
_PRIOR_ITEMS = 0.5  # a feed without history is expected to bring one item a day
_PRIOR_EXPOSURE_S = 0.5 * _DAY_S
_PROFILE_PRIOR = 12.0  # items it takes for the hour profile to count half
_BURST_SHARE = 0.3  # items that one item brings with it, on average,
_BURST_S = _HOUR_S  # within about this time
_RECENT = 10
_WINDOW_SHARE = 1 / 3  # of a document's places that may fill up before we look again
_JITTER = 0.1
_JITTER_MAX_S = 1_800.0
_HINT_CAP_S = _DAY_S
_RETRY_CAP_S = 7 * _DAY_S
_REFUSED_S = 4 * _HOUR_S
_GONE_S = 30 * _DAY_S


def next_due(history: History, outcome: Observation, now: datetime, settings: Pace) -> Due:
    """When the feed is due again, which bound decided, and the history with `outcome` in it.

    Never raises and reads no clock; the jitter that keeps feeds out of step comes from `now` and the history.
    """
    chance = _chance(history, now)
    if outcome.reason is not None:
        known = _with(history, failures=history.failures + 1)
        wait_s, why = _backoff(outcome.reason, known.failures, settings, chance)
    else:
        known = _learned(history, outcome, now)
        wait_s, why = _wanted(known, now, settings, chance)
    wait_s, why = _asked(outcome, wait_s, why, chance)
    return Due(at=now + timedelta(seconds=wait_s), why=why, history=known)


def to_json(history: History) -> str:
    """`history` as one line of JSON."""
    return json.dumps(
        {field.name: _plain(getattr(history, field.name)) for field in fields(History)}, separators=(",", ":")
    )


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
    return round(value, 3) if isinstance(value, float) else value


# ---------------------------------------------------------------- how long to wait


def _wanted(history: History, now: datetime, pace: Pace, chance: float) -> tuple[float, str]:
    """What we want of our own accord, in seconds, and why."""
    if pace.every is not None:
        return _later(pace.every.total_seconds(), chance), "every"
    floor_s, cap_s = pace.polling.floor.total_seconds(), pace.polling.cap.total_seconds()
    wait_s, why = _worth_a_poll(history, now.timestamp(), pace.polling.cost / pace.weight, cap_s)
    wait_s *= 0.5 ** min(history.losses, 3)
    if wait_s <= floor_s:
        return _later(floor_s, chance), "floor"
    if wait_s >= cap_s:
        return cap_s - min(_JITTER * cap_s, _JITTER_MAX_S) * chance, "cap"
    return min(max(wait_s * (1 + _JITTER * (2 * chance - 1)), floor_s), cap_s), why


def _asked(outcome: Observation, wait_s: float, why: str, chance: float) -> tuple[float, str]:
    """`wait_s`, or what the server asks if that is longer. A refusal counts for a week, freshness for a day."""
    for asked_s, cap_s, name in (
        (outcome.ttl_s, _HINT_CAP_S, "ttl"),
        (outcome.hints.max_age_s, _HINT_CAP_S, "max_age"),
        (outcome.hints.retry_after_s, _RETRY_CAP_S, "retry_after"),
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
    else:
        wait_s = pace.polling.floor.total_seconds() * doubled
        wait_s *= 1 + chance  # half of the wait is chance, so that feeds that fell together rise apart
    return min(_later(wait_s, chance), _DAY_S), "backoff"


def _later(wait_s: float, chance: float) -> float:
    return wait_s + min(_JITTER * wait_s, _JITTER_MAX_S) * chance


def _chance(history: History, now: datetime) -> float:
    """A number in [0, 1) that differs between feeds and visits, and is the same for the same arguments."""
    return crc32(f"{now.timestamp()} {history.items} {history.exposure_s} {history.failures}".encode()) / 2**32


# ---------------------------------------------------------------- what is expected


def _worth_a_poll(history: History, now_s: float, cost: float, horizon_s: float) -> tuple[float, str]:
    """Seconds until waiting has cost `cost` item-seconds ("rate") or the document fills up ("window")."""
    rates = _hourly_rates(history)
    room = max(history.window * _WINDOW_SHARE, 1.0) if history.window else float("inf")
    burst = _BURST_SHARE * sum(exp((at - now_s) / _BURST_S) for at in history.recent)
    at_s = spent = unseen = 0.0
    while at_s < horizon_s:
        span_s = _HOUR_S - (now_s + at_s) % _HOUR_S
        rate = rates[int((now_s + at_s) // _HOUR_S) % 24]
        cost_then, unseen_then = _grown(spent, unseen, rate, burst, span_s)
        if cost_then >= cost or unseen_then >= room:
            step_s = _crossing(spent, unseen, rate, burst, span_s, cost, room)
            reached = _grown(spent, unseen, rate, burst, step_s)[0] >= cost
            return at_s + step_s, "rate" if reached else "window"
        spent, unseen = cost_then, unseen_then
        burst *= exp(-span_s / _BURST_S)
        at_s += span_s
    return horizon_s, "rate"


def _grown(spent: float, unseen: float, rate: float, burst: float, span_s: float) -> tuple[float, float]:
    """Item-seconds waited and items unseen after `span_s` more seconds at a steady rate and a fading burst."""
    faded = 1 - exp(-span_s / _BURST_S)
    cost = spent + unseen * span_s + rate * span_s * span_s / 2 + burst * (span_s - _BURST_S * faded)
    return cost, unseen + rate * span_s + burst * faded


def _crossing(spent: float, unseen: float, rate: float, burst: float, span_s: float, cost: float, room: float) -> float:
    """The moment within `span_s` at which `cost` or `room` is reached, to two seconds."""
    low, high = 0.0, span_s
    while high - low > 2:  # noqa: PLR2004 - seconds
        middle = (low + high) / 2
        then, items = _grown(spent, unseen, rate, burst, middle)
        low, high = (middle, high) if then < cost and items < room else (low, middle)
    return high


def _hourly_rates(history: History) -> list[float]:
    """Expected items per second for each hour of the day (UTC), without bursts."""
    base = (history.items + _PRIOR_ITEMS) / (history.exposure_s + _PRIOR_EXPOSURE_S)
    if not history.hours:
        return [base] * 24
    hours = history.hours
    total = sum(hours) + _PROFILE_PRIOR
    scale, even = 24 * base / total, _PROFILE_PRIOR / 24
    return [
        scale * (even + (before + 2 * own + after) / 4)
        for before, own, after in zip((hours[-1], *hours[:-1]), hours, (*hours[1:], hours[0]), strict=True)
    ]


# ---------------------------------------------------------------- what is learned


def _learned(history: History, outcome: Observation, now: datetime) -> History:
    """`history` after a visit that went well."""
    window = float(outcome.entries) or history.window
    if history.last_poll is None:
        return _begun(outcome, now, window)
    now_s, last_s = now.timestamp(), history.last_poll.timestamp()
    gap_s = max(now_s - last_s, 0.0)
    kept = 0.5 ** (gap_s / _HALF_LIFE_S)
    came = _times(outcome, last_s, now_s)
    missed_some = outcome.entries > 1 and outcome.new >= outcome.entries
    return History(
        items=history.items * kept + outcome.new,
        exposure_s=history.exposure_s * kept + gap_s,
        last_poll=now,
        hours=_filled([kept * count for count in history.hours] or [0.0] * 24, came, now_s),
        recent=tuple(sorted((*history.recent, *came)))[-_RECENT:] if came else history.recent,
        window=window,
        losses=history.losses + 1 if missed_some else max(history.losses - 1, 0),
    )


def _begun(outcome: Observation, now: datetime, window: float) -> History:
    """A first history: the dates in the first document count as if we had been there."""
    now_s = now.timestamp()
    came = sorted(at for at in (when.timestamp() for when in outcome.published) if at <= now_s)
    span_s = now_s - came[0] if came else 0.0
    return History(
        items=sum(0.5 ** ((now_s - at) / _HALF_LIFE_S) for at in came),
        exposure_s=_HALF_LIFE_S / log(2) * (1 - 0.5 ** (span_s / _HALF_LIFE_S)),
        last_poll=now,
        hours=_filled([0.0] * 24, came, now_s),
        recent=tuple(came[-_RECENT:]),
        window=window,
    )


def _times(outcome: Observation, last_s: float, now_s: float) -> list[float]:
    """When the new items came: as dated where that can be true, else evenly since the last visit."""
    if not outcome.new:
        return []
    dated = sorted(when.timestamp() for when in outcome.published)
    inside = dated[bisect_right(dated, last_s) : bisect_right(dated, now_s)][-outcome.new :]
    undated = min(outcome.new, 1000) - len(inside)
    step_s = (now_s - last_s) / (undated + 1)
    return sorted([*inside, *(last_s + step_s * (number + 1) for number in range(undated))])


def _filled(hours: list[float], came: list[float], now_s: float) -> tuple[float, ...]:
    for at in came:
        hours[int(at // _HOUR_S) % 24] += 0.5 ** ((now_s - at) / _HALF_LIFE_S)
    return tuple(hours)


def _with(history: History, *, failures: int) -> History:
    return History(
        items=history.items,
        exposure_s=history.exposure_s,
        last_poll=history.last_poll,
        failures=failures,
        hours=history.hours,
        recent=history.recent,
        window=history.window,
        losses=history.losses,
    )
