"""The nouns, each with one meaning. This page is the glossary.

*feed document*: the bytes of one fetch. *item*: an entry of a feed; *revision*: a changed text under the same
identity. *article*: the text read from the item's page. *story*: one text wherever it stands (revisions, syndicated
copies). *term*: a leaf of a rule and the unit that is told: a concept name or one folded keyword. *hit*: a term at a
place. *alert*: a watchlist and a story. *delivery*: an alert owed to one recipient of one channel. *message*: what is
sent, one or more deliveries.

All records are frozen. Times are aware UTC datetimes; None means "unknown", never "failed".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from aggregator.settings import Polling, Secret, Severity

FieldName = Literal["title", "summary", "content", "article", "tags"]
OutcomeName = Literal["fetched", "not_modified", "failed", "not_due"]


# ---------------------------------------------------------------- what stands in a feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that an item carries."""

    url: str
    type: str | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of a feed, as text for people: HTML removed, entities resolved, letters untouched."""

    title: str = ""
    summary: str = ""
    content: str = ""
    article: str | None = None  # text of the item's page, when it was read
    tags: tuple[str, ...] = ()
    guid: str | None = None  # the publisher's id, as given
    link: str | None = None  # absolute
    author: str | None = None
    lang: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    enclosures: tuple[Enclosure, ...] = ()
    flags: tuple[str, ...] = ()  # repairs and doubts, e.g. "date-unreadable"
    slice_hash: bytes | None = None  # of the bytes the item was read from

    def texts(self) -> Iterator[tuple[FieldName, str]]:
        """Each field that may hold a term with its text; tags one per line. Empty fields are left out."""
        for name, text in (
            ("title", self.title),
            ("summary", self.summary),
            ("content", self.content),
            ("article", self.article or ""),
            ("tags", "\n".join(self.tags)),
        ):
            if text:
                yield name, text  # type: ignore[misc]  # the five names are FieldName


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An entry that could not become an item. Counted, stored, shown."""

    reason: str
    position: int  # 0 for the first entry of the document


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """One feed document, read. `entries == len(items) + len(rejected) + known`."""

    format: str  # "rss20", "rss10", "atom10", "json11", ...; "" when it is no feed
    title: str = ""
    link: str | None = None
    language: str | None = None
    items: tuple[Item, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    known: int = 0  # entries whose bytes the caller knew, not parsed again
    ttl_s: float | None = None  # the publisher's own hint
    skip_hours: tuple[int, ...] = ()  # GMT, when the publisher asks not to be visited
    skip_days: tuple[int, ...] = ()  # 0 is Monday
    hub: str | None = None  # WebSub
    self_link: str | None = None
    prev_archive: str | None = None  # RFC 5005
    flags: tuple[str, ...] = ()

    @property
    def entries(self) -> int:
        """How many entries the document holds."""
        return len(self.items) + len(self.rejected) + self.known


# ---------------------------------------------------------------- what the network does


class Reason(StrEnum):
    """Why there is no feed document or no article. A closed set: it labels logs, rows and metrics."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    PROTOCOL = "protocol"
    BLOCKED_ADDRESS = "blocked_address"
    BLOCKED_PORT = "blocked_port"
    BLOCKED_SCHEME = "blocked_scheme"
    BAD_URL = "bad_url"
    REDIRECT_LOOP = "redirect_loop"
    REDIRECT_DOWNGRADE = "redirect_downgrade"
    REDIRECT_BAD = "redirect_bad"
    TOO_LARGE = "too_large"
    HEADERS_TOO_LARGE = "headers_too_large"
    BAD_ENCODING = "bad_encoding"
    TRUNCATED = "truncated"
    UNAUTHORIZED = "unauthorized"  # 401, 402, 403, 451
    NOT_FOUND = "not_found"
    GONE = "gone"
    TOO_MANY = "too_many"  # 429
    UNAVAILABLE = "unavailable"  # 503
    SERVER_ERROR = "server_error"
    CLIENT_ERROR = "client_error"
    UNEXPECTED_304 = "unexpected_304"
    NOT_A_FEED = "not_a_feed"
    SUSPICIOUS_EMPTY = "suspicious_empty"
    PARSE_FAILED = "parse_failed"
    PARSE_TIMEOUT = "parse_timeout"
    ROBOTS = "robots"
    NOT_HTML = "not_html"
    NO_TEXT = "no_text"
    INTERNAL = "internal"  # a fault of ours; the log has the traceback


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """ETag and Last-Modified exactly as received: the bytes, decoded as latin-1, so that they go back unchanged."""

    etag: str | None = None
    last_modified: str | None = None
    url: str | None = None  # the address that answered with them

    def __bool__(self) -> bool:
        return self.etag is not None or self.last_modified is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What the server asks of the next request, in seconds from now."""

    retry_after_s: float | None = None
    max_age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One GET to be made."""

    url: str
    headers: tuple[tuple[str, Secret], ...] = ()  # sent to the origin of `url` only
    validators: Validators = field(default_factory=Validators)
    accept: Literal["feed", "page", "text"] = "feed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A full body, decoded and within all limits."""

    url: str  # the address that answered
    body: bytes
    charset: str | None = None  # as the Content-Type header says
    content_type: str | None = None  # lower case, without parameters
    validators: Validators = field(default_factory=Validators)
    hints: Hints = field(default_factory=Hints)
    moved_to: str | None = None  # end of the leading permanent redirects


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """304: what we know is still so. Absent validators are kept."""

    validators: Validators = field(default_factory=Validators)
    hints: Hints = field(default_factory=Hints)
    moved_to: str | None = None  # end of the leading permanent redirects


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No document, and why."""

    reason: Reason
    status: int | None = None
    detail: str = ""  # for people, without secrets
    hints: Hints = field(default_factory=Hints)
    partial: Fetched | None = None  # of TRUNCATED: what arrived; its items are real, it has no validators


Outcome = Fetched | NotModified | Failed


# ---------------------------------------------------------------- when to look again


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


# ---------------------------------------------------------------- what a watchlist finds


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Hit:
    """A term at a place: `item.<field>[start:end] == text`, in code points of the original."""

    watchlist: str
    field: FieldName
    start: int
    end: int
    term: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMarks:
    """What decides whether two items carry one story. Hashes are of folded text, 16 bytes."""

    site: str  # host of the feed, without www.
    url_key: str | None
    title_hash: bytes
    full_hash: bytes | None = None  # of title and text; None when too short to prove anything
    text_hash: bytes | None = None  # of the longer of content and summary; None when not long
    article_hash: bytes | None = None  # None when not read or not long


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An item with all that the pure core can say of it."""

    item: Item
    key: str  # identity inside its feed
    content_hash: bytes  # changes when a reader would see a change
    marks: StoryMarks
    hits: tuple[Hit, ...] = ()
    wants_article: bool = False  # by the feed's policy, never by the hits: that would tell the publisher the watchlist


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Original text round a hit; `marks` are (start, end) in `text`."""

    field: FieldName
    text: str
    marks: tuple[tuple[int, int], ...]


# ---------------------------------------------------------------- units of work


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLease:
    """A feed in hand. The token proves it, until another worker takes over a lease that ran out."""

    id: int
    token: str
    url: str
    name: str
    site: str
    validators: Validators
    body_hash: bytes | None
    entries: int  # in the last document that was read
    partial_reads: int  # documents since the last one that was parsed whole
    history: History


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
    facts: ParsedFeed | None  # title, format, flags; None when nothing had to be parsed
    body_hash: bytes

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
    not_before: datetime | None = None  # the server's own bound, which even a forced fetch honours
    validators: Validators | None = None  # None: leave as they are
    document: Document | None = None  # None: nothing new was read
    moved_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitReport:
    """What a visit came to. `parsed == new + revised + unchanged + rejected`, checked where it is made."""

    feed: str
    outcome: OutcomeName
    reason: str | None = None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Whom a watchlist tells: (channel, recipient) pairs."""

    label: str
    severity: Severity
    recipients: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A watchlist and a story, with what was found: all that a recipient is told."""

    id: str
    watchlist: str
    label: str
    severity: Severity
    item: str
    story: str
    feed: str
    title: str
    link: str | None
    lang: str | None
    published: datetime | None
    first_seen: datetime
    created: datetime
    update: bool
    terms: tuple[Hit, ...]
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent at once to one recipient: one alert, or more than twenty in one mail. Its id never changes."""

    id: str
    token: str
    channel: str
    recipient: str
    attempts: int  # before this one
    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The far side took it."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDelivered:
    """The far side did not take it. `final` means that trying again is useless."""

    code: str
    error: str  # for people, without secrets
    final: bool = False
    retry_after_s: float | None = None
