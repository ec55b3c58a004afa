"""An entry or a feed while its elements are read."""

from __future__ import annotations

import re
from html import unescape
from operator import itemgetter
from typing import NamedTuple

from aggregator.model import Enclosure
from aggregator.parse.dates import WEEKDAYS
from aggregator.parse.entry import TEXT, Entry, Form, Header, Text
from aggregator.parse.links import absolute, resolved
from aggregator.parse.names import ATOM03, ATOM10, RDF, XML


class Scope(NamedTuple):
    """What an element inherits: the base of its links and its language."""

    base: str | None = None
    lang: str | None = None

    def inside(self, attributes: dict[str, str]) -> Scope:
        """The scope of what stands in an element with these attributes."""
        base = resolved(attributes.get(XML + "base"), self.base) or self.base
        return Scope(base, attributes.get(XML + "lang") or self.lang)


class Node:
    """The element that is read: its text, or its markup when other elements stand in it. The same object for the next."""

    __slots__ = ("attributes", "marked", "text")

    attributes: dict[str, str]
    text: str
    marked: bool

    def bare(self) -> str:
        """Its text without blanks at the ends, and without the elements in it."""
        return (unescape(_INNER.sub("", self.text)) if self.marked else self.text).strip()


_INNER = re.compile("<[^<>]*>")


class Draft:
    """An entry or a feed while its elements are read."""

    __slots__ = (
        "about", "authors", "enclosures", "facts", "guid", "lang", "links", "own", "published", "scope", "tags", "texts", "titles",
        "updated",
    )  # fmt: skip

    def __init__(self, scope: Scope, own: str) -> None:
        self.scope = scope
        self.own = own  # namespace
        self.titles: list[tuple[Form, str]] = []
        self.texts: list[tuple[int, Text]] = []
        self.guid: str | None = None
        self.about: str | None = None
        self.lang: str | None = None
        self.links: list[tuple[int, str]] = []
        self.authors: list[str] = []
        self.tags: list[str] = []
        self.published: list[str] = []
        self.updated: list[str] = []
        self.enclosures: dict[str, Enclosure] = {}
        self.facts: dict[str, str] = {}  # of a feed

    def add_link(self, rank: int, url: str | None) -> None:
        """Note `url`, when it is an address; the lowest rank wins, then the first."""
        if found := absolute(url, self.scope.base):
            self.links.append((rank, found))

    def describe(self, attributes: dict[str, str]) -> None:
        """Note what an entry's own start tag says (RDF)."""
        if about := attributes.get(RDF + "about", "").strip():
            self.about = about
            self.add_link(3, about)

    def entry(self, mark: bytes | None, author: str | None) -> Entry:
        """The entry that was read, with the hash of its bytes and the feed's author, who is its own when it has none."""
        texts = self.texts
        if len(texts) > 1:
            texts.sort(key=_rank)
        titles = self.titles or [(form, text) for _, (role, form, text) in texts if role == "title"] or _NO_TITLE
        form, title = titles[0]
        others: list[Text] = [("title", form, text) for form, text in self.titles[1:] if text != title]
        inherited = author if self.own in _ATOM else None  # RFC 4287, 4.2.1
        return Entry(
            title,
            form,
            (*[text for _, text in texts], *others),
            self.guid or self.about,
            self._link(),
            ", ".join(dict.fromkeys(self.authors)) if self.authors else inherited,
            tuple(self.tags),
            tuple(self.published),
            tuple(self.updated),
            self.lang or self.scope.lang,
            tuple(self.enclosures.values()),
            ("title-repeated",) if others else (),
            mark,
        )

    def header(self, version: str) -> Header:
        """The feed that was read."""
        facts = self.facts
        days = {day.lower() for day in _DAY.findall(facts.get("skipdays", ""))}
        return Header(
            format=version,
            title=self.titles[0][1] if self.titles else self.texts[0][1][2] if self.texts else "",
            link=self._link(),
            language=facts.get("language") or facts.get("dc:language") or self.scope.lang,
            ttl_s=ttl_s(facts.get("ttl"), facts.get("sy:updateperiod"), facts.get("sy:updatefrequency")),
            update_base=None if facts.get("ttl") else facts.get("sy:updatebase"),
            guid=self.guid,
            author=", ".join(dict.fromkeys(self.authors)) or None,
            tags=tuple(self.tags),
            skip_hours=tuple(sorted({int(hour) % 24 for hour in _HOUR.findall(facts.get("skiphours", ""))})),
            skip_days=tuple(sorted(WEEKDAYS[day] for day in days & WEEKDAYS.keys())),
            hub=facts.get("hub"),
            self_link=facts.get("self"),
            prev_archive=facts.get("prev-archive"),
            next_page=facts.get("next"),
        )

    def _link(self) -> str | None:
        return min(self.links, key=_rank)[1] if self.links else None


_HOUR = re.compile(r"\b(?:[01]?\d|2[0-4])\b")
_DAY = re.compile(r">\s*([A-Za-z]{3})")
_ATOM = frozenset({ATOM10, ATOM03})
_NO_TITLE: list[tuple[Form, str]] = [(TEXT, "")]
_rank = itemgetter(0)
_PERIODS_S = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2592000, "yearly": 31536000}


def ttl_s(minutes: str | None, period: str | None, frequency: str | None) -> float | None:
    """How long a publisher says that a document stays fresh: RSS `ttl`, else the syndication module's period."""
    if minutes and minutes.isascii() and minutes.isdigit() and int(minutes[:9]) > 0:
        return int(minutes[:9]) * 60.0
    if period and period.lower() in _PERIODS_S:
        times = int(frequency[:9]) if frequency and frequency.isascii() and frequency.isdigit() else 1
        return _PERIODS_S[period.lower()] / max(times, 1)
    return None
