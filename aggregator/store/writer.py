"""The one thread that writes. Events that wait for it together share a commit, which is half of what a small one costs.

Nobody is told that an event is stored before the commit that holds it. A group in which anything fails is undone and
done again one by one, so that no event fails for another's sake. When nothing waits, an event is a commit of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from aggregator.store import Store

MOST = 32  # events in one commit: others who write wait for its end

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], Any]
    store: Store | None  # whose commit it may share
    waiter: asyncio.Future[Any]


_Result = tuple[_Job, Any, BaseException | None]


class Writer:
    """Runs what touches the database on its thread, in the order of the calls."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    async def __call__(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `method` of a store returns or raises, once it is on disk; it may share its commit with others."""
        return await self._put(partial(method, *args, **kwargs), getattr(method, "__self__", None))

    async def alone(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns or raises; it is no part of anybody's transaction."""
        return await self._put(partial(work, *args, **kwargs), None)

    async def close(self) -> None:
        """End the thread when it has done what it was given."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _put(self, work: Callable[[], T], store: Any) -> asyncio.Future[T]:
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work, store if isinstance(store, Store) else None, waiter))
        return waiter

    def _run(self) -> None:
        job = self._jobs.get()
        while job is not None:
            group, following = self._group(job)
            _tell(_done(group))
            job = following[0] if following else self._jobs.get()

    def _group(self, first: _Job) -> tuple[list[_Job], list[_Job | None]]:
        """What waits and may share a commit with `first`, and the one taken from the queue that may not, if any."""
        group = [first]
        while first.store is not None and len(group) < MOST and not self._jobs.empty():
            job = self._jobs.get()
            if job is None or job.store is not first.store:
                return group, [job]
            group.append(job)
        return group, []


def _done(group: list[_Job]) -> list[_Result]:
    store = group[0].store
    if store is not None and len(group) > 1:
        try:
            with store.together():
                return [(job, job.work(), None) for job in group]
        except BaseException:  # noqa: BLE001, S110 - none of it was kept; it shows again below, where it belongs
            pass
    return [_alone(job) for job in group]


def _alone(job: _Job) -> _Result:
    try:
        return job, job.work(), None
    except BaseException as failure:  # noqa: BLE001 - it belongs to the caller
        return job, None, failure


def _tell(results: list[_Result]) -> None:
    results[0][0].waiter.get_loop().call_soon_threadsafe(_settle, results)


def _settle(results: list[_Result]) -> None:
    for job, value, failure in results:
        if job.waiter.done():
            continue  # cancelled; what it asked for was done all the same
        if failure is None:
            job.waiter.set_result(value)
        else:
            job.waiter.set_exception(failure)
