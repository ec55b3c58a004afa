"""The httpx2 side: deliveries, which httpx2 makes, and GETs through a proxy, which httpcore2 knows how to speak to.

httpx2 offers no place to check an address between resolving and connecting. So this transport speaks through one
httpcore2 connection per request, over a line that `Dial` opened. A GET to the host itself goes the short way of
`exchange.py`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing
from functools import cache
from typing import Any
from urllib.parse import unquote

import httpcore2
import httpx2

from aggregator.fetch.exchange import Answer, Ask, Headers
from aggregator.fetch.line import Dial, Fault, Limits, Line
from aggregator.fetch.place import Place
from aggregator.model import Reason


class Transport(httpx2.AsyncBaseTransport):
    """Sends each request over a connection of its own, opened by `dial`, closed with the response.

    `judge(host, port)` is asked first and raises `Fault` to forbid. `dial` opens the line to the host, or to
    `proxy` when there is one. Raises `Fault` and nothing else for what the far side does.
    """

    def __init__(
        self,
        *,
        judge: Callable[[str, int], None],
        dial: Dial,
        trust: Callable[[], ssl.SSLContext],
        limits: Limits,
        proxy: str | None = None,
    ) -> None:
        self._judge = judge
        self._dial = dial
        self._trust = trust
        self._limits = limits
        self._proxy = httpx2.URL(proxy) if proxy else None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The response with its body still on the wire, raw."""
        self._judge(request.url.raw_host.decode("ascii"), port_of(request.url))
        backend = _Backend(self._dial, self._limits)
        link = self._link(request.url, backend)
        try:
            answer = await link.handle_async_request(_core(request))
        except (Exception, asyncio.CancelledError) as failure:
            await link.aclose()
            backend.close()
            raise _fault(failure, Reason.PROTOCOL) or failure from failure
        backend.head_done()
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer, link, backend))

    def _link(self, url: httpx2.URL, backend: _Backend) -> _Link:
        context = self._trust() if url.scheme == "https" else None
        if self._proxy is None:
            origin = httpcore2.Origin(url.raw_scheme, url.raw_host, port_of(url))
            return httpcore2.AsyncHTTPConnection(origin, ssl_context=context, network_backend=backend)
        via = httpcore2.URL(
            scheme=self._proxy.raw_scheme, host=self._proxy.raw_host, port=self._proxy.port, target=b"/"
        )
        auth = (unquote(self._proxy.username), unquote(self._proxy.password)) if self._proxy.userinfo else None
        if self._proxy.scheme.startswith("socks"):
            return httpcore2.AsyncSOCKSProxy(via, proxy_auth=auth, ssl_context=context, network_backend=backend)
        return httpcore2.AsyncHTTPProxy(via, proxy_auth=auth, ssl_context=context, network_backend=backend)


def proxied(transport: Transport) -> Ask:
    """GETs through the proxy of `transport`."""

    async def ask(place: Place, headers: Headers) -> Answer:
        request = httpx2.Request("GET", place.address, headers=list(headers))
        return _Proxied(await transport.handle_async_request(request))

    return ask


class _Proxied:
    """A response of httpx2 as an `Answer`."""

    def __init__(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        self.headers: Headers = [(name.lower(), value) for name, value in response.headers.raw]
        self.chunks = response.aiter_raw
        self.aclose = response.aclose


def port_of(url: httpx2.URL) -> int:
    """The port that a request for `url` goes to."""
    return url.port if url.port is not None else {"https": 443}.get(url.scheme, 80)


@cache
def system_trust() -> ssl.SSLContext:
    """The system's certificate authorities, whatever the environment says. Made once: it takes 16 ms."""
    return httpx2.create_ssl_context(trust_env=False)


_Link = httpcore2.AsyncHTTPConnection | httpcore2.AsyncConnectionPool


def _core(request: httpx2.Request) -> httpcore2.Request:
    return httpcore2.Request(
        method=request.method,
        url=httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        ),
        headers=request.headers.raw,
        content=request.stream,
    )


def _fault(failure: BaseException, broken: Reason) -> Fault | None:
    """`failure` as a Fault; `broken` is the reason when the far side does not speak HTTP. None: not the network's."""
    match failure:
        case Fault():
            return failure
        case httpcore2.RemoteProtocolError() if "without sending a response" in str(failure):
            return Fault(Reason.RESET, "closed without an answer")
        case httpcore2.LocalProtocolError():  # its message would show the header, perhaps a credential
            return Fault(Reason.PROTOCOL, "a header of this request cannot be sent")
        case httpcore2.ProxyError():
            return Fault(Reason.CONNECT, f"proxy: {failure}")
        case httpcore2.ProtocolError():
            return Fault(broken, str(failure))
    return None


class _Body(httpx2.AsyncByteStream):
    """The raw body. Closing it closes the connection at once, without waiting for the far side."""

    def __init__(self, answer: httpcore2.Response, link: _Link, backend: _Backend) -> None:
        self._answer = answer
        self._link = link
        self._backend = backend

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async with aclosing(self._answer.aiter_stream()) as chunks:
                async for chunk in chunks:
                    yield chunk
        except Exception as failure:
            raise _fault(failure, Reason.TRUNCATED) or failure from failure

    async def aclose(self) -> None:
        await self._answer.aclose()
        await self._link.aclose()
        self._backend.close()


class _Backend(httpcore2.AsyncNetworkBackend):
    """The one line of one request."""

    def __init__(self, dial: Dial, limits: Limits) -> None:
        self._dial = dial
        self._limits = limits
        self._stream: _Stream | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the name is httpcore2's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        del timeout, local_address, socket_options  # never set by us
        self._stream = _Stream(await self._dial(host, port, self._limits.connect_s), self._limits)
        return self._stream

    def head_done(self) -> None:
        if self._stream is not None:
            self._stream.in_head = False

    def close(self) -> None:
        if self._stream is not None:
            self._stream.line.close()


class _Stream(httpcore2.AsyncNetworkStream):
    """A line that refuses to deliver more than the limits allow. Whoever asks bounds the time."""

    def __init__(self, line: Line, limits: Limits) -> None:
        self.line = line
        self._limits = limits
        self._received = 0
        self.in_head = True

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore2's
        del timeout
        if self.in_head:
            max_bytes = min(max_bytes, self._limits.header_bytes - self._received)
            if max_bytes <= 0:
                raise Fault(Reason.HEADERS_TOO_LARGE, f"more than {self._limits.header_bytes} bytes of headers")
        if self._received > self._limits.header_bytes + self._limits.wire_bytes:
            raise Fault(Reason.TOO_LARGE, f"more than {self._limits.wire_bytes} bytes on the wire")
        data = await self.line.receive(max_bytes)
        self._received += len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore2's
        del timeout
        await self.line.send(buffer)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the name is httpcore2's
    ) -> httpcore2.AsyncNetworkStream:
        await self.line.start_tls(ssl_context, server_hostname, timeout or self._limits.connect_s)
        return self

    async def aclose(self) -> None:
        self.line.close()

    def get_extra_info(self, info: str) -> Any:
        return self.line.tls if info == "ssl_object" else None
