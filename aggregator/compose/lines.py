"""A passage in lines: no line longer than the room for it, each with its direction of writing kept to itself.

A terminal takes every line for a paragraph, so an isolate (UAX 9) that is opened in one line does not reach into the
next, and what stands beside a right-to-left word is put on its other side. Hence each line opens and closes its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from aggregator.compose.views import Passage, Piece

LRI, RLI, PDI = "\u2066", "\u2067", "\u2069"

_WORD = re.compile(r"\S+|\s+")


def isolated(shown: str, passage: Passage) -> str:
    """`shown`, which is `passage` or a line of it, so that it reorders nothing beside it and nothing reorders it."""
    if passage.rtl:
        return f"{RLI}{shown}{PDI}"
    return f"{LRI}{shown}{PDI}" if passage.mixed else shown


def wrapped(passage: Passage, columns: int, signs: int = 0) -> Iterator[tuple[Piece, ...]]:
    """The pieces of `passage` by line, broken between words; a word that is longer than a line is broken too.

    `signs`: the columns that are put beside what is marked, such as two asterisks.
    """
    line: list[tuple[str, bool]] = []
    for word in _words(passage.pieces, columns):
        blank = word[0][0].isspace()
        taken = sum(width(text) + signs * marked for text, marked in (*line, *word))
        if taken > columns and line and not blank:
            yield _joined(_trimmed(line))
            line = []
        if line or not blank:
            line += word
    if line:
        yield _joined(_trimmed(line))


def width(text: str) -> int:
    """The columns that `text` takes on a terminal: two for a wide letter, none for a mark or an invisible character."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(letter) in ("Mn", "Me", "Cf") else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def _words(pieces: Sequence[Piece], columns: int) -> Iterator[list[tuple[str, bool]]]:
    """Words and blanks in turn; a word may be marked in part, as *Taliban*'s is."""
    word: list[tuple[str, bool]] = []
    for piece in pieces:
        for part in _WORD.findall(piece.text):
            if word and (part.isspace() or word[0][0].isspace()):
                yield word
                word = []
            for start in range(0, len(part), columns):  # nearly always one
                if start:
                    yield word
                    word = []
                word = [*word, (part[start : start + columns], piece.marked)]
    if word:
        yield word


def _trimmed(line: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    while line and line[-1][0].isspace():
        line = line[:-1]
    return line


def _joined(parts: Iterable[tuple[str, bool]]) -> tuple[Piece, ...]:
    """The parts of one line, neighbours of one kind made one piece."""
    pieces: list[Piece] = []
    for text, marked in parts:
        if pieces and pieces[-1].marked == marked:
            pieces[-1] = Piece(text=pieces[-1].text + text, marked=marked)
        else:
            pieces.append(Piece(text=text, marked=marked))
    return tuple(pieces)
