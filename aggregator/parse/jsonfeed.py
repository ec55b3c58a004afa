"""JSON Feed 1.0 and 1.1 (https://jsonfeed.org/version/1.1): an object with a list of items."""

from __future__ import annotations

import json
import re
from typing import Any

from aggregator.parse.entry import HTML, TEXT, Entry, Header, Reading, Scope
from aggregator.parse.links import absolute
from aggregator.parse.repair import NOT_WELL_FORMED

_ITEMS = re.compile(r'"items"\s*:\s*\[\s*(?=\{)')
_COMMA = re.compile(r"\s*,\s*")
_VERSIONS = {"1": "json10", "1.0": "json10", "1.1": "json11"}


def read(text: str, url: str | None) -> Reading | None:
    """The feed that `text` holds, or None when it is no JSON Feed."""
    flags: tuple[str, ...] = ()
    try:
        document = json.loads(text, strict=False)  # control characters in strings are common and harmless
    except (ValueError, RecursionError):  # also a number of more than 4,300 digits
        document, flags = _salvaged(text), (NOT_WELL_FORMED,)
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        return None
    version = _text(document.get("version")).rpartition("/")[2]
    feed_url = absolute(_text(document.get("feed_url")), url)
    hubs = (absolute(_text(hub.get("url")), url) for hub in _list(document.get("hubs")) if isinstance(hub, dict))
    header = Header(
        format=_VERSIONS.get(version, "json"),
        title=_text(document.get("title")),
        link=absolute(_text(document.get("home_page_url")), url),
        language=_text(document.get("language")) or None,
        hub=next(filter(None, hubs), None),
        self_link=feed_url,
        next_page=absolute(_text(document.get("next_url")), feed_url or url),
    )
    entries = (
        _entry(item, feed_url or url) if isinstance(item, dict) else "entry-not-an-object" for item in document["items"]
    )
    return Reading(header=header, entries=tuple(entries), flags=flags)


def _salvaged(text: str) -> dict[str, Any] | None:
    """The items of a document that is no JSON, up to the first that cannot be read; None when there are none."""
    found = _ITEMS.search(text)
    items: list[Any] = []
    decoder = json.JSONDecoder(strict=False)
    while found:
        try:
            item, end = decoder.raw_decode(text, found.end())
        except (ValueError, RecursionError):
            break
        items.append(item)
        found = _COMMA.match(text, end)
    return {"items": items} if items else None


def _entry(item: dict[str, Any], base: str | None) -> Entry:
    entry = Entry(Scope(base))
    entry.titles = [(TEXT, _text(item.get("title")))]
    entry.texts = [
        (0, "summary", TEXT, _text(item.get("summary"))),
        (1, "content", HTML, _text(item.get("content_html"))),
        (1, "content", TEXT, _text(item.get("content_text"))),
    ]
    entry.guid = _text(item.get("id")) or None
    entry.add_link(0, _text(item.get("url")) or _text(item.get("external_url")))
    people = _list(item.get("authors")) or [item.get("author")]
    names = (_text(one.get("name")) or _text(one.get("url")) for one in people if isinstance(one, dict))
    entry.authors = list(filter(None, names))
    entry.tags = list(map(_text, _list(item.get("tags"))))
    entry.published = [_text(item.get("date_published"))]
    entry.updated = [_text(item.get("date_modified"))]
    entry.lang = _text(item.get("language")) or None
    for one in _list(item.get("attachments")):
        if isinstance(one, dict):
            entry.enclose(_text(one.get("url")), _text(one.get("mime_type")), _text(one.get("size_in_bytes")))
    return entry


def _text(value: Any) -> str:
    """A string as it is, a number as digits, "" for anything else: ids are numbers in some feeds."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
