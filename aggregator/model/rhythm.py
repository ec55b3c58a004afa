"""When to look at a feed again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aggregator.model.outcomes import Hints, Reason
from aggregator.settings import Polling


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a feed did so far, decayed; the scheduler's whole memory. Stored as JSON beside the feed."""

    items: float = 0.0  # decayed count of new items
    exposure_s: float = 0.0  # decayed seconds of watching
    last_poll: datetime | None = None  # that went well
    failures: int = 0  # in a row
    hours: tuple[float, ...] = ()  # decayed items by hour of the day, UTC; 24 or none
    days: tuple[float, ...] = ()  # decayed items by day of the week, UTC, Thursday first; 7 or none
    echo_came: tuple[float, ...] = ()  # decayed items by the time since the last one; see schedule.LAGS_S
    echo_due: tuple[float, ...] = ()  # what the mean and the profiles alone had expected there
    moments: float = 0.0  # decayed count of the moments at which items came, several at once counted once
    last_came: float | None = None  # the latest of them, epoch seconds
    ttl_s: float | None = None  # what the last document that was read asked for
    losses: int = 0  # visits, less good ones since, that found nothing known: items may have slipped out


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one visit showed, for the scheduler."""

    new: int = 0  # items never seen before
    entries: int = 0  # in the newest document that was read; 0: not known
    reason: Reason | None = None  # None: the visit went well
    hints: Hints = field(default_factory=Hints)
    ttl_s: float | None = None
    published: tuple[datetime, ...] = ()  # of the document's items; of a feed's first one: its history so far


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What the operator says of a feed's rhythm."""

    polling: Polling
    every: timedelta | None = None  # None: learn it
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a feed is due again, and which bound decided."""

    at: datetime
    why: str  # "rate", "window", "floor", "cap", "every", "max_age", "ttl", "retry_after", "backoff", "gone"
    history: History
