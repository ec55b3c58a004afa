"""A file that was read to the records of `aggregator.settings`: names resolved, rules parsed, secrets fetched."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, assert_never

from pydantic import TypeAdapter, ValidationError

from aggregator import settings as say
from aggregator.config import shape
from aggregator.config.concepts import concept
from aggregator.config.environment import overridden
from aggregator.config.problems import Problems, did_you_mean
from aggregator.config.references import References
from aggregator.config.values import Values
from aggregator.config.yaml import Path as Key
from aggregator.errors import RuleError
from aggregator.text import urls
from aggregator.watch import language

HASTY: Final = timedelta(minutes=5)  # sooner than any news site we know asks for
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\t]*")
_PRIVATE_NAMES: Final = (".local", ".localhost", ".internal", ".lan", ".test", ".home.arpa")
_LISTS: Final = frozenset({"feeds", "watchlists"})
_SECRET_HEADER: Final = re.compile(r"auth|cookie|token|key|secret|password|session", re.IGNORECASE)


class Build:
    """One file on its way to a `Config`. Faults go to `problems`; what has one is left out, so that all are found."""

    def __init__(self, path: Path, raw: dict[str, Any], problems: Problems, environ: Mapping[str, str]) -> None:
        self._path = path
        self._raw = raw
        self._problems = problems
        self._environ = environ
        self._values = Values(problems, References(path.parent, environ))

    def config(self) -> say.Config:
        """Everything, as far as it is right."""
        settings = self._settings()
        concepts = tuple(self._concepts())
        channels = tuple(self._channels())
        config = say.Config(
            path=self._path,
            settings=settings,
            feeds=self._feeds(settings),
            concepts=concepts,
            watchlists=tuple(self._watchlists()),
            channels=channels or (say.ConsoleChannel(name="console"),),
        )
        self._lint(config)
        return config

    # ------------------------------------------------------------ the parts

    def _settings(self) -> say.Settings:
        try:
            said = shape.Settings.model_validate(self._raw.get("settings") or {})
        except ValidationError as error:
            self._problems.add_details(error.errors(include_url=False), ("settings",))
            said = shape.Settings.model_validate({})
        said, self._values.outside = overridden(said, self._environ, self._problems)
        return say.Settings(
            database=self._path.parent / said.database,
            full_text=said.full_text,
            network=self._network(said.network),
            polling=self._polling(said.polling),
            smtp=self._smtp(said.smtp),
            notify_operator=self._operators(said.notify_operator),
        )

    def _operators(self, said: list[str]) -> tuple[str, ...]:
        self._known_channels(("settings", "notify_operator"), said)
        return tuple(dict.fromkeys(said))

    def _known_channels(self, key: Key, names: list[str]) -> None:
        channels = self._written("channels") or ("console",)
        for at, name in enumerate(names):
            if name not in channels:
                self._problems.add((*key, at), f"there is no channel {name}{did_you_mean(name, channels)}")

    def _network(self, said: shape.Network) -> say.Network:
        proxy = self._values.address(("settings", "network", "proxy"), said.proxy)
        return say.Network(
            allow_private_feeds=said.allow_private_feeds,
            allow_private_webhooks=said.allow_private_webhooks,
            ports=None if said.ports == "any" else frozenset(map(int, said.ports)),
            contact=said.contact,
            proxy=say.Secret(proxy) if proxy else None,
        )

    def _polling(self, said: shape.Polling) -> say.Polling:
        return say.Polling(
            floor=shape.duration(said.floor),
            cap=shape.duration(said.cap),
            cost=said.cost,
            concurrency=said.concurrency,
            per_host=said.per_host,
            host_gap=shape.duration(said.host_gap),
            gateways=frozenset(host.lower().removeprefix("www.") for host in said.gateways),
        )

    def _smtp(self, said: shape.Smtp) -> say.Smtp:
        key = ("settings", "smtp")
        self._values.mailbox((*key, "sender"), said.sender)
        if said.password and said.security == "none" and _is_public(said.host):
            self._problems.warn((*key, "security"), "the password travels unencrypted: use starttls or tls")
        return say.Smtp(
            host=said.host,
            port=said.port,
            security=said.security,
            username=self._values.expanded((*key, "username"), said.username) if said.username else None,
            password=self._values.secret((*key, "password"), said.password),
            sender=said.sender,
        )

    def _feeds(self, settings: say.Settings) -> tuple[say.FeedSpec, ...]:
        feeds: dict[int, shape.Feed] = dict(self._entries("feeds"))
        self._unique("feeds", "url", {index: feed.url for index, feed in feeds.items()})
        self._note_twins({index: feed.url for index, feed in feeds.items()})
        self._unique("feeds", "name", {index: feed.name for index, feed in feeds.items() if feed.name})
        names = _names(feeds)
        return tuple(self._feed(index, feed, names[index], settings) for index, feed in feeds.items())

    def _feed(self, index: int, feed: shape.Feed, name: str, settings: say.Settings) -> say.FeedSpec:
        key = ("feeds", index)
        every = None if feed.every == "auto" else shape.duration(feed.every)
        if every and every < HASTY and _is_public(urls.site(feed.url)):
            self._problems.warn((*key, "every"), "sooner than every 5m is hard on a public server")
        self._note_login((*key, "url"), feed.url)
        return say.FeedSpec(
            url=feed.url,
            name=name,
            type=feed.type,
            select=feed.select,
            fallback=tuple(self._fallbacks(key, feed)),
            lang=feed.lang,
            tags=tuple(feed.tags),
            weight=feed.weight,
            every=every,
            full_text=feed.full_text or settings.full_text,
            headers=tuple((header, self._header(key, header, text)) for header, text in feed.headers.items()),
        )

    def _fallbacks(self, feed: Key, said: shape.Feed) -> Iterator[say.Address]:
        taken = [said.url]
        for at, one in enumerate(said.fallback):
            key = (*feed, "fallback", at)
            if one.url in taken:
                self._problems.add(key, "is an address of this feed already")
            taken.append(one.url)
            self._note_login(key, one.url)
            yield say.Address(url=one.url, type=one.type, select=one.select)

    def _note_login(self, key: Key, url: str) -> None:
        if "@" in url.split("/")[2]:
            self._values.note_literal(key, url)

    def _header(self, feed: Key, name: str, text: str) -> say.Secret:
        key = (*feed, "headers", name)
        value = self._values.expanded(key, text) or ""
        if not _HEADER_VALUE.fullmatch(value):
            self._problems.add(key, "must be one line of ASCII text")
        if _SECRET_HEADER.search(name):
            self._values.note_literal(key, text)
        return say.Secret(value)

    def _concepts(self) -> Iterator[say.Concept]:
        for name, said in self._entries("concepts"):
            yield concept(name, said, self._problems)

    def _watchlists(self) -> Iterator[say.Watchlist]:
        entries: dict[int, shape.Watchlist] = dict(self._entries("watchlists"))
        self._unique("watchlists", "name", {index: entry.name for index, entry in entries.items()})
        channels = self._written("channels") or ("console",)
        concepts = frozenset(self._written("concepts"))
        for index, entry in entries.items():
            key = ("watchlists", index)
            self._look_for(key, entry, concepts)
            self._known_channels((*key, "notify"), entry.notify)
            yield say.Watchlist(
                name=entry.name,
                label=entry.label or f"Watch {index + 1}",
                keywords=tuple(entry.keywords or ()),
                rule=entry.rule,
                severity=entry.severity,
                notify=tuple(dict.fromkeys(entry.notify)) or channels,
            )

    def _look_for(self, key: Key, entry: shape.Watchlist, concepts: frozenset[str]) -> None:
        if entry.rule is not None:
            try:
                language.parse(entry.rule, concepts)
            except RuleError as error:
                place = self._problems.document.column_in((*key, "rule"), error.column)
                self._problems.add_at(place, (*key, "rule"), str(error))
        for at, keyword in enumerate(entry.keywords or ()):
            if keyword[0] in "@=~/":
                sign = "the concept" if keyword[0] == "@" else f"the sign {keyword[0]}"
                self._problems.warn((*key, "keywords", at), f'keywords are literal; for {sign} write rule: "{keyword}"')

    def _channels(self) -> Iterator[say.Channel]:
        said: shape.Email | shape.Webhook | shape.Console
        for name, said in self._entries("channels"):
            match said:
                case shape.Email():
                    yield say.EmailChannel(name=name, to=self._recipients(("channels", name, "to"), said.to))
                case shape.Webhook():
                    yield self._webhook(name, said)
                case shape.Console():
                    yield say.ConsoleChannel(name=name)
                case _:
                    assert_never(said)

    def _recipients(self, key: Key, said: list[str]) -> tuple[str, ...]:
        recipients: list[str] = []
        for at, text in enumerate(said):
            address = self._values.expanded((*key, at), text)
            if address is None or not self._values.mailbox((*key, at), address):
                continue
            if address in recipients:
                self._problems.add((*key, at), "is named twice")
            recipients.append(address)
        return tuple(recipients)

    def _webhook(self, name: str, said: shape.Webhook) -> say.WebhookChannel:
        key = ("channels", name)
        url = self._values.address((*key, "url"), said.url)
        secret = self._values.secret((*key, "secret"), said.secret)
        if secret is not None:
            self._values.signing_key((*key, "secret"), secret.reveal())
        return say.WebhookChannel(name=name, url=say.Secret(url or ""), secret=secret, minimal=said.minimal)

    # ------------------------------------------------------------ what all parts need

    def _written(self, section: str) -> tuple[str, ...]:
        """The names in a section as written, wrong entries too, so that one fault is told once."""
        raw = self._raw.get(section)
        return tuple(raw) if isinstance(raw, dict) else ()

    def _entries(self, section: str) -> Iterator[tuple[Any, Any]]:
        """Each entry of a section with its index or name; of a faulty one, what is right by itself."""
        raw = self._raw.get(section)
        if raw is None:
            return
        if not isinstance(raw, list if section in _LISTS else dict):
            self._problems.add((section,), f"must be a {'list' if section in _LISTS else 'block'} of {section}")
            return
        for key, value in enumerate(raw) if isinstance(raw, list) else raw.items():
            entry = self._entry(section, key, value)
            if entry is not None:
                yield key, entry

    def _entry(self, section: str, key: str | int, value: Any) -> Any:
        try:
            return _valid(section, key, value)
        except ValidationError as error:
            details = error.errors(include_url=False)
        for detail in details:
            detail["loc"] = detail["loc"][1:]
        self._problems.add_details(details, (section, key))
        if not isinstance(value, dict):
            return None
        faulty = {detail["loc"][0] for detail in details if detail["loc"]}
        try:
            return _valid(section, key, {part: value[part] for part in value if part not in faulty})
        except ValidationError:  # nothing usable is left of it
            return None

    def _note_twins(self, listed: Mapping[int, str]) -> None:
        first: dict[str, int] = {}
        for index, url in listed.items():
            twin = first.setdefault(urls.document(url), index)
            if twin != index and listed[twin] != url:
                line = self._problems.document.place(("feeds", twin, "url"))[0]
                self._problems.warn(("feeds", index, "url"), f"is the document of line {line}: one of both is fetched")

    def _unique(self, section: str, field: str, values: Mapping[int, str]) -> None:
        first: dict[str, int] = {}
        for index, value in values.items():
            if value in first:
                line = self._problems.document.place((section, first[value], field))[0]
                self._problems.add((section, index, field), f"is the same as in line {line}")
            first.setdefault(value, index)

    def _lint(self, config: say.Config) -> None:
        if config.settings.polling.floor < HASTY and any(
            _is_public(urls.site(f.url)) for f in config.feeds if not f.every
        ):
            self._problems.warn(("settings", "polling", "floor"), "sooner than every 5m is hard on public servers")
        self._values.warn_of_loose_files(self._path)
        for section in ("feeds", "watchlists"):
            if not self._raw.get(section):
                self._problems.warn((section,), "there are none yet, so nothing will be told")


@cache
def _adapter(section: str) -> TypeAdapter[Any]:
    kind: Any = shape.File.model_fields[section].annotation
    return TypeAdapter(kind)


def _valid(section: str, key: str | int, value: Any) -> Any:
    """One entry as its model.

    Raises:
        ValidationError: it is none; places begin with 0 or the key.
    """
    if section in _LISTS:
        return _adapter(section).validate_python([value])[0]
    return _adapter(section).validate_python({key: value})[key]


def _names(feeds: Mapping[int, shape.Feed]) -> dict[int, str]:
    """The name of each feed: its own, else its host, else host-2, host-3, ..."""
    taken = {feed.name for feed in feeds.values() if feed.name}
    names: dict[int, str] = {}
    counts: dict[str, int] = {}
    for index, feed in feeds.items():
        name = feed.name
        while name is None or (not feed.name and name in taken):
            host = urls.site(feed.url)
            counts[host] = counts.get(host, 0) + 1
            name = host if counts[host] == 1 else f"{host}-{counts[host]}"
        taken.add(name)
        names[index] = name
    return names


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        return "." in host and not host.endswith(_PRIVATE_NAMES)
