"""What a watchlist finds."""

from __future__ import annotations

from dataclasses import dataclass

from aggregator.model.documents import FieldName, Item


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Hit:
    """A term at a place: `item.<field>[start:end] == text`, in code points of the original."""

    watchlist: str
    field: FieldName
    start: int
    end: int
    term: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMarks:
    """What decides whether two items carry one story. Hashes are of folded text, 16 bytes."""

    site: str  # host of the feed, without www.
    url_key: str | None
    title_hash: bytes
    full_hash: bytes | None = None  # of title and text; None when too short to prove anything
    text_hash: bytes | None = None  # of the longer of content and summary; None when not long
    article_hash: bytes | None = None  # None when not read or not long


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An item with all that the pure core can say of it."""

    item: Item
    key: str  # identity inside its feed
    content_hash: bytes  # changes when a reader would see a change
    marks: StoryMarks
    hits: tuple[Hit, ...] = ()
    stopped: tuple[str, ...] = ()  # watchlists whose rule cost too much for this item: they did not judge it
    quiet: bool = False  # it is old: kept and judged, and nobody is told
    wants_article: bool = False  # by the feed's policy, never by the hits: that would tell the publisher the watchlist


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Original text round a hit; `marks` are (start, end) in `text`."""

    field: FieldName
    text: str
    marks: tuple[tuple[int, int], ...]
