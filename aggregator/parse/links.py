"""Addresses as a document gives them, made absolute."""

from __future__ import annotations

import re
from urllib.parse import urljoin

_BREAKS = re.compile(r"[\t\n\r]+ *")  # a browser drops these inside an address; feeds wrap long ones
_WEB = ("http://", "https://")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


def absolute(url: str | None, base: str | None) -> str | None:
    """`url` as an absolute http(s) address, resolved against `base`; None when it cannot become one.

    `feed://host/x` and `feed:https://host/x` become the address meant. The fragment stays: some feeds tell their
    items apart by nothing else.
    """
    if url and url.startswith(_WEB) and "&amp;" not in url and " " not in url and url.isprintable():
        return url
    joined = resolved(url, base)
    return joined if joined and joined[:8].lower().startswith(_WEB) else None


def resolved(url: str | None, base: str | None) -> str | None:
    """`url` resolved against `base` whatever its scheme; None when it is empty or no address at all."""
    url = _BREAKS.sub("", (url or "").strip()).replace("&amp;", "&")  # escaped twice
    if not url:
        return None
    if url[:5].lower() == "feed:":
        rest = url[5:]
        url = rest if _SCHEME.match(rest) else "http:" + rest
    if _SCHEME.match(url) or not base:
        return url
    try:
        return urljoin(base, url)
    except ValueError:  # e.g. a base with an unclosed [
        return None
