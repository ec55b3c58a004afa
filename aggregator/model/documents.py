"""What stands in a feed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

FieldName = Literal["title", "summary", "content", "article", "tags"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that an item carries."""

    url: str
    type: str | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of a feed, as text for people: HTML removed, entities resolved, letters untouched."""

    title: str = ""
    summary: str = ""
    content: str = ""
    article: str | None = None  # text of the item's page, when it was read
    tags: tuple[str, ...] = ()
    guid: str | None = None  # the publisher's id, as given
    link: str | None = None  # absolute
    author: str | None = None
    lang: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    enclosures: tuple[Enclosure, ...] = ()
    flags: tuple[str, ...] = ()  # repairs and doubts, e.g. "date-unreadable"
    slice_hash: bytes | None = None  # of the bytes the item was read from

    def texts(self) -> Iterator[tuple[FieldName, str]]:
        """Each field that may hold a term with its text; tags one per line. Empty fields are left out."""
        for name, text in (
            ("title", self.title),
            ("summary", self.summary),
            ("content", self.content),
            ("article", self.article or ""),
            ("tags", "\n".join(self.tags)),
        ):
            if text:
                yield name, text  # type: ignore[misc]  # the five names are FieldName


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An entry that could not become an item. Counted, stored, shown."""

    reason: str
    position: int  # 0 for the first entry of the document


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """Where entries stand that are older than a document's own (RFC 5005)."""

    url: str
    fixed: bool  # an archive document, which never changes; else a page, which moves on as new entries come


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """One feed document, read. `entries == len(items) + len(rejected) + known`."""

    format: str  # "rss20", "rss10", "atom10", "json11", ...; "" when it is no feed
    title: str = ""
    link: str | None = None
    language: str | None = None
    items: tuple[Item, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    known: int = 0  # entries whose bytes the caller knew, not parsed again
    ttl_s: float | None = None  # the publisher's own hint
    update_base: datetime | None = None  # the beats of `ttl_s` are counted from here
    skip_hours: tuple[int, ...] = ()  # GMT, when the publisher asks not to be visited
    skip_days: tuple[int, ...] = ()  # 0 is Monday
    hub: str | None = None  # WebSub
    self_link: str | None = None
    prev_archive: str | None = None  # RFC 5005, 4: older entries, in a document that never changes
    next_page: str | None = None  # RFC 5005, 3: older entries, in a document that moves on as new ones come
    sitemaps: tuple[str, ...] = ()  # of a sitemap index: its parts, the newest first
    flags: tuple[str, ...] = ()

    @property
    def entries(self) -> int:
        """How many entries the document holds."""
        return len(self.items) + len(self.rejected) + self.known

    @property
    def older(self) -> Older | None:
        """Where its older entries are; None when it does not say."""
        if self.prev_archive:
            return Older(url=self.prev_archive, fixed=True)
        return Older(url=self.next_page, fixed=False) if self.next_page else None
