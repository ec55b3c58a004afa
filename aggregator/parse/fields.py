"""From XML elements to entries: which element of which vocabulary means what.

RSS 0.90 to 2.0, RDF, Atom 0.3 and 1.0, with Dublin Core, content, media, iTunes, syndication and XHTML inside them.
Nothing here parses bytes, and nothing raises for what stands in a document.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from html import escape
from itertools import repeat
from operator import itemgetter
from typing import Any

from lxml import etree

from aggregator.model import Enclosure
from aggregator.parse.entry import HTML, TEXT, Entry, Form, Header, Reading, Text, length
from aggregator.parse.links import absolute, resolved

Element = Any  # lxml.etree._Element, whose stubs stop at what a plain tree needs

_XML = "{http://www.w3.org/XML/1998/namespace}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_ATOM10 = "http://www.w3.org/2005/Atom"
_ATOM03 = "http://purl.org/atom/ns#"
_RSS090 = ("http://my.netscape.com/rdf/simple/0.9/", "http://channel.netscape.com/rdf/simple/0.9/")
# Prefixes by namespace, compared without case and without a slash at the end: publishers vary both.
_PREFIXES = {
    "": "",
    _ATOM10.lower(): "",
    _ATOM03.lower(): "",
    "http://purl.org/rss/1.0": "",
    "http://purl.org/net/rss1.1#": "",
    "http://my.netscape.com/rdf/simple/0.9": "",
    "http://channel.netscape.com/rdf/simple/0.9": "",
    "http://my.netscape.com/publish/formats/rss-0.91.dtd": "",
    "http://backend.userland.com/rss": "",
    "http://backend.userland.com/rss2": "",
    "http://blogs.law.harvard.edu/tech/rss": "",
    "http://cyber.law.harvard.edu/rss/rss.html": "",
    "http://purl.org/dc/elements/1.0": "dc:",
    "http://purl.org/dc/elements/1.1": "dc:",
    "http://purl.org/dc/terms": "dcterms:",
    "http://purl.org/rss/1.0/modules/content": "content:",
    "http://purl.org/rss/1.0/modules/syndication": "sy:",
    "http://search.yahoo.com/mrss": "media:",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
    "http://example.com/dtds/podcast-1.0.dtd": "itunes:",
    "http://www.w3.org/1999/xhtml": "xhtml:",
    "http://www.georss.org/georss": "georss:",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf:",
}
_XMLNS = re.compile(r""" xmlns(?::[\w.-]+)?=(?:"[^"]*"|'[^']*')""")
_DEEP = 6  # media groups in groups: real ones are two deep


def read(root: Element, entries: Sequence[Element | None], url: str | None, hashes: Sequence[bytes] = ()) -> Reading:
    """The header of `root` and each of `entries` (None: bytes that could not be read) as an `Entry`, with its hash."""
    own = _namespace(entries[0]) if entries and entries[0] is not None else _namespace(root)
    scope = _Scope(url, None)
    header = _header(root, own, scope)
    author = header.author if own in {_ATOM10, _ATOM03} else None
    inherited: dict[Element, _Scope] = {}
    found: list[Entry | str] = []
    for node, mark in zip(entries, hashes or repeat(None), strict=False):
        if node is None:
            found.append("entry-unreadable")
            continue
        parent = node.getparent()
        if parent is not None and parent not in inherited:
            inherited = {parent: _scope(parent, scope)}
        found.append(_entry(node, own, inherited.get(parent, scope), author, mark))
    return Reading(header=header, entries=tuple(found))


# ---------------------------------------------------------------- the document


def _header(root: Element, own: str, scope: _Scope) -> Header:
    channel = root if _local(root) in {"feed", "channel"} else root.find("{*}channel")
    if channel is None:
        return Header(format=_format(root, own))
    draft = _Draft(_scope(channel, scope), own)
    facts: dict[str, str] = {}
    for child in channel:
        name = _name(child.tag, own)
        if name in _FACTS:
            facts.setdefault(name, (child.text or "").strip())
        elif name in _HEADER:
            _HEADER[name](draft, child)
    entry = draft.entry()
    return Header(
        format=_format(root, own),
        title=entry.title,
        link=entry.link,
        language=facts.get("language") or facts.get("dc:language") or draft.scope.lang,
        ttl_s=ttl_s(facts.get("ttl"), facts.get("sy:updateperiod"), facts.get("sy:updatefrequency")),
        guid=entry.guid,
        author=entry.author,
        tags=entry.tags,
    )


_FACTS = frozenset({"language", "dc:language", "ttl", "sy:updateperiod", "sy:updatefrequency"})
_PERIODS_S = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2592000, "yearly": 31536000}


def ttl_s(minutes: str | None, period: str | None, frequency: str | None) -> float | None:
    """How long a publisher says that a document stays fresh: RSS `ttl`, else the syndication module's period."""
    if minutes and minutes.isascii() and minutes.isdigit() and int(minutes[:9]) > 0:
        return int(minutes[:9]) * 60.0
    if period and period.lower() in _PERIODS_S:
        times = int(frequency[:9]) if frequency and frequency.isascii() and frequency.isdigit() else 1
        return _PERIODS_S[period.lower()] / max(times, 1)
    return None


def _format(root: Element, own: str) -> str:
    name = _local(root)
    if name in {"feed", "entry"}:
        return {_ATOM10: "atom10", _ATOM03: "atom03"}.get(own, "atom")
    if name == "RDF":
        return "rss090" if own in _RSS090 else "rss10"
    version = re.sub(r"\D", "", (root.get("version") or ""))[:3]
    return "rss20" if version[:1] == "2" else f"rss{version}"


# ---------------------------------------------------------------- an entry


class _Scope:
    """What an element inherits: the base of its links and its language."""

    __slots__ = ("base", "lang")

    def __init__(self, base: str | None, lang: str | None) -> None:
        self.base = base
        self.lang = lang


def _scope(node: Element, outer: _Scope) -> _Scope:
    base, lang = outer.base, outer.lang
    for one in (*reversed(list(node.iterancestors())), node):
        base = resolved(one.get(_XML + "base"), base) or base
        lang = one.get(_XML + "lang") or lang
    return _Scope(base, lang)


class _Draft:
    """An entry while its elements are read."""

    __slots__ = (
        "about", "authors", "enclosures", "guid", "lang", "links", "own", "published", "scope", "tags", "texts", "titles", "updated",
    )  # fmt: skip

    def __init__(self, scope: _Scope, own: str) -> None:
        self.scope = scope
        self.own = own
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

    def link(self) -> str | None:
        return min(self.links, key=_rank)[1] if self.links else None

    def add_link(self, rank: int, url: str | None) -> None:
        if found := absolute(url, self.scope.base):
            self.links.append((rank, found))

    def entry(self, mark: bytes | None = None) -> Entry:
        texts = self.texts
        if len(texts) > 1:
            texts.sort(key=_rank)
        titles = self.titles or [(form, text) for _, (role, form, text) in texts if role == "title"] or _NO_TITLE
        form, title = titles[0]
        others: list[Text] = [("title", form, text) for form, text in self.titles[1:] if text != title]
        return Entry(
            title,
            form,
            (*[text for _, text in texts], *others),
            self.guid or self.about,
            self.link(),
            (", ".join(dict.fromkeys(self.authors)) or None) if self.authors else None,
            tuple(self.tags),
            tuple(self.published),
            tuple(self.updated),
            self.lang or self.scope.lang,
            tuple(self.enclosures.values()),
            ("title-repeated",) if others else (),
            mark,
        )


_NO_TITLE: list[tuple[Form, str]] = [(TEXT, "")]
_rank = itemgetter(0)


def _entry(node: Element, own: str, outer: _Scope, author: str | None, mark: bytes | None) -> Entry:
    attributes = node.attrib
    scope = outer
    if attributes:
        base = resolved(attributes.get(_XML + "base"), outer.base) or outer.base
        scope = _Scope(base, attributes.get(_XML + "lang") or outer.lang)
    draft = _Draft(scope, own)
    if attributes and (about := attributes.get(_RDF + "about")):
        draft.about = about.strip()
        draft.add_link(3, about)
    _children(draft, node)
    if author and not draft.authors:
        draft.authors.append(author)
    return draft.entry(mark)


def _children(draft: _Draft, node: Element, depth: int = 0) -> None:
    for child in node:
        handler = _handler(child.tag, draft.own)
        if handler:
            handler(draft, child)
        elif depth < _DEEP and child.tag in _GROUPS:
            _children(draft, child, depth + 1)


# ---------------------------------------------------------------- elements


def _title(draft: _Draft, node: Element) -> None:
    form, text = _text(draft, node)
    if text.strip():
        draft.titles.append((form, text))
        draft.lang = draft.lang or node.get(_XML + "lang")


def _second_title(draft: _Draft, node: Element) -> None:
    form, text = _text(draft, node)
    if text.strip():
        draft.texts.append((3, ("title", form, text)))


def _summary(draft: _Draft, node: Element) -> None:
    form, text = _text(draft, node)
    if text.strip():
        draft.texts.append((0, ("summary", form, text)))


def _also(draft: _Draft, node: Element) -> None:
    """A text of an extension: it stands behind the vocabulary's own."""
    form, text = _text(draft, node)
    if text.strip():
        draft.texts.append((2, ("summary", form, text)))


def _content(draft: _Draft, node: Element) -> None:
    form, text = _text(draft, node)
    if text.strip():
        draft.texts.append((1, ("content", form, text)))
        draft.lang = draft.lang or node.get(_XML + "lang")


def _link(draft: _Draft, node: Element) -> None:
    href = node.get("href") or node.get(_RDF + "resource")
    if href is None:
        draft.add_link(0, node.text)
        return
    rel = (node.get("rel") or "alternate").strip().lower().removeprefix("http://www.iana.org/assignments/relation/")
    kind = (node.get("type") or "").lower()
    if node.get(_XML + "base"):
        href = resolved(href, resolved(node.get(_XML + "base"), draft.scope.base))
    if rel == "enclosure":
        _enclose(draft, href, kind, node.get("length"))
    elif rel == "alternate":
        draft.add_link(0 if not kind or "html" in kind else 1, href)
    elif rel in {"related", "via"}:
        draft.add_link(4, href)


def _guid(draft: _Draft, node: Element) -> None:
    given = (node.text or "").strip()
    if given:
        draft.guid = draft.guid or given
        if (node.get("isPermaLink") or node.get("ispermalink") or "true").strip().lower() != "false":
            draft.add_link(2, given if ":" in given or given.startswith("/") else None)


def _identifier(draft: _Draft, node: Element) -> None:
    draft.about = draft.about or (node.text or "").strip() or None


def _author(draft: _Draft, node: Element) -> None:
    if not len(node):
        name = (node.text or "").strip()
    else:
        parts = {_local(child): (child.text or "").strip() for child in node}
        name, address = parts.get("name", ""), parts.get("email", "")
        name = f"{name} ({address})" if name and address else name or address
    if name:
        draft.authors.append(name)


def _tag(draft: _Draft, node: Element) -> None:
    for one in node.iter("{*}category") if len(node) else (node,):  # iTunes puts categories into categories
        given = (one.get("term"), one.get("label"), one.get("text"), one.text)
        draft.tags.extend(text.strip() for text in given if text and text.strip())


def _keywords(draft: _Draft, node: Element) -> None:
    draft.tags.extend(word.strip() for word in re.split("[,،;؛]", node.text or "") if word.strip())


def _published(draft: _Draft, node: Element) -> None:
    draft.published.append("".join(node.itertext()))


def _updated(draft: _Draft, node: Element) -> None:
    draft.updated.append("".join(node.itertext()))


def _language(draft: _Draft, node: Element) -> None:
    draft.lang = draft.lang or (node.text or "").strip() or None


def _enclosure(draft: _Draft, node: Element) -> None:
    _enclose(draft, node.get("url") or node.get("href"), node.get("type") or "", node.get("length"))


def _media(draft: _Draft, node: Element) -> None:
    _enclose(draft, node.get("url"), node.get("type") or "", node.get("fileSize"))
    _children(draft, node, _DEEP - 2)


def _enclose(draft: _Draft, href: str | None, kind: str, size: str | None) -> None:
    if url := absolute(href, draft.scope.base):
        draft.enclosures.setdefault(url, Enclosure(url=url, type=kind or None, length=length(size)))


# ---------------------------------------------------------------- text in an element


def _text(draft: _Draft, node: Element) -> tuple[Form, str]:
    """The text or markup of an element, and which of both it is."""
    kind = (node.get("type") or "").strip().lower()
    if len(node):
        return HTML, _markup(node)
    text = node.text or ""
    if kind in {"", "text", "text/plain"} and (kind or draft.own == _ATOM10):
        form: Form = TEXT
    else:
        form = HTML
    if node.get("mode") == "base64" or (
        kind and "/" in kind and not kind.startswith("text/") and not kind.endswith("xml")
    ):
        return form, _from_base64(text)
    return form, text


def _markup(node: Element) -> str:
    """What stands inside an element, as HTML: no prefixes, no namespaces, no wrapping div."""
    only = node[0]
    if len(node) == 1 and _local(only) == "div" and not (node.text or "").strip() and not (only.tail or "").strip():
        node = only
    for inner in node.iterdescendants("{*}*"):
        inner.tag = _local(inner)
    parts = [escape(node.text or "", quote=False)]
    parts.extend(_XMLNS.sub("", etree.tostring(child, encoding="unicode")) for child in node)
    return "".join(parts)


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=False).decode()
    except ValueError:  # not base64, or no text: an image inside a feed
        return ""


# ---------------------------------------------------------------- names


def _local(node: Element) -> str:
    return str(node.tag).rpartition("}")[2]


def _namespace(node: Element) -> str:
    return str(node.tag)[1:].partition("}")[0] if str(node.tag)[:1] == "{" else ""


@lru_cache(maxsize=4096)
def _name(tag: str, own: str) -> str:
    """`{namespace}Local` as "prefix:local"; the namespace of the entries themselves has no prefix, whatever it is."""
    namespace, _, local = tag.rpartition("}")
    namespace = namespace[1:]
    prefix = "" if namespace == own else _PREFIXES.get(namespace.lower().rstrip("/"), "?:")
    return prefix + local.lower()


@lru_cache(maxsize=4096)
def _handler(tag: str, own: str) -> Callable[[_Draft, Element], None] | None:
    return _HANDLERS.get(_name(tag, own))


_GROUPS = frozenset({"{http://search.yahoo.com/mrss/}group", "{http://search.yahoo.com/mrss}group"})


def _table(
    rows: Iterable[tuple[Callable[[_Draft, Element], None], str]],
) -> dict[str, Callable[[_Draft, Element], None]]:
    return {name: handler for handler, names in rows for name in names.split()}


_HANDLERS = _table((
    (_title, "title"),
    (_second_title, "dc:title media:title itunes:title"),
    (_summary, "description summary abstract dc:description dcterms:abstract dcterms:description"),
    (_also, "media:description media:text itunes:subtitle itunes:summary georss:featurename"),
    (_content, "content content:encoded body fullitem xhtml:body xhtml:div"),
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
    (_media, "media:content"),
))  # fmt: skip
_HEADER = {
    **{
        name: _HANDLERS[name]
        for name in ("title", "dc:title", "link", "id", "author", "dc:creator", "category", "dc:subject")
    },
    "managingeditor": _author,
}
