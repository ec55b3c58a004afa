"""Sitemaps: addresses with dates, and in Google's form for news with titles.

sitemaps.org allows 50,000 addresses in one document, a whole archive; Google's form at most 1,000, of the last two days.
So of a longer one the newest thousand are its entries, and it is flagged: a list of all pages is no window on the news.

One pass of expat, as for feeds, without namespaces: publishers forget to declare them. What is not well-formed is read
by its tags.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from html import unescape
from typing import Final
from xml.parsers import expat

from aggregator.parse import dates, slices
from aggregator.parse.entry import HTML, TEXT, Entry, Header, Reading, Scope
from aggregator.parse.links import absolute

WINDOW: Final = 1000
CUT: Final = "sitemap-cut"  # it holds more than the newest thousand
MOST: Final = 50_000  # entries of one document that are read (sitemaps.org)
OVERFULL: Final = "sitemap-overfull"
NOT_WELL_FORMED: Final = "not-well-formed"
UNZIPPED_MOST: Final = 16 << 20  # bytes, as of any body
TOO_LARGE: Final = "unzipped-too-large"

_FORMATS: Final = ("sitemap", "news-sitemap", "sitemap-index")
_PERHAPS = re.compile(rb"<(?:[\w.-]+:)?(?:urlset|sitemapindex)[\s>]")
_MEMBERS = 64  # of a .gz file; each is a copy of what follows
_PARTS = 100  # of an index; nobody asks for more
_HEAD = 8192  # bytes in which the root stands; stylesheets and comments come before it
_WANTED = frozenset({
    "loc", "lastmod", "news/title", "news/publication/name", "news/publication/language", "news/language",
    "news/publication_date", "news/keywords", "image/title", "image/caption",
})  # fmt: skip
_TOKEN = re.compile(r"<!\[CDATA\[|<!--|<\?|<(/?)([\w:.-]++)[^<>]*+>")
_CLOSERS = {"<![CDATA[": "]]>", "<!--": "-->", "<?": "?>"}


def is_format(name: str) -> bool:
    """Whether `ParsedFeed.format` says that a document was a sitemap."""
    return name in _FORMATS


def unzipped(body: bytes) -> tuple[bytes, tuple[str, ...]]:
    """What a .gz file holds, and nothing with a flag when that is too much; any other body as it is."""
    if not body.startswith(b"\x1f\x8b"):
        return body, ()
    parts, left = [], UNZIPPED_MOST + 1
    for _ in range(_MEMBERS):
        if not body or left <= 0:
            break
        unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            part = unzip.decompress(body, left)
        except zlib.error:  # zeros after the last member, or damage: what came before counts
            break
        parts.append(part)
        left -= len(part)
        body = unzip.unused_data
    return (b"", (TOO_LARGE,)) if left <= 0 else (b"".join(parts), ())


def read(body: bytes, url: str | None) -> Reading | None:
    """The sitemap or the index in a document in UTF-8; None when it is neither. Never raises."""
    if not _PERHAPS.search(body, 0, _HEAD):
        return None
    found, flags = _Pass(), set[str]()
    if not found.strict(body):
        flags.add(NOT_WELL_FORMED)
        found = _Pass()
        found.tolerant(body.decode("utf-8", "replace"))
    if found.root == "sitemapindex":
        parts = dict.fromkeys(
            filter(None, (absolute(_first(one, "loc"), url) for one in _newest(found.entries)[:_PARTS]))
        )
        return Reading(header=Header(format="sitemap-index", sitemaps=tuple(parts)), flags=tuple(flags))
    if found.root != "urlset":
        return None
    marks = _marks(body, found.places) or [None] * len(found.entries)
    entries = [(one, mark) for one, mark in zip(found.entries, marks, strict=True)]
    if found.beyond:
        flags.add(OVERFULL)
    if len(entries) > WINDOW:
        flags.add(CUT)
        kept = {id(one) for one in _newest(found.entries)[:WINDOW]}
        entries = [(one, mark) for one, mark in entries if id(one) in kept]
    news = any("news/title" in one for one, _ in entries)
    header = Header(
        format="news-sitemap" if news else "sitemap",
        title=next(filter(None, (_first(one, "news/publication/name") for one, _ in entries)), ""),
    )
    return Reading(
        header=header, entries=tuple(_entry(one, mark, url) for one, mark in entries), flags=tuple(sorted(flags))
    )


_Said = dict[str, list[str]]  # texts by path


def _entry(said: _Said, mark: bytes | None, base: str | None) -> Entry | str:
    place = _first(said, "loc")
    if not absolute(place, base):
        return "sitemap-entry-without-address"
    entry = Entry(Scope(base))
    entry.titles.append((HTML, _first(said, "news/title")))
    captions = (text for name in ("image/title", "image/caption") for text in said.get(name, ()))
    entry.texts.extend((0, "summary", TEXT, text) for text in dict.fromkeys(captions))
    entry.guid = place
    entry.add_link(0, place)
    entry.tags.extend(word.strip() for words in said.get("news/keywords", ()) for word in re.split("[,،;؛]", words))
    entry.published.extend(said.get("news/publication_date", ()))
    entry.updated.extend(said.get("lastmod", ()))
    entry.lang = _first(said, "news/publication/language") or _first(said, "news/language") or None
    entry.mark = mark
    return entry


def _first(said: _Said, name: str) -> str:
    return next(iter(said.get(name, ())), "")


def _newest(entries: Sequence[_Said]) -> list[_Said]:
    """Those with a date first, the newest before the others; then as they stand."""
    now = datetime(9999, 1, 1, tzinfo=UTC)

    def age(said: _Said) -> float:
        raw = _first(said, "news/publication_date") or _first(said, "lastmod")
        at = dates.read(raw, now).at if raw else None
        return -at.timestamp() if at else 0.0

    return sorted(entries, key=age)


def _marks(body: bytes, places: Sequence[tuple[int, int]]) -> list[bytes | None] | None:
    """The slice hash of each entry; None when cutting and parsing do not agree where they stand."""
    cut = slices.cut(body)
    if cut is None or [(start, end - len(cut.closer)) for start, end in cut.spans] != list(places):
        return None
    return list(cut.hashes)


class _Pass:
    """What a document holds: for each entry the texts in it, by path."""

    def __init__(self) -> None:
        self.root = ""
        self.entries: list[_Said] = []
        self.places: list[tuple[int, int]] = []  # of each entry: the first byte, and that of its end tag
        self.beyond = False
        self._path: list[str] = []
        self._open: Counter[str] = Counter()  # how often each name stands in the path
        self._text: list[str] = []
        self._began = 0
        self._at: Callable[[], int] = int

    def strict(self, body: bytes) -> bool:
        """Whether `body` is well-formed, in UTF-8 and without DOCTYPE."""
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = _refused
        self._at = lambda: parser.CurrentByteIndex
        try:
            parser.Parse(body, True)
        except expat.ExpatError:
            return False
        finally:
            self._at = int  # they would hold each other
        return True

    def tolerant(self, text: str) -> None:
        """Read by tags alone: end tags close what they name, and references that mean nothing stay."""
        for piece, name, closes in _tokens(text):
            if piece is not None:
                self._text.append(piece)
            elif not closes:
                self._start(name, {})
            elif self._open[name]:
                while self._path[-1] != name:
                    self._end(self._path[-1])
                self._end(name)

    def _start(self, tag: str, _attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._path.append(name)
        self._open[name] += 1
        self._text.clear()
        depth = len(self._path)
        if depth == 1:
            self.root = self._path[0]
        elif depth == 2:  # noqa: PLR2004 - a child of the root is an entry
            self.beyond = len(self.entries) >= MOST
            self._began = self._at()
            if not self.beyond:
                self.entries.append({})

    def _end(self, _tag: str) -> None:
        path = self._path
        if 2 < len(path) <= 5 and not self.beyond:  # noqa: PLR2004 - url/news/publication/name lies deepest
            name = "/".join(path[2:])
            if name in _WANTED and (text := "".join(self._text).strip()):
                self.entries[-1].setdefault(name, []).append(text)
        elif len(path) == 2 and not self.beyond:  # noqa: PLR2004 - see above
            self.places.append((self._began, self._at()))
        self._open[path.pop()] -= 1
        self._text.clear()


def _refused(*_: object) -> None:
    """Entities grow, and are fetched: a DOCTYPE is none of ours (XML_ERROR_ABORTED)."""
    raise expat.ExpatError


def _tokens(text: str) -> Iterator[tuple[str | None, str, bool]]:
    """Texts, and the local names of tags with whether they close, in order."""
    at = 0
    while found := _TOKEN.search(text, at):
        yield unescape(text[at : found.start()]), "", False
        at = found.end()
        if closer := _CLOSERS.get(found[0]):
            end = text.find(closer, at)
            if end < 0:
                return
            if closer == "]]>":
                yield text[at:end], "", False
            at = end + len(closer)
            continue
        name = found[2].rpartition(":")[2]
        yield None, name, bool(found[1])
        if found[0].endswith("/>") and not found[1]:
            yield None, name, True
