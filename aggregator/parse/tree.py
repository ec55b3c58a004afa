"""UTF-8 bytes to XML elements: strictly, else repaired, else each entry alone.

libxml2's recover mode is never used on a whole document: after the first error it drops text and every `&amp;`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

from lxml import etree

from aggregator.parse import characters, repair

RECOVERED: Final = "entries-recovered"  # an entry could be read only by guessing
LOSS: Final = "parse-loss"  # fewer entries than item tags

_ROOTS = frozenset({"rss", "RDF", "feed", "entry", "channel"})
_ENTRY = ("{*}item", "{*}entry")
_TAGS = re.compile(r"<!\[CDATA\[|<!--|<(?:[\w.-]+:)?(?:item|entry)(?=[\s/>])", re.ASCII)
_C1 = re.compile(rb"\xc2[\x80-\x9f]|&#(?:1[2-5]\d|[xX]0{0,6}[89][0-9a-fA-F]);")


class Tree(NamedTuple):
    """The feed element, the entries in the document's order (None: could not be read), what had to be done."""

    root: Any
    entries: tuple[Any, ...]
    flags: frozenset[str] = frozenset()

    @property
    def strict(self) -> bool:
        """Whether the bytes were well-formed, and each entry an element of one unprefixed name in no other entry."""
        if self.flags or not self.entries:
            return not self.flags
        tag = self.entries[0].tag
        return all(node.tag == tag and node.prefix is None for node in self.entries)


def read(body: bytes) -> Tree | None:
    """The tree of a document in UTF-8; None when it is no RSS, RDF or Atom."""
    flags = (
        frozenset({repair.NOT_WELL_FORMED})
        if body[:1].isspace() and body.lstrip().startswith(b"<?xml")
        else frozenset()
    )
    body = body.lstrip()
    entities: dict[str, str] = {}
    if b"<!DOCTYPE" in body[:4096]:
        text, entities = characters.without_doctype(body.decode("utf-8", "replace"))
        body = text.encode().lstrip()
    if (b"&#" in body or b"\xc2" in body) and _C1.search(body):
        body = characters.modern(body.decode("utf-8", "replace")).encode()
    root = None if entities else _strict(body)
    if root is not None and body.count(b"<![CDATA[") == body.count(b"]]>"):
        return _tree(root, flags)
    text = body.decode("utf-8", "replace")
    fixed = repair.repaired(text, entities)
    if root is not None and (fixed is None or repair.NOT_WELL_FORMED not in fixed.flags):
        return _tree(root, flags)
    if fixed is None:
        return None
    flags |= fixed.flags | {repair.NOT_WELL_FORMED}
    whole = _strict("".join(fixed.parts).encode())
    tree = _tree(whole, flags) if whole is not None else _salvaged(fixed, flags)
    if tree and len(tree.entries) < entry_tags(text):
        return tree._replace(flags=flags | {LOSS})
    return tree


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


def _tree(root: Any, flags: frozenset[str]) -> Tree | None:
    """The feed in a tree, which may stand inside a page."""
    if etree.QName(root).localname not in _ROOTS:
        root = next(root.iter("{*}rss", "{*}RDF", "{*}feed", "{*}channel"), None)
    return Tree(root, tuple(root.iter(*_ENTRY)), flags) if root is not None else None


def _salvaged(fixed: repair.Repaired, flags: frozenset[str]) -> Tree | None:
    """Each entry read alone, so that a bad one costs no other."""
    root = _strict("".join(_between(fixed)).encode())
    if root is None:
        root = _recovered("".join(_between(fixed)).encode())
    if root is None:
        return None
    first, name = fixed.parts[0], fixed.parts[0][1:].split(None, 1)[0].rstrip(">")
    entries = []
    for start, end in fixed.entries:
        alone = f"{first}{''.join(fixed.parts[start:end])}</{name}>".encode()
        piece = _strict(alone)
        if piece is None:
            piece = _recovered(alone)
            flags |= {RECOVERED}
        entries.append(next(piece.iter(*_ENTRY), None) if piece is not None else None)
    return Tree(root, tuple(entries), flags)


def _between(fixed: repair.Repaired) -> Iterator[str]:
    at = 0
    for start, end in fixed.entries:
        yield from fixed.parts[at:start]
        at = end
    yield from fixed.parts[at:]


def _strict(body: bytes) -> Any:
    try:
        return etree.fromstring(body, _parser(recover=False))
    except (etree.XMLSyntaxError, ValueError):
        return None


def _recovered(body: bytes) -> Any:
    try:
        return etree.fromstring(body, _parser(recover=True))
    except (etree.XMLSyntaxError, ValueError):
        return None


@lru_cache(maxsize=2)
def _parser(*, recover: bool) -> Any:
    return etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        huge_tree=True,
    )
