"""Places that are close to each other: in words, in one sentence, in one paragraph.

Closeness is one idea: each code point of a folded field has a number (of its word, sentence or paragraph), and two
places that do not overlap are close when the number at the end of the first and at the beginning of the second differ
by no more than the reach.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aggregator.model import FieldName
from aggregator.text.fold import Folded, unspaced
from aggregator.watch.tree import Reach

Place = tuple[FieldName, int, int]  # in the folded text of a field, without the spaces round it
Spot = tuple[FieldName, int, int, tuple[tuple[int, Place], ...]]  # a place and the leaves that stand in it, and where
Numbers = NDArray[np.int64]
ByField = Mapping[FieldName, Numbers]

APART: Final = 100_000  # words between two tags, so that no reach leads from one to the next

# A full stop ends a sentence unless it follows a single letter or a common title, or a small letter or digit comes next.
_STOP: Final = re.compile(
    r"""[!?؟۔。！？…؛]+["”»’)\]]*(?=\s|$)
    | [。！？]
    | (?<!\b\w)(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bDr)(?<!\bSt)(?<!\bGen)(?<!\bCol)(?<!\bLt)(?<!\bMaj)(?<!\bCapt)(?<!\bSgt)
      (?<!\bGov)(?<!\bSen)(?<!\bRep)(?<!\bNo)(?<!\bvs)\.["”»’)\]]*(?=\s+[^\sa-z0-9]|\s*$)
    | \n+""",
    re.VERBOSE,
)
_BREAK: Final = re.compile(r"\n+")
_LETTER_WORDS: Final = re.compile(r"[^ ]")


def words(field: Folded, name: FieldName, original: str) -> Numbers:
    """The number of the word of each code point; in scripts without spaces, each letter is a word."""
    codes = np.frombuffer(field.text.encode("utf-32-le"), "<u4")
    begins = np.zeros(len(codes), np.int64)
    begins[1:] = (codes[:-1] == 0x20) & (codes[1:] != 0x20)  # noqa: PLR2004  # the space
    if unspaced(field.text):
        alone = np.fromiter((unspaced(letter) for letter in field.text), np.bool_, len(codes))
        begins[1:] |= (alone[1:] | alone[:-1]) & (codes[1:] != 0x20)  # noqa: PLR2004  # the space
    numbers: Numbers = begins.cumsum()
    return numbers + APART * _parts(field, _BREAK, original) if name == "tags" else numbers


def sentences(field: Folded, original: str) -> Numbers:
    """The number of the sentence of each code point."""
    return _parts(field, _STOP, original)


def paragraphs(field: Folded, original: str) -> Numbers:
    """The number of the paragraph of each code point: a line of the original."""
    return _parts(field, _BREAK, original)


def _parts(field: Folded, end: re.Pattern[str], original: str) -> Numbers:
    ended = np.fromiter((found.end() for found in end.finditer(original)), np.int64)
    return np.searchsorted(ended, field.origin, side="right")


def close(left: Sequence[Spot], right: Sequence[Spot], numbers: Mapping[FieldName, Numbers], reach: int) -> set[Spot]:
    """The spots of `left` that have one of `right` close behind, and those of `right`."""
    found: set[Spot] = set()
    behind = _by_field(right)
    for name, spots in _by_field(left).items():
        others = behind.get(name)
        if others is None:
            continue
        number = numbers[name]
        others.sort(key=_start)
        begins = [spot[1] for spot in others]
        for spot in spots:
            at = bisect_left(begins, spot[2])
            if at < len(others) and number[begins[at]] - number[spot[2] - 1] <= reach:
                found.add(spot)
        spots.sort(key=_end)
        finished = [spot[2] for spot in spots]
        for spot in others:
            at = bisect_right(finished, spot[1]) - 1
            if at >= 0 and number[spot[1]] - number[finished[at] - 1] <= reach:
                found.add(spot)
    return found


def joined(
    left: Sequence[Spot], right: Sequence[Spot], numbers: Mapping[FieldName, Numbers], reach: int
) -> Iterator[Spot]:
    """A spot for each of `left` with each of `right` close behind, from the beginning of one to the end of the other."""
    behind = _by_field(right)
    for name, spots in _by_field(left).items():
        others = sorted(behind.get(name, ()), key=_start)
        begins = [spot[1] for spot in others]
        for _, start, end, told in spots:
            last = numbers[name][end - 1] + reach
            for other in others[bisect_left(begins, end) :]:
                if numbers[name][other[1]] > last:
                    break
                yield name, start, other[2], told + other[3]


def distance(reach: Reach) -> int:
    """How far the numbers of two places may differ: `reach` words between are `reach` + 1 steps."""
    return reach + 1 if isinstance(reach, int) else 0


def _by_field(spots: Iterable[Spot]) -> dict[FieldName, list[Spot]]:
    found: defaultdict[FieldName, list[Spot]] = defaultdict(list)
    for spot in spots:
        found[spot[0]].append(spot)
    return dict(found)


def _start(spot: Spot) -> int:
    return spot[1]


def _end(spot: Spot) -> int:
    return spot[2]
