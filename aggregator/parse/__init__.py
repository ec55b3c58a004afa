"""Feed bytes to items: RSS, RDF, Atom, JSON Feed and sitemaps, whole or damaged.

    slices -> decode -> document (events, repair) -> entry      XML: only unknown entries go further than `slices`
    decode -> jsonfeed, sitemap -> entry
    fallback -> entry                                           what nobody else understands

Callers give untrusted bytes, so they call this in a process that can be killed.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import replace
from datetime import UTC, datetime

from aggregator.model import Item, ParsedFeed, Rejected
from aggregator.parse import dates, decode, entry, fallback, jsonfeed, listing, sitemap, slices
from aggregator.parse.document import LOSS, read

__all__ = ["feed", "page"]

_PERHAPS = re.compile(rb"<(?:[\w.-]+:)?(?:rss|feed|rdf|channel|item|entry)\b", re.IGNORECASE)


def feed(
    body: bytes,
    *,
    charset: str | None = None,
    url: str | None = None,
    known: Container[bytes] = (),
    now: datetime | None = None,
) -> ParsedFeed:
    """The feed that `body` holds: every entry is an item, a rejection, or counted as known, in the document's order.

    `charset` is what the HTTP header says, `url` what relative links are resolved against. Entries whose slice hash
    (`slices.hashes`) is in `known` are counted and not read. `now` bounds plausible dates.
    Never raises for what the bytes say: what is no feed has the format "" and the flag "not-a-feed".
    """
    body, flags = sitemap.unzipped(body)
    found, count = _unknown(body, charset, url, known) or (reading(body, charset, url), 0)
    if found is None:
        return ParsedFeed(format="", flags=("not-a-feed", *flags))
    if sitemap.is_format(found.header.format):
        found, count = _without(found, known)
    return _parsed(found, count, now or datetime.now(UTC))


def page(
    body: bytes,
    *,
    select: str | None = None,
    charset: str | None = None,
    url: str | None = None,
    now: datetime | None = None,
) -> ParsedFeed:
    """The links of a listing page as entries: those that the CSS selector `select` names, else those that look like articles.

    Never raises for what the bytes say: what is no page has the format "" and the flag "not-a-page".
    """
    found = listing.read(body, select, charset, url)
    if found is None:
        return ParsedFeed(format="", flags=("not-a-page",))
    return _parsed(found, 0, now or datetime.now(UTC))


def _unknown(
    body: bytes, charset: str | None, url: str | None, known: Container[bytes]
) -> tuple[entry.Reading, int] | None:
    """The entries of `body` that are not known and how many are; None when it cannot be cut without loss."""
    cut = slices.cut(body)
    if cut is None:
        return None
    pieces = list(zip(cut.spans, cut.hashes, strict=True))
    fresh = {span: mark for span, mark in pieces if mark not in known}
    rest = slices.without(body, [span for span in cut.spans if span not in fresh])
    decoded = decode.utf8(rest, charset, body)
    document = read(decoded.body, url)
    if document is None or len(document.entries) != len(fresh):
        return None
    if not slices.whole(body, cut, fresh, document.places):
        return None
    return document.reading(decoded.flags, fresh.values()), len(pieces) - len(fresh)


def _without(found: entry.Reading, known: Container[bytes]) -> tuple[entry.Reading, int]:
    """The entries that are not known, and how many are."""
    fresh = tuple(one for one in found.entries if isinstance(one, str) or one.mark not in known)
    return replace(found, entries=fresh), len(found.entries) - len(fresh)


def reading(body: bytes, charset: str | None = None, url: str | None = None) -> entry.Reading | None:
    """Every entry of `body` with its markup, by the first reader that understands it; None when it is no feed."""
    decoded = decode.utf8(body, charset)
    text = decoded.body.lstrip()
    found = (
        (jsonfeed.read(text.decode("utf-8", "replace"), url) if text[:1] == b"{" else None)
        or sitemap.read(text, url)
        or _elements(decoded.body, url)
        or (fallback.read(text, url) if _PERHAPS.search(text) else None)
    )
    return found and replace(found, flags=(*decoded.flags, *found.flags))


def _elements(body: bytes, url: str | None) -> entry.Reading | None:
    document = read(body, url)
    return document.reading() if document and (document.entries or LOSS not in document.flags) else None


def _parsed(found: entry.Reading, known: int, now: datetime) -> ParsedFeed:
    header = found.header
    items: list[Item] = []
    rejected: list[Rejected] = []
    for position, one in enumerate(found.entries):
        if isinstance(one, str):
            rejected.append(Rejected(reason=one, position=position))
            continue
        try:
            items.append(entry.item(one, now, header))
        except Exception as error:  # noqa: BLE001 -- one bad entry must never cost its neighbours
            rejected.append(Rejected(reason=f"entry-unreadable: {type(error).__name__}", position=position))
    return ParsedFeed(
        format=header.format,
        title=entry.words(header.title, entry.HTML),
        link=header.link,
        language=header.language,
        items=tuple(items),
        rejected=tuple(rejected),
        known=known,
        ttl_s=header.ttl_s,
        update_base=dates.read(header.update_base, now).at if header.update_base else None,
        skip_hours=header.skip_hours,
        skip_days=header.skip_days,
        hub=header.hub,
        self_link=header.self_link,
        prev_archive=header.prev_archive,
        next_page=header.next_page,
        sitemaps=header.sitemaps,
        flags=tuple(sorted(set(found.flags))),
    )
