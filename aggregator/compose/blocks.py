"""An alert on a terminal or in a plain file: one line, or one block that says it all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aggregator.compose.lines import isolated, wrapped
from aggregator.compose.views import Found, Passage, Piece, moment, view
from aggregator.model import Alert
from aggregator.text import escape

LEAST = 20  # columns for a text, however narrow the terminal is


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    """What stands before and after a found spelling, a heading and a loud severity."""

    found: tuple[str, str]
    head: tuple[str, str]
    loud: tuple[str, str]


PLAIN = Paint(found=("*", "*"), head=("", ""), loud=("", ""))
COLOURED = Paint(found=("\x1b[1;33m", "\x1b[0m"), head=("\x1b[1m", "\x1b[0m"), loud=("\x1b[1;31m", "\x1b[0m"))


def line(alert: Alert) -> str:
    """`alert` in one line: when, how severe, which watchlist, which feed, what."""
    title = escape.cut(alert.title.strip() or "(no title)", 200)
    parts = (moment(alert.first_seen), alert.severity, alert.label, alert.feed, title)
    return "  ".join(escape.terminal(part) for part in parts)


def block(alert: Alert, paint: Paint = PLAIN, columns: int | None = None) -> str:
    """`alert` in a few lines, ending with a line break. The only control characters are those of `paint`.

    For a terminal of so many `columns` texts are broken into lines, under themselves, and each line isolates the
    right-to-left letters in it. Without it a text is one line and stands as it is, which a pipe wants.
    """
    shown = view(alert, escape.terminal)
    severity = _painted(shown.severity.upper(), paint.loud if shown.severity in {"high", "critical"} else paint.head)
    rows = [
        f"{severity}  {_painted(shown.label, paint.head)}{'  (update)' if shown.update else ''}",
        *_texts("  ", shown.title, paint, columns),
        *(_named("found") + _found(found, paint, columns) for found in shown.found),
        *(row for passage in shown.passages for row in _texts(_named(passage.place), passage, paint, columns)),
        f"{_named('feed')}{shown.feed}",
        f"{_named('published')}{shown.published}",
        f"{_named('first seen')}{shown.first_seen}",
    ]
    if shown.link:
        rows.append(f"{_named('link')}{shown.link}")
    rows.append(f"{_named('alert')}{shown.id}")
    return "\n".join(rows) + "\n"


def _named(name: str) -> str:
    return f"  {name + ':':<11} "


def _found(found: Found, paint: Paint, columns: int | None) -> str:
    """The term, and the spellings of it that stood in the text."""
    kept = isolated if columns else _as_it_is
    spellings = ", ".join(f"“{kept(_line(spelling.pieces, paint), spelling)}”" for spelling in found.spellings)
    term = kept(_line(found.term.pieces, paint), found.term)
    return f"{term} ({spellings})" if spellings else term


def _texts(name: str, passage: Passage, paint: Paint, columns: int | None) -> Iterator[str]:
    """A passage behind its name, and what does not fit under itself."""
    if not columns:
        yield name + _line(passage.pieces, paint)
        return
    signs = 0 if paint.found[0].startswith("\x1b") else len("".join(paint.found))  # a colour takes no room
    for n, pieces in enumerate(wrapped(passage, max(columns - len(name), LEAST), signs)):
        yield (" " * len(name) if n else name) + isolated(_line(pieces, paint), passage)


def _as_it_is(shown: str, _passage: Passage) -> str:
    return shown


def _line(pieces: Iterable[Piece], paint: Paint) -> str:
    return "".join(_painted(piece.text, paint.found) if piece.marked else piece.text for piece in pieces)


def _painted(text: str, signs: tuple[str, str]) -> str:
    return f"{signs[0]}{text}{signs[1]}"
