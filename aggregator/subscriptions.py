"""Feeds added to feeds.yaml, OPML in and out, and the feeds that a page names.

An edit writes lines into the text and leaves every other byte as it is: comments, layout, line ends. (A YAML round trip
would rewrite untouched lines, `[a,   b]` among them, and costs 3.0 s for 5,000 feeds.) A new text replaces the file only
when it loads, and says what the old one said and the new feeds besides.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

from lxml import etree

from aggregator import config as configs
from aggregator.config import shape
from aggregator.config.yaml import Block, Document, Node
from aggregator.errors import ConfigError, UsageError
from aggregator.settings import Config, FeedSpec, SourceType
from aggregator.text import urls

MAX_OPML_BYTES: Final = 16 << 20
_FEED_TYPES: Final = frozenset(
    {
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "application/feed+json",
        "text/xml",
        "application/xml",
    }
)
_PLAIN: Final = re.compile(r"[^\W\d][\w./%?=&+-]*(?:[ :](?=[\w./%?=&+-])[\w./%?=&+-]+)*|https?://[\w./%?=&+:~@-]*[\w/]")
BY_HAND: Final = "feeds.yaml is written in a way that only a person can add to"
_WORDS: Final = frozenset({"true", "false", "null"})
_UNWRITTEN: Final = re.compile(
    r"[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]"
)  # neither in XML nor on one line of YAML


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed that a page names."""

    url: str
    title: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an OPML file came to: every outline with an address is in one of the three."""

    added: tuple[FeedSpec, ...]
    duplicates: int
    refused: tuple[str, ...]  # why, one line each


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outline:
    url: str
    name: str | None
    tags: tuple[str, ...] = ()
    kind: SourceType = "feed"


# ---------------------------------------------------------------- into feeds.yaml


def add(path: Path, url: str, name: str | None = None, kind: SourceType = "feed") -> FeedSpec:
    """The feed at `url`, written into the file at `path`.

    Raises:
        UsageError: `url` is no address of a feed, or it or `name` is there already, or only a person can edit the file.
        ConfigError: the file cannot be used as it is.
    """
    address = urls.clean(url)
    if address is None:
        raise UsageError(f"{url}: {shape.address_fault(url)}")
    with editing(path) as file:
        known = {_identity(feed.url): feed.name for feed in file.config.feeds}
        if _identity(address) in known:
            raise UsageError(f"{address} is listed already, as {known[_identity(address)]}")
        if name in known.values():
            raise UsageError(f"there is a feed named {name} already")
        return file.append([_Outline(url=address, name=name, kind=kind)])[0]


def import_opml(path: Path, data: bytes) -> Imported:
    """The feeds of an OPML file, written into the file at `path`; folders and categories become tags.

    Raises:
        UsageError: it is no OPML, or declares entities, or only a person can edit the file.
        ConfigError: the file cannot be used as it is.
    """
    outlines = tuple(_outlines(data))
    with editing(path) as file:
        fresh = _Fresh(file.config)
        for outline in outlines:
            fresh.take(outline)
        return Imported(added=file.append(fresh.new), duplicates=fresh.duplicates, refused=tuple(fresh.refused))


class _Fresh:
    """Sorts outlines into new feeds, those that are listed already, and those that cannot be feeds."""

    def __init__(self, config: Config) -> None:
        self.new: list[_Outline] = []
        self.duplicates = 0
        self.refused: list[str] = []
        self._known = {_identity(feed.url) for feed in config.feeds}
        self._names = {feed.name for feed in config.feeds}

    def take(self, outline: _Outline) -> None:
        address = urls.clean(outline.url)
        if address is None:
            self.refused.append(f"{outline.url}: {shape.address_fault(outline.url)}")
        elif _identity(address) in self._known:
            self.duplicates += 1
        else:
            self._known.add(_identity(address))
            self.new.append(replace(outline, url=address, name=self._free(outline.name)))

    def _free(self, name: str | None) -> str | None:
        """`name`, or name-2, name-3, ... when it is taken."""
        if name is None:
            return None
        numbered = (f"{name}-{n}" for n in count(2))
        free = next(free for free in chain((name,), numbered) if free not in self._names)
        self._names.add(free)
        return free


def _identity(address: str) -> str:
    """What http and https addresses of one feed have in common. Nothing more is guessed: a lost feed is silence."""
    return address.partition("//")[2]


# ---------------------------------------------------------------- the text of feeds.yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """feeds.yaml in hand."""

    path: Path
    content: bytes
    config: Config

    def append(self, new: Sequence[_Outline]) -> tuple[FeedSpec, ...]:
        """The feeds as they load, once the file on disk names them.

        Raises:
            UsageError: with the new lines the file would say something else.
        """
        if not new:
            return ()
        edited = _with_entries(self.content, new)
        try:
            after = configs.parse(edited, self.path)
        except ConfigError as error:
            raise UsageError(BY_HAND) from error
        old = len(self.config.feeds)
        if _without_feeds(after) != _without_feeds(self.config) or after.feeds[:old] != self.config.feeds:
            raise UsageError(BY_HAND)
        replace_file(self.path, edited)
        return after.feeds[old:]


@contextlib.contextmanager
def editing(path: Path) -> Iterator[_File]:
    """The file at `path`, for one edit at a time, also between processes."""
    path = path.resolve()  # a link stays a link
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        content = path.read_bytes()
        yield _File(path=path, content=content, config=configs.parse(content, path))
    finally:
        os.close(folder)


def _without_feeds(config: Config) -> Config:
    return replace(config, feeds=(), warnings=())


def _with_entries(content: bytes, new: Iterable[_Outline]) -> bytes:
    """The file's text with entries at the end of `feeds:`; all else stays, byte for byte."""
    text = content.decode("utf-8-sig")
    feeds: Any = Document(text).node(("feeds",))
    if isinstance(feeds, Block) and text[feeds.start_mark.index] == "[":
        at = feeds.end_mark.index - 1
        piece = ("" if feeds.value == [] else ", ") + ", ".join(f"{{{', '.join(_lines(entry))}}}" for entry in new)
    else:
        at = len(text) if feeds is None else line_end(text, feeds)
        indent = " " * (feeds.start_mark.column if isinstance(feeds, Block) else 2)
        entries = "".join(f"{indent}- " + f"\n{indent}  ".join(_lines(entry)) + "\n" for entry in new)
        head = ("" if text[:at].endswith("\n") or not text else "\n") + ("feeds:\n" if feeds is None else "")
        piece = head + entries
    if "\r\n" in text:
        piece = piece.replace("\n", "\r\n")
    mark = content[: len(content) - len(content.removeprefix(codecs.BOM_UTF8))]
    return mark + (text[:at] + piece + text[at:]).encode()


def line_end(text: str, node: Node) -> int:
    """Just past the line on which the last part of `node` stands."""
    last = len(text[: _end(node)].rstrip())
    newline = text.find("\n", last)
    return len(text) if newline < 0 else newline + 1


def _end(node: Any) -> int:
    if not isinstance(node, Block) or not node.children:
        return int(node.end_mark.index)
    return max(map(_end, node.children.values()))


def _lines(entry: _Outline) -> list[str]:
    """`key: value` for all that is known of a feed."""
    lines = [f"url: {scalar(entry.url)}"]
    if entry.name:
        lines.append(f"name: {scalar(entry.name)}")
    if entry.kind != "feed":
        lines.append(f"type: {entry.kind}")
    if entry.tags:
        lines.append(f"tags: [{', '.join(map(scalar, entry.tags))}]")
    return lines


def scalar(text: str) -> str:
    """`text` as YAML: bare where nobody could read it as something else. A JSON string is a YAML string."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)


def replace_file(path: Path, content: bytes) -> None:
    """The file with new content and its old mode; after a power cut it is the old one or the new one, whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(content)
            os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink()
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# ---------------------------------------------------------------- OPML


def export_opml(config: Config) -> bytes:
    """All feeds as OPML 2.0: each in a folder named by its first tag, all its tags as categories."""
    opml = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(opml, "head"), "title").text = "aggregator"
    body = etree.SubElement(opml, "body")
    folders: dict[str, Any] = {}
    for feed in config.feeds:
        parent = body
        if feed.tags:
            folder = _line(feed.tags[0])
            if folder not in folders:
                folders[folder] = etree.SubElement(body, "outline", text=folder)
            parent = folders[folder]
        outline = etree.SubElement(parent, "outline", type="rss", text=_line(feed.name), xmlUrl=feed.url)
        if feed.tags:
            outline.set("category", ",".join(map(_line, feed.tags)))
    return bytes(etree.tostring(opml, xml_declaration=True, encoding="utf-8", pretty_print=True))


def _line(text: str) -> str:
    """`text` on one line, without what XML or YAML cannot hold."""
    return " ".join(_UNWRITTEN.sub(" ", text).split())


def _outlines(data: bytes) -> Iterator[_Outline]:
    """Every outline with an address, folders as tags.

    Entities are refused before the parser sees them, in any encoding: libxml2 writes them out inside attributes.
    """
    if len(data) > MAX_OPML_BYTES:
        raise UsageError(f"the OPML is larger than {MAX_OPML_BYTES >> 20} MiB")
    if b"<!ENTITY" in data.replace(b"\0", b""):
        raise UsageError("the OPML declares entities: refused")
    yield from _walk(_opml(data), ())


def _opml(data: bytes) -> Any:
    """The root of an OPML file. Damage, such as a quote inside a quoted title, is read the way browsers read HTML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        root = _html(data)
    found = None if root is None else next((element for element in root.iter() if _name(element) == "opml"), None)
    if found is None:
        raise UsageError("this is no OPML")
    return found


def _html(page: bytes) -> Any:
    """The root of a page, None when there is none."""
    try:
        page.decode()
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = None  # what the page says
    try:
        return etree.fromstring(page, etree.HTMLParser(encoding=encoding, no_network=True, huge_tree=False))
    except etree.XMLSyntaxError:
        return None


def _name(element: Any) -> str:
    return element.tag.lower() if isinstance(element.tag, str) else ""


def _walk(parent: Any, folders: tuple[str, ...]) -> Iterator[_Outline]:
    for element in parent:
        said = {key.lower(): _line(value) for key, value in element.attrib.items()}
        title = said.get("title") or said.get("text") or ""
        address = said.get("xmlurl")
        if address:
            categories = (part.strip("/ ") for part in said.get("category", "").split(","))
            tags = tuple(dict.fromkeys(tag[:200] for tag in (*folders, *categories) if tag))
            yield _Outline(url=address, name=title[:200] or None, tags=tags)
        inside = (*folders, title) if _name(element) == "outline" and title and not address else folders
        yield from _walk(element, inside)


# ---------------------------------------------------------------- discovery


def discover(page: bytes, url: str) -> tuple[FoundFeed, ...]:
    """The feeds that a web page links to as its alternates, in the order of the page, without repetition."""
    root = _html(page)
    if root is None:
        return ()
    base = next((urljoin(url, element.get("href", "")) for element in root.iter("base")), url)
    found: dict[str, FoundFeed] = {}
    for link in root.iter("link"):
        kind = link.get("type", "").split(";")[0].strip().lower()
        rel = link.get("rel", "").lower().split()
        if "alternate" in rel and kind in _FEED_TYPES and (address := _joined(base, link.get("href"))):
            found.setdefault(address, FoundFeed(url=address, title=_line(link.get("title", "")), type=kind))
    return tuple(found.values())


def _joined(base: str, href: str | None) -> str | None:
    try:
        return urls.clean(urljoin(base, href.strip())) if href else None
    except ValueError:
        return None
