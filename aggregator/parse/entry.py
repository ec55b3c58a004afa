"""What every reader hands over, and how it becomes an `Item`.

A reader (RSS and Atom, JSON Feed, the last fallback) finds the parts of an entry and leaves them as the document gives
them: markup kept, dates as written. This module turns them into text for people, in one way for all readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from aggregator.model import Enclosure, Item
from aggregator.parse import dates
from aggregator.text.html import plain

Form = Literal["html", "text"]
Role = Literal["title", "summary", "content"]
Text = tuple[Role, Form, str]
HTML: Final = "html"
TEXT: Final = "text"

_MARKUP = re.compile(r"</[a-zA-Z]|<(?:br|p|img|div|hr)[ />]|&#?\w{2,12};")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
CUT: Final = "text-cut"
MAX_TEXT: Final = 2_000_000  # characters: a matcher takes 170 bytes for each
_MANY = 16  # variants of one text; above, containment (quadratic) is not looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a document says of itself."""

    format: str
    title: str = ""
    link: str | None = None
    language: str | None = None
    ttl_s: float | None = None
    update_base: str | None = None  # as written
    guid: str | None = None
    author: str | None = None  # in Atom also of each entry that names none (RFC 4287, 4.2.1)
    tags: tuple[str, ...] = ()
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    hub: str | None = None
    self_link: str | None = None
    prev_archive: str | None = None
    next_page: str | None = None
    sitemaps: tuple[str, ...] = ()


class Entry(NamedTuple):
    """One entry as its document gives it. Links are absolute, `title` and `texts` may hold markup."""

    title: str = ""
    title_form: Form = HTML
    texts: tuple[Text, ...] = ()
    guid: str | None = None
    link: str | None = None
    author: str | None = None
    tags: tuple[str, ...] = ()
    published: tuple[str, ...] = ()  # as written, the best source first
    updated: tuple[str, ...] = ()
    lang: str | None = None
    enclosures: tuple[Enclosure, ...] = ()
    flags: tuple[str, ...] = ()
    slice_hash: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A document as a reader hands it over: an entry, or the reason why there is none, in the document's order."""

    header: Header
    entries: tuple[Entry | str, ...] = ()
    flags: tuple[str, ...] = ()


def item(entry: Entry, now: datetime, language: str | None = None) -> Item:
    """`entry` as text for people; what was doubtful stands in its flags. `language` is the feed's."""
    title = words(entry.title, entry.title_form)
    summary, content = _union(title, entry.texts)
    published, doubt = _moment(entry.published, now)
    updated, another = _moment(entry.updated, now)
    flags = {flag for flag in (*entry.flags, doubt, another) if flag}
    if max(len(title), len(summary), len(content)) > MAX_TEXT:
        title, summary, content = title[:MAX_TEXT], summary[:MAX_TEXT], content[:MAX_TEXT]
        flags.add(CUT)
    return Item(
        title=title,
        summary=summary,
        content=content,
        tags=tuple(dict.fromkeys(filter(None, [words(tag, TEXT) for tag in entry.tags]))) if entry.tags else (),
        guid=entry.guid,
        link=entry.link,
        author=(words(entry.author, TEXT) or None) if entry.author else None,
        lang=entry.lang or language,
        published=published,
        updated=updated,
        enclosures=entry.enclosures,
        flags=tuple(sorted(flags)),
        slice_hash=entry.slice_hash,
    )


def words(text: str, form: Form) -> str:
    """`text` without markup and control characters, blanks at its ends removed.

    Text that a publisher calls plain is taken so, unless it holds tags or references: most such feeds are mislabelled.
    """
    if "<" not in text and "&" not in text:
        if text.isascii() and "  " not in text and text.isprintable():
            return text.strip()
        return plain(text)
    if form == HTML or _MARKUP.search(text):
        return plain(text)
    return _CONTROLS.sub("", " ".join(text.split()))


def length(size: str | None) -> int | None:
    """A number of bytes as feeds write it; None when it is none, or beyond a petabyte."""
    size = (size or "").strip()
    return int(size) if size.isascii() and size.isdigit() and len(size) <= 15 else None  # noqa: PLR2004 -- digits of a petabyte


def _union(title: str, texts: Iterable[Text]) -> tuple[str, str]:
    """Summary and content, so that every text stands in one of title, summary, content.

    The first summary is the summary; the content is all else, without what is said already.
    """
    summary = ""
    rest: list[str] = []
    for role, form, markup in texts:
        text = words(markup, form)
        if role == "summary" and text and not summary:
            summary = text
        elif text and text != title:
            rest.append(text)
    if len(rest) > 1:
        rest = list(dict.fromkeys(rest))
    if rest and len(rest) <= _MANY:
        rest = [
            text
            for place, text in enumerate(rest)
            if text not in summary and not any(text in other for at, other in enumerate(rest) if at != place)
        ]
    return summary, "\n\n".join(rest)


def _moment(candidates: tuple[str, ...], now: datetime) -> tuple[datetime | None, str | None]:
    """The first moment that can be read, else why the first cannot."""
    doubt = None
    for raw in candidates:
        moment = dates.read(raw, now)
        if moment.at:
            return moment.at, None
        doubt = doubt or moment.flag
    return None, doubt
