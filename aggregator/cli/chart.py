"""Counts by day and by hour as small charts of letters."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from math import ceil

HEIGHT = 4  # lines of a chart
_BLOCKS = " ▁▂▃▄▅▆▇█"
_PLAIN = " .:-=+*#@"  # where the output cannot hold blocks


def by_day(counts: Mapping[date, int], first: date, last: date) -> tuple[int, ...]:
    """The count of each day from `first` to `last`."""
    return tuple(counts.get(first + timedelta(days=n), 0) for n in range((last - first).days + 1))


def spark(counts: Sequence[int]) -> str:
    """One letter for each count, as high as it is; 0 is blank and the least that is not can be seen."""
    most = max(counts, default=0)
    letters = _letters()
    return "".join(letters[-(-count * 8 // most) if most else 0] for count in counts)


def columns(counts: Mapping[date, int], first: date, last: date, width: int) -> Iterator[str]:
    """The lines of a chart with the most on its left and the dates below; of a long time each column is several days."""
    days = by_day(counts, first, last)
    each = -(-len(days) // width)
    bars = [sum(days[n : n + each]) for n in range(0, len(days), each)]
    most = max(bars)
    margin = len(f"{most:,}")
    eighths = [-(-count * HEIGHT * 8 // most) if most else 0 for count in bars]
    for line, row in enumerate(_rows(eighths)):
        mark = f"{most:,}" if line == 0 else "0" if line == HEIGHT - 1 else ""
        yield f"{mark:>{margin}} {row.rstrip()}".rstrip()
    gap = len(bars) - 2 * len(first.isoformat())
    dates = f"{first}{' ' * gap}{last}" if gap > 0 else f"{first} to {last}"
    yield f"{'':>{margin}} {dates}{f'  (a column is {each} days)' if each > 1 else ''}"


def by_hour(amounts: Sequence[float], now: int) -> Iterator[tuple[str, bool]]:
    """The lines of a chart of the 24 hours, each with whether it holds bars; the hour that it is `now` is marked."""
    most = max(amounts)
    marks = (f"{most:.2g}", *("" for _ in range(HEIGHT - 2)), "0")
    margin = max(map(len, marks))
    eighths = [ceil(amount * HEIGHT * 8 / most) if most else 0 for amount in amounts]
    for mark, row in zip(marks, _rows(eighths, 2), strict=True):
        yield f"{mark:>{margin}} {row}".rstrip(), True
    hours = "".join(f"{hour:02}    " for hour in range(0, 24, 3))
    yield f"{'':>{margin}} {hours}".rstrip(), False
    yield f"{'':>{margin}} {'  ' * now}^ now", False


def _rows(eighths: Sequence[int], width: int = 1) -> Iterator[str]:
    """The lines of bars so many eighths of a letter high, the top first."""
    letters = _letters()
    for floor in range(HEIGHT - 1, -1, -1):
        yield "".join(letters[min(8, max(0, eighth - floor * 8))] * width for eighth in eighths)


def _letters() -> str:
    try:
        _BLOCKS.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return _PLAIN
    return _BLOCKS
