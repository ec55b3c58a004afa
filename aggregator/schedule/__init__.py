"""When to look at a feed again: its history, what the last visit showed, and now, to the next due time. Pure.

    rhythm    how its items come, learned, and when that is worth a poll
    bounds    what the operator, the server and the document ask: lower bounds on top of the rhythm
    doubts    whether a "nothing changed" is still believed, and what is odd about a feed
    memory    a history as text

`bench/schedule.py` replays it on real publication times.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from struct import Struct
from zlib import crc32

from aggregator.model import Due, History, Observation, Pace, Reason
from aggregator.schedule import bounds, rhythm
from aggregator.schedule.doubts import doubts, is_doubted
from aggregator.schedule.memory import from_json, to_json
from aggregator.schedule.rhythm import expected_items

__all__ = ["doubts", "expected_items", "from_json", "is_doubted", "next_due", "to_json"]

_LONG_STOP = timedelta(days=1)
_FOUR = Struct("4d")


def next_due(history: History, outcome: Observation, now: datetime, settings: Pace) -> Due:
    """When the feed is due again, which bound decided, and the history with `outcome` in it.

    Never raises and reads no clock; the jitter that keeps feeds out of step comes from `now` and the history.
    """
    chance = _chance(history, now)
    if outcome.reason is None:
        known = rhythm.learned(history, outcome, now)
        in_step = history.last_poll is None or now - history.last_poll > _LONG_STOP  # with all that waited as well
        sway = chance * (rhythm.STAGGER if in_step else rhythm.SWAY)
        ours = rhythm.worth_a_poll(known, outcome.entries, now.timestamp(), settings, sway)
        ours = bounds.ours(settings, ours, chance)
        max_age_s = known.max_age_s
    else:
        max_age_s = outcome.hints.max_age_s
        known = _failed(history, outcome, now)
        ours = bounds.backoff(outcome.reason, known.failures, settings, chance)
    server_s = bounds.server_s(max_age_s, outcome.hints.retry_after_s)
    wait_s, why = bounds.asked(known, outcome.hints, max_age_s, now.timestamp(), ours, chance)
    at, why = bounds.allowed(known, now + timedelta(seconds=wait_s), why, chance)
    if outcome.reason is Reason.TOO_MANY:
        server_s = max(server_s, wait_s)  # it wants to be left alone, whether it says for how long or not
    not_before = now + timedelta(seconds=server_s) if server_s else None
    return Due(at=at, why=why, not_before=not_before, history=known)


def _failed(history: History, outcome: Observation, now: datetime) -> History:
    """`history` after a visit that brought nothing: it teaches nothing else."""
    return replace(
        history,
        failures=history.failures + 1,
        retry_after_s=outcome.hints.retry_after_s,
        whole_at=now.timestamp() if outcome.bare else history.whole_at,
    )


def _chance(history: History, now: datetime) -> float:
    """A number in [0, 1) that differs between feeds and visits, and is the same for the same arguments."""
    return crc32(_FOUR.pack(now.timestamp(), history.items, history.exposure_s, history.failures)) / 2**32
