"""What arrived, put on a terminal: right-to-left lines kept to themselves, what was found in colour, no word cut in two."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.text import Text

from aggregator.compose.lines import PDI, RLI, isolated, wrapped
from aggregator.compose.views import Passage, Piece
from aggregator.text import escape

FOUND = "bold yellow"

_ISOLATES = re.compile("([\u2066-\u2069])")
_RUN = re.compile("[\u0590-\u08ff\u200c]+(?: [\u0590-\u08ff\u200c]+)*")
_STARRED = re.compile(r"\*([^*]+)\*")  # no story of ours holds an asterisk of its own
_WHOLE = re.compile("( *)([\u2066\u2067])([^\u2066-\u2069]*)\u2069")  # a line that is one isolate


def lines(letter: str, columns: int, *, colour: bool) -> Iterator[Text]:
    """The lines of a mail; a line that is too long goes on under itself, isolated again.

    What the mail puts between asterisks is coloured, and keeps them where there is no colour.
    """
    for line in letter.splitlines():
        whole = _WHOLE.fullmatch(line)
        indent, said = (whole[1], whole[3]) if whole else _indented(line)
        passage = Passage(
            place="", pieces=tuple(_pieces(said)), rtl=bool(whole) and RLI in line, mixed=bool(whole), lang=None
        )
        for part in wrapped(passage, columns - len(indent), 0 if colour else 2) if said else [()]:
            shown = Text(indent)
            if whole:
                shown.append(isolated("", passage).removesuffix(PDI))
            for piece in part:
                starred = piece.marked and not colour
                shown.append(f"*{piece.text}*" if starred else piece.text, style=FOUND if piece.marked else "")
            yield shown.append(PDI) if whole else shown


def apart(text: str) -> str:
    """`text` with each run of right-to-left words kept to itself, so that the signs between them stay where they are."""
    return _RUN.sub(lambda run: f"{RLI}{run[0]}{PDI}", text)


def _indented(line: str) -> tuple[str, str]:
    said = line.lstrip(" ")
    return line[: len(line) - len(said)], said


def _pieces(said: str) -> Iterator[Piece]:
    """What stands between asterisks is marked."""
    for n, text in enumerate(_STARRED.split(said)):
        if text:
            yield Piece(text=_safe(text), marked=n % 2 == 1)


def _safe(text: str) -> str:
    """`text` for a terminal; only the isolates of the mail stay, which it closes in the same line."""
    return "".join(part if _ISOLATES.fullmatch(part) else escape.terminal(part) for part in _ISOLATES.split(text))
