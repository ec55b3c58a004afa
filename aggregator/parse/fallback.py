"""The last fallback: feedparser, for documents that no other reader understands (CDF, feeds inside pages).

It can hang (author addresses, 100,000 attributes) and raise on hostile bytes: callers run in a process that can be killed.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any

import feedparser

from aggregator.model import Enclosure
from aggregator.parse.entry import HTML, TEXT, Entry, Form, Header, Reading, Role, Text, length
from aggregator.parse.links import absolute

MAX_BYTES = 4 * 2**20  # about 2 s; feedparser takes 18 s for 50 MB


def read(body: bytes, charset: str | None, url: str | None) -> Reading | None:
    """What feedparser finds in `body`; None when it is no feed, too large, or too much for it."""
    if len(body) > MAX_BYTES:
        return None
    headers = {"content-type": f"application/xml; charset={charset}" if charset else "application/xml"}
    try:
        found = feedparser.parse(
            BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception:  # noqa: BLE001 -- six exception types are known to escape it (its issue 599), and none is listed
        return None
    if not found.version and not found.entries:
        return None
    feed = found.feed
    header = Header(
        format=found.version or "unknown",
        title=feed.get("title", ""),
        link=absolute(feed.get("link"), url),
        language=feed.get("language"),
    )
    entries = tuple(_entry(entry, entry.get("base") or url) for entry in found.entries)
    return Reading(header=header, entries=entries, flags=("not-well-formed",) if found.bozo else ())


def _entry(entry: Any, base: str | None) -> Entry:
    title = entry.get("title_detail") or {}
    return Entry(
        title=title.get("value") or "",
        title_form=_form(title),
        texts=tuple(_texts(entry)),
        guid=entry.get("id"),
        link=absolute(entry.get("link"), base),
        author=entry.get("author"),
        tags=tuple(tag.get("term") or tag.get("label") or "" for tag in entry.get("tags", ())),
        published=tuple(filter(None, (entry.get("published"), entry.get("created")))),
        updated=tuple(filter(None, (entry.get("updated"),))),
        lang=(title or entry.get("summary_detail") or {}).get("language"),
        enclosures=tuple(_enclosures(entry, base)),
    )


def _texts(entry: Any) -> Iterable[Text]:
    for detail in (entry.get("summary_detail"), *entry.get("content", ())):
        if detail and detail.get("value"):
            role: Role = "summary" if detail is entry.get("summary_detail") else "content"
            yield role, _form(detail), detail.value
    for name in ("subtitle", "media_description"):
        if text := entry.get(name):
            yield "summary", HTML, text


def _enclosures(entry: Any, base: str | None) -> Iterable[Enclosure]:
    for one in entry.get("enclosures", ()):
        if url := absolute(one.get("href"), base):
            yield Enclosure(url=url, type=one.get("type"), length=length(one.get("length")))


def _form(detail: Any) -> Form:
    return TEXT if detail.get("type") == "text/plain" else HTML
