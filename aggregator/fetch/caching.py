"""What the headers of an answer say about the next request: validators and lifetimes (RFC 9110, RFC 9111)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from aggregator.model import Hints, Validators

Headers = Sequence[tuple[bytes, bytes]]

RETRY_AFTER_CAP_S = 7 * 86_400.0
_DIRECTIVE = re.compile(r"""([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]*)))?""", re.ASCII)


def values(headers: Headers, name: bytes) -> list[str]:
    """Every value of one header, byte for byte as latin-1 text. All names are lower case."""
    return [value.decode("latin-1") for key, value in headers if key == name]


def value(headers: Headers, name: bytes) -> str | None:
    """The first value of one header that is not empty."""
    return next(filter(None, values(headers, name)), None)


def whole(text: str | None) -> float | None:
    """A whole number without sign, as header fields write sizes and seconds."""
    digits = (text or "").strip()
    return float(digits[:18]) if digits.isascii() and digits.isdigit() else None


def validators(headers: Headers, url: str) -> Validators:
    """The validators of an answer from `url`, unaltered; without any, empty ones."""
    etag, last_modified = value(headers, b"etag"), value(headers, b"last-modified")
    return Validators(etag=etag, last_modified=last_modified, url=url if etag or last_modified else None)


def renewed(known: Validators, headers: Headers) -> Validators:
    """`known` after a 304: what it names is replaced, what it does not name is kept (RFC 9111 section 3.2)."""
    return Validators(
        etag=value(headers, b"etag") or known.etag,
        last_modified=value(headers, b"last-modified") or known.last_modified,
        url=known.url,
    )


def conditions(known: Validators, url: str) -> list[tuple[bytes, bytes]]:
    """The headers that ask `url` only for news; empty when `known` came from another address."""
    if known.url != url:
        return []
    pairs = ((b"If-None-Match", known.etag), (b"If-Modified-Since", known.last_modified))
    return [(name, text.encode("latin-1")) for name, text in pairs if text is not None]


def hints(headers: Headers, now: datetime) -> Hints:
    """When the server wants to be asked again, in seconds from now; what it says badly is not said."""
    return Hints(retry_after_s=_retry_after(headers, now), max_age_s=_lifetime(headers, now))


def _retry_after(headers: Headers, now: datetime) -> float | None:
    text = value(headers, b"retry-after")
    if text is None:
        return None
    seconds = whole(text)
    if seconds is None and (until := _date(text)):
        seconds = (until - (_date(value(headers, b"date")) or now)).total_seconds()
    return min(seconds, RETRY_AFTER_CAP_S) if seconds is not None and seconds > 0 else None


def _lifetime(headers: Headers, now: datetime) -> float | None:
    """Freshness that is left (RFC 9111 section 4.2), 0 for none; s-maxage is for shared caches and not for us."""
    said = _directives(", ".join(values(headers, b"cache-control")))
    if "no-cache" in said or "no-store" in said:
        return 0.0
    lifetime = whole(said.get("max-age"))
    if lifetime is None and (expires := _date(value(headers, b"expires"))):
        lifetime = (expires - (_date(value(headers, b"date")) or now)).total_seconds()
    return None if lifetime is None else max(lifetime - (whole(value(headers, b"age")) or 0.0), 0.0)


def _directives(text: str) -> dict[str, str]:
    """Cache-Control as a mapping; of repeated directives the first counts (RFC 9111 section 4.2.1)."""
    found: dict[str, str] = {}
    for name, quoted, plain in _DIRECTIVE.findall(text):
        found.setdefault(name.lower(), quoted or plain)
    return found


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when
