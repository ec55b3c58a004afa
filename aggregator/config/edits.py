"""The next usable edit of feeds.yaml, for a daemon that should not have to be restarted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import structlog

from aggregator import config
from aggregator.errors import ConfigError
from aggregator.settings import Config

LOOK_S = 1.0  # a look is one `stat`; polling needs no library and sees edits on network disks too

log = structlog.get_logger()

_Mark = tuple[int, int, int] | None


async def next_edit(current: Config, poke: asyncio.Event) -> Config:
    """Waits until feeds.yaml says something else than `current` and is usable, then returns what it says.

    A file that cannot be used is logged with every fault and left alone until it changes again. `poke` asks for a
    reading even when the file looks the same: secrets that it refers to may have changed. Another database needs a
    restart, because the daemon's lock belongs to the database; the rest of such an edit is taken.
    """
    read: _Mark = None  # nothing yet: an edit may have come between loading and watching
    before: _Mark = None
    while True:
        mark = _mark(current.path)
        settled = mark is not None and mark == before  # an editor may still be writing
        before = mark
        if poke.is_set() or (settled and mark != read):
            poke.clear()
            read = mark
            fresh = await _loaded(current)
            if fresh is not None and fresh != current:
                return fresh
        try:
            async with asyncio.timeout(LOOK_S):
                await poke.wait()
        except TimeoutError:
            continue


async def _loaded(current: Config) -> Config | None:
    try:
        fresh = await asyncio.to_thread(config.load, current.path)
    except ConfigError as refused:
        log.error("edit_refused", problems=refused.problems)  # noqa: TRY400 - they say it all
        return None
    database = current.settings.database
    if fresh.settings.database != database:
        log.error("edit_needs_restart", problems=(f"settings.database is still {database}",))
        return replace(fresh, settings=replace(fresh.settings, database=database))
    return fresh


def _mark(path: Path) -> _Mark:
    try:
        seen = path.stat()
    except OSError:  # an editor that replaces the file is between two steps
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino
