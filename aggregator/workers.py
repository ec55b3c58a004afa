"""The killable pool that runs the pure core on untrusted bytes.

A function that runs here may hang, recurse, eat memory or take its interpreter down: the call ends as a `Crashed`,
the worker is replaced, and no other call notices. Each call has a wall clock of its own, 10 s of CPU and 512 MB above
the size that the worker started with (design.md 4; one element with 40,000 attributes costs 17 s in feedparser).

Workers are forked from a small server process that has imported the parsers once, never from the daemon with its
threads. They do not hear SIGTERM and SIGINT, so that a signal to the whole group leaves calls in flight alone: the
daemon decides when they end. POSIX only.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TypeVar, TypeVarTuple, Unpack, cast

from pebble import CONSTS, ProcessExpired, ProcessPool

from aggregator.errors import AggregatorError
from aggregator.model import Reason

CPU_S = 10
MEMORY_BYTES = 512 * 1024 * 1024
CALLS_PER_WORKER = 5000  # then a fresh one: libxml2 keeps every element name that it has ever seen

_OUT_OF_MEMORY = 70  # exit code of a worker that ended itself
_KILL_AFTER_S = 0.02  # between pebble's SIGTERM, which workers do not hear, and its SIGKILL
_DETAIL_CHARACTERS = 120

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """The call came to nothing, and why. `detail` names the failure, not the text it happened in."""

    reason: Reason
    detail: str


class Workers:
    """A pool of processes. Nothing is started before the first call.

    What the module of `initializer` imports is imported once, for all workers: keep the worker's functions there.
    """

    def __init__(
        self, processes: int, *, initializer: Callable[..., object] | None = None, initargs: tuple[object, ...] = ()
    ) -> None:
        self._processes = processes
        self._first = pickle.dumps((initializer, initargs), pickle.HIGHEST_PROTOCOL)
        self._imported = [function.__module__ for function in (_begin, initializer) if function is not None]
        self._pool: ProcessPool | None = None
        self._opening = threading.Lock()
        self._closed = False
        self._calls: set[Future[bytes | Crashed]] = set()

    async def run(self, function: Callable[[Unpack[Ts]], T], *args: *Ts, timeout_s: float = 30.0) -> T | Crashed:
        """What `function(*args)` returns in a worker, or a `Crashed`.

        `function` stands in a module; arguments and result are pickled. The clock starts with the work, not with the
        wait for a free worker.

        Raises:
            AggregatorError: no worker can be started.
        """
        call = pickle.dumps((function, args), pickle.HIGHEST_PROTOCOL)
        self._closed = False
        for _ in range(3):  # pebble gives up a pool whose idle worker was killed from outside: not this call's fault
            pool = self._pool
            if pool is None:
                pool = await asyncio.to_thread(self._open)
            try:
                answer = await self._answer(pool, call, timeout_s)
            except BrokenProcessPool:
                await asyncio.to_thread(self._drop, pool)
                continue
            if isinstance(answer, Crashed):
                return answer
            return cast("T", pickle.loads(answer))  # noqa: S301  what our own child pickled
        raise AggregatorError("no worker process can be started")

    def close(self) -> None:
        """Kill the workers and cancel the calls in flight. A later call starts anew."""
        self._closed = True  # for a pool that a cancelled call is still opening in its thread
        for future in tuple(self._calls):  # first: a pool that is being taken down looks broken to its calls
            future.cancel()
        with self._opening:
            self._stop()

    async def _answer(self, pool: ProcessPool, call: bytes, timeout_s: float) -> bytes | Crashed:
        try:
            future = pool.schedule(_guarded, (call,), timeout=timeout_s)
        except RuntimeError as stopped:
            raise BrokenProcessPool from stopped
        self._calls.add(future)
        try:
            return await asyncio.wrap_future(future)
        except TimeoutError:
            return Crashed(reason=Reason.PARSE_TIMEOUT, detail=f"no result within {timeout_s:g} s")
        except ProcessExpired as death:
            return _cause(death.exitcode)
        finally:
            self._calls.discard(future)

    def _open(self) -> ProcessPool:
        """The running pool; waits for its first workers, so not for the event loop's thread."""
        with self._opening:
            if self._closed:
                raise AggregatorError("the workers were closed")
            if self._pool is None:
                CONSTS.term_timeout = _KILL_AFTER_S
                context = multiprocessing.get_context("forkserver")
                context.set_forkserver_preload(self._imported)
                pool = ProcessPool(
                    self._processes, CALLS_PER_WORKER, initializer=_begin, initargs=(self._first,), context=context
                )
                resource_tracker.ensure_running()  # first: starting it unblocks these signals (CPython 3.11)
                heard = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})  # children inherit it
                try:
                    started = pool.active  # asking starts it
                finally:
                    signal.pthread_sigmask(signal.SIG_SETMASK, heard)
                if not started:
                    raise AggregatorError("no worker process can be started")
                self._pool = pool
            return self._pool

    def _drop(self, pool: ProcessPool) -> None:
        with self._opening:
            if self._pool is pool:
                self._stop()

    def _stop(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]  # pebble leaves it unannotated
            pool.join()


# ---------------------------------------------------------------- in the parent


def _cause(exitcode: int) -> Crashed:
    """Why a worker ended in the middle of a call."""
    if exitcode == -signal.SIGXCPU:
        return Crashed(reason=Reason.PARSE_TIMEOUT, detail=f"more than {CPU_S} s of CPU")
    if exitcode == _OUT_OF_MEMORY:
        return Crashed(reason=Reason.PARSE_FAILED, detail="MemoryError")
    how = signal.Signals(-exitcode).name if exitcode < 0 else f"exit code {exitcode}"
    return Crashed(reason=Reason.PARSE_FAILED, detail=f"worker died: {how}")


# ---------------------------------------------------------------- in the child


def _begin(first: bytes) -> None:
    """Make a new worker ready: its initializer, then its limits."""
    initializer, initargs = pickle.loads(first)  # noqa: S301  what our own parent pickled
    if initializer is not None:
        initializer(*initargs)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # elsewhere the address space has no limit that holds
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _guarded(call: bytes) -> bytes | Crashed:
    """The pickled result of a pickled call, or what went wrong in it."""
    _allow_cpu(CPU_S)
    try:
        function, args = pickle.loads(call)  # noqa: S301  what our own parent pickled
        return pickle.dumps(function(*args), pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)  # what is left of the heap is not fit for the next call
    except BaseException as error:  # noqa: BLE001  whatever it is, it is the answer
        return Crashed(reason=Reason.PARSE_FAILED, detail=_described(error))
    finally:
        _allow_cpu(None)


def _allow_cpu(seconds: int | None) -> None:
    """Let this process use `seconds` of CPU from now on, then die of SIGXCPU; None: no bound."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = hard
    if seconds is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime) + seconds + 1  # the kernel counts whole seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _described(error: BaseException) -> str:
    """Type, message and place of an error, on one short line."""
    message = " ".join(str(error).split())[:_DETAIL_CHARACTERS]
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {message}{place}"
