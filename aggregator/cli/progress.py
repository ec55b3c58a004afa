"""A progress bar for long rounds, on standard error and on terminals only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

SHORT = 20  # feeds; a round of no more shows no bar


class Bar:
    """Counts units of work that ended."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._articles = 0

    @contextmanager
    def over(self, feeds: int) -> Iterator[None]:
        """Show a round over so many feeds while the block lasts."""
        console = Console(file=sys.stderr)
        if feeds <= SHORT or not console.is_terminal:
            yield
            return
        columns = (
            TextColumn("feeds"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[articles]} articles"),
            TimeElapsedColumn(),
        )  # fmt: skip
        # Alerts on the same terminal scroll above the bar; those that go to a file still go there.
        with Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty()) as self._progress:
            self._task = self._progress.add_task("feeds", total=feeds, articles=self._articles)
            yield
        self._progress = None

    def ended(self, kind: str, _result: Any) -> None:
        """Tell of a unit that ended: a visit, an article or a message."""
        self._articles += kind == "article"
        if self._progress:
            self._progress.update(self._task, advance=kind == "visit", articles=self._articles)
