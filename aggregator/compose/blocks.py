"""An alert on a terminal or in a plain file: one line, or one block that says it all."""

from __future__ import annotations

from dataclasses import dataclass

from aggregator.compose.views import Found, Passage, moment, view
from aggregator.model import Alert
from aggregator.text import escape


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


def block(alert: Alert, paint: Paint = PLAIN) -> str:
    """`alert` in a few lines, ending with a line break. The only control characters are those of `paint`."""
    shown = view(alert, escape.terminal)
    severity = _painted(shown.severity.upper(), paint.loud if shown.severity in {"high", "critical"} else paint.head)
    rows = [
        f"{severity}  {_painted(shown.label, paint.head)}{'  (update)' if shown.update else ''}",
        f"  {_text(shown.title, paint)}",
        *(f"  {'found:':<11} {_found(found, paint)}" for found in shown.found),
        *(f"  {passage.place + ':':<11} {_text(passage, paint)}" for passage in shown.passages),
        f"  {'feed:':<11} {shown.feed}",
        f"  {'published:':<11} {shown.published}",
        f"  {'first seen:':<11} {shown.first_seen}",
    ]
    if shown.link:
        rows.append(f"  {'link:':<11} {shown.link}")
    rows.append(f"  {'alert:':<11} {shown.id}")
    return "\n".join(rows) + "\n"


def _found(found: Found, paint: Paint) -> str:
    spellings = ", ".join(f"“{_text(spelling, paint)}”" for spelling in found.spellings)
    term = _text(found.term, paint)
    return f"{term} ({spellings})" if spellings else term


def _text(passage: Passage, paint: Paint) -> str:
    return "".join(_painted(piece.text, paint.found) if piece.marked else piece.text for piece in passage.pieces)


def _painted(text: str, signs: tuple[str, str]) -> str:
    return f"{signs[0]}{text}{signs[1]}"
