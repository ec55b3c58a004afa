"""When to look at a feed again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from aggregator.model.documents import ParsedFeed
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
    ttl_s: float | None = None  # what the last document that was read asked for, as are the next three
    update_base: float | None = None  # epoch seconds; the beats of `ttl_s` are counted from here
    skip_hours: tuple[int, ...] = ()  # GMT
    skip_days: tuple[int, ...] = ()  # 0 is Monday
    max_age_s: float | None = None  # what the last answer said, or one before it that a 304 left as it was
    retry_after_s: float | None = None  # of the last answer
    unseen: float = 0.0  # items that the rhythm expected behind the 304s since the last whole document
    whole_at: float | None = None  # when a whole document came, or was asked for out of doubt, last; epoch seconds
    quiet_s: float = 0.0  # the longest time without news that was no lie, slowly forgotten
    lied_at: float | None = None  # when a 304 was last proved to have hidden news; epoch seconds
    losses: int = 0  # visits, less good ones since, that found nothing known: items may have slipped out


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one visit showed, for the scheduler."""

    new: int = 0  # items never seen before
    entries: int = 0  # in the newest document that was read; 0: not known
    reason: Reason | None = None  # None: the visit went well
    hints: Hints = field(default_factory=Hints)
    said: ParsedFeed | None = None  # the document as it was read; None: nothing was
    not_modified: bool = False  # a 304
    bare: bool = False  # validators were there and were not sent, out of doubt
    same_validators: bool = False  # those of the answer are those that were not sent
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
    why: str  # "rate", "window", "floor", "cap", "every", "max_age", "ttl", "skip", "retry_after", "backoff", "gone"
    not_before: datetime | None = None  # the server's own bound, which even a forced fetch honours
    history: History


class Doubt(StrEnum):
    """What is odd about what a feed's server and document say."""

    FALSE_304 = "false_304"  # it said that nothing changed, and hid news
    MAX_AGE_CAPPED = "max_age_capped"  # it asks for more than a day
    TTL_CAPPED = "ttl_capped"  # the document asks for more than a day
    LONG_PAUSE = "long_pause"  # Retry-After of more than a day
    SKIPS_ALL = "skips_all"  # skipHours names every hour
