"""UTF-8 bytes to a feed: strictly, else repaired, else each entry alone.

libxml2's recover mode is never used on a whole document: after the first error it drops text and every `&amp;`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from lxml import etree

from aggregator.parse import characters, repair
from aggregator.parse.entry import Entry, Header, Reading
from aggregator.parse.events import Pass
from aggregator.parse.head import header
from aggregator.parse.names import document_format, namespace

RECOVERED: Final = "entries-recovered"  # an entry could be read only by guessing
LOSS: Final = "parse-loss"  # fewer entries than item tags

_TAGS = re.compile(r"<!\[CDATA\[|<!--|<(?:[\w.-]+:)?(?:item|entry)(?=[\s/>])", re.ASCII)
_C1 = re.compile(rb"\xc2[\x80-\x9f]")
_C1_REFERENCE = re.compile(rb"&(?:amp;)?#(?:1[2-5]\d|[xX]0{0,6}[89][0-9a-fA-F]);")


class Document(NamedTuple):
    """A feed as its elements say it. `places` are those of the entries in the bytes, when the bytes were well-formed."""

    root: tuple[str, dict[str, str]]
    header: Entry | None
    entries: Sequence[Entry | None]  # in the document's order; None: could not be read
    flags: frozenset[str] = frozenset()
    places: Sequence[Sequence[int]] = ()

    def reading(self, flags: Iterable[str] = (), marks: Iterable[bytes] = ()) -> Reading:
        """The header, and the entries with their hashes; `flags` are those of the bytes."""
        for entry, mark in zip(self.entries, marks, strict=False):
            if entry:
                entry.mark = mark
        (tag, attributes), own = self.root, next((entry.own for entry in self.entries if entry), "")
        version = document_format(tag, attributes.get("version", ""), own if self.entries else namespace(tag))
        return Reading(
            header=header(self.header, version) if self.header else Header(format=version),
            entries=[entry or "entry-unreadable" for entry in self.entries],
            flags=(*flags, *self.flags),
        )


def read(body: bytes, url: str | None) -> Document | None:
    """The feed in a document in UTF-8; None when it is no RSS, RDF or Atom. Relative links are resolved against `url`."""
    given, body = body, body.lstrip()
    flags = frozenset({repair.NOT_WELL_FORMED} if body is not given and body.startswith(b"<?xml") else ())
    entities: dict[str, str] = {}
    if b"<!DOCTYPE" in body[:4096]:
        text, entities = characters.without_doctype(body.decode("utf-8", "replace"))
        body = text.encode().lstrip()
    if (b"\xc2" in body and _C1.search(body)) or (b"#" in body and _C1_REFERENCE.search(body)):
        body = characters.modern(body.decode("utf-8", "replace")).encode()
    strict = None if entities else _strict(body, url)
    if strict and (not strict.sections or strict.sections == body.count(b"<![CDATA[")):
        return _document(strict, flags, strict.places if body is given else ())
    text = body.decode("utf-8", "replace")
    fixed = repair.repaired(text, entities)
    if strict and (fixed is None or repair.NOT_WELL_FORMED not in fixed.flags):
        return _document(strict, flags)
    if fixed is None:
        return None
    flags |= fixed.flags | {repair.NOT_WELL_FORMED}
    whole = _strict("".join(fixed.parts).encode(), url)
    found = _document(whole, flags) if whole else _salvaged(fixed, flags, url)
    if found and len(found.entries) < entry_tags(text):
        return found._replace(flags=flags | {LOSS})
    return found


def entry_tags(text: str) -> int:
    """How many start tags of entries stand outside of comments and CDATA."""
    count = at = 0
    while found := _TAGS.search(text, at):
        at = found.end()
        if found[0] in {"<![CDATA[", "<!--"}:
            end = text.find("]]>" if found[0] == "<![CDATA[" else "-->", at)
            if end < 0:
                break
            at = end
        else:
            count += 1
    return count


def _strict(body: bytes, url: str | None) -> Pass | None:
    found = Pass(url)
    return found if found.run(body) else None


def _document(found: Pass, flags: frozenset[str], places: Sequence[Sequence[int]] = ()) -> Document | None:
    return Document(found.root, found.header, found.entries, flags, places) if found.root else None


def _salvaged(fixed: repair.Repaired, flags: frozenset[str], url: str | None) -> Document | None:
    """Each entry read alone, so that a bad one costs no other."""
    around = "".join(_between(fixed)).encode()
    outside = _strict(around, url) or _recovered(around, url)
    if outside is None or outside.root is None:
        return None
    first, name = fixed.parts[0], fixed.parts[0][1:].split(None, 1)[0].rstrip(">")
    entries: list[Entry | None] = []
    for start, end in fixed.entries:
        alone = f"{first}{''.join(fixed.parts[start:end])}</{name}>".encode()
        piece = _strict(alone, url)
        if piece is None:
            piece = _recovered(alone, url)
            flags |= {RECOVERED}
        entries.append(piece.entries[0] if piece and piece.entries else None)
    return Document(outside.root, outside.header, entries, flags)


def _between(fixed: repair.Repaired) -> Iterator[str]:
    at = 0
    for start, end in fixed.entries:
        yield from fixed.parts[at:start]
        at = end
    yield from fixed.parts[at:]


def _recovered(body: bytes, url: str | None) -> Pass | None:
    """What libxml2 makes of `body`, which it may guess at."""
    parser = etree.XMLParser(encoding="utf-8", recover=True, resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is None:
        return None
    for node in root.iter("*"):  # one attribute under two prefixes is the one thing that it lets through
        for name in {name for name in node.attrib if name[0] == "{"}:
            del node.attrib[name]
    return _strict(etree.tostring(root, encoding="utf-8"), url)
