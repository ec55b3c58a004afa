"""What feeds.yaml may say, in one place: validation, defaults, JSON Schema and the docs test all read these models.

Values stay as the file writes them (durations are text, references to secrets are not followed): `build` turns them
into the records of `aggregator.settings`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from aggregator.errors import RuleError, SelectorError
from aggregator.settings import FullText, Severity, SmtpSecurity, SourceType
from aggregator.text import selectors, urls
from aggregator.watch.language import entry, literal

_DURATION: Final = re.compile(r"([0-9]{1,8})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST: Final = timedelta(days=366)


def duration(text: object) -> timedelta:
    """The span of `2s`, `15m`, `6h`, `1d`."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise PydanticCustomError("duration", "must be a number and one of s, m, h, d, such as 15m")
    span = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if span > _LONGEST:
        raise PydanticCustomError("duration", "must not be longer than 366d")
    return span


def web_address(text: str) -> str:
    """`text` as an address that may be fetched; anything but http, https and feed is refused."""
    address = urls.clean(text)
    if address is None:
        raise PydanticCustomError("url", "{why}", {"why": address_fault(text)})
    return address


def address_fault(text: str) -> str:
    """Why `text` is no address that may be fetched. It names the scheme only: an address may hold a secret."""
    if text.lstrip().startswith("|"):
        return "commands are never run: write an http or https address"
    scheme, colon, _ = text.strip().partition(":")
    if colon and re.fullmatch(r"[A-Za-z][A-Za-z0-9+-]*", scheme) and scheme.lower() not in {"http", "https", "feed"}:
        return f"{scheme.lower()}: addresses are refused: only http and https are fetched"
    return "must be a web address, such as https://example.org/feed.xml"


def _duration_text(text: object) -> object:
    duration(text)
    return text


def _span_text(text: object) -> object:
    if not duration(text):
        raise PydanticCustomError("duration", "must be longer than 0")
    return text


def _every(text: object) -> object:
    return text if text == "auto" else _span_text(text)


def _findable(text: str) -> str:
    try:
        literal(text)
    except RuleError as error:
        raise PydanticCustomError("term", "{why}", {"why": str(error)}) from error
    return text


def _spelling(text: str) -> str:
    try:
        entry(text)
    except RuleError as error:
        raise PydanticCustomError("term", "{why}", {"why": str(error)}) from error
    return text


def _selector(text: str) -> str:
    try:
        selectors.xpath(text)
    except SelectorError as error:
        raise PydanticCustomError("selector", "{why}", {"why": str(error)}) from error
    return text


def _as_block(value: Any) -> Any:
    """A fallback that is only an address, as the block that says the same."""
    return {"url": value} if isinstance(value, str) else value


def _list_or_setting(value: Any, spellings: ValidatorFunctionWrapHandler) -> Any:
    """A concept's value: `build` knows by the key whether it must be a list."""
    return value if isinstance(value, int | dict) else spellings(value)


def _ports(value: Any) -> Any:
    numbers = value if isinstance(value, list) and value else [None]
    if value != "any" and not all(type(port) is int and 0 < port < 1 << 16 for port in numbers):
        raise PydanticCustomError("ports", "must be a list of port numbers, such as [80, 443], or any")
    return value


def _names(value: Any) -> Any:
    """A list; an environment variable parts its names by commas."""
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


_LINE: Final = r"^\P{Cc}*[^\s\p{Cc}]\P{Cc}*$"  # no control characters, and something to read
_LANGUAGE: Final = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
_CONCEPT_NAME: Final = r"^[^\W\d][\w-]*$"
CONCEPT_SETTINGS: Final = ("except", "weights", "min", "case")
_CONCEPT_KEY: Final = r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*|except|weights|min|case)$"
_HEADER_NAME: Final = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"

PATTERNS: Final = {
    _LINE: "must be one line of text, and not empty",
    _LANGUAGE: "must be a language code such as en, fa, ps",
    _CONCEPT_NAME: "the name of a concept is letters, digits, _ and -, and begins with a letter",
    _CONCEPT_KEY: "must be a language code such as en, fa, ps; or except, weights, min, case",
    _HEADER_NAME: "is no name of a header",
}

Line = Annotated[str, StringConstraints(pattern=_LINE, max_length=500)]
Name = Annotated[str, StringConstraints(pattern=_LINE, max_length=200)]
Term = Annotated[str, StringConstraints(max_length=500), AfterValidator(_findable)]
Language = Annotated[str, StringConstraints(pattern=_LANGUAGE)]
ConceptName = Annotated[str, StringConstraints(pattern=_CONCEPT_NAME, max_length=100)]
ConceptKey = Annotated[str, StringConstraints(pattern=_CONCEPT_KEY)]
HeaderName = Annotated[str, StringConstraints(pattern=_HEADER_NAME)]
Gap = Annotated[str, BeforeValidator(_duration_text), Field(json_schema_extra={"pattern": "^[0-9]+[smhd]$"})]
Span = Annotated[str, BeforeValidator(_span_text), Field(json_schema_extra={"pattern": "^[0-9]+[smhd]$"})]
Every = Annotated[str, BeforeValidator(_every), Field(json_schema_extra={"pattern": "^(auto|[0-9]+[smhd])$"})]
Selector = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_selector)]
WebAddress = Annotated[str, AfterValidator(web_address), Field(json_schema_extra={"format": "uri"})]
Ports = Annotated[
    list[int] | Literal["any"],
    BeforeValidator(_ports),
    WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": "integer"}, "minItems": 1}, {"const": "any"}]}),
]


Names = Annotated[list[Name], BeforeValidator(_names)]
Hosts = Annotated[list[Line], BeforeValidator(lambda value: value.split() if isinstance(value, str) else value)]


class Block(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _said(cls, block: Any) -> Any:
        """A key without a value says nothing, as when everything under it is commented out."""
        return {key: value for key, value in block.items() if value is not None} if isinstance(block, dict) else block


class Network(Block):
    """What may be reached, and how we say who asks."""

    allow_private_feeds: bool = Field(
        default=False, description="Let feeds and pages be loopback and private addresses."
    )
    allow_private_webhooks: bool = Field(default=False, description="Let webhooks be loopback and private addresses.")
    ports: Ports = Field(default=[80, 443, 8080, 8443], description="Ports that may be asked, or any.")
    contact: Line | None = Field(
        default=None, description="Added to the User-Agent, so that a publisher can reach you."
    )
    proxy: Line | None = Field(default=None, description="Address of an HTTP proxy; may be a ${...} reference.")


class Polling(Block):
    """How often and how many at once."""

    floor: Span = Field(
        default="15m", description="Never sooner than this after the last visit, unless a feed's every says so."
    )
    cap: Span = Field(default="6h", description="Never later than this, whatever the feed's rhythm.")
    cost: float = Field(
        default=1000.0, gt=0, description="Seconds of waiting, summed over new items, that one poll is worth."
    )
    concurrency: int = Field(default=64, ge=1, le=10_000, description="Visits at the same time.")
    per_host: int = Field(default=1, ge=1, le=1000, description="Visits to one host at the same time.")
    host_gap: Gap = Field(default="2s", description="Pause between two requests to one host.")

    gateways: Hosts = Field(
        default=[],
        description="Hosts that speak for many others, as an RSSHub does: a refusal concerns one feed of theirs.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Polling:
        if duration(self.cap) < duration(self.floor):
            raise PydanticCustomError("order", "cap must not be shorter than floor")
        return self


class Smtp(Block):
    """The mail server that takes our mails."""

    host: Line = Field(default="localhost", description="Name of the mail server.")
    port: int = Field(default=25, ge=1, le=65535, description="Its port: 25, 587 (starttls) or 465 (tls).")
    security: SmtpSecurity = Field(default="none", description="none, starttls or tls.")
    username: Line | None = Field(default=None, description="Who logs in; may be a ${...} reference.")
    password: Line | None = Field(default=None, description="Its password: a ${...} reference.")
    sender: Line = Field(default="monitor@localhost", description="The address that mails come from.")

    @model_validator(mode="after")
    def _login_whole(self) -> Smtp:
        if (self.username is None) != (self.password is None):
            raise PydanticCustomError("login", "username and password go together")
        return self


class Settings(Block):
    """The program itself. Each scalar is also an environment variable, such as AGGREGATOR_POLLING__FLOOR."""

    database: Line = Field(
        default="data/aggregator.db", description="Where everything is stored, relative to this file."
    )
    full_text: FullText = Field(default="auto", description="Read articles: auto (short feed texts), always or never.")
    notify_operator: Names = Field(
        default_factory=list, description="Channels that are told when a feed or a watchlist is in trouble."
    )
    network: Network = Network()
    polling: Polling = Polling()
    smtp: Smtp = Smtp()


class Source(Block):
    """What stands at an address."""

    url: WebAddress = Field(description="Where it is: http or https.")
    type: SourceType = Field(default="feed", description="What stands there: feed, sitemap or page.")
    select: Selector | None = Field(
        default=None, description="Of a page: the CSS selector of its links; otherwise those that look like articles."
    )

    @model_validator(mode="after")
    def _select_of_a_page(self) -> Self:
        if self.select is not None and self.type != "page":
            raise PydanticCustomError("select", "select is for pages: add type: page")
        return self


class Fallback(Source):
    """Another address of a feed."""


class Feed(Source):
    """One feed to watch."""

    name: Name | None = Field(default=None, description="Its unique name; otherwise the host, then host-2, ...")
    lang: Language | None = Field(default=None, description="Language of its texts, such as en, fa, ps.")
    tags: list[Name] = Field(default_factory=list, description="Words to group feeds by.")
    weight: int = Field(default=1, ge=1, le=10, description="1 to 10: how much sooner its news is wanted.")
    every: Every = Field(default="auto", description="A fixed rhythm such as 15m, or auto to learn it.")
    full_text: FullText | None = Field(default=None, description="Read its articles: auto, always or never.")
    fallback: list[Annotated[Fallback, BeforeValidator(_as_block, json_schema_input_type=WebAddress | Fallback)]] = (
        Field(
            default_factory=list, max_length=10, description="Other addresses, asked in turn while url brings nothing."
        )
    )
    headers: dict[HeaderName, str] = Field(
        default_factory=dict, description="Sent with each request; values may be ${...} references."
    )


class Watchlist(Block):
    """What to look for, and whom to tell."""

    name: Name = Field(description="Its unique name.")
    label: Name | None = Field(
        default=None, description="What minimal messages call it; otherwise Watch and its position."
    )
    keywords: list[Term] | None = Field(
        default=None, min_length=1, description="Any of these words or phrases, literally."
    )
    rule: str | None = Field(
        default=None, max_length=20_000, description="Concepts, words and phrases with AND, OR, NOT."
    )
    severity: Severity = Field(default="normal", description="low, normal, high or critical.")
    notify: list[Name] = Field(default_factory=list, description="Channels to tell; none named: all of them.")

    @model_validator(mode="after")
    def _one_way(self) -> Watchlist:
        if (self.keywords is None) == (self.rule is None):
            why = (
                "keywords and rule do not go together: use one" if self.rule is not None else "needs keywords or a rule"
            )
            raise PydanticCustomError("one_way", "{why}", {"why": why})
        return self


class Email(Block):
    """Mails through settings.smtp."""

    type: Literal["email"]
    to: list[Line] = Field(min_length=1, description="Addresses; each is owed its own mail.")


class Webhook(Block):
    """A signed POST in the Standard Webhooks form."""

    type: Literal["webhook"]
    url: Line = Field(description="Where to post; may be a ${...} reference.")
    secret: Line | None = Field(default=None, description="whsec_ and base64: signs each message. A ${...} reference.")
    minimal: bool = Field(default=False, description="Send id, label and link only.")


class Console(Block):
    """Lines on standard output."""

    type: Literal["console"]


Spelling = Annotated[str, StringConstraints(max_length=500), AfterValidator(_spelling)]
Spellings = Annotated[
    list[Spelling],
    Field(min_length=1),
    WrapValidator(_list_or_setting),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
                {"type": ["integer", "boolean"]},
                {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
            ]
        }
    ),
]
Concept = Annotated[dict[ConceptKey, Spellings], Field(min_length=1)]
Channel = Annotated[Email | Webhook | Console, Field(discriminator="type")]


class File(Block):
    """A whole feeds.yaml."""

    settings: Settings = Settings()
    feeds: list[Feed] = Field(default_factory=list, description="The feeds to watch.")
    concepts: dict[ConceptName, Concept] = Field(
        default_factory=dict, description="Ideas by name: spellings per language."
    )
    watchlists: list[Watchlist] = Field(default_factory=list, description="What to look for.")
    channels: dict[Name, Channel] = Field(default_factory=dict, description="Ways to tell people, by name.")


BLOCKS: Final[dict[str, type[Block]]] = {
    "": File,
    "settings": Settings,
    "network": Network,
    "polling": Polling,
    "smtp": Smtp,
    "feeds": Feed,
    "fallback": Fallback,
    "watchlists": Watchlist,
    "email": Email,
    "webhook": Webhook,
    "console": Console,
}


def setting_paths(block: type[BaseModel] = Settings) -> Iterator[tuple[str, ...]]:
    """The path of every single setting, such as ("polling", "floor")."""
    for name, field in block.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from ((name, *rest) for rest in setting_paths(inner))
        else:
            yield (name,)
