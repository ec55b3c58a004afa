"""How a feed's items come, learned from its visits, and when that is worth the next one.

A poll is worth `cost` item-seconds of waiting: a feed is due when the items expected to have come, times how long
they have waited, reach that sum. For a steady rate r this is sqrt(2 cost / r), the optimum of Sia, Cho and Cho
(2007). The expected rate is learned: a decayed mean, profiles of the hours and weekdays (UTC), and an echo, which
says how much more or less comes some time after the last item than the profiles say: bursts, pauses and steady
beats.

Constants are tuned on 90 series of real publication times, `bench/schedule.py` (2026-11).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from math import exp, inf, log, sqrt

from aggregator.model import History, Observation, Pace
from aggregator.schedule import doubts
from aggregator.schedule.bounds import DAY_S, HOUR_S, Wait

LAGS_S = tuple(60.0 * minutes for minutes in (0, 5, 10, 20, 40, 60, 90, 120, 240, 480))
"""Where the classes of the echo begin, in seconds since the last item."""

_LAG_ENDS_S = (*LAGS_S[1:], inf)
_EVER = datetime.min.replace(tzinfo=UTC)
_HALF_LIFE_S = 14 * DAY_S
_QUIET_HALF_LIFE_S = 60 * DAY_S
_PRIOR_ITEMS = 0.5  # a feed without history is expected to bring one item a day
_PRIOR_EXPOSURE_S = 0.5 * DAY_S
_HOURS_PRIOR = 5.0  # items it takes for a profile to count half
_DAYS_PRIOR = 20.0
_ECHO_PRIOR = 3.0
_FAINTEST = 0.001  # of the usual rate is always expected
_EVEN_RATE = 100 / DAY_S  # where a poll costs exactly `cost`; a poll of a quieter feed costs less, by
_EVEN_POWER = 0.08  # this power of the rate: its items wait longest, and the longest waits are what hurts
_WINDOW_SHARE = 1 / 3  # of a document's places that may fill up before we look again
STAGGER = 0.5  # of the first wait, or after a long stop, is chance, so that feeds read together part at once,
SWAY = 0.02  # and this much of each later one
_SPREAD_MOST = 1_000


# ---------------------------------------------------------------- what is expected


def worth_a_poll(history: History, entries: int, now_s: float, pace: Pace, sway: float) -> Wait:
    """How long to wait for the next poll, `sway` of it left to chance, and halved for each loss lately."""
    wait_s, why = _full_wait(history, entries, now_s, pace)
    return wait_s * (1 - sway) * 0.5 ** min(history.losses, 3), why


def expected_items(history: History, begin_s: float, end_s: float) -> float:
    """How many new items the profiles expect in a time that has passed. Longer than a week, the mean will do."""
    mean, at_s, sum_ = _mean_rate(history), begin_s, 0.0
    while at_s < end_s and at_s < begin_s + 7 * DAY_S:
        span_s = min(HOUR_S - at_s % HOUR_S, end_s - at_s)
        sum_ += mean * _profile(history, at_s) * span_s
        at_s += span_s
    return sum_ + mean * max(end_s - at_s, 0.0)


def _full_wait(history: History, entries: int, now_s: float, pace: Pace) -> Wait:
    """Seconds until waiting has cost a poll ("rate"), the document fills up ("window"), or the cap is reached."""
    cost = pace.polling.cost / pace.weight
    cost *= (_mean_rate(history) * _profile(history, now_s) / _EVEN_RATE) ** _EVEN_POWER
    room = max(entries * _WINDOW_SHARE, 1.0) if entries else inf
    cap_s = pace.polling.cap.total_seconds()
    at_s = spent = unseen = 0.0
    for span_s, rate in _expected(history, now_s):
        fills_s = (room - unseen) / rate
        costs_s = (sqrt(unseen * unseen + 2 * rate * (cost - spent)) - unseen) / rate
        first_s = min(costs_s, fills_s)
        if first_s <= span_s or at_s + span_s >= cap_s:
            if at_s + first_s >= cap_s:
                break
            return at_s + first_s, "rate" if costs_s <= fills_s else "window"
        spent += unseen * span_s + rate * span_s * span_s / 2
        unseen += rate * span_s
        at_s += span_s
    return cap_s, "cap"


def _expected(history: History, now_s: float) -> Iterator[tuple[float, float]]:
    """The time ahead in pieces: how long each is, and the items expected in it per second."""
    mean, at_s, still = _mean_rate(history), now_s, 1.0
    together = min((history.moments + 1) / (history.items + 1), 1.0)  # moments for each item
    last, came, due = history.last_came, history.echo_came, history.echo_due
    plain, echo, end_s = mean, 1.0, -inf  # of the hour
    while True:
        if at_s >= end_s:
            plain, end_s = mean * _profile(history, at_s), (at_s // HOUR_S + 1) * HOUR_S
        span_s = end_s - at_s
        if last is not None:
            number = _lag_class(at_s - last)
            echo = (came[number] + _ECHO_PRIOR) / (due[number] + _ECHO_PRIOR)
            span_s = max(min(span_s, last + _LAG_ENDS_S[number] - at_s), 1.0)
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
    hours, number = history.hours, int(at_s // HOUR_S) % 24
    usual = (hours[number - 1] + 4 * hours[number] + hours[(number + 1) % 24]) / 6
    of_hour = (24 * usual + _HOURS_PRIOR) / (history.items + _HOURS_PRIOR)
    of_day = (7 * history.days[int(at_s // DAY_S) % 7] + _DAYS_PRIOR) / (history.items + _DAYS_PRIOR)
    return of_hour * of_day


# ---------------------------------------------------------------- what is learned


def learned(history: History, outcome: Observation, now: datetime) -> History:
    """`history` after a visit that went well. The dates in a first document count as if we had been there."""
    now_s = now.timestamp()
    last_s = history.last_poll.timestamp() if history.last_poll else -inf
    dated = _dated(history, outcome, now)
    since_s = last_s if history.last_poll else (dated or [now_s])[0]
    gap_s = max(now_s - since_s, 0.0)
    came = dated + _spread(outcome.new - len(dated), last_s, now_s)
    kept = 0.5 ** (gap_s / _HALF_LIFE_S)
    weights = [0.5 ** ((now_s - at) / _HALF_LIFE_S) for at in came]
    items = history.items * kept + sum(weights)
    exposure_s = history.exposure_s * kept + (1 - kept) * _HALF_LIFE_S / log(2)
    echo_came, echo_due, last_came = _echo(history, dated, (since_s, now_s), items / max(exposure_s, HOUR_S), kept)
    slipped = outcome.entries > 1 and outcome.new >= outcome.entries and history.last_poll is not None
    said, hints = outcome.said, outcome.hints
    return History(
        items=items,
        exposure_s=exposure_s,
        last_poll=now,
        hours=_tallied(history.hours or (0.0,) * 24, kept, came, weights, HOUR_S),
        days=_tallied(history.days or (0.0,) * 7, kept, came, weights, DAY_S),
        echo_came=echo_came,
        echo_due=echo_due,
        moments=history.moments * kept + len(set(dated)),
        last_came=last_came if len(dated) == len(came) else None,
        losses=history.losses + 1 if slipped else max(history.losses - 1, 0),
        ttl_s=said.ttl_s if said else history.ttl_s,
        update_base=said.update_base.timestamp()
        if said and said.update_base
        else None
        if said
        else history.update_base,
        skip_hours=said.skip_hours if said else history.skip_hours,
        skip_days=said.skip_days if said else history.skip_days,
        # What a 304 does not say is as it was (RFC 9111, 4.3.4).
        max_age_s=history.max_age_s if hints.max_age_s is None and outcome.not_modified else hints.max_age_s,
        retry_after_s=hints.retry_after_s,
        unseen=history.unseen + expected_items(history, since_s, now_s) if outcome.not_modified else 0.0,
        whole_at=history.whole_at if outcome.not_modified else now_s,
        quiet_s=_quiet_s(history, outcome, dated, now_s),
        lied_at=now_s if doubts.lied(history, outcome) else history.lied_at,
    )


def _quiet_s(history: History, outcome: Observation, dated: list[float], now_s: float) -> float:
    """The longest time without news so far, slowly forgotten.

    A silence that ended when we asked without validators may have been a lie: it lasted until the first item's date.
    """
    if outcome.not_modified:
        return history.quiet_s
    if history.whole_at is None:
        return max((later - earlier for earlier, later in pairwise(dated)), default=0.0)
    until_s = (dated[0] if dated else history.whole_at) if outcome.bare and outcome.new else now_s
    silence_s = max(until_s - history.whole_at, 0.0)
    remembered_s: float = history.quiet_s * 0.5 ** (silence_s / _QUIET_HALF_LIFE_S)
    return max(remembered_s, silence_s)


def _dated(history: History, outcome: Observation, now: datetime) -> list[float]:
    """When new items came, of those whose date can be true: after the last visit and not ahead of us.

    A document that was asked for out of doubt may hold what false 304s hid: that came since the last whole one.
    """
    if not outcome.new:
        return []
    last = history.last_poll or _EVER
    if outcome.bare and history.whole_at is not None:
        last = min(last, datetime.fromtimestamp(history.whole_at, UTC))
    inside = sorted([when.timestamp() for when in outcome.published if last < when <= now])
    return inside[-outcome.new :]


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
    beyond = [0.0] * len(LAGS_S)  # the rates of the times that went on past a class
    for moment, count in (*(sorted(Counter(came).items()) if came else ()), (span[1], 0)):
        if last is not None:
            rate, lag_s = mean * _profile(history, moment), max(at_s - last, 0.0)
            end_s = max(moment - last, lag_s)  # a clock may have jumped back
            final = _lag_class(end_s)
            due[final] += rate * (end_s - LAGS_S[final])
            beyond[final] += rate
            if lag_s:
                begin = _lag_class(lag_s)
                due[begin] -= rate * (lag_s - LAGS_S[begin])
                beyond[begin] -= rate
            seen[final] += count
        last = moment if count else last
        at_s = moment
    passing = 0.0
    for number in range(len(LAGS_S) - 1, 0, -1):
        passing += beyond[number]
        due[number - 1] += passing * (LAGS_S[number] - LAGS_S[number - 1])
    return tuple(seen), tuple([max(items, 0.0) for items in due]), last


def _lag_class(lag_s: float) -> int:
    return max(bisect_right(LAGS_S, lag_s) - 1, 0)
