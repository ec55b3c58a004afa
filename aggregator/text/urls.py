"""Web addresses: one to fetch, one to know a page by.

`clean` is what may be fetched, `url_key` only proposes that two addresses show one page: a title or a text must
confirm it, since `?id=` is all that tells the pages of some sites apart. The publisher's own spelling is kept elsewhere.
Rules of RFC 3986 section 6; the tracking parameters are an own list of what news feeds carry.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlsplit

_MAX_LENGTH: Final = 8192  # what servers accept (RFC 9110 section 4.1 asks for 8,000); beyond, no address
_PORTS: Final = {"http": 80, "https": 443}

_RESERVED: Final = "!$&'()*+,;=:@/?%"  # stay as they are; "%" because escapes are made canonical before
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})?")
_SCHEME: Final = re.compile(r"(?:feed:(?://)?)?(?P<scheme>https?):|feed:(?=//)", re.IGNORECASE)
_NO_HOST: Final = re.compile(r"[^a-z0-9._-]")
_SESSION: Final = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)

_MIRRORS: Final = re.compile(
    r"(?:www\d?|m|mobile|amp)\.(?=[^.]+\.)"
)  # hosts that show the pages of the host behind them
_TRACKING: Final = re.compile(
    "(?:utm|at|hsa|mtm|pk|piwik|matomo)_.*|(?:fb|g|d|y|tw|tt|ms)clk?id|gclsrc|[gw]braid|igsh(?:id)?|li_fat_id|_(?:ga|gl)|"
    "mc_[ce]id|mkt_tok|_hs(?:enc|mi)|vero_id|oly_(?:enc|anon)_id|s_(?:cid|kwcid)|cmp(?:id)?|ito|icid|ncid|ocid|smid|smtyp|"
    "ns_(?:mchannel|source|campaign|linkname|fee)|ref_(?:src|url)|xtor|wt\\.mc_id|ftag|amp"
)
_TRACKING_VALUES: Final = frozenset({"outputtype=amp", "output=amp", "source=rss", "ref=rss", "from=rss"})

_GOOGLE: Final = re.compile(r"(?:[a-z0-9-]+\.)*google\.[a-z]{2,3}(?:\.[a-z]{2})?")
_AMP_COPY: Final = re.compile(r"/(?:amp|[a-z])/(?P<secure>s/)?(?P<page>[^/]+\..*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    scheme: str  # "http" or "https"
    login: str
    host: str  # ASCII, lower case
    port: int
    path: str  # canonical escapes, no dot segments; "/" at least
    query: str
    fragment: str

    @property
    def authority(self) -> str:
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"


def clean(url: str) -> str | None:
    """The absolute http or https address to fetch, without fragment; None when `url` is no web address.

    Escapes and host are canonical, dot segments resolved, `feed:` removed; path and query mean what they meant.
    """
    address = _address(url)
    if address is None:
        return None
    login = f"{address.login}@" if address.login else ""
    query = f"?{address.query}" if address.query else ""
    return f"{address.scheme}://{login}{address.authority}{address.path}{query}"


def url_key(url: str) -> str | None:
    """What all addresses of one page have in common; None when `url` is no web address.

    Scheme, mirrors (www, m, amp), default ports, tracking, session ids, order of parameters, trailing slash and
    fragment are set aside; wrappers of Google and AMP are opened. The key of a key is the key.
    """
    address = _address(url)
    while address is not None and (inner := _wrapped(address)):
        address = _address(inner)
    if address is None:
        return None
    port = "" if address.port in _PORTS.values() else f":{address.port}"
    query = "&".join(sorted(_telling(address.query)))
    fragment = f"#{address.fragment}" if address.fragment.startswith("!") else ""
    return f"https://{_site(address.host)}{port}{_page(address.path)}{'?' if query else ''}{query}{fragment}"


def site(url: str) -> str:
    """The host of `url`: ASCII (punycode), lower case, without "www."; "" when there is none."""
    address = _address(url)
    return address.host.removeprefix("www.") if address else ""


def same_site(one: str, other: str) -> bool:
    """Whether two addresses are on one site, or on one above the other, as news.example.org is below example.org."""
    a, b = site(one), site(other)
    return bool(a and b) and (a == b or a.endswith(f".{b}") or b.endswith(f".{a}"))


def server(url: str) -> str:
    """The site of `url`, with its port where that is unusual: whose words these are, and who is asked for them."""
    address = _address(url)
    return address.authority.removeprefix("www.") if address else ""


def document(url: str) -> str:
    """What all addresses of one feed document have in common: http and https, with and without a slash at the end."""
    return (clean(url) or url).partition("://")[2].rstrip("/")


def login(url: str) -> str:
    """The user and password in `url`, as written; "" when there are none."""
    address = _address(url)
    return address.login if address else ""


def origin(url: str) -> str:
    """`scheme://host:port` of `url` with the port always written; "" when it is no web address."""
    address = _address(url)
    return f"{address.scheme}://{address.host}:{address.port}" if address else ""


# ---------------------------------------------------------------- reading an address


def _address(url: str) -> _Address | None:
    url = url.strip()
    found = _SCHEME.match(url)
    if not found or len(url) > _MAX_LENGTH:
        return None
    scheme = (found["scheme"] or "http").lower()
    try:
        parts = urlsplit(f"{scheme}:{url[found.end() :]}")
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:  # a port that is none, brackets without an address, a host that is no name
        return None
    if not host or port == 0 or "\\" in parts.netloc:  # browsers end the host at "\", urlsplit does not
        return None
    return _Address(
        scheme=scheme,
        login=_canonical(parts.netloc.rpartition("@")[0]),
        host=host,
        port=_PORTS[scheme] if port is None else port,
        path=_resolved(_canonical(parts.path)),
        query=_canonical(parts.query),
        fragment=_canonical(parts.fragment),
    )


def _host(name: str) -> str:
    """`name` in ASCII and lower case; "" when it can be no host. Raises ValueError."""
    if ":" in name:
        return f"[{ipaddress.IPv6Address(name).compressed}]"
    ascii_name = unquote(name).encode("idna").decode().lower().removesuffix(".")
    return "" if _NO_HOST.search(ascii_name) else ascii_name


def _canonical(text: str) -> str:
    """`text` with one spelling for each escape: upper case, none that need not be, all that must be."""
    if "%" in text:
        text = _ESCAPE.sub(_escape, text)
    return quote(text.encode("utf-8", "surrogatepass"), safe=_RESERVED)


def _escape(found: re.Match[str]) -> str:
    digits = found[1]
    if digits is None:
        return "%25"
    character = chr(int(digits, 16))
    return character if character in _UNRESERVED else found[0].upper()


def _resolved(path: str) -> str:
    """`path` without dot segments (RFC 3986 section 5.2.4)."""
    if "/." not in path:
        return path or "/"
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


# ---------------------------------------------------------------- what tells a page


def _wrapped(address: _Address) -> str | None:
    """The address inside a redirector of Google or a copy on an AMP server."""
    if _GOOGLE.fullmatch(address.host) and address.path == "/url":
        named = dict(pair.partition("=")[::2] for pair in address.query.split("&"))
        inner = unquote(named.get("url") or named.get("q") or "")
        return inner if _SCHEME.match(inner) else None
    if address.host.endswith(".cdn.ampproject.org") or _GOOGLE.fullmatch(address.host):
        found = _AMP_COPY.fullmatch(address.path)
        query = f"?{address.query}" if address.query else ""
        return f"https://{found['page']}{query}" if found else None
    return None


def _site(host: str) -> str:
    while found := _MIRRORS.match(host):
        host = host[found.end() :]
    return host


def _page(path: str) -> str:
    path = _resolved(_SESSION.sub("", path)).rstrip("/")
    while path.endswith("/amp"):
        path = path.removesuffix("/amp").rstrip("/")
    return path


def _telling(query: str) -> Iterator[str]:
    """The parameters that may tell one page from another."""
    for pair in query.replace("+", "%20").split("&"):
        name = unquote(pair.partition("=")[0]).lower()
        followed = _TRACKING.fullmatch(name) or pair.lower() in _TRACKING_VALUES
        if pair and not followed:
            yield pair
