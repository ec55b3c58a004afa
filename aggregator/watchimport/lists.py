"""A flat list of keywords: one a line. Lines that begin with # are comments, bullets and quotes round a line go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aggregator.text.fold import folded
from aggregator.watchimport.drafts import Draft, Reading, Unconvertible, canonical, packed, term

LONGEST: Final = 500  # code points of a keyword, as feeds.yaml takes them
_BULLET: Final = re.compile(r"[-*•·]\s+")
_QUOTED: Final = re.compile(r"""["“”„«'](?P<inside>[^"“”„«»]+)["“”„»'][,;]?|(?P<bare>.*?)[,;]?""")
_WILD: Final = re.compile(r"\w[*?]|[*?]\w")


def lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, with their numbers from 1."""
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip("\ufeff \t")
        if said and not said.startswith("#"):
            yield number, said


def read(text: str, name: str) -> Reading:
    """One watchlist of all the words and phrases; those with a wildcard make a second one, of a rule."""
    reading = Reading()
    keywords: dict[str, tuple[int, str]] = {}
    wild: list[str] = []
    for number, line in lines(text):
        said = _said(line)
        if len(said) > LONGEST:
            reading.refuse(f"line {number}", line[:LONGEST], f"longer than {LONGEST} characters, so it is no keyword")
            continue
        try:
            if _WILD.search(said):
                wild.append(canonical(said if " " not in said else f'"{said}"'))
                continue
            term(said)
        except Unconvertible as why:
            reading.refuse(f"line {number}", line, str(why))
            continue
        first = keywords.setdefault(folded(said), (number, said))
        if first[0] != number:
            reading.refuse(f"line {number}", line, f"finds the same as line {first[0]}")
    if keywords:
        reading.drafts.append(Draft(name=name, place="the list", keywords=tuple(said for _, said in keywords.values())))
    reading.drafts += packed(f"{name}-wild" if keywords else name, "the list", wild)
    return reading


def _said(line: str) -> str:
    """A line without its bullet, its quotes and the comma at its end."""
    found = _QUOTED.fullmatch(_BULLET.sub("", line, count=1))
    return " ".join((found["inside"] or found["bare"]).split()) if found else line
