"""Units of work: what is leased, and all that one unit changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aggregator.model.documents import ParsedFeed, Rejected
from aggregator.model.findings import Finding
from aggregator.model.outcomes import Reason, Validators
from aggregator.model.rhythm import Due, History

OutcomeName = Literal["fetched", "not_modified", "failed", "not_due"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLease:
    """A feed in hand. The token proves it, until another worker takes over a lease that ran out."""

    id: int
    token: str
    url: str  # as feeds.yaml has it
    address: str  # where it is asked: elsewhere since it moved for good
    name: str
    site: str
    validators: Validators
    body_hash: bytes | None
    entries: int  # in the last document that was read
    partial_reads: int  # documents since the last one that was parsed whole
    history: History
    elsewhere: bool = False  # `address` is another than the feed's own, and what is known is known of that one


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """The address that a feed is read from while its own brings nothing, and why that is so."""

    url: str
    since: datetime
    reason: Reason  # of its own address
    detail: str
    failures: int  # of its own address, in a row
    retry_at: datetime  # when its own address is asked again


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleLease:
    """An item whose page is to be read."""

    item: int
    token: str
    link: str
    feed: str
    site: str
    attempts: int  # before this one
    text: str | None = None  # of the same page, read for another feed's item within the last day


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A feed document that was read, ready to be stored."""

    findings: tuple[Finding, ...]
    rejected: tuple[Rejected, ...]
    known: int  # entries whose bytes were known, so that they were not parsed again
    standing: frozenset[bytes] = frozenset()  # the slice hashes of those
    rechecked: frozenset[bytes | None] = frozenset()  # of entries read though they were known; None: cut into no slice
    facts: ParsedFeed | None  # title, format, flags; None when nothing had to be parsed
    body_hash: bytes
    delta: bool = False  # only what changed: its entries are no window

    @property
    def entries(self) -> int:
        """How many entries it holds."""
        return len(self.findings) + len(self.rejected) + self.known


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """All that one visit to a feed changes, for one transaction."""

    lease: FeedLease
    at: datetime
    outcome: OutcomeName
    due: Callable[[int], Due]  # next due, given how many items turn out to be new
    host_free_at: datetime  # when the same server may be asked again
    reason: Reason | None = None
    detail: str = ""
    validators: Validators | None = None  # None: leave as they are
    document: Document | None = None  # None: nothing new was read
    moved_to: str | None = None
    pauses: str | None = None  # the server that refused us, so that all its feeds and pages rest as long as this one
    parts: tuple[Visit, ...] = ()  # to other addresses, whose documents belong to this one
    stand_in: StandIn | None = None  # what stands in for the feed's own address from now on
    filled: bool = False  # nothing of the document was known, and what came before it was found in the archive

    @property
    def entries(self) -> int:
        """How many entries the newest whole document holds."""
        return self.lease.entries if self.document is None or self.document.delta else self.document.entries


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitReport:
    """What a visit came to. `parsed == new + revised + unchanged + rejected`, checked where it is made."""

    feed: str
    outcome: OutcomeName
    reason: str | None = None
    fallback: str | None = None  # the address that stood in for the feed's own
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    rejected: int = 0
    alerts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one reading of an item's page came to."""

    lease: ArticleLease
    at: datetime
    text: str | None
    host_free_at: datetime  # when the same server may be asked again
    reason: Reason | None = None
    retry_at: datetime | None = None  # None: do not try again
    pages_rest_until: datetime | None = None  # its server wants fewer requests: its other pages wait as well
