"""What each element of the vocabularies says of an entry."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import itemgetter

from aggregator.model import Enclosure
from aggregator.parse.entry import TEXT, Entry, Form, Text, length
from aggregator.parse.links import absolute, resolved
from aggregator.parse.markup import text_of
from aggregator.parse.names import RDF, XML, Element, local, name_of

_DEEP = 6  # media groups in groups: real ones are two deep


class Scope:
    """What an element inherits: the base of its links and its language."""

    __slots__ = ("base", "lang")

    def __init__(self, base: str | None, lang: str | None) -> None:
        self.base = base
        self.lang = lang


class Draft:
    """An entry while its elements are read."""

    __slots__ = (
        "about", "authors", "enclosures", "guid", "lang", "links", "own", "published", "scope", "tags", "texts", "titles", "updated",
    )  # fmt: skip

    def __init__(self, scope: Scope, own: str) -> None:
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
        """The best link so far."""
        return min(self.links, key=_rank)[1] if self.links else None

    def add_link(self, rank: int, url: str | None) -> None:
        """Note `url`, when it is an address; the lowest rank wins, then the first."""
        if found := absolute(url, self.scope.base):
            self.links.append((rank, found))

    def entry(self, mark: bytes | None = None) -> Entry:
        """What was read, with the hash of the bytes it was read from."""
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


def children(draft: Draft, node: Element, depth: int = 0) -> None:
    """Read every child of `node`, and of media groups in it, into `draft`."""
    for child in node:
        handler = handler_of(child.tag, draft.own)
        if handler:
            handler(draft, child)
        elif depth < _DEEP and child.tag in _GROUPS:
            children(draft, child, depth + 1)


# ---------------------------------------------------------------- elements


def _title(draft: Draft, node: Element) -> None:
    form, text = text_of(node, draft.own)
    if text.strip():
        draft.titles.append((form, text))
        draft.lang = draft.lang or node.get(XML + "lang")


def _second_title(draft: Draft, node: Element) -> None:
    form, text = text_of(node, draft.own)
    if text.strip():
        draft.texts.append((3, ("title", form, text)))


def _summary(draft: Draft, node: Element) -> None:
    form, text = text_of(node, draft.own)
    if text.strip():
        draft.texts.append((0, ("summary", form, text)))


def _also(draft: Draft, node: Element) -> None:
    """A text of an extension: it stands behind the vocabulary's own."""
    form, text = text_of(node, draft.own)
    if text.strip():
        draft.texts.append((2, ("summary", form, text)))


def _content(draft: Draft, node: Element) -> None:
    form, text = text_of(node, draft.own)
    if text.strip():
        draft.texts.append((1, ("content", form, text)))
        draft.lang = draft.lang or node.get(XML + "lang")


def _link(draft: Draft, node: Element) -> None:
    href = node.get("href") or node.get(RDF + "resource")
    if href is None:
        draft.add_link(0, node.text)
        return
    rel = (node.get("rel") or "alternate").strip().lower().removeprefix("http://www.iana.org/assignments/relation/")
    kind = (node.get("type") or "").lower()
    if node.get(XML + "base"):
        href = resolved(href, resolved(node.get(XML + "base"), draft.scope.base))
    if rel == "enclosure":
        _enclose(draft, href, kind, node.get("length"))
    elif rel == "alternate":
        draft.add_link(0 if not kind or "html" in kind else 1, href)
    elif rel in {"related", "via"}:
        draft.add_link(4, href)


def _guid(draft: Draft, node: Element) -> None:
    given = (node.text or "").strip()
    if given:
        draft.guid = draft.guid or given
        if (node.get("isPermaLink") or node.get("ispermalink") or "true").strip().lower() != "false":
            draft.add_link(2, given if ":" in given or given.startswith("/") else None)


def _identifier(draft: Draft, node: Element) -> None:
    draft.about = draft.about or (node.text or "").strip() or None


def _author(draft: Draft, node: Element) -> None:
    if not len(node):
        name = (node.text or "").strip()
    else:
        parts = {local(child): (child.text or "").strip() for child in node}
        name, address = parts.get("name", ""), parts.get("email", "")
        name = f"{name} ({address})" if name and address else name or address
    if name:
        draft.authors.append(name)


def _tag(draft: Draft, node: Element) -> None:
    for one in node.iter("{*}category") if len(node) else (node,):  # iTunes puts categories into categories
        given = (one.get("term"), one.get("label"), one.get("text"), one.text)
        draft.tags.extend(text.strip() for text in given if text and text.strip())


def _keywords(draft: Draft, node: Element) -> None:
    draft.tags.extend(word.strip() for word in re.split("[,،;؛]", node.text or "") if word.strip())


def _published(draft: Draft, node: Element) -> None:
    draft.published.append("".join(node.itertext()))


def _updated(draft: Draft, node: Element) -> None:
    draft.updated.append("".join(node.itertext()))


def _language(draft: Draft, node: Element) -> None:
    draft.lang = draft.lang or (node.text or "").strip() or None


def _enclosure(draft: Draft, node: Element) -> None:
    _enclose(draft, node.get("url") or node.get("href"), node.get("type") or "", node.get("length"))


def _media(draft: Draft, node: Element) -> None:
    _enclose(draft, node.get("url"), node.get("type") or "", node.get("fileSize"))
    children(draft, node, _DEEP - 2)


def _enclose(draft: Draft, href: str | None, kind: str, size: str | None) -> None:
    if url := absolute(href, draft.scope.base):
        draft.enclosures.setdefault(url, Enclosure(url=url, type=kind or None, length=length(size)))


# ---------------------------------------------------------------- which is which


@lru_cache(maxsize=4096)
def handler_of(tag: str, own: str) -> Callable[[Draft, Element], None] | None:
    """What reads an element of that tag, None when it says nothing of an entry."""
    return _HANDLERS.get(name_of(tag, own))


_GROUPS = frozenset({"{http://search.yahoo.com/mrss/}group", "{http://search.yahoo.com/mrss}group"})


def _table(
    rows: Iterable[tuple[Callable[[Draft, Element], None], str]],
) -> dict[str, Callable[[Draft, Element], None]]:
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
HEADER = {
    **{
        name: _HANDLERS[name]
        for name in ("title", "dc:title", "link", "id", "author", "dc:creator", "category", "dc:subject")
    },
    "managingeditor": _author,
}
