"""What can be wrong although the program runs, and what the operator is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Trouble(StrEnum):
    """Why a feed or a watchlist may be missing news. A closed set; docs/ops says what to do about each."""

    SILENT = "silent"  # nothing new for far longer than its rhythm makes plausible
    UNCHANGING = "unchanging"  # its server says "not modified" although it was
    OVERFLOW = "overflow"  # nothing in the document was known: items may have come and gone between two visits
    EMPTY = "empty"  # no entry, where there were some
    NOT_A_FEED = "not-a-feed"  # a page came in its place
    FAILING = "failing"  # for more than a day, whatever the reason
    NOT_FOUND = "not-found"  # 404 for more than a week
    GONE = "gone"  # 410
    REFUSED = "refused"  # 401, 402, 403, 451
    PAUSED = "paused"  # its server asked for more than a day without a visit
    FALLBACK = "fallback"  # read by another address, for its own brings nothing
    BROKEN = "broken"  # our parser died of it, or an entry could not be accounted for: a fault of ours
    ENTRIES_LOST = "entries-lost"  # some entries cannot be read
    SLICES_DIFFER = "slices-differ"  # reading everything found items that the cutting into slices had passed over
    OFFLINE = "offline"  # of no feed: hardly any host can be reached
    WATCHLIST_STOPPED = "watchlist-stopped"  # a rule cost too much for an item, which was not judged by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is remembered of a feed's silences and failures from visit to visit. Stored as JSON beside the feed."""

    quiet: float = 0.0  # arrivals expected since the last one, over the time of which we know
    quietest: float = 0.0  # the most of it that an arrival ended, decayed
    arrivals: float = 0.0  # decayed count of visits that brought something new
    waited_s: float = 0.0  # how long that is
    longest_s: float = 0.0  # the most of that that an arrival ended
    failing_since: datetime | None = None  # None: the last visit went well


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A trouble that began or ended, as the operator is told."""

    id: str
    kind: Trouble
    feed: str | None  # its name; None when it is a watchlist's, or of the network
    watchlist: str | None
    label: str | None  # what leaves the machine in minimal mode in place of the watchlist's name
    detail: str  # for people, without watched terms and secrets
    since: datetime
    created: datetime
    over: bool
