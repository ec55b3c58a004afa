"""One GET and its answer, by h11, on a line of its own.

h11 refuses what two readers could read in two ways (a bare CR, two lengths, spaces in a header's name) and what it
lets pass is bounded here: heads by `header_bytes`, interim answers with them, all else by `wire_bytes`. There is no
second answer on a line, so nothing that follows the first one is ever read.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Protocol

import h11

from aggregator.fetch.line import Dial, Fault, Limits, Line
from aggregator.fetch.place import Place
from aggregator.model import Reason

Headers = Sequence[tuple[bytes, bytes]]


class Answer(Protocol):
    """The head of an answer, with its body still on the wire."""

    status: int
    headers: Headers  # names in lower case

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes, content codings and all. Raises `Fault`: TRUNCATED when it ends early."""

    async def aclose(self) -> None:
        """Let the connection go."""


Ask = Callable[[Place, Headers], Awaitable[Answer]]
"""A GET of a place with these headers. Raises `Fault` and nothing else for what the far side does."""


class Exchange:
    """An `Ask` that speaks to the host itself."""

    def __init__(
        self, *, judge: Callable[[str, int], None], dial: Dial, trust: Callable[[], ssl.SSLContext], limits: Limits
    ) -> None:
        """`judge(host, port)` is asked first and raises `Fault` to forbid; `dial` judges the address."""
        self._judge = judge
        self._dial = dial
        self._trust = trust
        self._limits = limits

    async def __call__(self, place: Place, headers: Headers) -> Answer:
        """The answer of `place`, its body still on the wire."""
        self._judge(place.host, place.port)
        talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=self._limits.header_bytes)
        said = _request(talk, place, headers)
        line = await self._dial(place.host, place.port, self._limits.connect_s)
        try:
            if place.scheme == "https":
                await line.start_tls(self._trust(), place.host, self._limits.connect_s)
            await line.send(said)
            return await _Answer(line, talk, self._limits).begun()
        except BaseException:
            line.close()
            raise


def _request(talk: h11.Connection, place: Place, headers: Headers) -> bytes:
    try:
        request = h11.Request(
            method="GET", target=place.target, headers=[(b"Host", place.authority.encode()), *headers]
        )
    except h11.LocalProtocolError as failure:  # its message would show the header, perhaps a credential
        raise Fault(Reason.PROTOCOL, "a header of this request cannot be sent") from failure
    return (talk.send(request) or b"") + (talk.send(h11.EndOfMessage()) or b"")


class _Answer:
    """One answer, read as far as asked."""

    status = 0
    headers: Headers = ()

    def __init__(self, line: Line, talk: h11.Connection, limits: Limits) -> None:
        self._line = line
        self._talk = talk
        self._limits = limits
        self._received = 0

    async def begun(self) -> Answer:
        """The answer when its head has come; interim ones are passed over and count as part of it."""
        while True:
            event = self._next(Reason.PROTOCOL)
            if isinstance(event, h11.Response):
                self.status, self.headers = event.status_code, list(event.headers)
                return self
            if isinstance(event, h11.InformationalResponse):
                continue
            if event is not h11.NEED_DATA:
                raise Fault(Reason.PROTOCOL, "no answer where one was due")
            left = self._limits.header_bytes - self._received
            if left <= 0:
                raise Fault(Reason.HEADERS_TOO_LARGE, f"more than {self._limits.header_bytes} bytes of headers")
            if not await self._more(left):
                raise Fault(Reason.RESET, "closed without an answer")

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        while True:
            event = self._next(Reason.TRUNCATED)
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif event is h11.NEED_DATA:
                if self._received > self._limits.header_bytes + self._limits.wire_bytes:
                    raise Fault(Reason.TOO_LARGE, f"more than {self._limits.wire_bytes} bytes on the wire")
                await self._more(64 << 10)
            else:
                return

    async def aclose(self) -> None:
        self._line.close()

    def _next(self, broken: Reason) -> object:
        try:
            return self._talk.next_event()
        except h11.RemoteProtocolError as failure:
            raise Fault(broken, str(failure)) from failure

    async def _more(self, max_bytes: int) -> bytes:
        came = await self._line.receive(max_bytes)
        self._received += len(came)
        self._talk.receive_data(came)
        return came
