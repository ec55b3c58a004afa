"""An address as a request needs it: judged as usable, in the form that goes over the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

import httpx2

from aggregator.fetch.line import Fault
from aggregator.model import Reason

_HOST = re.compile(r"[a-z0-9._:-]+")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_PLAIN = re.compile(  # what httpx2 leaves as it is: its own reading of an address costs 50 us, a tenth of a poll
    rf"(https?)://([0-9.-]*[a-z][a-z0-9.-]*|{_OCTET}(?:\.{_OCTET}){{3}})(?::([1-9][0-9]{{0,4}}))?"
    r"((?:/(?!\.)[A-Za-z0-9._~!$&'()*+,;=:@-]*)+(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?)"
)
_PLAIN_MOST = 2000  # characters: far below where httpx2 refuses
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one request goes."""

    scheme: str  # http or https
    host: str  # a name in its wire form, or an address without brackets
    port: int
    target: str  # path and query
    address: str  # as it may be shown and stored: without user, password and fragment
    user: tuple[str, str] | None = None  # name and password

    @classmethod
    def of(cls, text: str) -> Self:
        """`text` as an address that may be asked, without fragment. Raises `Fault`."""
        text = text.strip().partition("#")[0]
        plain = _PLAIN.fullmatch(text) if len(text) <= _PLAIN_MOST else None
        if plain is None:
            return cls._read(_parsed(text))
        scheme, host, port, target = plain.groups()
        if port and (int(port) >= 1 << 16 or int(port) == _PORTS[scheme]):
            return cls._read(_parsed(text))
        return cls(scheme=scheme, host=host, port=int(port or _PORTS[scheme]), target=target, address=text)

    def joined(self, location: str) -> Self:
        """The place that `location` names when it is said here. Raises `Fault`."""
        try:
            return self.of(str(httpx2.URL(self.address).join(location)))
        except httpx2.InvalidURL as failure:
            raise Fault(Reason.REDIRECT_BAD, str(failure)) from failure

    @property
    def authority(self) -> str:
        """Host and port as the Host header says them; the scheme's own port goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """What may share a secret."""
        return self.scheme, self.host, self.port

    @classmethod
    def _read(cls, url: httpx2.URL) -> Self:
        if url.scheme not in _PORTS:
            raise Fault(Reason.BLOCKED_SCHEME, f"{url.scheme or 'no scheme'}: only http and https are fetched")
        host = url.raw_host.decode("ascii")
        port = _PORTS[url.scheme] if url.port is None else url.port
        if not _HOST.fullmatch(host) or not 0 < port < 1 << 16:
            raise Fault(Reason.BAD_URL, "no usable host and port")
        return cls(
            scheme=url.scheme,
            host=host,
            port=port,
            target=url.raw_path.decode("ascii"),
            address=str(url.copy_with(userinfo=b"") if url.userinfo else url),
            user=(unquote(url.username), unquote(url.password)) if url.userinfo else None,
        )


def _parsed(text: str) -> httpx2.URL:
    try:
        return httpx2.URL(text)
    except httpx2.InvalidURL as failure:
        raise Fault(Reason.BAD_URL, str(failure)) from failure
