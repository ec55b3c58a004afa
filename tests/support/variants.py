"""The rows of tests/core/variants.txt: what is found for a term and what is not, with the sources of each form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parents[1] / "core" / "variants.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: `found` says whether the term must be found in the text."""

    section: str
    line: int
    found: bool
    html: bool
    unsure: bool  # a native reader should confirm it
    language: str
    term: str
    text: str
    sources: tuple[str, ...]


def sources() -> dict[str, str]:
    """What each key of a source stands for."""
    return dict(re.findall(r"^= (\S+) +(.+)$", FILE.read_text(encoding="utf-8"), re.MULTILINE))


def excused() -> dict[str, frozenset[str]]:
    """The languages that a section does without, and says why."""
    found: dict[str, frozenset[str]] = {}
    section = ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if head := re.fullmatch(r"\[(.+)\].*", line):
            section = head[1]
            found[section] = frozenset()
        elif without := re.fullmatch(r"without (\S+): .+", line):
            found[section] |= {without[1]}
    return found


def rows() -> Iterator[Row]:
    """Every row, in the order of the file."""
    section, usual = "", ()
    for number, line in enumerate(FILE.read_text(encoding="utf-8").splitlines(), 1):
        if head := re.fullmatch(r"\[(.+)\] ?(.*)", line):
            section, usual = head[1], tuple(head[2].split())
        elif row := re.fullmatch(r"(h?)([+-])(\??) (\S+) \|(.+)", line):
            term, text, *own = (_unescaped(part).strip(" ") for part in row[5].split("|"))
            yield Row(
                section=section, line=number, found=row[2] == "+", html=bool(row[1]), unsure=bool(row[3]), language=row[4],
                term=term, text=text, sources=tuple(own[0].split()) if own else usual,
            )  # fmt: skip
        elif line and not re.match(r"#|= \S+ +\S|without \S+: \S", line):
            raise AssertionError(f"line {number} is no row: {line}")


def _unescaped(text: str) -> str:
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
