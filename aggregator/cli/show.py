"""What commands print: tables for people, JSON lines for programs, remarks on standard error.

Foreign text goes through `escape.terminal` and never through Rich's markup. On a terminal a right-to-left text is
isolated, so that it does not reorder the columns beside it; a pipe gets the text as it is.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aggregator.compose.lines import LRI, PDI, RLI
from aggregator.compose.records import stamp
from aggregator.compose.views import direction
from aggregator.text import escape

GAP = 2  # between columns
WIDEST = 24  # of all columns but the last, on a terminal
LEAST_LAST = 20  # of the last column, however narrow the terminal is
MANY = 20  # lines of one cell
PIPE = 1_000_000  # columns: nothing is cut

_ACTIVE = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")  # what JSON itself lets pass
_FOUND = "bold yellow"


def record(fields: Mapping[str, Any]) -> None:
    """One JSON line on standard output, letters as they are, anything that could act on a terminal as an escape."""
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    line = json.dumps(fields, ensure_ascii=ascii_only, default=_plain)
    sys.stdout.write(_ACTIVE.sub(lambda found: f"\\u{ord(found[0]):04x}", line) + "\n")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return stamp(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def note(remark: str) -> None:
    """A line for people on standard error."""
    sys.stderr.write(escape.terminal(remark) + "\n")


def text(line: str | Text = "") -> None:
    """A line for people on standard output, safe whatever it holds."""
    _console().print(_isolated(_safe(line)), soft_wrap=True)


def heading(line: str) -> None:
    """A line that stands out on a terminal."""
    _console().print(Text(escape.terminal(line), style="bold"), soft_wrap=True)


def coloured(line: str, style: str) -> Text:
    """`line` in a style that only a terminal shows."""
    return Text(escape.terminal(line), style=style)


def marked(original: str, marks: Iterable[tuple[int, int]]) -> Text:
    """`original` in one line, with `marks` standing out: in colour on a terminal, else between asterisks."""
    sign = "" if _console().color_system else "*"
    shown, at = Text(), 0
    for start, end in marks:
        shown.append(escape.terminal(original[at:start]))
        shown.append(f"{sign}{escape.terminal(original[start:end])}{sign}", style=_FOUND)
        at = end
    shown.append(escape.terminal(original[at:]))
    return shown


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows under headings. On a terminal the last column takes what room is left and is cut; in a pipe nothing is."""
    _print_table(columns, rows, lines=1)


def explaining_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table whose last column says why: on a terminal it goes on under itself."""
    _print_table(columns, rows, lines=MANY)


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], lines: int) -> None:
    cells = [[_safe(value) for value in row] for row in rows]
    widths = [max(cell_len(name), *(row[n].cell_len for row in cells)) for n, name in enumerate(columns)]
    if sys.stdout.isatty():
        widths = [min(width, WIDEST) for width in widths[:-1]]
        widths.append(max(LEAST_LAST, _console().width - sum(widths) - GAP * len(widths)))
    grid = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold", show_edge=False)
    for name, width in zip(columns, widths, strict=True):
        grid.add_column(name, no_wrap=True, width=width)
    for *first, last in cells:
        for shown, width in zip(first, widths[:-1], strict=True):
            shown.truncate(width, overflow="ellipsis")  # before it is isolated, so that the end of that is never cut
        for n, line in enumerate(_lines(last, widths[-1], lines)):
            grid.add_row(*("" if n else _isolated(shown) for shown in first), _isolated(line, of=last.plain))
    _print(grid, sum(widths) + GAP * len(widths))


def _lines(shown: Text, width: int, most: int) -> Sequence[Text]:
    """`shown` in lines of a terminal; the last of `most` is cut."""
    if not sys.stdout.isatty():
        return [shown]
    if most == 1:
        shown.truncate(width, overflow="ellipsis")
        return [shown]
    found = shown.wrap(_console(), width, overflow="fold")
    for line in found:
        line.rstrip()
    return found[:most] or [shown]


def fields(pairs: Iterable[tuple[str, object]]) -> None:
    """Names and values, one pair a line; pairs without a value are left out. Long values go on under themselves."""
    console, shown = _console(), [(name, _safe(value)) for name, value in pairs if value is not None and str(value)]
    room = max(LEAST_LAST, console.width - max((len(name) for name, _ in shown), default=0) - GAP)
    grid = Table.grid(padding=(0, GAP, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(no_wrap=True)
    for name, value in shown:
        for n, line in enumerate(_lines(value, room, MANY)):
            grid.add_row("" if n else name, _isolated(line, of=value.plain))
    _print(grid, console.width)


def columns() -> int | None:
    """How wide the terminal is; None in a pipe, where nothing is broken into lines."""
    return _console().width if sys.stdout.isatty() else None


def new_file(path: Path, content: bytes) -> bool:
    """Whether the file was made, for its owner only. One that is there stays as it is."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return True


def _safe(value: object) -> Text:
    if isinstance(value, Text):
        return value
    return Text(escape.terminal("" if value is None else str(value)))


def _isolated(shown: Text, of: str | None = None) -> Text:
    """`shown`, which may be a line `of` more, with its direction kept to itself; only a terminal needs that."""
    whole = of or shown.plain
    if whole.isascii() or not sys.stdout.isatty():
        return shown
    rtl, mixed = direction(whole, None)
    if not rtl and not mixed:
        return shown
    indent = len(shown.plain) - len(shown.plain.lstrip(" "))
    return Text.assemble(" " * indent, RLI if rtl else LRI, shown[indent:], PDI)


def _print(grid: Table, width: int) -> None:
    """Print without spaces at the ends of lines."""
    console = _console(width)
    with console.capture() as capture:
        console.print(grid)
    for line in capture.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the one place that knows what a closed pipe means; Rich itself would exit with 1."""
        raise BrokenPipeError


def _console(width: int | None = None) -> _Console:
    if width is None and not sys.stdout.isatty():
        width = PIPE
    return _Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False)


def utc(at: datetime | None, otherwise: str = "") -> str:
    """`at` in UTC to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if at else otherwise


def age(span: timedelta) -> str:
    """A span of time in its largest unit: "12 min", "3 h", "2 d"."""
    seconds = abs(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def number(count: int, noun: str) -> str:
    """`1 feed`, `1,234 feeds`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
