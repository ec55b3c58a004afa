"""Text that is nearly a feed to a document that nests, in one linear pass.

Elements of feeds (a closed list of names, and what has a prefix) stay elements: their lost end tags are supplied where the
next one starts. Every other tag is what a publisher forgot to escape; it becomes text, which later is read as HTML. Text
that stands outside every text element of an entry gets one, so that it is read too.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from aggregator.parse.characters import CONTROLS, with_references
from aggregator.parse.names import (
    BOXES,
    ENTRIES,
    FEED_ONLY,
    LEVEL,
    NAMESPACES,
    OWN_PREFIX,
    PEOPLE,
    PLAIN_PREFIX,
    SHARED,
    TEXTS,
)

NOT_WELL_FORMED: Final = "not-well-formed"
TRUNCATED: Final = "truncated"  # the document ends before its root does

_PREFIX = r"(?:[A-Za-z_][\w.-]*:)?"
_NAME = rf"{_PREFIX}[A-Za-z_][\w.-]*"
_PAIR = rf"""\s+{_NAME}\s*=\s*(?:"[^"<]*"|'[^'<]*')"""
_TAG = re.compile(rf"<(/?)({_NAME})((?>(?:{_PAIR})*))\s*(/?)>", re.ASCII)
_BROKEN = re.compile(
    rf"<(/?)({_PREFIX}(?:item|entry))(?=[\s/])[^<>]*((?:>|(?=<)))()", re.ASCII
)  # its attributes are lost
_ATTRIBUTE = re.compile(rf"""\s+({_NAME})\s*=\s*("[^"<]*"|'[^'<]*')""", re.ASCII)
_ROOT = re.compile(rf"<{_PREFIX}(?:rss|RDF|feed|channel|item|entry)(?=[\s>])", re.ASCII)

_ENTRY_TAG = re.compile(r"</?(?:item|entry)[\s>]")
_FEED_TAG = re.compile(r"</?(?:pubDate|guid|published|updated|category|content:encoded|description|dc:\w+)[\s>]")
_DEEP = 64


class Repaired(NamedTuple):
    """A document in parts that nest: `"".join(parts)` is all of it, `entries` says which parts are one entry."""

    parts: list[str]
    entries: list[tuple[int, int]]
    flags: frozenset[str]


def repaired(text: str, entities: dict[str, str]) -> Repaired | None:
    """`text` as a document that nests, or None when it holds no feed element at all."""
    root = _ROOT.search(text)
    return _Work(CONTROLS.sub("", text[root.start() :]), entities).done() if root else None


class _Work:
    """The pass: what is written so far, and which elements are open."""

    def __init__(self, text: str, entities: dict[str, str]) -> None:
        self.text = text
        self.entities = entities
        self.out: list[str] = []
        self.open: list[tuple[str, int]] = []  # name as written, place of its start tag in `out`
        self.names: list[str] = []  # the same elements, names without the root's prefix
        self.flags: set[str] = set()
        self.prefixes: set[str] = set()
        self.root_prefix = ""
        self.ended = False
        self.entries: list[tuple[int, int]] = []
        self.places: dict[str, int] = {}
        self.spare = -1  # a place in `out` where an entry's start tag can still be put

    def done(self) -> Repaired | None:
        at = 0
        while at < len(self.text):
            at = self.step(at)
        if not self.open:
            return None
        if not self.ended:
            self.flags.add(TRUNCATED)
        while self.open:
            self.pop()
        declared = self.out[0]
        missing = (p for p in sorted(self.prefixes) if f" xmlns:{p}=" not in declared and p not in {"xml", "xmlns"})
        added = "".join(f' xmlns:{p}="{NAMESPACES.get(p, "urn:unknown:" + p)}"' for p in missing)
        self.out[0] = declared[:-1] + added + ">"
        return Repaired(self.out, self.entries, frozenset(self.flags))

    # ------------------------------------------------------------ reading

    def step(self, at: int) -> int:
        """Deal with what stands at `at`; where the next thing stands."""
        text = self.text
        if text[at] != "<":
            end = self.find("<", at)
            self.write(text[at:end])
            return end
        if text.startswith("<![CDATA[", at):
            return self.cdata(at + 9)
        if text.startswith("<!--", at):
            return self.comment(at)
        if text.startswith("<?", at):
            return self.find(">", at) + 1
        found = _TAG.match(text, at) or _BROKEN.match(text, at)
        if not found:
            self.write("<")
            return at + 1
        self.tag(found)
        return found.end()

    def find(self, what: str, at: int) -> int:
        """The next place of `what`, or the end. Remembered, so that a thousand openers without an end stay linear."""
        place = self.places.get(what, -1)
        if place < at:
            place = self.text.find(what, at)
            self.places[what] = place = len(self.text) if place < 0 else place
        return place

    def cdata(self, start: int) -> int:
        """A CDATA section; one whose end is lost ends with its element, before it swallows what follows."""
        end = self.find("]]>", start)
        following = self.find("<![CDATA[", start)
        if following < end or end == len(self.text):
            lost = self.border(start, following)
            if lost >= 0 or end == len(self.text):
                lost = lost if lost >= 0 else following
                self.flags.add(NOT_WELL_FORMED)
                self.section(self.text[start:lost].rstrip("]>"))
                return lost
        self.section(self.text[start:end])
        return end + 3

    def border(self, start: int, end: int) -> int:
        """Where the open element must have ended, -1 when nothing says so."""
        entry = _ENTRY_TAG.search(self.text, start, end)
        end = entry.start() if entry else end
        own = self.text.find(f"</{self.open[-1][0]}>", start, end) if self.open else -1
        if own >= 0:
            return own
        found = _FEED_TAG.search(self.text, start, end)
        return found.start() if found else entry.start() if entry else -1

    def comment(self, at: int) -> int:
        """Past a comment; one that never ends, or holds the start of another, is none."""
        end = self.find("-->", at + 4)
        if end < len(self.text) and end <= self.find("<!--", at + 4):
            return end + 3
        self.flags.add(NOT_WELL_FORMED)
        return at + 4

    # ------------------------------------------------------------ deciding

    def tag(self, found: re.Match[str]) -> None:
        closing, name, attributes, empty = found.groups("")
        written = found[0]
        core = name.removeprefix(self.root_prefix)
        if closing:
            if not self.close(core):
                self.write(written)
            return
        if not self.open and self.begin(name, attributes):
            return
        if len(self.open) < _DEEP and self.makes_room(core, attributes):
            self.start(name, core, attributes, empty)
        else:
            self.write(written)

    def begin(self, name: str, attributes: str) -> bool:
        """Whether a first tag is the root; if not, what should have stood round it is begun."""
        prefix, _, local = name.rpartition(":")
        if local in LEVEL - {"channel"}:
            self.root_prefix = f"{prefix}:" if prefix and local != "RDF" else ""
            self.start(name, local, attributes, "")
            return True
        root = "feed" if "<entry" in self.text else "rss"
        self.start(root, root, "", "")
        return False

    def makes_room(self, core: str, attributes: str) -> bool:
        """Whether a start tag is an element here; elements whose end tags are lost are ended for it."""
        if core in ENTRIES:
            while self.names[-1] not in LEVEL:
                self.pop()
            self.spare = -1
            return True
        top = self.names[-1]
        if top in BOXES:
            return core in FEED_ONLY or core in SHARED or core in BOXES or core in PEOPLE or ":" in core
        if top in PEOPLE and core in SHARED and (top != "source" or "feed" in self.names):
            return True
        prefix, inner = core.rpartition(":")[0], top.rpartition(":")[0]
        if inner and prefix and inner not in PLAIN_PREFIX and top not in TEXTS:
            return True  # a media:content in its media:group
        if core in FEED_ONLY or prefix in OWN_PREFIX or self.shared(core, top, attributes):
            while self.names[-1] not in BOXES:
                self.pop()
            return True
        return False

    def shared(self, core: str, top: str, attributes: str) -> bool:
        """Whether a tag that HTML has too is the feed's."""
        if core == "link":
            return "stylesheet" not in attributes and (not attributes or "href" in attributes) and core != top
        return core in {"title", "summary", "content", "id"} and core != top and "class=" not in attributes

    def close(self, core: str) -> bool:
        """Whether an end tag is an element's; elements inside whose own end tags are lost are ended with it."""
        if core in self.names:
            if self.names.index(core) == 0:
                self.ended = True
            while len(self.open) > 1 and self.names[-1] != core:
                self.pop()
            if len(self.open) > 1:
                self.pop()
            return True
        if not self.open:
            return True
        top = self.names[-1]
        if core in ENTRIES and top not in ENTRIES and self.spare >= 0:
            self.supply(core)
            return True
        if top in BOXES:
            return core in FEED_ONLY or core in SHARED or ":" in core
        if core in FEED_ONLY or core.rpartition(":")[0] in OWN_PREFIX:  # one of both names is damaged
            if top not in TEXTS:
                self.rename(core)
            self.pop()
            return True
        return False

    # ------------------------------------------------------------ writing

    def start(self, name: str, core: str, attributes: str, empty: str) -> None:
        given: dict[str, str] = {}
        for key, value in _ATTRIBUTE.findall(attributes):
            if len(value) > 2 or not key.startswith("xmlns:"):  # noqa: PLR2004 -- an empty namespace is an error
                given.setdefault(key, value)
        self.prefixes.update(
            used.partition(":")[0] for used in (name, *given) if ":" in used and not used.startswith("xmlns:")
        )
        written = "".join(f" {key}={with_references(value, self.entities)}" for key, value in given.items())
        if (
            core == "title" and not self.entries and self.names[-1] in LEVEL
        ):  # of the feed, or of a first entry without its start tag
            self.save_place()
        if core in ENTRIES:
            self.entries.append((len(self.out), len(self.out) + 1))
        self.out.append(f"<{name}{written}{empty}>")
        if not empty:
            self.open.append((name, len(self.out) - 1))
            self.names.append(core)

    def pop(self) -> None:
        name, place = self.open.pop()
        self.out.append(f"</{name}>")
        if self.names.pop() in ENTRIES:
            self.entries[-1] = (place, len(self.out))
            self.save_place()

    def supply(self, name: str) -> None:
        """An entry whose end tag stands here and whose start tag was damaged gets one."""
        while self.names[-1] not in LEVEL:
            self.pop()
        self.out[self.spare] = f"<{name}>"
        self.out.append(f"</{name}>")
        self.entries.append((self.spare, len(self.out)))
        self.save_place()

    def save_place(self) -> None:
        self.spare = len(self.out)
        self.out.append("")

    def rename(self, name: str) -> None:
        """The open element gets the name that its end tag has."""
        self.out[self.open[-1][1]] = f"<{name}>"
        self.prefixes.update({name.partition(":")[0]} if ":" in name else ())
        self.open[-1] = (name, self.open[-1][1])

    def write(self, text: str) -> None:
        """Character data, in a text element of its own when an entry has none open; without what is left of a CDATA."""
        if self.placed(text):
            self.out.append(with_references(text.replace("<", "&lt;").replace("]]>", ""), self.entities))

    def section(self, text: str) -> None:
        if self.placed(text):
            self.out.append(f"<![CDATA[{text}]]>")

    def placed(self, text: str) -> bool:
        """Whether text belongs here; inside an entry it always does."""
        if not self.open:
            return False
        if self.names[-1] not in BOXES:
            return True
        if self.names[-1] in ENTRIES and text.strip():
            self.start("description", "description", "", "")
            return True
        return False
