"""The spellings of a term, by the windows of a text in which they can be found: what to look for, and what must stand there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

    @property
    def single(self) -> bool:
        """Whether each form is one word, with spaces round it."""
        return self.tier == WORD and not self.pattern and not any(" " in form[1:-1] for form in self.forms)


Window = tuple[str, Tier, int]  # key, tier and offset of a group


def groups(families: Iterable[Sequence[str]], rarity: Mapping[str, float]) -> tuple[Group, ...]:
    """The spellings of each family in groups. `rarity`: of words; a phrase is found by the least of its own."""
    found: defaultdict[Window, list[str]] = defaultdict(list)
    for family in families:
        for window, form in windows(family, rarity):
            found[window].append(form)
    return tuple(
        Group(key=key, tier=tier, offset=offset, forms=frozenset(forms), lengths=tuple({*map(len, forms)}))
        for (key, tier, offset), forms in found.items()
    )


def windows(family: Sequence[str], rarity: Mapping[str, float]) -> Iterator[tuple[Window, str]]:
    """Each spelling of a family as it stands in a text, with the window that tells it."""
    if unspaced(family[0]):
        for form in family:
            at = next(at for at, letter in enumerate(form) if ord(letter) >= ALONE)
            key = form[at : at + PAIR].rstrip()
            yield (key, -len(key), at - 1), form
        return
    for form in family:
        padded = f" {form} "
        if " " in form:
            word = min(form.split(" "), key=rarity.__getitem__)
            yield (word[:WORD], WORD, padded.index(f" {word} ")), padded
        else:
            yield (form[:WORD], WORD, 0), padded


def keys(family: Sequence[str], rarity: Mapping[str, float]) -> set[tuple[Tier, str]]:
    """The windows that tell the spellings of a family."""
    if unspaced(family[0]):
        return {(tier, key) for (key, tier, _), _ in windows(family, rarity)}
    rarest: dict[str, str] = {}  # of the words before the last one, which alone takes endings
    told = set()
    for form in family:
        before, space, word = form.rpartition(" ")
        if space:
            if before not in rarest:
                rarest[before] = min(before.split(" "), key=rarity.__getitem__)
            if rarity.get(word, 0.0) >= rarity.get(rarest[before], 0.0):
                word = rarest[before]
        told.add((WORD, word[:WORD]))
    return told


def pattern_group(text: str) -> Group:
    """The group of a term with wildcards: `?` is one letter, `*` any at the end of its word."""
    plain = _WILDCARDS.sub(lambda sign: _ANY if sign[0] == "*" else _ONE, text)
    form = f" {folded(plain)} "
    parts = (("[^ ]", "[^ ]*")[letter == _ANY] if letter in (_ONE, _ANY) else re.escape(letter) for letter in form)
    word, end, _ = re.split(f"([ {_ONE}{_ANY}])", form[1:], maxsplit=1)
    key = word[:WORD]
    return Group(key=key, tier=WORD if end == " " else len(key), pattern="".join(parts))


def ends(group: Group, text: str, at: int) -> list[tuple[int, int]]:
    """Where the spellings of `group` whose window begins after `at` begin and end, without the spaces round them."""
    start, pad = at - group.offset, group.tier >= 0
    if start < 0:
        return []
    found = [
        (start + pad, start + length - pad)
        for length in group.lengths
        if text[start : start + length] in group.forms and start + length <= len(text)
    ]
    if group.pattern and (match := _compiled(group.pattern).match(text, start)):
        found.append((start + 1, match.end() - 1))
    return found


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
