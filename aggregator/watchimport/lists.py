"""A flat list of keywords: one a line, or several with commas between. Bullets, numbers and quotes round them go.

Lines that begin with # are comments. A comma in quotes belongs to its keyword.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aggregator.text.fold import folded
from aggregator.watchimport.drafts import Draft, Reading, Unconvertible, canonical, packed, term

LONGEST: Final = 500  # code points of a keyword, as feeds.yaml takes them
_BULLET: Final = re.compile(r"(?:[-*•·]|\d{1,3}[.)])\s+")
_PIECE: Final = re.compile(
    r"""\s*(?:["“”„«](?P<inside>[^"“”„«»]+)["“”„»](?=\s*(?:[,;،؛\t]|$))|(?P<bare>[^,;،؛\t]*))\s*(?:[,;،؛\t]|$)"""
)
_RULE: Final = re.compile(r"(?:^|\s)(?:AND|OR|NOT|NEAR/?\d*)(?=\s|$)")
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
    keywords: dict[str, tuple[str, str]] = {}  # where each stood, and how, by what it folds to
    wild: list[str] = []
    for number, line in lines(text):
        place, pieces = f"line {number}", tuple(_pieces(line))
        if not pieces:
            reading.refuse(place, line, "holds no word")
        for said, quoted in pieces:
            try:
                if why := _no_keyword(said, quoted=quoted):
                    reading.refuse(place, said[:LONGEST], why)
                elif _WILD.search(said):
                    wild.append(canonical(said if " " not in said else f'"{said}"'))
                elif (first := keywords.setdefault(folded(term(said)), (place, said))) != (place, said):
                    reading.refuse(place, said, f"finds the same as {first[0]}")
            except Unconvertible as why:
                reading.refuse(place, said, str(why))
    if keywords:
        reading.drafts.append(Draft(name=name, place="the list", keywords=tuple(said for _, said in keywords.values())))
    reading.drafts += packed(f"{name}-wild" if keywords else name, "the list", wild)
    return reading


def _pieces(line: str) -> Iterator[tuple[str, bool]]:
    """The keywords of a line, and whether each stood in quotes."""
    for found in _PIECE.finditer(_BULLET.sub("", line, count=1)):
        said = " ".join((found["inside"] or found["bare"] or "").split())
        if said:
            yield said, found["inside"] is not None


def _no_keyword(said: str, *, quoted: bool) -> str | None:
    """Why it is none, if so."""
    if len(said) > LONGEST:
        return f"longer than {LONGEST} characters, so it is no keyword"
    if not quoted and _RULE.search(said):
        return "AND, OR, NOT and NEAR mean nothing in a list; write `rule:` in feeds.yaml, or quotes round the words"
    return "a comment begins with #" if said.startswith("//") else None
