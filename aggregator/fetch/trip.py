"""A request on its way through redirects: where it stands, what it may say there, and where it must not go."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field, replace

from aggregator.fetch.line import Fault
from aggregator.fetch.place import Place
from aggregator.model import Hints, Outcome, Reason, Request

PERMANENT = frozenset({301, 308})
_OURS = frozenset(  # headers that an operator cannot set: they belong to the protocol or to the validators
    {"host", "connection", "accept-encoding", "content-length", "transfer-encoding", "te", "upgrade", "range", "a-im"}
    | {"if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range"}
)


@dataclass(slots=True, kw_only=True)
class Trip:
    """One request on its way through redirects."""

    request: Request
    left_s: float
    turn_left_s: float
    place: Place = field(init=False)
    home: Place = field(init=False)  # what the operator named
    moved_to: str | None = None
    waits: list[Hints] = field(default_factory=list)  # of the redirects passed
    passed: list[str] = field(default_factory=list)
    _permanent: bool = True

    def __post_init__(self) -> None:
        """Raises `Fault` when the request cannot be asked at all."""
        self.place = self.home = Place.of(self.request.url)

    @property
    def address(self) -> str:
        """Where it stands, as it may be shown and stored."""
        return self.place.address

    @property
    def host(self) -> str:
        """Whose turn is needed."""
        return self.place.host.removeprefix("www.")

    @property
    def at_home(self) -> bool:
        """Whether this is the origin that the operator named."""
        return self.place.origin == self.home.origin

    def secrets(self) -> dict[str, str]:
        """The headers that only the configured origin may see."""
        named = {name: secret.reveal().strip() for name, secret in self.request.headers if name.lower() not in _OURS}
        if self.home.user and "authorization" not in {name.lower() for name in named}:
            named["Authorization"] = "Basic " + b64encode(":".join(self.home.user).encode()).decode()
        return named

    def redirect(self, status: int, location: str | None, limit: int, *, kept: bool) -> None:
        """Go on to `location`, for good only if the redirect may be `kept`. Raises `Fault` where we do not follow."""
        target = _target(self.place, location)
        if self.place.scheme == "https" and target.scheme == "http":
            raise Fault(Reason.REDIRECT_DOWNGRADE, "from https to http")
        self.passed.append(self.address)
        self.place = target
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


def _target(here: Place, location: str | None) -> Place:
    if not location:
        raise Fault(Reason.REDIRECT_BAD, "redirect without an address")
    try:
        return here.joined(location.encode("latin-1").decode())
    except UnicodeDecodeError:
        return here.joined(location)
