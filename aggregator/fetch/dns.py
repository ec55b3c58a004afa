"""Names to addresses, in threads of their own: dead names that block for seconds starve nobody."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""A host name to the text of its addresses. Raises OSError or UnicodeError when there are none."""

_THREADS = 64  # 2 % dead names at 100 polls a second need 10 to 20 (asyncio's own pool has 6 on two cores)


class Dns:
    """The system's resolver."""

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_THREADS, thread_name_prefix="dns")

    async def __call__(self, host: str) -> tuple[str, ...]:
        """The addresses of `host`, in the system's order, without repeats."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _look_up, host)

    def close(self) -> None:
        """Let the threads go; a look-up that hangs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))
