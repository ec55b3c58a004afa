"""Politeness: few requests in flight to one host, and a pause between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_SWEEP_AT = 1024


class Hosts:
    """The turns of all hosts. Feeds, pages, robots.txt and redirect hops share them."""

    def __init__(self, per_host: int, gap_s: float) -> None:
        self._per_host = per_host
        self._gap_s = gap_s
        self._doors: dict[str, _Door] = {}
        self._sweep_at = _SWEEP_AT

    @asynccontextmanager
    async def visitor(self) -> AsyncIterator[Visitor]:
        """Someone who stands at one host at a time."""
        visitor = Visitor(self)
        try:
            yield visitor
        finally:
            visitor.leave()

    async def enter(self, host: str) -> None:
        """Wait for a turn at `host`: first come, first served."""
        door = self._doors.get(host)
        if door is None:
            self._sweep()
            door = self._doors[host] = _Door(slots=asyncio.Semaphore(self._per_host))
        door.users += 1
        try:
            await door.slots.acquire()
            try:
                await self._pass(door)
            except BaseException:
                door.slots.release()
                raise
        except BaseException:
            door.users -= 1
            raise

    def leave(self, host: str) -> None:
        """Give the turn back; the next one begins after the gap."""
        door = self._doors[host]
        door.users -= 1
        door.opens = max(door.opens, asyncio.get_running_loop().time() + self._gap_s)
        door.slots.release()

    async def _pass(self, door: _Door) -> None:
        loop = asyncio.get_running_loop()
        async with door.queue:
            while (wait_s := door.opens - loop.time()) > 0:  # noqa: ASYNC110 - who leaves meanwhile moves the time
                await asyncio.sleep(wait_s)
            door.opens = loop.time() + self._gap_s

    def _sweep(self) -> None:
        """Forget hosts that nobody waits for, so that a million of them cost nothing."""
        if len(self._doors) < self._sweep_at:
            return
        now = asyncio.get_running_loop().time()
        self._doors = {host: door for host, door in self._doors.items() if door.users or door.opens > now}
        self._sweep_at = max(_SWEEP_AT, 2 * len(self._doors))


class Visitor:
    """Holds a turn at one host, and none while waiting for the next: no two visitors can block each other."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._at: str | None = None

    async def at(self, host: str) -> None:
        """Come to `host`. Staying where one is costs no pause: a redirect within a site is one visit."""
        if host == self._at:
            return
        self.leave()
        await self._hosts.enter(host)
        self._at = host

    def leave(self) -> None:
        """Give the turn back, if there is one."""
        if self._at is not None:
            self._hosts.leave(self._at)
            self._at = None


@dataclass(slots=True)
class _Door:
    slots: asyncio.Semaphore
    queue: asyncio.Lock = field(default_factory=asyncio.Lock)
    opens: float = 0.0
    users: int = 0
