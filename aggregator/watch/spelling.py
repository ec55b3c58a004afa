"""The spellings of a term, by the windows of a text in which they can be found: what to look for, and what must stand there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from aggregator.text.fold import folded, unspaced
from aggregator.watch.sieve import ALONE, PAIR, WORD, Tier

_ONE: Final = "\ua66e"  # a letter of one manuscript of 1429, which stands for ? while a term is folded
_ANY: Final = "\ua500"  # a letter of the Vai script, for *
_WILDCARDS: Final = re.compile(r"\*|\?(?=\?*\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Spellings that one window tells: each place of one of them holds the window.

    A spelling has a space at each end, unless its script has none.
    """

    key: str  # the window: of each spelling the rarest word, as far as the window goes
    tier: Tier = WORD
    offset: int = 0  # from the beginning of a spelling to the code point before its window
    forms: frozenset[str] = frozenset()
    lengths: tuple[int, ...] = ()  # of the forms, each once
    pattern: str = ""  # instead of forms: an expression for the whole of a spelling, of bounded cost


def groups(spelled: Iterable[str], shared: Mapping[str, int]) -> tuple[Group, ...]:
    """The spellings in groups. `shared`: how many terms hold a word; a spelling is found by the word that fewest hold."""
    found: defaultdict[tuple[str, Tier, int], list[str]] = defaultdict(list)
    bare = tuple(spelled)
    mixed = unspaced("".join(bare))
    for form in bare:
        if mixed and unspaced(form):
            at = next(at for at, letter in enumerate(form) if ord(letter) >= ALONE)
            key = form[at : at + PAIR].rstrip()
            found[key, -len(key), at - 1].append(form)
        else:
            word = _rarest(form, shared) if " " in form else form
            padded = f" {form} "
            found[word[:WORD], WORD, padded.index(f" {word} ")].append(padded)
    return tuple(
        Group(key=key, tier=tier, offset=offset, forms=frozenset(forms), lengths=tuple({*map(len, forms)}))
        for (key, tier, offset), forms in found.items()
    )


def _rarest(form: str, shared: Mapping[str, int]) -> str:
    """The word of a phrase that looks rarest: few terms hold it, and it is long."""
    return min(form.split(" "), key=lambda word: (shared.get(word, 0) * 2.0 ** -len(word), -len(word)))


def pattern_group(text: str) -> Group:
    """The group of a term with wildcards: `?` is one letter, `*` any at the end of its word."""
    plain = _WILDCARDS.sub(lambda sign: _ANY if sign[0] == "*" else _ONE, text)
    form = f" {folded(plain)} "
    parts = (("[^ ]", "[^ ]*")[letter == _ANY] if letter in (_ONE, _ANY) else re.escape(letter) for letter in form)
    word, end, _ = re.split(f"([ {_ONE}{_ANY}])", form[1:], maxsplit=1)
    key = word[:WORD]
    return Group(key=key, tier=WORD if end == " " else len(key), pattern="".join(parts))


def ends(group: Group, text: str, at: int) -> list[tuple[int, int]]:
    """Where the spellings of `group` whose window begins after `at` begin and end, with the spaces round them."""
    start = at - group.offset
    found = [(start, start + length) for length in group.lengths if text[start : start + length] in group.forms]
    if group.pattern and (match := _compiled(group.pattern).match(text, start)):
        found.append(match.span())
    return found


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
