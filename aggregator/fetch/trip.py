"""A request on its way through redirects: where it stands, what it may say there, and where it must not go."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

import httpx2

from aggregator.fetch.wire import Fault, port_of
from aggregator.model import Hints, Outcome, Reason, Request

PERMANENT = frozenset({301, 308})
_OURS = frozenset(  # headers that an operator cannot set: they belong to the protocol or to the validators
    {"host", "connection", "accept-encoding", "content-length", "transfer-encoding", "te", "upgrade", "range"}
    | {"if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range"}
)
_HOST = re.compile(rb"[a-z0-9._:-]+")


@dataclass(slots=True, kw_only=True)
class Trip:
    """One request on its way through redirects."""

    request: Request
    left_s: float
    url: httpx2.URL = field(init=False)
    address: str = field(init=False)  # `url` as it may be shown and stored: without user, password and fragment
    home: httpx2.URL = field(init=False)  # what the operator named
    moved_to: str | None = None
    waits: list[Hints] = field(default_factory=list)  # of the redirects passed
    passed: list[str] = field(default_factory=list)
    _permanent: bool = True

    def __post_init__(self) -> None:
        """Raises `Fault` when the request cannot be asked at all."""
        self.home = usable(self.request.url)
        self._stand(self.home)

    @property
    def host(self) -> str:
        """Whose turn is needed."""
        return self.url.raw_host.decode("ascii").removeprefix("www.")

    @property
    def at_home(self) -> bool:
        """Whether this is the origin that the operator named."""
        return _origin(self.url) == _origin(self.home)

    def secrets(self) -> dict[str, str]:
        """The headers that only the configured origin may see."""
        named = {name: secret.reveal().strip() for name, secret in self.request.headers if name.lower() not in _OURS}
        if self.home.userinfo and "authorization" not in {name.lower() for name in named}:
            pair = f"{unquote(self.home.username)}:{unquote(self.home.password)}"
            named["Authorization"] = "Basic " + b64encode(pair.encode()).decode()
        return named

    def redirect(self, status: int, location: str | None, limit: int, *, kept: bool) -> None:
        """Go on to `location`, for good only if the redirect may be `kept`. Raises `Fault` where we do not follow."""
        target = _target(self.url, location)
        if self.url.scheme == "https" and target.scheme == "http":
            raise Fault(Reason.REDIRECT_DOWNGRADE, "from https to http")
        self.passed.append(self.address)
        self._stand(target)
        self._permanent = self._permanent and kept and status in PERMANENT
        if self._permanent:
            self.moved_to = self.address
        if self.address in self.passed:
            raise Fault(Reason.REDIRECT_LOOP, f"back at {self.address}")
        if len(self.passed) > limit:
            raise Fault(Reason.REDIRECT_LOOP, f"more than {limit} redirects")

    def with_longest_wait(self, outcome: Outcome) -> Outcome:
        """`outcome` with the longest Retry-After that was said on the way."""
        if not self.waits:
            return outcome
        waits = [hint.retry_after_s for hint in (*self.waits, outcome.hints) if hint.retry_after_s is not None]
        return replace(outcome, hints=replace(outcome.hints, retry_after_s=max(waits, default=None)))

    def _stand(self, url: httpx2.URL) -> None:
        self.url = url
        self.address = str(url.copy_with(userinfo=b"") if url.userinfo else url)


def usable(text: str) -> httpx2.URL:
    """`text` as an address that may be asked, without fragment."""
    try:
        url = httpx2.URL(text.strip().partition("#")[0])
    except httpx2.InvalidURL as failure:
        raise Fault(Reason.BAD_URL, str(failure)) from failure
    if url.scheme not in {"http", "https"}:
        raise Fault(Reason.BLOCKED_SCHEME, f"{url.scheme or 'no scheme'}: only http and https are fetched")
    if not _HOST.fullmatch(url.raw_host) or not 0 < port_of(url) < 1 << 16:
        raise Fault(Reason.BAD_URL, "no usable host and port")
    return url


def _target(base: httpx2.URL, location: str | None) -> httpx2.URL:
    if not location:
        raise Fault(Reason.REDIRECT_BAD, "redirect without an address")
    try:
        text = location.encode("latin-1").decode()
    except UnicodeDecodeError:
        text = location
    try:
        return usable(str(base.join(text)))
    except httpx2.InvalidURL as failure:
        raise Fault(Reason.REDIRECT_BAD, str(failure)) from failure


def _origin(url: httpx2.URL) -> tuple[str, bytes, int]:
    return url.scheme, url.raw_host, port_of(url)
