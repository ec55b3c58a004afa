"""What the network does: a request and the closed set of what may come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from aggregator.settings import Secret


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
    BUSY = "busy"  # its turn at the host did not come in time: many of ours lead there
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
    max_age_s: float | None = None  # 0: it says that nothing stays fresh; None: it says nothing


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
    delta: bool = False  # 226: only what changed since the validators that were sent; the rest still stands


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
    url: str | None = None  # the address that answered; None when none did
    hints: Hints = field(default_factory=Hints)
    partial: Fetched | None = None  # of TRUNCATED: what arrived; its items are real, it has no validators


Outcome = Fetched | NotModified | Failed
