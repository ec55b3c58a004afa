"""A document cut at its item tags, each piece with a hash, so that what is known need not be parsed again.

Why nothing is lost: a piece becomes known only with an item that was read from it, and then `whole` held: the piece is one
entry and all of it. So a document whose every piece is either known or whole is cut rightly, and only unknown pieces have
to be looked at. The hash covers the piece and what gives it a meaning from outside: namespaces, base, language, DOCTYPE. It need
not withstand forgers: it is compared within one feed only, whose publisher can hide an entry by leaving it out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from xxhash import xxh3_128_digest

_SPANS = ((b"<![CDATA[", b"]]>"), (b"<!--", b"-->"), (b"<?", b"?>"))
_TAG = re.compile(rb"<[^<>]*>")
_NAMED = {name: re.compile(b"<" + name + rb"[\s/>]") for name in (b"item", b"entry", b"url")}
_AFTER_NAME = b"> \t\r\n"
_ESCAPE = b"\x1b"  # ISO 2022: what looks like a tag may be letters

Span = tuple[int, int]


class Slices(NamedTuple):
    """Where the entries of a document stand, in its order, a 16-byte hash of each, and the end tag of all."""

    spans: list[Span]
    hashes: list[bytes]
    closer: bytes


def hashes(body: bytes) -> tuple[bytes, ...]:
    """One hash for each entry of `body`, in order; () when it cannot be cut.

    `feed(body, known=some of these)` leaves out just the entries that have them, and counts them as known.
    """
    found = cut(body)
    return tuple(found.hashes) if found else ()


def cut(body: bytes) -> Slices | None:
    """The entries of an RSS or Atom document or a sitemap, or None when there are none or it cannot be cut."""
    if _ESCAPE in body or body.lstrip()[:1] in {b"{", b"["}:
        return None
    name, found = spans(body)
    context = _context(body[: found[0][0]]) if found else None
    if context is None:
        return None
    return Slices(found, [xxh3_128_digest(context + body[start:end]) for start, end in found], b"</" + name + b">")


def spans(body: bytes) -> tuple[bytes, list[Span]]:
    """The name of the entries of `body` and where they stand; none when their tags are not in pairs, side by side."""
    head = body[:2000]
    names = (b"url",) if b"<urlset" in head else (b"entry", b"item") if b"<feed" in head else (b"item", b"entry")
    return next(((name, found) for name in names if (found := _spans(body, name))), (b"", []))


def whole(body: bytes, cut: Slices, fresh: Collection[Span], places: Sequence[Sequence[int]]) -> bool:
    """Whether each of the `fresh` pieces is one entry and all of it, given that a reader found as many entries as pieces.

    `places` are where it found them in the body without known pieces, when it was well-formed. Else no piece may hold a
    second item tag, nor a comment or CDATA that reaches over its end, and no gap either.
    """
    if len(places) == len(fresh) and list(_places(cut, fresh)) == places:
        return True
    if any(body.find(body[start : start + 5], start + 5, end) >= 0 for start, end in fresh):
        return False
    starts, ends = zip(*cut.spans, strict=True)
    gaps = zip((0, *ends), (*starts, len(body)), strict=True)
    return all(_closed(body, *piece, *marks) for piece in (*fresh, *gaps) for marks in _SPANS)


def without(body: bytes, spans: Sequence[Span]) -> bytes:
    """`body` without the given pieces, which are in its order and do not overlap."""
    if not spans:
        return body
    kept = []
    at = 0
    for start, end in spans:
        kept.append(body[at:start])
        at = end
    return b"".join((*kept, body[at:]))


def _places(cut: Slices, fresh: Collection[Span]) -> Iterator[list[int]]:
    """The first byte and that of the end tag of each fresh piece, in the body without the others."""
    gone = 0
    for start, end in cut.spans:
        if (start, end) in fresh:
            yield [start - gone, end - gone - len(cut.closer)]
        else:
            gone += end - start


def _spans(body: bytes, name: bytes) -> list[Span]:
    """From each start tag of that name to the next end tag; [] when there is an end tag too few or too many."""
    tag = _NAMED[name]
    spans = []
    at = 0
    for closer in _ends(body, b"</" + name):
        end = closer + len(name) + 3
        if body[end - 1 : end] not in _AFTER_NAME:
            continue  # </items>
        start = tag.search(body, at, closer)
        if not start or body[end - 1 : end] != b">":
            return []
        spans.append((start.start(), end))
        at = end
    return [] if tag.search(body, at) else spans


def _ends(body: bytes, closer: bytes) -> list[int]:
    """Where `closer` stands; sought from the end, which takes CPython half the time of the other way."""
    places = []
    at = body.rfind(closer)
    while at >= 0:
        places.append(at)
        at = body.rfind(closer, 0, at)
    return places[::-1]


def _closed(body: bytes, start: int, end: int, opener: bytes, closer: bytes) -> bool:
    at = body.find(opener, start, end)
    while at >= 0:
        close = body.find(closer, at + len(opener), end)
        if close < 0:
            return False
        at = body.find(opener, close, end)
    return True


def _context(header: bytes) -> bytes | None:
    """A hash of what the header says of all entries; None when entities are defined there."""
    if b"<!ENTITY" in header:
        return None
    tags = (tag for tag in _TAG.findall(header) if b"xml" in tag or tag.startswith(b"<!DOCTYPE"))
    return xxh3_128_digest(b"".join(tags))
