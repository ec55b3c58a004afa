"""One pass of expat over a well-formed document: its entries, its header, and where in the bytes each entry stands.

No tree is built: an element is handed on when it ends, then forgotten. What is put aside for an element inside another
lies on a stack of our own, so that depth costs nothing.
"""

from __future__ import annotations

from html import escape
from itertools import count
from typing import Any
from xml.parsers import expat

from aggregator.parse.elements import Handler, Node, Readers, entrance, group, readers
from aggregator.parse.entry import Entry, Scope
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
        self.header: Entry | None = None
        self.entries: list[Entry] = []
        self.places: list[list[int]] = []  # of each entry: the first byte, and that of its end tag
        self.sections = 0  # of CDATA
        self._outside = readers("", "")
        self._at = _Frame(self._outside, Entry(Scope(url)))
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
        at.leaf = at.readers[tag]
        at.attributes = attributes
        if at.leaf is entrance:
            if self._opens(tag, attributes):
                return
            at.leaf = None
        elif at.leaf is group:
            group(at.entry, at)
            self._open(_Frame(at.readers, at.entry))
            return
        at.depth = 1
        self._text.clear()

    def _end(self, tag: str) -> None:
        at = self._at
        if at.depth == 1:
            at.depth = 0
            if at.leaf:
                at.text = "".join(self._text)
                if at.markup:
                    at.marked = True
                    at.text = self._inner(at.text)
                at.leaf(at.entry, at)
                at.marked = False
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
        if name not in LEVEL or (self.root and (at.depth or at.readers is not self._outside)):
            return False
        self.root = self.root or (tag, attributes)
        entry = Entry(at.entry.scope.inside(attributes), namespace(tag))
        if name in {"feed", "channel"}:
            self.header = self.header or entry
            self._open(_Frame(readers("feed", entry.own), entry))
        else:
            self._open(_Frame(self._outside, entry))
        return True

    def _enter(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an entry."""
        self.root = self.root or (tag, attributes)
        scope = self._at.entry.scope
        entry = Entry(scope.inside(attributes) if attributes else scope, namespace(tag))
        if attributes:
            entry.describe(attributes)
        self.entries.append(entry)
        frame = _Frame(readers("entry", entry.own), entry)
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

    def _inner(self, last: str) -> str:
        """The markup of the element that ends with that text, without a div that is all of it."""
        at = self._at
        markup, only = at.markup, at.only
        at.markup, at.only = [], 0
        if only == len(markup) and markup[0][:5] in {"<div>", "<div "} and (not last or last.isspace()):
            return "".join(markup[1:-1])
        return "".join(markup) + escape(last, quote=False)


class _Frame(Node):
    """An element whose children are read one by one, and the child at hand."""

    __slots__ = ("depth", "entry", "leaf", "markup", "only", "place", "readers")

    def __init__(self, readers: Readers, entry: Entry) -> None:
        self.readers = readers
        self.entry = entry
        self.leaf: Handler | None = None  # what reads the child
        self.marked = False
        self.depth = 0  # 1 in the child, more in its children
        self.markup: list[str] = []  # of the child, up to the last tag
        self.only = 0  # where in `markup` the child's first child ends
        self.place: list[int] | None = None


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
    said = "".join([f' {key}="{escape(value)}"' for key, value in sorted(given.items())]).replace("&#x27;", "'")
    return f"<{name}{said}>"
