"""The daemon: clock, signals and ticks.

A tick tops up a bounded set of running units and returns; it never waits for them. APScheduler's defaults would drop
work (a misfire grace of 1 s lost 1,810 of 2,000 jobs when measured), so grace is unlimited and runs coalesce. The
truth of what is due stands in the database, so a restart at any moment goes on where the last one stood.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from aggregator import store
from aggregator.app import App, opened, utc_now
from aggregator.config.edits import next_edit
from aggregator.errors import StoreError
from aggregator.settings import Config

TICK = timedelta(seconds=1)
HOUSEKEEPING = timedelta(seconds=10)
CHECKPOINT = timedelta(hours=1)
NOTE_TICKS = timedelta(seconds=10)  # how often a tick that goes well is noted; each note is a commit
TICKS_REST_S, STOP_S = 1.0, 7.0  # ticks, then units in hand, may finish within this; SIGTERM promises 10 s
EDIT_S = (
    45.0  # units in hand may finish within this before an edit is taken: longer than any fetch or delivery may last
)

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
        await app.work.look_over()
        indexed = await asyncio.to_thread(app.index, lambda: not self._stop.is_set())
        if app.now() - self._checkpointed >= CHECKPOINT:
            await app.write.alone(app.store.checkpoint)
            self._checkpointed = app.now()
        return indexed


async def run(
    config: Config,
    stop: asyncio.Event,
    *,
    now: Callable[[], datetime] = utc_now,
    ready: Callable[[App], None] = lambda _app: None,
    poke: asyncio.Event | None = None,
) -> None:
    """Work until `stop` is set, then finish what is in hand. `ready` is called when the database is ours.

    An edit of feeds.yaml is taken without a restart: what is in hand finishes, then all is put together anew, `ready`
    included. `poke` asks for a look at the file now.

    Raises:
        StoreLocked: Another daemon holds the database.
        StoreError: The database cannot be used.
    """
    edited: Config | None = config
    with store.daemon_lock(config.settings.database):
        while edited is not None:
            edited = await _until_edited(edited, stop, poke or asyncio.Event(), now, ready)


async def _until_edited(
    config: Config, stop: asyncio.Event, poke: asyncio.Event, now: Callable[[], datetime], ready: Callable[[App], None]
) -> Config | None:
    """Work by this configuration until there is another one, which is returned; None when `stop` is set."""
    async with opened(config, now=now) as app:
        ready(app)
        ticks = Ticks(app, stop)
        scheduler = AsyncIOScheduler(timezone="UTC")
        ticks.schedule(scheduler)
        scheduler.start()
        clock = asyncio.create_task(_hurry_when_the_clock_steps_back(scheduler))
        log.info("started", feeds=len(config.feeds), channels=len(config.channels))
        edited = await _edit_or_stop(config, stop, poke)
        clock.cancel()
        scheduler.pause()
        await ticks.rest(TICKS_REST_S)  # a scheduler that shuts down cancels the ticks in hand
        scheduler.shutdown(wait=False)
        ended = await _finish(app, stop)
        if stop.is_set():
            await app.write(app.store.forget_ticks)
            log.info("stopped", units_ended=ended)
            return None
        log.info("edit_taken", units_ended=ended)
        return edited


async def _edit_or_stop(config: Config, stop: asyncio.Event, poke: asyncio.Event) -> Config | None:
    """What feeds.yaml says next; None when `stop` is set."""
    edit, stopped = asyncio.create_task(next_edit(config, poke)), asyncio.create_task(stop.wait())
    await asyncio.wait({edit, stopped}, return_when=asyncio.FIRST_COMPLETED)
    edit.cancel()
    stopped.cancel()
    return None if stop.is_set() else await edit


async def _finish(app: App, stop: asyncio.Event) -> int:
    """Let what is in hand finish; how many units were ended."""
    loop = asyncio.get_running_loop()
    until = loop.time() + EDIT_S
    while app.work.running and not stop.is_set() and loop.time() < until:
        await asyncio.wait(app.work.running, timeout=TICK.total_seconds())
    return await app.work.settle(STOP_S if stop.is_set() else 0)


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
    """Work until SIGINT or SIGTERM; SIGHUP looks at feeds.yaml now.

    Raises:
        StoreLocked: Another daemon holds the database.
        StoreError: The database cannot be used.
    """

    async def main() -> None:
        stop, poke = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        # A terminal that is closed ends what runs in it; to a service, SIGHUP means to read its files again.
        loop.add_signal_handler(signal.SIGHUP, stop.set if sys.stdin.isatty() else poke.set)
        await run(config, stop, ready=ready, poke=poke)

    asyncio.run(main())
