"""Who may be spoken to: every address is judged where it is dialled, and exactly the judged address is dialled.

Names are resolved once; if any answer is forbidden nothing is sent, not even a SYN, so neither a rebinding name
server nor a mixed answer helps. `ipaddress.is_global` alone is not enough: it says True for 224.0.0.1, fec0::1,
64:ff9b::7f00:1 and ::127.0.0.1 (measured 2026-11, Python 3.11 and 3.13).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import httpx2

from aggregator.errors import ConfigError
from aggregator.fetch.dns import Resolver, System
from aggregator.fetch.exchange import Ask, Exchange
from aggregator.fetch.line import Fault, Limits, Line
from aggregator.fetch.wire import Transport, proxied, system_trust
from aggregator.model import Reason
from aggregator.settings import Network

_ATTEMPTS = 4  # addresses of one host that are tried, each with its share of the connect time


def ask(network: Network, *, resolver: Resolver, limits: Limits, trust: ssl.SSLContext | None = None) -> Ask:
    """The way out for GETs: each on a new connection to a judged address.

    Behind a proxy the proxy resolves, so only the host as written can be judged.

    Raises:
        ConfigError: The proxy is of a kind that we cannot speak to.
    """
    guard = Guard(allow_private=network.allow_private_feeds, ports=network.ports, resolver=resolver)
    trusted = (lambda: trust) if trust else system_trust
    if network.proxy is None:
        return Exchange(judge=guard.judge_port, dial=guard.dial, trust=trusted, limits=limits)
    proxy = network.proxy.reveal()
    _check_proxy(proxy)
    return proxied(
        Transport(judge=guard.judge_written, dial=guard.dial_unjudged, trust=trusted, limits=limits, proxy=proxy)
    )


def transport(*, allow_private: bool, ports: frozenset[int] | None) -> httpx2.AsyncBaseTransport:
    """The way out for deliveries: each request on a new connection to a judged address.

    Raises `Fault` (an `httpx2.TransportError` with a `reason`) for what the far side does and for what the guard
    forbids. Follows no redirects, keeps no cookies.
    """
    guard = Guard(allow_private=allow_private, ports=ports, resolver=System())
    return Transport(judge=guard.judge_port, dial=guard.dial, trust=system_trust, limits=Limits())


def _check_proxy(proxy: str) -> None:
    scheme = proxy.partition("://")[0].lower()
    if scheme not in {"http", "socks5", "socks5h"}:
        raise ConfigError(("settings.network.proxy: must begin with http:// or socks5://",))
    if scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigError(("settings.network.proxy: a socks proxy needs the package socksio",))


class Guard:
    """The rules for hosts, ports and addresses."""

    def __init__(self, *, allow_private: bool, ports: frozenset[int] | None, resolver: Resolver) -> None:
        self._allow_private = allow_private
        self._ports = ports
        self._resolve = resolver

    def judge_port(self, host: str, port: int) -> None:
        """Raise `Fault` when `port` is not open to us."""
        del host
        if self._ports is not None and port not in self._ports:
            raise Fault(Reason.BLOCKED_PORT, f"port {port} is not in network.ports")

    def judge_written(self, host: str, port: int) -> None:
        """Raise `Fault` when a host that someone else will resolve is forbidden as it is written."""
        self.judge_port(host, port)
        if address := _literal(host):
            self._judge(host, address)
        elif not self._allow_private and _local_name(host):
            raise Fault(Reason.BLOCKED_ADDRESS, f"{host}: local name")

    async def dial(self, host: str, port: int, timeout_s: float) -> Line:
        """A line to an address of `host`, all of whose addresses are allowed."""
        addresses = await self._addresses(host)
        for address in addresses:
            self._judge(host, address)
        return await connect_any(addresses[:_ATTEMPTS], port, timeout_s)

    async def dial_unjudged(self, host: str, port: int, timeout_s: float) -> Line:
        """A line to the operator's own proxy."""
        return await connect_any(await self._addresses(host), port, timeout_s)

    async def _addresses(self, host: str) -> Sequence[str]:
        if _is_address(host):
            return (host,)
        try:
            found = await self._resolve(host)
        except (OSError, UnicodeError) as failure:  # UnicodeError: a label that no name server could hold
            raise Fault(Reason.DNS, f"{host}: {getattr(failure, 'strerror', None) or failure}") from failure
        if not found:
            raise Fault(Reason.DNS, f"{host}: no address")
        return found

    def _judge(self, host: str, address: str) -> None:
        if rule := forbidden(address, allow_private=self._allow_private):
            raise Fault(Reason.BLOCKED_ADDRESS, f"{host}: {rule} address {address}")


async def connect_any(addresses: Sequence[str], port: int, timeout_s: float) -> Line:
    """A line to the first address that answers; each has an equal share of the time that is left."""
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout_s
    for left, address in zip(range(len(addresses), 1, -1), addresses, strict=False):
        try:
            return await Line.to(address, port, (end - loop.time()) / left)
        except Fault:  # the next address may do better; the last one's fault is told
            continue
    return await Line.to(addresses[-1], port, end - loop.time())


# ---------------------------------------------------------------- addresses

_METADATA = frozenset(map(ip_address, ("169.254.169.254", "100.100.100.200", "fd00:ec2::254")))
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_RULES = tuple(
    (rule, ip_network(net))
    for rule, nets in (
        ("unspecified", "0.0.0.0/8 ::/128"),
        ("loopback", "127.0.0.0/8 ::1/128"),
        ("private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7"),
        ("shared", "100.64.0.0/10"),
        ("link-local", "169.254.0.0/16 fe80::/10 fec0::/10"),
        ("multicast", "224.0.0.0/4 ff00::/8"),
        ("documentation", "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20"),
        ("teredo", "2001::/32"),
        ("reserved", "192.0.0.0/24 192.88.99.0/24 198.18.0.0/15 240.0.0.0/4"),
    )
    for net in nets.split()
)
_MAY_BE_ALLOWED = frozenset({"loopback", "private", "shared"})


@lru_cache(maxsize=1 << 14)
def forbidden(address: str, *, allow_private: bool) -> str | None:
    """The name of the rule that forbids `address`; None when it may be dialled.

    `allow_private` opens loopback, private and carrier networks, never link-local ones or cloud metadata.
    """
    rule = _rule(ip_address(address))
    return None if allow_private and rule in _MAY_BE_ALLOWED else rule


def is_local(host: str) -> bool:
    """Whether `host` as written is of a private network, or this machine."""
    address = _literal(host.strip("[]"))
    return _rule(ip_address(address)) is not None if address else _local_name(host)


def _rule(address: IPv4Address | IPv6Address) -> str | None:
    if isinstance(address, IPv6Address) and (inner := _embedded(address)):
        return _rule(inner)
    if address in _METADATA:
        return "cloud metadata"
    for rule, net in _RULES:
        if address in net:
            return rule
    outside = isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST
    return "reserved" if outside or not address.is_global else None


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a gateway would send this to."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return address.ipv4_mapped


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _literal(host: str) -> str | None:
    """The address that `host` spells, in any form a resolver takes: 127.1, 0x7f000001, 2130706433."""
    if _is_address(host):
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def _local_name(host: str) -> bool:
    name = host.rstrip(".").lower()
    return "." not in name or name.endswith((".localhost", ".local", ".internal", ".home.arpa"))
