"""The spellings of a term, put in groups that begin alike: what the automaton looks for, and what must follow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from aggregator.text.fold import folded, unspaced

SHORTEST_STEM: Final = 5  # code points, with the space in front: shorter ones begin too many other words

_ONE: Final = "\ua66e"  # a letter of one manuscript of 1429, which stands for ? while a term is folded
_ANY: Final = "\ua500"  # a letter of the Vai script, for *
_WILDCARDS: Final = re.compile(r"\*|\?(?=\?*\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Spellings that begin alike: each place of one is a place of the stem.

    A spelling has a space at each end, unless its script has none.
    """

    stem: str
    forms: frozenset[str] = frozenset()
    lengths: tuple[int, ...] = ()  # of the forms, each once
    pattern: str = ""  # instead of forms: an expression for the whole of a spelling, of bounded cost


def groups(spelled: Iterable[str]) -> tuple[Group, ...]:
    """The spellings in groups whose stem is at most one letter shorter than the shortest of them."""
    found: list[list[str]] = []
    least = 0  # letters that the last group's stem must have
    bare = tuple(spelled)
    mixed = unspaced("".join(bare))
    for form in sorted({form if mixed and unspaced(form) else f" {form} " for form in bare}):
        if found and found[-1][0][:least] == form[:least]:
            found[-1].append(form)
        else:
            found.append([form])
            least = max(SHORTEST_STEM, len(form.rstrip()) - 1)
    return tuple(
        Group(stem=_beginning(forms[0], forms[-1]), forms=frozenset(forms), lengths=tuple({*map(len, forms)}))
        for forms in found
    )


def _beginning(one: str, other: str) -> str:
    """What two strings begin with alike."""
    if other.startswith(one):
        return one
    return one[: next(n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)]


def pattern_group(text: str) -> Group:
    """The group of a term with wildcards: `?` is one letter, `*` any at the end of its word."""
    plain = _WILDCARDS.sub(lambda sign: _ANY if sign[0] == "*" else _ONE, text)
    form = f" {folded(plain)} "
    parts = (("[^ ]", "[^ ]*")[letter == _ANY] if letter in (_ONE, _ANY) else re.escape(letter) for letter in form)
    return Group(stem=re.split(f"[{_ONE}{_ANY}]", form)[0], pattern="".join(parts))


def core(family: Sequence[str]) -> str:
    """The longest beginning of the bare spelling that stands in all spellings of its family."""
    bare = family[0]
    return next(bare[:end] for end in range(len(bare), -1, -1) if all(bare[:end] in form for form in family))


def starts(stem: str, text: str) -> Iterator[int]:
    """Where `stem` stands in `text`, overlapping places too."""
    at = text.find(stem)
    while at >= 0:
        yield at
        at = text.find(stem, at + 1)


def ends(group: Group, text: str, at: int) -> Iterator[tuple[int, int]]:
    """The spellings that begin at a place of their stem, without the spaces round them."""
    pad = text[at] == " "
    for length in group.lengths:
        if text[at : at + length] in group.forms and at + length <= len(text):
            yield at + pad, at + length - pad
    if group.pattern and (found := _compiled(group.pattern).match(text, at)):
        yield at + pad, found.end() - pad


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
