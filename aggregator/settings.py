"""The nouns of feeds.yaml: what an operator may say, after validation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

FullText = Literal["auto", "always", "never"]
Severity = Literal["low", "normal", "high", "critical"]
SmtpSecurity = Literal["none", "starttls", "tls"]
SourceType = Literal["feed", "sitemap", "page"]


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that is used and never shown: `repr` and `str` hide it."""

    value: str

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self.value

    def __repr__(self) -> str:
        return "Secret(***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What the one outbound client may reach."""

    allow_private_feeds: bool = False
    allow_private_webhooks: bool = False
    ports: frozenset[int] | None = frozenset({80, 443, 8080, 8443})  # None: any
    contact: str | None = None
    proxy: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """How often and how many at once."""

    floor: timedelta = timedelta(minutes=15)
    cap: timedelta = timedelta(hours=6)
    cost: float = 1000.0  # item-seconds of waiting that one poll is worth
    concurrency: int = 64
    per_host: int = 1
    host_gap: timedelta = timedelta(seconds=2)
    gateways: frozenset[str] = frozenset()  # hosts that speak for many others: a refusal concerns one feed of theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """The operator's own mail server; exempt from the address guard."""

    host: str = "localhost"
    port: int = 25
    security: SmtpSecurity = "none"
    username: str | None = None
    password: Secret | None = None
    sender: str = "monitor@localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything under `settings:`."""

    database: Path = Path("data/aggregator.db")
    full_text: FullText = "auto"
    network: Network = field(default_factory=Network)
    polling: Polling = field(default_factory=Polling)
    smtp: Smtp = field(default_factory=Smtp)
    notify_operator: tuple[str, ...] = ()  # names of the channels that are told when something is wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a feed is read, and what stands there."""

    url: str
    type: SourceType = "feed"
    select: str | None = None  # of a page: CSS selector of its links; None: those that look like articles


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSpec:
    """One entry under `feeds:`."""

    url: str
    name: str
    type: SourceType = "feed"
    select: str | None = None
    fallback: tuple[Address, ...] = ()  # asked in this order while `url` brings nothing
    lang: str | None = None
    tags: tuple[str, ...] = ()
    weight: int = 1
    every: timedelta | None = None  # None: auto
    full_text: FullText = "auto"
    headers: tuple[tuple[str, Secret], ...] = ()

    @property
    def address(self) -> Address:
        """Its own address."""
        return Address(url=self.url, type=self.type, select=self.select)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """Spellings of one idea by language; a multi-word spelling is a phrase."""

    name: str
    terms: tuple[tuple[str, tuple[str, ...]], ...]  # (language code, spellings)
    excepts: tuple[str, ...] = ()  # a place inside one of these phrases is no hit
    weights: tuple[tuple[str, int], ...] = ()  # of spellings that do not weigh 1
    least: int = 1  # different spellings that an item must hold must weigh together; below, none is a hit
    case: bool = False  # each spelling exactly as written


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchlist:
    """Either `keywords` (any of them) or a `rule`, never both."""

    name: str
    label: str  # what leaves the machine in minimal mode
    keywords: tuple[str, ...] = ()
    rule: str | None = None
    severity: Severity = "normal"
    notify: tuple[str, ...] = ()  # channel names, resolved: never empty after loading


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChannel:
    """Mail to each address; every address is owed and retried on its own."""

    name: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChannel:
    """A signed POST in the Standard Webhooks form."""

    name: str
    url: Secret
    secret: Secret | None  # whsec_ + base64
    minimal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleChannel:
    """A line on standard output."""

    name: str


Channel = EmailChannel | WebhookChannel | ConsoleChannel


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole feeds.yaml, validated, names resolved, secrets read."""

    path: Path
    settings: Settings
    feeds: tuple[FeedSpec, ...]
    concepts: tuple[Concept, ...]
    watchlists: tuple[Watchlist, ...]
    channels: tuple[Channel, ...]  # at least the console
    warnings: tuple[str, ...] = ()  # lint: usable, but worth a look
