"""A scripted far side on loopback, a resolver that knows test names only, and one visit to it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import trustme

from aggregator.fetch import Client
from aggregator.model import Outcome, Request, Validators
from aggregator.settings import Secret

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FEED = b"<rss version='2.0'><channel><title>t</title></channel></rss>"


@dataclass(frozen=True)
class Decided:
    """A reply made for the request that came."""

    make: Callable[[Asked], bytes]


Reply = bytes | Decided | Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def reply(status: str = "200 OK", body: bytes = FEED, *headers: str | bytes, length: bool = True) -> bytes:
    """An answer as bytes; headers byte for byte as given."""
    lines = [f"HTTP/1.1 {status}".encode()]
    lines += [line if isinstance(line, bytes) else line.encode() for line in headers]
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def moved(location: str, status: str = "302 Found", *headers: str) -> bytes:
    return reply(status, b"", f"Location: {location}", *headers)


@dataclass(frozen=True)
class Asked:
    """One request as it came off the wire."""

    line: str
    headers: tuple[tuple[str, bytes], ...]
    sni: str | None = None
    at: datetime = NOW

    @property
    def path(self) -> str:
        return self.line.split()[1]

    @property
    def conditions(self) -> tuple[bytes | None, bytes | None]:
        """The validators that were sent: ETag, Last-Modified."""
        return self.one("If-None-Match"), self.one("If-Modified-Since")

    def all(self, name: str) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: str) -> bytes | None:
        found = self.all(name)
        assert len(found) <= 1, f"{name} was sent {len(found)} times"
        return found[0] if found else None


class Far:
    """A server that answers each path with its replies in turn; the last one repeats."""

    def __init__(self, clock: Callable[[], datetime] = lambda: NOW, *, says_close: bool = False) -> None:
        self.asked: list[Asked] = []
        self._clock = clock
        self._says_close = says_close  # for clients that would keep the connection: each has one answer
        self.connections = 0
        self.port = 0
        self.greeting = b""  # said before anything is asked
        self._script: dict[str, list[Reply]] = defaultdict(list)
        self._servers: list[asyncio.Server] = []
        self._names: list[str | None] = []
        self._busy: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}

    async def listen(self, address: str = "127.0.0.1", certificate: trustme.LeafCert | None = None) -> Far:
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            context.sni_callback = lambda _socket, name, _context: self._names.append(name)
        server = await asyncio.start_server(self._serve, address, self.port, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self._servers.append(server)
        return self

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        for writer, task in self._busy.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)
        await asyncio.sleep(0)  # the sockets close in the next round of the loop

    @property
    def greeted(self) -> bool:
        """Whether anybody began to speak TLS, which a bad certificate may have ended."""
        return bool(self._names)

    def on(self, path: str, *replies: Reply) -> str:
        self._script[path] += replies
        return self.url(path)

    def now_on(self, path: str, *replies: Reply) -> None:
        """From now on these answers, whatever was planned."""
        self._script[path] = list(replies)

    def url(self, path: str = "/feed", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._busy[writer] = asyncio.current_task()
        writer.write(self.greeting)
        try:
            await self._answer(reader, writer)
            writer.close()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()  # the client went away, or the test is over

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")[:-2]
        pairs = (line.partition(b":") for line in lines)
        headers = tuple((name.decode(), value.strip()) for name, _, value in pairs)
        asked = Asked(first.decode(), headers, self._names[-1] if self._names else None, self._clock())
        self.asked.append(asked)
        replies = self._script.get(asked.path) or [reply("404 Not Found", b"")]
        answer = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(answer, Decided):
            answer = answer.make(asked)
        if isinstance(answer, bytes):
            status, end, rest = answer.partition(b"\r\n")
            writer.write(status + end + b"Connection: close\r\n" * self._says_close + rest)
            await writer.drain()
        else:
            await answer(reader, writer)


class Names:
    """A resolver that knows the names of this test and records every question."""

    def __init__(self) -> None:
        self.known: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []

    def knows(self, name: str, *answers: list[str]) -> None:
        self.known[name] = list(answers)

    async def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        if host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self.known[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the test, and what it issued for feeds.test."""

    ca: trustme.CA
    certificate: trustme.LeafCert
    trust: ssl.SSLContext


async def poll(client: Client, url: str, known: Outcome | None = None, **headers: str) -> Outcome:
    """One visit that knows what the last one left."""
    secrets = tuple((name.replace("_", "-"), Secret(value)) for name, value in headers.items())
    validators = getattr(known, "validators", Validators())
    return await client.get(Request(url=url, headers=secrets, validators=validators))


def page(url: str) -> Request:
    return replace(Request(url=url), accept="page")
