"""Where the leaves of a plan stand in one item: seen by the sieve, or looked for when first asked."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Final

import numpy as np

from aggregator.model import FieldName, Item
from aggregator.text.fold import Folded, Folds
from aggregator.watch import near, regex
from aggregator.watch.facts import Source, holds
from aggregator.watch.lexicon import Leaf
from aggregator.watch.near import Numbers, Place
from aggregator.watch.plan import Plan, exactly
from aggregator.watch.sieve import Windows
from aggregator.watch.spelling import ends
from aggregator.watch.tree import LEAD, Fact, Reach

MAX_PLACES: Final = 1000  # told of one term in one field: a title of 1 MB may hold 125,000
BUDGET: Final = 100_000_000  # steps of one rule in one item: about a second. A regular expression in 3 KB takes 10^5
PAIR: Final = 1000  # steps that a pair of places costs, which a NEAR inside another has to list

FIRST_OCTET: Final = -64  # as a signed octet: what begins a letter in UTF-8 is not below

Told = tuple[FieldName, int, int, str, str]  # a place as the reader sees it: field, start, end, term, text


class OverBudgetError(Exception):
    """Judging a rule would take too long for this item."""


class Places(dict[int, list[Place]]):
    """The places of each leaf in one item."""

    def __init__(
        self, plan: Plan, item: Item, texts: Mapping[FieldName, str], folded: Folds, source: Source | None
    ) -> None:
        self.plan = plan
        self.item = item
        self.texts = texts
        self.folded = folded
        self.windows = Windows(folded.codes)
        self.found: defaultdict[int, list[Place]] = defaultdict(
            list
        )  # of listed leaves, places inside each other and inside excepts too
        self.source = source
        self.spent = 0  # steps, by the rule that is being judged
        self.hits: dict[int, list[Told]] = {}
        self._octets: dict[FieldName, int] = {}
        self._facts: dict[Fact, bool] = {}
        self._numbers: dict[Reach, Mapping[FieldName, Numbers]] = {}
        self._slices: dict[tuple[int, Place], tuple[int, int]] = {}  # of regular expressions, which may end in mid-word

    def __missing__(self, number: int) -> list[Place]:
        leaf = self.plan.leaves[number]
        if leaf.atoms:
            places = self.composed(leaf)
        elif leaf.pattern:
            places = self.narrowed(self.matched(number, leaf), leaf)
        else:
            places = self.spelled(number)
            if len(places) > 1 or not leaf.plain:
                places = self.narrowed(places, leaf)
        self[number] = places
        return places

    def narrowed(self, places: list[Place], leaf: Leaf) -> list[Place]:
        """The `places` where `leaf` counts, none inside another."""
        if places and leaf.exact:
            places = [place for place in places if exactly(self.original(*place)[2]) == leaf.exact]
        if places and leaf.lead:
            places = self.in_lead(places)
        return self.outside(longest(places), leaf)

    def composed(self, leaf: Leaf) -> list[Place]:
        """The places of a concept made of several leaves, if those that stand weigh enough."""
        places, weight = self.weighed(leaf)
        return places if weight >= leaf.least else []

    def weighed(self, leaf: Leaf) -> tuple[list[Place], int]:
        """The places of all atoms of `leaf` that lie inside no other and no except, and what their atoms weigh together."""
        by_atom = {atom: self[atom] for atom, _ in leaf.atoms}
        places = self.outside(longest(sorted({place for some in by_atom.values() for place in some})), leaf)
        kept = frozenset(places)
        return places, sum(weight for atom, weight in leaf.atoms if not kept.isdisjoint(by_atom[atom]))

    def outside(self, places: list[Place], leaf: Leaf) -> list[Place]:
        """The `places` that lie inside no except of `leaf`."""
        if not places or leaf.shield is None:
            return places
        return outside(places, self[leaf.shield])

    def spelled(self, number: int) -> list[Place]:
        """The places of all spellings."""
        if number not in self.plan.listed:
            for tier, (keys, groups) in self.plan.lexicon[number].items():
                for which, at in self.windows.where(tier, keys):
                    for group in groups[which]:
                        for start, end in ends(group, self.folded.text, at):
                            self.note((number,), start, end)
        places = self.found.get(number, [])
        return self.in_one_tag(places) if "tags" in self.texts else places

    def note(self, numbers: Iterable[int], start: int, end: int) -> None:
        """Note a place of some leaves in the text of all fields, if it is one of one field."""
        place = self.folded.within(start, end)
        if place:
            leaves, found = self.plan.leaves, self.found
            for number in numbers:
                if place[0] in leaves[number].fields:
                    found[number].append(place)

    def matched(self, number: int, leaf: Leaf) -> list[Place]:
        """The places of a regular expression, widened to whole folded letters; tags are matched one by one."""
        if leaf.pattern is None:
            return []
        places: list[Place] = []
        for name, field in self.folded.items():
            if name not in leaf.fields:
                continue
            offset = 0
            for text in self.texts[name].split("\n") if name == "tags" else (self.texts[name],):
                octets = text.encode("utf-8", "replace")
                letters = np.cumsum(np.frombuffer(octets, np.int8) >= FIRST_OCTET)
                for start, end in regex.places(leaf.pattern, octets):
                    span = offset + int(letters[start]) - 1, offset + int(letters[end - 1])
                    place = (name, *_folded_span(field, *span))
                    self._slices.setdefault((number, place), span)
                    places.append(place)
                offset += len(text) + 1
        return list(dict.fromkeys(places))

    def in_one_tag(self, places: list[Place]) -> list[Place]:
        """Tags are one text to fold and many to match."""
        return [place for place in places if place[0] != "tags" or "\n" not in self.original(*place)[2]]

    def in_lead(self, places: list[Place]) -> list[Place]:
        """The `places` among the first words of their fields."""
        numbers = self.numbers(0)
        return [place for place in places if numbers[place[0]][place[2] - 1] <= LEAD]

    def numbers(self, reach: Reach) -> Mapping[FieldName, Numbers]:
        """The number of each code point's word, sentence or paragraph, by field."""
        kind = 0 if isinstance(reach, int) else reach
        if kind not in self._numbers:
            number = {"s": near.sentences, "p": near.paragraphs}
            self._numbers[kind] = {
                name: near.words(field, name, self.texts[name])
                if kind == 0
                else number[str(kind)](field, self.texts[name])
                for name, field in self.folded.items()
            }
        return self._numbers[kind]

    def holds(self, fact: Fact) -> bool:
        """Whether a fact is true of the item."""
        if fact not in self._facts:
            self._facts[fact] = holds(fact, self.item, self.texts, self.source)
        return self._facts[fact]

    def spend(self, steps: int, what: str) -> None:
        """Count the work of a rule.

        Raises:
            OverBudgetError: it has done all that it may do in one item.
        """
        self.spent += steps
        if self.spent > BUDGET:
            raise OverBudgetError(f"{what} is too costly for this item: {self.spent:,} steps, {BUDGET:,} are the most")

    def price(self, number: int) -> int:
        """What looking for a leaf can cost at most, looked for or not: the same for each rule that asks."""
        leaf = self.plan.leaves[number]
        if leaf.pattern is None:
            return 0
        if not self._octets:
            self._octets = {name: len(text.encode("utf-8", "replace")) for name, text in self.texts.items()}
        return regex.steps(leaf.pattern, sum(self._octets[name] for name in leaf.fields & self._octets.keys()))

    def original(self, name: FieldName, start: int, end: int) -> tuple[int, int, str]:
        """Where a place stands in the original, and what stands there."""
        first, last = self.folded.span(name, start, end)
        return first, last, self.texts[name][first:last]

    def told(self, leaf: int) -> list[Told]:
        """All places of a leaf as the reader sees them."""
        told = self.hits.get(leaf)
        if told is None:
            told = self.hits[leaf] = self.shown(leaf, self[leaf])
        return told

    def shown(self, leaf: int, places: Sequence[Place]) -> list[Told]:
        """Places of a leaf, sorted by field, as the reader sees them; of each field the first MAX_PLACES."""
        if len(places) > MAX_PLACES:
            places = [place for _, some in groupby(places, key=itemgetter(0)) for place in islice(some, MAX_PLACES)]
        told: list[Told] = []
        term = self.plan.leaves[leaf].term
        for place in places:
            name = place[0]
            first, last = self._slices.get((leaf, place)) or self.folded.span(*place)
            told.append((name, first, last, term, self.texts[name][first:last]))
        return told


def _folded_span(field: Folded, start: int, end: int) -> tuple[int, int]:
    """The folded code points behind `[start, end)` of the original, one at least."""
    origin = field.origin[1:]  # the space in front stands for nothing
    first = min(int(np.searchsorted(origin, start)), max(len(origin) - 1, 0))
    return first + 1, max(first + 2, int(np.searchsorted(origin, end)) + 1)


def longest(places: list[Place]) -> list[Place]:
    """The places that lie inside no other, by field and start."""
    if len(places) < 2:  # noqa: PLR2004  # most often
        return places
    kept: list[Place] = []
    for place in sorted(places, key=_widest_first):
        if not kept or place[0] != kept[-1][0] or place[2] > kept[-1][2]:
            kept.append(place)
    return kept


def _widest_first(place: Place) -> tuple[FieldName, int, int]:
    return place[0], place[1], -place[2]


def outside(places: Sequence[Place], excepts: list[Place]) -> list[Place]:
    """The places that lie inside none of `excepts`; sorted by field and start, and `excepts` as `longest` gives them."""
    kept: list[Place] = []
    coming = deque(excepts)
    cover: Place | None = None  # the last except that starts at or before the place: it reaches furthest
    for place in places:
        while coming and coming[0][:2] <= place[:2]:
            cover = coming.popleft()
        if cover is None or cover[0] != place[0] or cover[2] < place[2]:
            kept.append(place)
    return kept
