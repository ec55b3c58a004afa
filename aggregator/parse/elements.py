"""What each element of the vocabularies says of an entry or a feed."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import lru_cache
from html import unescape

from aggregator.model import Enclosure
from aggregator.parse.draft import Draft, Node
from aggregator.parse.entry import HTML, TEXT, Form, Role, length
from aggregator.parse.links import absolute, resolved
from aggregator.parse.names import ATOM10, RDF, XML, name_of

Handler = Callable[[Draft, Node], None]


def _text_of(draft: Draft, node: Node) -> tuple[Form, str]:
    """The text or markup of an element, and which of both it is."""
    attributes, text = node.attributes, node.text
    if node.marked or not attributes:
        return TEXT if draft.own == ATOM10 and not node.marked else HTML, text
    kind = (attributes.get("type") or "").strip().lower()
    plain = kind in {"text", "text/plain"} or (not kind and draft.own == ATOM10)
    binary = "/" in kind and not kind.startswith("text/") and not kind.endswith("xml")
    if binary or attributes.get("mode") == "base64":
        text = _from_base64(text)
    return TEXT if plain else HTML, text


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=False).decode()
    except ValueError:  # not base64, or no text: an image inside a feed
        return ""


def _title(draft: Draft, node: Node) -> None:
    form, text = _text_of(draft, node)
    if text and not text.isspace():
        draft.titles.append((form, text))
        draft.lang = draft.lang or node.attributes.get(XML + "lang")


def _texts(rank: int, role: Role) -> Handler:
    """What notes a text; those of the lowest rank stand first."""

    def note(draft: Draft, node: Node) -> None:
        form, text = _text_of(draft, node)
        if text and not text.isspace():
            draft.texts.append((rank, (role, form, text)))
            if role == "content":
                draft.lang = draft.lang or node.attributes.get(XML + "lang")

    return note


def _link(draft: Draft, node: Node) -> None:
    attributes = node.attributes
    href = attributes.get("href") or attributes.get(RDF + "resource")
    if href is None:
        draft.add_link(0, node.bare())
        return
    rel = (
        (attributes.get("rel") or "alternate").strip().lower().removeprefix("http://www.iana.org/assignments/relation/")
    )
    kind = (attributes.get("type") or "").lower()
    if XML + "base" in attributes:
        href = resolved(href, resolved(attributes[XML + "base"], draft.scope.base))
    if rel == "alternate":
        draft.add_link(0 if not kind or "html" in kind else 1, href)
    elif rel == "enclosure":
        _enclose(draft, href, kind, attributes.get("length"))
    elif rel in {"related", "via"}:
        draft.add_link(4, href)
    elif rel in {"hub", "self", "prev-archive", "next"} and (url := absolute(href, draft.scope.base)):
        draft.facts.setdefault(rel, url)


def _guid(draft: Draft, node: Node) -> None:
    given = node.bare()
    if given:
        draft.guid = draft.guid or given
        permanent = node.attributes.get("isPermaLink") or node.attributes.get("ispermalink") or "true"
        if (":" in given or given[0] == "/") and permanent.strip().lower() != "false":
            draft.add_link(2, given)


def _identifier(draft: Draft, node: Node) -> None:
    draft.about = draft.about or node.bare() or None


_PERSON = re.compile(r"<(name|email)[^<>]*>([^<]*)")


def _author(draft: Draft, node: Node) -> None:
    name = node.text.strip()
    if node.marked:
        parts = {part: unescape(text).strip() for part, text in _PERSON.findall(name)}
        name, address = parts.get("name", ""), parts.get("email", "")
        name = f"{name} ({address})" if name and address else name or address
    if name:
        draft.authors.append(name)


def _tag(draft: Draft, node: Node) -> None:
    for name in ("term", "label", "text") if node.attributes else ():
        if text := node.attributes.get(name, "").strip():
            draft.tags.append(text)
    if node.marked:  # iTunes puts categories into categories
        draft.tags.extend(unescape(text) for text in _INNER_TERM.findall(node.text))
    if text := node.bare():
        draft.tags.append(text)


_INNER_TERM = re.compile(r'<category [^<>]*?(?:text|term)="([^"]+)"')


def _keywords(draft: Draft, node: Node) -> None:
    draft.tags.extend(word.strip() for word in re.split("[,،;؛]", node.bare()) if word.strip())


def _published(draft: Draft, node: Node) -> None:
    draft.published.append(node.bare())


def _updated(draft: Draft, node: Node) -> None:
    draft.updated.append(node.bare())


def _language(draft: Draft, node: Node) -> None:
    draft.lang = draft.lang or node.bare() or None


def _enclosure(draft: Draft, node: Node) -> None:
    given = node.attributes
    size = given.get("length") or given.get("fileSize")
    _enclose(draft, given.get("url") or given.get("href"), given.get("type") or "", size)


def _enclose(draft: Draft, href: str | None, kind: str, size: str | None) -> None:
    if url := absolute(href, draft.scope.base):
        draft.enclosures.setdefault(url, Enclosure(url=url, type=kind or None, length=length(size)))


def group(draft: Draft, node: Node) -> None:
    """An element in which more elements stand that say something of the entry."""
    _enclosure(draft, node)


def _fact(name: str) -> Handler:
    def note(draft: Draft, node: Node) -> None:
        draft.facts.setdefault(name, node.text.strip())

    return note


# ---------------------------------------------------------------- which is which


@lru_cache(maxsize=4096)
def of_entry(tag: str, own: str) -> Handler | None:
    """What reads an element of that tag in an entry, None when it says nothing of it."""
    return _ENTRY.get(name_of(tag, own))


@lru_cache(maxsize=4096)
def of_feed(tag: str, own: str) -> Handler | None:
    """What reads an element of that tag in a feed's header, None when it says nothing of it."""
    return _FEED.get(name_of(tag, own))


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
