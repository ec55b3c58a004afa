"""One pass of expat over a well-formed document: its entries, its header, and where in the bytes each entry stands.

No tree is built: an element is handed on when it ends, then forgotten. What is put aside for an element inside another
lies on a stack of our own, so that depth costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from itertools import count
from typing import Any
from xml.parsers import expat

from aggregator.parse.draft import Draft, Node, Scope
from aggregator.parse.elements import Handler, group, of_entry, of_feed
from aggregator.parse.names import ENTRIES, LEVEL, XLINK, local, namespace

_BUFFER = 2**16  # of text, before it is handed over in parts
_ANYWHERE = (*ENTRIES, *LEVEL)  # entries in a feed, and a feed in a page
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "frame", "hr", "img", "input", "link", "meta", "param", "source", "wbr"}
)


class Pass:
    """What a document holds."""

    def __init__(self, url: str | None) -> None:
        self.root: tuple[str, dict[str, str]] | None = None
        self.header: Draft | None = None
        self.entries: list[Draft] = []
        self.places: list[list[int]] = []  # of each entry: the first byte, and that of its end tag
        self.sections = 0  # of CDATA
        self._at = _Frame(_nothing, Draft(Scope(url), ""))
        self._outer: list[_Frame] = []
        self._text: list[str] = []  # since the last tag that counts
        self._parser: Any = None

    def run(self, body: bytes) -> bool:
        """Whether `body` is well-formed, in UTF-8 and without DOCTYPE; to be called once, and what is read is read then."""
        parser = self._parser = expat.ParserCreate("utf-8", "}")
        parser.buffer_text = True
        parser.buffer_size = _BUFFER
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = _refused
        sections = count()
        parser.StartCdataSectionHandler = sections.__next__
        try:
            parser.Parse(body, True)
        except expat.ExpatError:
            return False
        finally:
            self._parser = None  # they would hold each other
        self.sections = next(sections)
        return True

    # ------------------------------------------------------------ tags

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        at = self._at
        if at.depth:
            if tag.endswith(_ANYWHERE) and self._opens(tag, attributes):
                return
            at.depth += 1
            if at.leaf:
                self._mark(_start_tag(tag, attributes))
            return
        at.leaf = at.read(tag, at.own)
        if not at.leaf and self._opens(tag, attributes):
            return
        at.attributes = attributes
        if at.leaf is group:
            group(at.draft, at)
            self._open(_Frame(of_entry, at.draft))
            return
        at.depth = 1
        self._text.clear()

    def _end(self, tag: str) -> None:
        at = self._at
        if at.depth == 1:
            at.depth = 0
            if at.leaf:
                at.marked = bool(at.markup)
                at.text = self._inner() if at.markup else "".join(self._text)
                at.leaf(at.draft, at)
        elif at.depth:
            at.depth -= 1
            if at.leaf:
                self._mark_end(local(tag))
        else:
            if at.place:
                at.place[1] = self._parser.CurrentByteIndex
            self._at = self._outer.pop()

    # ------------------------------------------------------------ what stands inside what

    def _opens(self, tag: str, attributes: dict[str, str]) -> bool:
        """Whether more of the feed stands in an element that says nothing itself."""
        name, at = local(tag), self._at
        if name in ENTRIES and (self.root or (name == "entry" and not self._outer and not at.depth)):
            self._enter(tag, attributes)
            return True
        if name not in LEVEL or (self.root and (at.depth or at.read is not _nothing)):
            return False
        self.root = self.root or (tag, attributes)
        draft = Draft(at.draft.scope.inside(attributes), namespace(tag))
        if name in {"feed", "channel"}:
            self.header = self.header or draft
            self._open(_Frame(of_feed, draft))
        else:
            self._open(_Frame(_nothing, draft))
        return True

    def _enter(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an entry."""
        self.root = self.root or (tag, attributes)
        scope = self._at.draft.scope
        draft = Draft(scope.inside(attributes) if attributes else scope, namespace(tag))
        if attributes:
            draft.describe(attributes)
        self.entries.append(draft)
        frame = _Frame(of_entry, draft)
        frame.place = [self._parser.CurrentByteIndex, 0]
        self.places.append(frame.place)
        self._open(frame)

    def _open(self, frame: _Frame) -> None:
        if self._at.depth and self._at.leaf:
            self._mark("")
        self._outer.append(self._at)
        self._at = frame

    # ------------------------------------------------------------ markup in a text

    def _mark(self, tag: str) -> None:
        markup, text = self._at.markup, "".join(self._text)
        self._text.clear()
        if text and (markup or not text.isspace()):
            markup.append(escape(text, quote=False))
        markup.append(tag)

    def _mark_end(self, name: str) -> None:
        markup = self._at.markup
        if name in _VOID and not self._text and markup[-1].startswith(f"<{name}"):
            markup[-1] = markup[-1][:-1] + " />"
        else:
            self._mark(f"</{name}>")
        if self._at.depth == 1 and not self._at.only:
            self._at.only = len(markup)

    def _inner(self) -> str:
        """The markup of the element that ends, without a div that is all of it."""
        at, last = self._at, escape("".join(self._text), quote=False)
        markup, only = at.markup, at.only
        at.markup, at.only = [], 0
        if only == len(markup) and markup[0][:5] in {"<div>", "<div "} and (not last or last.isspace()):
            return "".join(markup[1:-1])
        return "".join(markup) + last


class _Frame(Node):
    """An element whose children are read one by one, and the child at hand."""

    __slots__ = ("depth", "draft", "leaf", "markup", "only", "own", "place", "read")

    def __init__(self, read: Callable[[str, str], Handler | None], draft: Draft) -> None:
        self.read = read
        self.draft = draft
        self.own = draft.own
        self.leaf: Handler | None = None  # what reads the child
        self.depth = 0  # 1 in the child, more in its children
        self.markup: list[str] = []  # of the child, up to the last tag
        self.only = 0  # where in `markup` the child's first child ends
        self.place: list[int] | None = None


def _nothing(_tag: str, _own: str) -> None:
    """What reads an element outside of a feed."""


def _refused(*_: object) -> None:
    """Entities grow, and are fetched: a DOCTYPE is none of ours (XML_ERROR_ABORTED)."""
    raise expat.ExpatError


def _start_tag(tag: str, attributes: dict[str, str]) -> str:
    """A start tag as HTML has it: no prefixes but XLink's, attributes in order."""
    name = local(tag)
    if name in {"svg", "math"}:
        attributes["xmlns"] = namespace(tag)
    if not attributes:
        return f"<{name}>"
    given = {}
    for key, value in attributes.items():
        if key.startswith(XLINK):
            given["xmlns:xlink"] = XLINK[:-1]
            given[f"xlink:{local(key)}"] = value
        else:
            given[local(key)] = value
    said = "".join([f' {key}="{_escaped(value)}"' for key, value in sorted(given.items())])
    return f"<{name}{said}>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
