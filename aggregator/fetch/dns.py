"""Names to addresses: asked aside, so that dead names hold up nobody, and remembered for minutes.

What is remembered is only what a name server said; who may be dialled is judged anew at every dial (`guard.py`).
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""A host name to the text of its addresses. Raises OSError or UnicodeError when there are none."""

KEPT = timedelta(minutes=5)
KEPT_AFTER_TROUBLE = timedelta(seconds=30)  # of the name server, not of the name: asked again soon
MOST_NAMES = 20_000
THREADS = 64  # 2 % dead names at 100 polls a second need 10 to 20 (asyncio's own pool has 6 on two cores)


@dataclass(frozen=True, slots=True)
class _Answer:
    addresses: tuple[str, ...]
    failure: OSError | UnicodeError | None
    at: datetime
    kept: timedelta


class Dns:
    """A resolver with a memory. Whoever asks for a name that is being asked for waits for the same answer."""

    def __init__(self, resolve: Resolver, clock: Callable[[], datetime]) -> None:
        self._resolve = resolve
        self._clock = clock
        self._known: dict[str, _Answer] = {}
        self._asking: dict[str, asyncio.Task[_Answer]] = {}

    async def __call__(self, host: str) -> tuple[str, ...]:
        """The addresses of `host`. Raises what the resolver raised."""
        known = self._known.get(host)
        if known is None or not timedelta(0) <= self._clock() - known.at < known.kept:  # the clock may have stepped
            if host not in self._asking:
                self._asking[host] = asyncio.create_task(self._ask(host))
            known = await asyncio.shield(self._asking[host])  # who gives up takes the answer from nobody
        if known.failure is not None:
            raise type(known.failure)(*known.failure.args)
        return known.addresses

    def close(self) -> None:
        """Drop the questions in hand."""
        for task in self._asking.values():
            task.cancel()

    async def _ask(self, host: str) -> _Answer:
        try:
            try:
                found, failure, kept = tuple(await self._resolve(host)), None, KEPT
            except (OSError, UnicodeError) as raised:
                trouble = isinstance(raised, OSError) and raised.errno == socket.EAI_AGAIN
                spread = random.uniform(0.6, 1.0)  # noqa: S311 - so that names that died together do not return together
                found, failure, kept = (), raised, (KEPT_AFTER_TROUBLE if trouble else KEPT) * spread
            answer = _Answer(found, failure and failure.with_traceback(None), self._clock(), kept)
            self._known.pop(host, None)
            self._known[host] = answer
            while len(self._known) > MOST_NAMES:
                del self._known[next(iter(self._known))]
            return answer
        finally:
            del self._asking[host]


class System:
    """The system's resolver: a thread for each question, so that one that hangs delays no other, nor the end."""

    def __init__(self, look_up: Callable[[str], tuple[str, ...]] | None = None) -> None:
        self._look_up = look_up or _look_up
        self._free = asyncio.Semaphore(THREADS)

    async def __call__(self, host: str) -> tuple[str, ...]:
        """The addresses of `host`, in the system's order, without repeats."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[str, ...]] = loop.create_future()

        def ended(found: tuple[str, ...], failure: OSError | UnicodeError | None) -> None:
            self._free.release()
            if answer.done():
                return
            if failure is None:
                answer.set_result(found)
            else:
                answer.set_exception(failure)

        def ask() -> None:
            found: tuple[str, ...] = ()
            failure: OSError | UnicodeError | None = None
            try:
                found = self._look_up(host)
            except (OSError, UnicodeError) as raised:
                failure = raised
            with suppress(RuntimeError):  # the loop ended meanwhile
                loop.call_soon_threadsafe(ended, found, failure)

        await self._free.acquire()
        Thread(target=ask, name="dns", daemon=True).start()
        return await answer


def _look_up(host: str) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))
