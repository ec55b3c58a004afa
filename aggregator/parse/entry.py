"""What every reader hands over, and how it becomes an `Item`.

A reader (RSS and Atom, JSON Feed, the last fallback) notes the parts of an entry as the document gives them: markup kept,
dates as written. `item` turns them into text for people, in one way for all readers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Final, Literal, NamedTuple

from aggregator.model import Enclosure, Item
from aggregator.parse import dates
from aggregator.parse.links import absolute, resolved
from aggregator.parse.names import ATOM03, ATOM10, RDF, XML
from aggregator.text.html import plain

Form = Literal["html", "text"]
Role = Literal["title", "summary", "content"]
Text = tuple[int, Role, Form, str]  # those of the lowest rank, the first number, stand first
HTML: Final = "html"
TEXT: Final = "text"
CUT: Final = "text-cut"
MAX_TEXT: Final = 2_000_000  # characters: a matcher takes 170 bytes for each

_MARKUP = re.compile(r"</[a-zA-Z]|<(?:br|p|img|div|hr)[ />]|&#?\w{2,12};")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_MANY = 16  # variants of one text; above, containment (quadratic) is not looked at
_ATOM = frozenset({ATOM10, ATOM03})
_rank = itemgetter(0)


class Scope(NamedTuple):
    """What an element inherits: the base of its links and its language."""

    base: str | None = None
    lang: str | None = None

    def inside(self, attributes: dict[str, str]) -> Scope:
        """The scope of what stands in an element with these attributes."""
        if XML + "base" not in attributes and XML + "lang" not in attributes:
            return self
        base = resolved(attributes.get(XML + "base"), self.base) or self.base
        return Scope(base, attributes.get(XML + "lang") or self.lang)


class Entry:
    """An entry, or what a feed says of itself, as its document gives it; filled while it is read."""

    __slots__ = (
        "about", "authors", "enclosures", "facts", "guid", "lang", "links", "mark", "own", "published", "scope", "tags", "texts", "titles",
        "updated",
    )  # fmt: skip

    def __init__(self, scope: Scope, own: str = "") -> None:
        self.scope = scope
        self.own = own  # namespace
        self.titles: list[tuple[Form, str]] = []
        self.texts: list[Text] = []
        self.guid: str | None = None
        self.about: str | None = None  # an id of less worth
        self.lang: str | None = None
        self.links: list[tuple[int, str]] = []  # absolute, with a rank
        self.authors: list[str] = []
        self.tags: list[str] = []
        self.published: list[str] = []  # as written
        self.updated: list[str] = []
        self.enclosures: dict[str, Enclosure] = {}
        self.facts: dict[str, str] = {}  # of a feed
        self.mark: bytes | None = None  # hash of its bytes

    def add_link(self, rank: int, url: str | None) -> None:
        """Note `url`, when it is an address; the lowest rank wins, then the first."""
        if found := absolute(url, self.scope.base):
            self.links.append((rank, found))

    def enclose(self, url: str | None, kind: str | None, size: str | None) -> None:
        """Note a file that belongs to it; a size beyond a petabyte is none."""
        if found := absolute(url, self.scope.base):
            size = (size or "").strip()
            length = int(size) if size.isascii() and size.isdigit() and len(size) <= 15 else None  # noqa: PLR2004 -- digits of a petabyte
            self.enclosures.setdefault(found, Enclosure(url=found, type=kind or None, length=length))

    def describe(self, attributes: dict[str, str]) -> None:
        """Note what an entry's own start tag says (RDF)."""
        if about := attributes.get(RDF + "about", "").strip():
            self.about = about
            self.add_link(3, about)

    @property
    def link(self) -> str | None:
        """The address of its page."""
        links = self.links
        return (links[0] if len(links) == 1 else min(links, key=_rank))[1] if links else None

    @property
    def author(self) -> str | None:
        """Who wrote it, all of them."""
        return ", ".join(dict.fromkeys(self.authors)) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a document says of itself."""

    format: str
    title: str = ""
    link: str | None = None
    language: str | None = None
    ttl_s: float | None = None
    update_base: str | None = None  # as written
    guid: str | None = None
    author: str | None = None  # in Atom also of each entry that names none (RFC 4287, 4.2.1)
    tags: tuple[str, ...] = ()
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    hub: str | None = None
    self_link: str | None = None
    prev_archive: str | None = None
    next_page: str | None = None
    sitemaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A document as a reader hands it over: an entry, or the reason why there is none, in the document's order."""

    header: Header
    entries: Sequence[Entry | str] = ()
    flags: tuple[str, ...] = ()


def item(entry: Entry, now: datetime, header: Header) -> Item:
    """`entry` as text for people; what was doubtful stands in its flags."""
    texts = entry.texts
    if len(texts) > 1:
        texts.sort(key=_rank)
    titles = entry.titles or [(form, text) for _, role, form, text in texts if role == "title"] or _NO_TITLE
    form, markup = titles[0]
    title = words(markup, form)
    others: list[Text] = [(0, "title", form, text) for form, text in entry.titles[1:] if text != markup]
    summary, content = _union(title, texts + others if others else texts)
    published, doubt = _moment(entry.published, now)
    updated, another = _moment(entry.updated, now)
    flags = {"title-repeated" if others else None, doubt, another}
    if max(len(title), len(summary), len(content)) > MAX_TEXT:
        title, summary, content = title[:MAX_TEXT], summary[:MAX_TEXT], content[:MAX_TEXT]
        flags.add(CUT)
    author = entry.author if entry.authors else header.author if entry.own in _ATOM else None
    return Item(
        title=title,
        summary=summary,
        content=content,
        tags=tuple(dict.fromkeys(filter(None, [words(tag, TEXT) for tag in entry.tags]))) if entry.tags else (),
        guid=entry.guid or entry.about,
        link=entry.link,
        author=(words(author, TEXT) or None) if author else None,
        lang=entry.lang or entry.scope.lang or header.language,
        published=published,
        updated=updated,
        enclosures=tuple(entry.enclosures.values()),
        flags=tuple(sorted(filter(None, flags))),
        slice_hash=entry.mark,
    )


_NO_TITLE: list[tuple[Form, str]] = [(TEXT, "")]


def words(text: str, form: Form) -> str:
    """`text` without markup and control characters, blanks at its ends removed.

    Text that a publisher calls plain is taken so, unless it holds tags or references: most such feeds are mislabelled.
    """
    if "<" not in text and "&" not in text:
        if text.isascii() and "  " not in text and text.isprintable():
            return text.strip()
        return plain(text)
    if form == HTML or _MARKUP.search(text):
        return plain(text)
    return _CONTROLS.sub("", " ".join(text.split()))


def _union(title: str, texts: list[Text]) -> tuple[str, str]:
    """Summary and content, so that every text stands in one of title, summary, content.

    The first summary is the summary; the content is all else, without what is said already.
    """
    summary = ""
    rest: list[str] = []
    for _, role, form, markup in texts:
        text = words(markup, form)
        if role == "summary" and text and not summary:
            summary = text
        elif text and text != title:
            rest.append(text)
    if len(rest) > 1:
        rest = list(dict.fromkeys(rest))
    if rest and len(rest) <= _MANY:
        rest = [
            text
            for place, text in enumerate(rest)
            if text not in summary and not any(text in other for at, other in enumerate(rest) if at != place)
        ]
    return summary, "\n\n".join(rest)


def _moment(candidates: list[str], now: datetime) -> tuple[datetime | None, str | None]:
    """The first moment that can be read, else why the first cannot."""
    doubt = None
    for raw in candidates:
        at, flag = dates.read(raw, now)
        if at:
            return at, None
        doubt = doubt or flag
    return None, doubt
