"""What people are told, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aggregator.model.findings import Excerpt, Hit
from aggregator.model.troubles import Notice
from aggregator.settings import Severity


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
    acked: datetime | None = None  # when a person marked it as seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent at once to one recipient: one alert, more than twenty in one mail, or notices. Its id never changes."""

    id: str
    token: str
    channel: str
    recipient: str
    attempts: int  # before this one
    alerts: tuple[Alert, ...] = ()
    notices: tuple[Notice, ...] = ()  # with these there are no alerts

    @property
    def deliveries(self) -> int:
        """How many it makes."""
        return len(self.alerts) + len(self.notices)


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
