"""The daemon: clock, signals and ticks.

A tick tops up a bounded set of running units and returns; it never waits for them. APScheduler's defaults would drop
work (a misfire grace of 1 s lost 1,810 of 2,000 jobs when measured), so grace is unlimited and runs coalesce. The
truth of what is due stands in the database, so a restart at any moment goes on where the last one stood.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from aggregator import store
from aggregator.app import App, opened, utc_now
from aggregator.errors import StoreError
from aggregator.settings import Config

TICK = timedelta(seconds=1)
HOUSEKEEPING = timedelta(seconds=10)
CHECKPOINT = timedelta(hours=1)
NOTE_TICKS = timedelta(seconds=10)  # how often a tick that goes well is noted; each note is a commit
TICKS_REST_S, STOP_S = 1.0, 7.0  # ticks, then units in hand, may finish within this; SIGTERM promises 10 s

log = structlog.get_logger()


class Ticks:
    """The four ticks of a running app. Each notes in the database that it lives."""

    def __init__(self, app: App, stop: asyncio.Event) -> None:
        self._app = app
        self._stop = stop
        self._noted: dict[str, datetime] = {}
        self._checkpointed = app.now()
        self._running: set[asyncio.Future[None]] = set()

    def schedule(self, scheduler: AsyncIOScheduler) -> None:
        """Add the ticks to a scheduler."""
        work = self._app.work
        for name, tick, every in (
            ("feeds", work.top_up_feeds, TICK),
            ("articles", work.top_up_articles, TICK),
            ("outbox", work.top_up_messages, TICK),
            ("housekeeping", self._housekeeping, HOUSEKEEPING),
        ):
            scheduler.add_job(
                self._run, "interval", args=(name, tick, every), seconds=every.total_seconds(), id=name,
                next_run_time=datetime.now(scheduler.timezone), max_instances=1, coalesce=True,
                misfire_grace_time=None,
            )  # fmt: skip

    async def _run(self, name: str, tick: Callable[[], Awaitable[int]], every: timedelta) -> None:
        running = asyncio.ensure_future(self._run_noted(name, tick, every))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        await running

    async def rest(self, timeout_s: float) -> None:
        """Wait until no tick is running, or for so long."""
        if self._running:
            await asyncio.wait(self._running, timeout=timeout_s)

    async def _run_noted(self, name: str, tick: Callable[[], Awaitable[int]], every: timedelta) -> None:
        app, began = self._app, self._app.now()
        error = None
        try:
            await tick()
        except StoreError as failure:  # a full disk, say: told, and tried again at the next tick
            error = str(failure)
            log.error("tick_failed", tick=name, error=error)  # noqa: TRY400 - the store's own words say it all
        if error is None and name in self._noted and began - self._noted[name] < NOTE_TICKS:
            return
        with contextlib.suppress(StoreError):  # said above; the missing note shows as a late tick
            await app.write(app.store.note_tick, name, every, began, app.now(), error)
            self._noted[name] = began

    async def _housekeeping(self) -> int:
        app = self._app
        await app.write(app.store.mend_times, app.now())
        indexed = await asyncio.to_thread(app.index, lambda: not self._stop.is_set())
        if app.now() - self._checkpointed >= CHECKPOINT:
            await app.write(app.store.checkpoint)
            self._checkpointed = app.now()
        return indexed


async def run(
    config: Config,
    stop: asyncio.Event,
    *,
    now: Callable[[], datetime] = utc_now,
    ready: Callable[[App], None] = lambda _app: None,
) -> None:
    """Work until `stop` is set, then finish what is in hand. `ready` is called when the database is ours.

    Raises:
        StoreLocked: Another daemon holds the database.
        StoreError: The database cannot be used.
    """
    with store.daemon_lock(config.settings.database):
        async with opened(config, now=now) as app:
            ready(app)
            ticks = Ticks(app, stop)
            scheduler = AsyncIOScheduler(timezone="UTC")
            ticks.schedule(scheduler)
            scheduler.start()
            clock = asyncio.create_task(_hurry_when_the_clock_steps_back(scheduler))
            log.info("started", feeds=len(config.feeds), channels=len(config.channels))
            await stop.wait()
            clock.cancel()
            scheduler.pause()
            await ticks.rest(TICKS_REST_S)  # a scheduler that shuts down cancels the ticks in hand
            scheduler.shutdown(wait=False)
            ended = await app.work.settle(STOP_S)
            await app.write(app.store.forget_ticks)
            log.info("stopped", units_ended=ended)


async def _hurry_when_the_clock_steps_back(scheduler: AsyncIOScheduler) -> None:
    """Run the ticks at once when the wall clock went back: APScheduler would wait until it reads as late again."""
    seen = datetime.now(scheduler.timezone)
    while True:
        await asyncio.sleep(TICK.total_seconds())
        now = datetime.now(scheduler.timezone)
        if now < seen:
            log.warning("clock_stepped_back", seconds=(seen - now).total_seconds())
            for job in scheduler.get_jobs():
                job.modify(next_run_time=now)
        seen = now


def run_until_signal(config: Config, ready: Callable[[App], None]) -> None:
    """Work until SIGINT or SIGTERM.

    Raises:
        StoreLocked: Another daemon holds the database.
        StoreError: The database cannot be used.
    """

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await run(config, stop, ready=ready)

    asyncio.run(main())
