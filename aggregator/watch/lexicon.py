"""The leaves of a plan and what each looks for: the spellings, by the windows that tell them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from aggregator.model import FieldName
from aggregator.text.fold import folded
from aggregator.text.variants import related, spellings
from aggregator.watch.sieve import Numbers, Tier, numbered
from aggregator.watch.spelling import Group, groups, keys, pattern_group
from aggregator.watch.tokens import wild
from aggregator.watch.tree import FIELDS, Pattern, Words

SPREAD: Final = 20_000  # terms whose spellings are kept: about 20 KB each in Arabic script

Written = tuple[tuple[Words, str | None], ...]  # spellings as people write them, and the language of each


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A term with all its spellings, and the fields where it counts."""

    term: str
    written: Written = ()
    fields: frozenset[FieldName] = FIELDS
    lead: bool = False  # only the first words of a field
    exact: str = ""  # the original spelling that a place must show; "": any
    pattern: Pattern | None = None
    shield: int | None = None  # the leaf of its excepts: a place inside one of those is none
    atoms: tuple[tuple[int, int], ...] = ()  # of a concept whose spellings are not alike: their leaves and weights
    least: int = 1  # weight of the different atoms that must stand in the item

    @property
    def plain(self) -> bool:
        """Whether each place of a spelling counts, wherever it is."""
        return not (self.exact or self.lead or self.shield is not None)

    @property
    def stemmed(self) -> tuple[int, ...]:
        """The leaves of which one must stand for this one to do; none: itself."""
        return tuple(atom for atom, _ in self.atoms)


Spelled = tuple[Numbers, tuple[tuple[Group, ...], ...]]  # numbers of windows, sorted, and the groups that each tells


class Lexicon(dict[int, Mapping[Tier, Spelled]]):
    """The spellings of each leaf by tier, spread out when first asked for."""

    def __init__(self, leaves: Sequence[Leaf], bare: Sequence[Sequence[str]]) -> None:
        self.leaves = leaves
        phrases = (text for texts in bare for text in texts if " " in text)
        self.rarity = _Rarity(Counter(word for phrase in phrases for word in set(phrase.split(" "))))

    def __missing__(self, number: int) -> Mapping[Tier, Spelled]:
        if len(self) > SPREAD:
            self.clear()
        self[number] = self.made(number)
        return self[number]

    def made(self, number: int) -> dict[Tier, Spelled]:
        """The spellings of a leaf, made anew."""
        families, patterns = self.spread(number)
        tiers: dict[Tier, list[Group]] = {}
        for group in (*groups(families, self.rarity), *patterns):
            tiers.setdefault(group.tier, []).append(group)
        return {tier: _numbered(tier, some) for tier, some in tiers.items()}

    def watched(self, number: int) -> set[tuple[Tier, str]]:
        """The windows that tell a leaf: as of its groups, without making them."""
        families, patterns = self.spread(number)
        told = {(group.tier, group.key) for group in patterns}
        return told.union(*(keys(family, self.rarity) for family in families))

    def spread(self, number: int) -> tuple[list[tuple[str, ...]], list[Group]]:
        """All spellings of a leaf: the forms of each, and the patterns."""
        written = self.leaves[number].written
        wilds = [pattern_group(words.text) for words, _ in written if wild(words.text)]
        families = [family for words, code in written if (family := forms(words, code))]
        return families, list(dict.fromkeys(wilds))


class _Rarity(dict[str, float]):
    """Of words of phrases, the less the rarer: few terms hold a rare word, and it is long. Inflected words are in no term."""

    def __init__(self, held: Mapping[str, int]) -> None:
        super().__init__({word: times * 2.0 ** -len(word) for word, times in held.items()})

    def __missing__(self, word: str) -> float:
        return 0.0


def _numbered(tier: Tier, some: Sequence[Group]) -> Spelled:
    by_number: dict[int, list[Group]] = {}
    for number, group in zip(numbered([group.key for group in some], tier).tolist(), some, strict=True):
        by_number.setdefault(number, []).append(group)
    order = sorted(by_number)
    return np.array(order, np.uint64), tuple(tuple(by_number[number]) for number in order)


def forms(node: Words, code: str | None) -> tuple[str, ...]:
    """The folded forms of `node` in a language; of a wildcard term none, for they cannot be listed."""
    if wild(node.text):
        return ()
    if node.mark == "=":
        return (folded(node.text),)
    return related(node.text, code) if node.mark == "~" else spellings(node.text, code)


def bare(text: str) -> str:
    """What surely stands in a text for a term: without its endings, and up to its first wildcard."""
    return folded(text.partition("*")[0].partition("?")[0] if wild(text) else text)
