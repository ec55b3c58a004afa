"""What `watch backtest` and `watch lint` share: a way through the archive that shows how far it came."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from aggregator.cli.options import now
from aggregator.settings import Config
from aggregator.store import Store

USUAL = timedelta(days=90)  # how far back an archive is judged unless told otherwise


def since_or_usual(since: datetime | None) -> datetime:
    """The time that was given, else ninety days ago."""
    return since or now() - USUAL


@contextmanager
def progress(store: Store, since: datetime, what: str) -> Iterator[Callable[[int], None]]:
    """A function to be told of the last id that was judged; shows a bar on standard error when that is a terminal."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield lambda _id: None
        return
    first, last = store.archived_ids(since)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=last - first)
        yield lambda item: bar.update(task, completed=item - first)


def languages(config: Config) -> dict[str, str | None]:
    """What language each feed declares, by its name."""
    return {feed.name: feed.lang for feed in config.feeds}
