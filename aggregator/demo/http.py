"""A very small HTTP server for loopback: one request per connection, the answer from a plain function."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

LIMIT = 1024 * 1024
PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back."""

    status: int = 200
    type: str = "text/html; charset=utf-8"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@asynccontextmanager
async def serving(answer: Callable[[Asked], Answer]) -> AsyncIterator[str]:
    """The address, without a slash at its end, of a server that lives as long as the block."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                writer.write(_wire(answer(await _asked(reader))))
                await writer.drain()
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            pass  # the caller hung up, or spoke something else
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=LIMIT)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _asked(reader: asyncio.StreamReader) -> Asked:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _version = first.split(" ")
    named = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in named}
    body = await reader.readexactly(min(int(headers.get("content-length", "0")), LIMIT))
    return Asked(method=method, path=path, headers=headers, body=body)


def _wire(answer: Answer) -> bytes:
    headers = {"Content-Type": answer.type, "Content-Length": str(len(answer.body)), **answer.headers}
    if answer.status == HTTPStatus.NOT_MODIFIED:
        del headers["Content-Type"], headers["Content-Length"]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n{head}Connection: close\r\n\r\n".encode()
        + answer.body
    )
