"""What each element of the vocabularies says of an entry or a feed."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import lru_cache
from html import unescape

from aggregator.parse.entry import HTML, TEXT, Entry, Form, Role
from aggregator.parse.links import absolute, resolved
from aggregator.parse.names import ATOM10, ENTRIES, LEVEL, RDF, XML, local, name_of


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
Handler = Callable[[Entry, Node], None]


def _text_of(entry: Entry, node: Node) -> tuple[Form, str]:
    """The text or markup of an element, and which of both it is. Line breaks are spelled as in inline markup."""
    attributes, text = node.attributes, node.text
    if text.rfind("<br/>") >= 0:
        text = text.replace("<br/>", "<br />")
    if node.marked or not attributes:
        return TEXT if entry.own == ATOM10 and not node.marked else HTML, text
    kind = attributes.get("type", "").strip().lower()
    if attributes.get("mode") == "base64" or (
        "/" in kind and not kind.startswith("text/") and not kind.endswith("xml")
    ):
        text = _from_base64(text)
    plain = kind in {"text", "text/plain"} or (not kind and entry.own == ATOM10)
    return TEXT if plain else HTML, text


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=False).decode()
    except ValueError:  # not base64, or no text: an image inside a feed
        return ""


def _title(entry: Entry, node: Node) -> None:
    form, text = _text_of(entry, node)
    if text and not text.isspace():
        entry.titles.append((form, text))
        entry.lang = entry.lang or node.attributes.get(XML + "lang")


def _texts(rank: int, role: Role) -> Handler:
    """What notes a text; those of the lowest rank stand first."""

    def note(entry: Entry, node: Node) -> None:
        form, text = _text_of(entry, node)
        if text and not text.isspace():
            entry.texts.append((rank, role, form, text))
            if role == "content":
                entry.lang = entry.lang or node.attributes.get(XML + "lang")

    return note


_RELATION = "http://www.iana.org/assignments/relation/"


def _link(entry: Entry, node: Node) -> None:
    attributes = node.attributes
    href = attributes and (attributes.get("href") or attributes.get(RDF + "resource"))
    if not href:
        entry.add_link(0, node.bare())
        return
    rel = attributes.get("rel", "alternate").strip().lower().removeprefix(_RELATION)
    kind = attributes.get("type", "").lower()
    if XML + "base" in attributes:
        href = resolved(href, resolved(attributes[XML + "base"], entry.scope.base))
    if rel == "alternate" or not rel:
        entry.add_link(0 if not kind or "html" in kind else 1, href)
    elif rel == "enclosure":
        entry.enclose(href, kind, attributes.get("length"))
    elif rel in {"related", "via"}:
        entry.add_link(4, href)
    elif rel in {"hub", "self", "prev-archive", "next"} and (url := absolute(href, entry.scope.base)):
        entry.facts.setdefault(rel, url)


def _guid(entry: Entry, node: Node) -> None:
    given = node.bare()
    if given:
        entry.guid = entry.guid or given
        permanent = node.attributes.get("isPermaLink") or node.attributes.get("ispermalink") or "true"
        if (":" in given or given[0] == "/") and permanent.strip().lower() != "false":
            entry.add_link(2, given)


def _identifier(entry: Entry, node: Node) -> None:
    entry.about = entry.about or node.bare() or None


_PERSON = re.compile(r"<(name|email)[^<>]*>([^<]*)")


def _author(entry: Entry, node: Node) -> None:
    name = node.text.strip()
    if node.marked:
        parts = {part: unescape(text).strip() for part, text in _PERSON.findall(name)}
        name, address = parts.get("name", ""), parts.get("email", "")
        name = f"{name} ({address})" if name and address else name or address
    if name:
        entry.authors.append(name)


def _tag(entry: Entry, node: Node) -> None:
    for name in ("term", "label", "text") if node.attributes else ():
        if text := node.attributes.get(name, "").strip():
            entry.tags.append(text)
    if node.marked:  # iTunes puts categories into categories
        entry.tags.extend(unescape(text) for text in _INNER_TERM.findall(node.text))
    if text := node.bare():
        entry.tags.append(text)


_INNER_TERM = re.compile(r'<category [^<>]*?(?:text|term)="([^"]+)"')


def _keywords(entry: Entry, node: Node) -> None:
    entry.tags.extend(word.strip() for word in re.split("[,،;؛]", node.bare()) if word.strip())


def _published(entry: Entry, node: Node) -> None:
    entry.published.append(node.bare())


def _updated(entry: Entry, node: Node) -> None:
    entry.updated.append(node.bare())


def _language(entry: Entry, node: Node) -> None:
    entry.lang = entry.lang or node.bare() or None


def _enclosure(entry: Entry, node: Node) -> None:
    given = node.attributes
    entry.enclose(
        given.get("url") or given.get("href"), given.get("type"), given.get("length") or given.get("fileSize")
    )


def group(entry: Entry, node: Node) -> None:
    """An element in which more elements stand that say something of the entry."""
    _enclosure(entry, node)


def _fact(name: str) -> Handler:
    def note(entry: Entry, node: Node) -> None:
        entry.facts.setdefault(name, node.text.strip())

    return note


# ---------------------------------------------------------------- which is which


class Readers(dict[str, Handler | None]):
    """What reads an element in a place of that name and namespace, by its tag; None when it says nothing there."""

    def __init__(self, place: str, own: str) -> None:
        self.table = {"entry": _ENTRY, "feed": _FEED}.get(place, {})
        self.own = own

    def __missing__(self, tag: str) -> Handler | None:
        found = self.table.get(name_of(tag, self.own)) or (entrance if local(tag) in ENTRIES | LEVEL else None)
        if len(self) < _MANY:
            self[tag] = found
        return found


_MANY = 1000  # tags: a document of random ones must not fill the memory
readers = lru_cache(maxsize=64)(Readers)


def entrance(_entry: Entry, _node: Node) -> None:
    """An element in which more of the feed may stand, and which says nothing itself."""


_ENTRY: dict[str, Handler] = {
    name: handler
    for handler, names in (
        (_title, "title"),
        (_texts(3, "title"), "dc:title media:title itunes:title"),
        (_texts(0, "summary"), "description summary abstract dc:description dcterms:abstract dcterms:description"),
        (_texts(1, "content"), "content content:encoded body fullitem xhtml:body xhtml:div"),
        (_texts(2, "summary"), "media:description media:text itunes:subtitle itunes:summary georss:featurename"),
        (_link, "link"),
        (_guid, "guid id"),
        (_identifier, "dc:identifier"),
        (_author, "author dc:creator dc:author itunes:author"),
        (_tag, "category dc:subject itunes:category media:category"),
        (_keywords, "itunes:keywords media:keywords keywords tags"),
        (_published, "pubdate published issued created dc:date dcterms:issued dcterms:created"),
        (_updated, "updated modified dcterms:modified"),
        (_language, "language dc:language"),
        (_enclosure, "enclosure"),
        (group, "media:content media:group"),
    )
    for name in names.split()
}
_FEED = {
    **{
        name: _ENTRY[name]
        for name in ("title", "dc:title", "link", "id", "author", "dc:creator", "category", "dc:subject")
    },
    "managingeditor": _author,
    **{
        name: _fact(name)
        for name in (
            *("language", "dc:language", "ttl", "skiphours", "skipdays"),
            *("sy:updateperiod", "sy:updatefrequency", "sy:updatebase"),
        )
    },
}
