"""What the operator, a server and a document ask of the next visit."""

from __future__ import annotations

from datetime import datetime, timedelta

from aggregator.model import Hints, History, Pace, Reason

Wait = tuple[float, str]  # seconds, and which bound that is

HOURS = 24
DAYS = 7
HOUR_S = 3_600.0
DAY_S = 86_400.0
HINT_CAP_S = DAY_S
RETRY_CAP_S = 7 * DAY_S
REFUSED_S = 4 * HOUR_S
GONE_S = 30 * DAY_S
_JITTER = 0.1  # of a wait that someone else set, always upwards
_JITTER_MAX_S = 1_800.0
_HALF_HOUR = timedelta(minutes=30)


def ours(pace: Pace, wait: Wait, chance: float) -> Wait:
    """`wait`, unless the operator set the interval or will not have it so short."""
    if pace.every is not None:
        return _later(pace.every.total_seconds(), chance), "every"
    floor_s = pace.polling.floor.total_seconds()
    return wait if wait[0] > floor_s else (_later(floor_s, chance), "floor")


def backoff(reason: Reason, failures: int, pace: Pace, chance: float) -> Wait:
    """How long to leave a failing feed alone: never more than a day, but for one that is gone."""
    if reason is Reason.GONE:
        return GONE_S, "gone"
    doubled = 2.0 ** min(failures - 1, 30)
    if reason is Reason.TOO_MANY:
        wait_s = REFUSED_S * doubled
    elif reason is Reason.UNAUTHORIZED:
        wait_s = REFUSED_S if failures == 1 else DAY_S
    else:  # drawn from the whole doubling, so that feeds that fell together rise apart
        wait_s = pace.polling.floor.total_seconds() * doubled * (1 + chance)
    return min(_later(wait_s, chance), DAY_S), "backoff"


def asked(known: History, hints: Hints, max_age_s: float | None, now_s: float, ours: Wait, chance: float) -> Wait:
    """`ours`, or what is asked if that is longer. A refusal counts for a week, freshness for a day."""
    wait_s, why = ours
    ttl_s = known.ttl_s
    for asked_s, cap_s, name in (
        (_until_update(known, now_s), HINT_CAP_S, "ttl"),
        (max_age_s, HINT_CAP_S, "max_age"),
        (hints.retry_after_s, RETRY_CAP_S, "retry_after"),
    ):
        if asked_s is not None and asked_s > wait_s and wait_s < cap_s:
            spread_s = ttl_s if name == "ttl" and ttl_s else asked_s
            wait_s, why = min(asked_s + _jitter(spread_s, chance), cap_s), name
    return wait_s, why


def server_s(max_age_s: float | None, retry_after_s: float | None) -> float:
    """How long the server itself forbids another request, forced or not; 0 when it says nothing."""
    return max(min(max_age_s or 0.0, HINT_CAP_S), min(retry_after_s or 0.0, RETRY_CAP_S))


def allowed(known: History, at: datetime, why: str, chance: float) -> tuple[datetime, str]:
    """`at`, or the next hour (GMT) in which the document lets itself be read; never more than a day later.

    Who skips every hour or every day says nothing.
    """
    hours = known.skip_hours if len(known.skip_hours) < HOURS else ()
    days = known.skip_days if len(known.skip_days) < DAYS else ()
    if not hours and not days:
        return at, why
    hour = at.replace(minute=0, second=0, microsecond=0)
    for ahead in range(HOURS + 1):
        later = hour + timedelta(hours=ahead)
        if later.hour not in hours and later.weekday() not in days:
            return (at, why) if not ahead else (min(later + _HALF_HOUR * chance, at + timedelta(days=1)), "skip")
    return at + timedelta(days=1), "skip"


def _until_update(known: History, now_s: float) -> float | None:
    """Seconds until the document says that it may have changed: `ttl`, or the next beat since `sy:updateBase`."""
    if known.ttl_s is None or known.update_base is None:
        return known.ttl_s
    return known.ttl_s - (now_s - known.update_base) % known.ttl_s


def _later(wait_s: float, chance: float) -> float:
    return wait_s + _jitter(wait_s, chance)


def _jitter(wait_s: float, chance: float) -> float:
    return min(_JITTER * wait_s, _JITTER_MAX_S) * chance
