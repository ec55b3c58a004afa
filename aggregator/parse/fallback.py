"""The last fallback: feedparser, for documents that no other reader understands (CDF, feeds inside pages).

It can hang (author addresses, 100,000 attributes) and raise on hostile bytes: callers run in a process that can be killed.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

import feedparser

from aggregator.parse.entry import HTML, TEXT, Entry, Form, Header, Reading, Scope
from aggregator.parse.links import absolute
from aggregator.parse.repair import NOT_WELL_FORMED

FALLBACK: Final = "fallback"
_UTF8 = {"content-type": "application/xml; charset=utf-8"}
MAX_BYTES = 4 * 2**20  # about 2 s; feedparser takes 18 s for 50 MB


def read(body: bytes, url: str | None) -> Reading | None:
    """What feedparser finds in `body`, in UTF-8; None when it is no feed, too large, or too much for it."""
    if len(body) > MAX_BYTES:
        return None
    try:
        found = feedparser.parse(
            BytesIO(body), response_headers=_UTF8, sanitize_html=False, resolve_relative_uris=False
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
    entries = [_entry(entry, entry.get("base") or url) for entry in found.entries]
    return Reading(header=header, entries=entries, flags=(FALLBACK, NOT_WELL_FORMED) if found.bozo else (FALLBACK,))


def _entry(found: Any, base: str | None) -> Entry:
    entry = Entry(Scope(base))
    title, summary = found.get("title_detail") or {}, found.get("summary_detail") or {}
    entry.titles = [(_form(title), title.get("value") or "")]
    entry.texts = [
        (0, "summary", _form(summary), summary.get("value") or ""),
        *((1, "content", _form(detail), detail.get("value") or "") for detail in found.get("content", ())),
        *((2, "summary", HTML, found.get(name) or "") for name in ("subtitle", "media_description")),
    ]
    entry.guid = found.get("id")
    entry.add_link(0, found.get("link"))
    entry.authors = list(filter(None, [found.get("author")]))
    entry.tags = [tag.get("term") or tag.get("label") or "" for tag in found.get("tags", ())]
    entry.published = list(filter(None, (found.get("published"), found.get("created"))))
    entry.updated = list(filter(None, [found.get("updated")]))
    entry.lang = (title or summary).get("language")
    for one in found.get("enclosures", ()):
        entry.enclose(one.get("href"), one.get("type"), one.get("length"))
    return entry


def _form(detail: Any) -> Form:
    return TEXT if detail.get("type") == "text/plain" else HTML
