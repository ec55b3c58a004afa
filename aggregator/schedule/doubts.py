"""Whether a server's "nothing changed" is still believed, and what else is odd about a feed.

Some servers answer 304 for ever although the document changed. Asking everybody without validators now and then would
be impolite, so doubt has to be earned: the rhythm that was learned expected five items behind the 304s, and they last
longer than the feed's silences do (weekends, holidays); or a 304 was proved to have hidden news within the last month.
Even then a document is asked for whole at most once in 24 h.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from aggregator.model import Doubt, History, Observation
from aggregator.schedule.bounds import DAY_S, HINT_CAP_S, HOURS

SUSPICIOUS_ITEMS = 5.0
_LONGER = 1.25  # than the longest silence, which was measured from poll to poll
LIAR_FOR_S = 30 * DAY_S  # since the last proof; a server may be repaired
_SURELY_BEFORE_S = 3_600.0  # an item dated so long before a 304 was there when that was said


def is_doubted(history: History, now: datetime) -> bool:
    """Whether the next request should carry no validators: the last whole document is a day old and doubt is earned."""
    now_s = now.timestamp()
    if history.whole_at is None or 0 <= now_s - history.whole_at < DAY_S:
        return False
    too_quiet = now_s - history.whole_at > _LONGER * history.quiet_s
    return (history.unseen >= SUSPICIOUS_ITEMS and too_quiet) or _lies(history, now_s)


def lied(history: History, outcome: Observation) -> bool:
    """Whether a document that was asked for whole proves that a 304 before it hid news.

    New items under the very validators that we hold prove it, and so does an item dated after the last whole document
    and long before the last 304. News alone do not: they may have come just now.
    """
    if not (outcome.bare and outcome.new) or history.whole_at is None or history.last_poll is None:
        return False
    until_s = history.last_poll.timestamp() - _SURELY_BEFORE_S
    return outcome.same_validators or any(history.whole_at < at.timestamp() < until_s for at in outcome.published)


def doubts(history: History, now: datetime) -> tuple[Doubt, ...]:
    """What is odd about what the feed's server and document say, for people to look at."""
    return tuple(_doubts(history, now))


def _doubts(history: History, now: datetime) -> Iterator[Doubt]:
    if _lies(history, now.timestamp()):
        yield Doubt.FALSE_304
    if (history.max_age_s or 0) > HINT_CAP_S:
        yield Doubt.MAX_AGE_CAPPED
    if (history.ttl_s or 0) > HINT_CAP_S:
        yield Doubt.TTL_CAPPED
    if (history.retry_after_s or 0) > HINT_CAP_S:
        yield Doubt.LONG_PAUSE
    if len(history.skip_hours) >= HOURS:
        yield Doubt.SKIPS_ALL


def _lies(history: History, now_s: float) -> bool:
    return history.lied_at is not None and now_s - history.lied_at < LIAR_FOR_S
