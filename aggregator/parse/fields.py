"""From XML elements to a feed: its header, and each entry with what it inherits.

Nothing here parses bytes, and nothing raises for what stands in a document.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

from aggregator.parse.elements import HEADER, Draft, Scope, children
from aggregator.parse.entry import Entry, Header, Reading
from aggregator.parse.links import resolved
from aggregator.parse.names import ATOM03, ATOM10, RDF, XML, Element, document_format, local, name_of, namespace


def read(root: Element, entries: Sequence[Element | None], url: str | None, hashes: Sequence[bytes] = ()) -> Reading:
    """The header of `root` and each of `entries` (None: bytes that could not be read) as an `Entry`, with its hash."""
    own = namespace(entries[0]) if entries and entries[0] is not None else namespace(root)
    scope = Scope(url, None)
    header = _header(root, own, scope)
    author = header.author if own in {ATOM10, ATOM03} else None
    inherited: dict[Element, Scope] = {}
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


def _header(root: Element, own: str, scope: Scope) -> Header:
    channel = root if local(root) in {"feed", "channel"} else root.find("{*}channel")
    if channel is None:
        return Header(format=document_format(root, own))
    draft = Draft(_scope(channel, scope), own)
    facts: dict[str, str] = {}
    for child in channel:
        name = name_of(child.tag, own)
        if name in _FACTS:
            facts.setdefault(name, (child.text or "").strip())
        elif name in HEADER:
            HEADER[name](draft, child)
    entry = draft.entry()
    return Header(
        format=document_format(root, own),
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


# ---------------------------------------------------------------- an entry


def _scope(node: Element, outer: Scope) -> Scope:
    base, lang = outer.base, outer.lang
    for one in (*reversed(list(node.iterancestors())), node):
        base = resolved(one.get(XML + "base"), base) or base
        lang = one.get(XML + "lang") or lang
    return Scope(base, lang)


def _entry(node: Element, own: str, outer: Scope, author: str | None, mark: bytes | None) -> Entry:
    attributes = node.attrib
    scope = outer
    if attributes:
        base = resolved(attributes.get(XML + "base"), outer.base) or outer.base
        scope = Scope(base, attributes.get(XML + "lang") or outer.lang)
    draft = Draft(scope, own)
    if attributes and (about := attributes.get(RDF + "about")):
        draft.about = about.strip()
        draft.add_link(3, about)
    children(draft, node)
    if author and not draft.authors:
        draft.authors.append(author)
    return draft.entry(mark)
