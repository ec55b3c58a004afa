"""An item to its hits: one pass of the automaton, then only the watchlists that it wakes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from operator import itemgetter

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, Implementation

from aggregator.model import FieldName, Hit, Item
from aggregator.settings import Concept, Watchlist
from aggregator.text.fold import Folded, fold
from aggregator.watch.language import And, Node, Not, Or
from aggregator.watch.plan import FIELDS, Group, Plan, anchors, planned

MAX_PLACES = 1000  # told of one term in one field: a title of 1 MB may hold 125,000
MANY = 5_000  # stems up to which the faster form of the automaton is used: 7 KB a stem, the other takes 0.7

_FIRST_OCTET = -64  # as a signed octet: what begins a letter in UTF-8 is not below

Place = tuple[FieldName, int, int]  # of a term, in the folded text of a field, without the spaces round it
Found = Mapping[int, list[Place]]  # places of the listed leaves, those inside each other and inside excepts too
Judge = Callable[["_Places"], list[int] | None]  # the leaves that a tree is true by; None: it is false


class Matcher:
    """All watchlists at once. Never changes, so threads may share it; a pickle carries the watchlists and compiles anew."""

    def __init__(self, watchlists: Iterable[Watchlist], concepts: Iterable[Concept]) -> None:
        self.watchlists = tuple(watchlists)
        self.concepts = tuple(concepts)
        plan = planned(self.watchlists, self.concepts)
        stems = tuple(dict.fromkeys(group.stem for leaf in plan.listed for group in plan.leaves[leaf].groups))
        self._plan = plan
        self._automaton = _Automaton(stems)
        self._watched = {name: _watched(stems, plan, name) for name in FIELDS}
        self._judges = tuple(_judge(tree, plan) for tree in plan.trees)

    def __reduce__(self) -> tuple[type[Matcher], tuple[tuple[Watchlist, ...], tuple[Concept, ...]]]:
        """Rebuild from the sources: an automaton has no bytes."""
        return type(self), (self.watchlists, self.concepts)

    def hits(self, item: Item, folds: Mapping[FieldName, Folded] | None = None) -> tuple[Hit, ...]:
        """Every place that makes a watchlist true, sorted. `folds`: folded fields of `item` that the caller has at hand.

        A rule is judged over the whole item; a term stands inside one field (and one tag). A true rule's hits are all
        places of the terms it is true by: none under NOT, none of a branch that is false. Of places inside each other
        a term keeps the longest; of one term in one field the first MAX_PLACES are told. Never raises.
        """
        texts = dict(item.texts())
        at_hand = folds or {}
        folded = {name: at_hand.get(name) or fold(text) for name, text in texts.items()}
        found = self._presearch(folded)
        if not found:
            return ()
        places = _Places(self._plan, texts, folded, found)
        standing = [leaf for leaf in found if leaf in self._plan.wakes and places[leaf]]
        told = {
            (self.watchlists[woken].name, *hit)
            for woken in {watchlist for anchor in standing for watchlist in self._plan.wakes[anchor]}
            for leaf in self._judges[woken](places) or ()
            for hit in places.told(leaf)
        }
        return tuple(
            Hit(watchlist=watchlist, field=name, start=start, end=end, term=term, text=text)
            for watchlist, name, start, end, term, text in sorted(told)
        )

    def _presearch(self, folded: Mapping[FieldName, Folded]) -> Found:
        found: dict[int, list[Place]] = {}
        for name, field in folded.items():
            watched, text = self._watched[name], field.text
            for stem, at in self._automaton.places(text):
                for leaf, group in watched[stem]:
                    for start, end in _forms(group, text, at):
                        found.setdefault(leaf, []).append((name, start, end))
        return found


def _watched(stems: Sequence[str], plan: Plan, field: FieldName) -> tuple[tuple[tuple[int, Group], ...], ...]:
    """By stem: the leaves that count in `field`, each with its group of that stem."""
    watched: dict[str, list[tuple[int, Group]]] = {stem: [] for stem in stems}
    for number in plan.listed:
        if field in plan.leaves[number].fields:
            for group in plan.leaves[number].groups:
                watched[group.stem].append((number, group))
    return tuple(map(tuple, watched.values()))


class _Automaton:
    """Finds all stems at once. Works on UTF-8: `AhoCorasick` takes 1.4 times as long, in Arabic script twice."""

    def __init__(self, stems: Sequence[str]) -> None:
        kind = Implementation.DFA if len(stems) <= MANY else Implementation.ContiguousNFA
        self.automaton = BytesAhoCorasick([stem.encode() for stem in stems], implementation=kind)

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Number of a stem and where it begins in `text`, for all its places."""
        octets = text.encode()
        found = self.automaton.find_matches_as_indexes(octets, overlapping=True)
        if not found or len(octets) == len(text):
            return ((stem, start) for stem, start, _ in found)
        letters = np.cumsum(np.frombuffer(octets, np.int8) >= _FIRST_OCTET)  # up to and with each octet
        return ((stem, int(letters[start]) - 1) for stem, start, _ in found)


# ---------------------------------------------------------------- where a term stands


class _Places(dict[int, list[Place]]):
    """The places of each leaf in one item, looked for when first asked."""

    def __init__(
        self, plan: Plan, texts: Mapping[FieldName, str], folded: Mapping[FieldName, Folded], found: Found
    ) -> None:
        self.plan = plan
        self.texts = texts
        self.folded = folded
        self.found = found
        self.hits: dict[int, list[tuple[FieldName, int, int, str, str]]] = {}

    def __missing__(self, number: int) -> list[Place]:
        leaf = self.plan.leaves[number]
        if number in self.plan.listed:
            places = self.found.get(number, [])
        else:
            places = self.everywhere(leaf.groups, leaf.cores, leaf.fields)
        if places:
            places = _longest(self.in_one_tag(places))
        if places and leaf.excepts:
            excepts = self.everywhere(leaf.excepts, ("",), leaf.fields)
            places = _outside(places, _longest(self.in_one_tag(excepts)))
        self[number] = places
        return places

    def everywhere(self, groups: Iterable[Group], cores: Iterable[str], fields: frozenset[FieldName]) -> list[Place]:
        """The places of all spellings."""
        return [
            (name, start, end)
            for name, field in self.folded.items()
            if name in fields and any(core in field.text for core in cores)
            for group in groups
            for at in _starts(group.stem, field.text)
            for start, end in _forms(group, field.text, at)
        ]

    def in_one_tag(self, places: list[Place]) -> list[Place]:
        """Tags are one text to fold and many to match."""
        if "tags" not in self.texts:
            return places
        return [place for place in places if place[0] != "tags" or "\n" not in self.original(*place)[2]]

    def original(self, name: FieldName, start: int, end: int) -> tuple[int, int, str]:
        first, last = self.folded[name].span(start, end)
        return first, last, self.texts[name][first:last]

    def told(self, leaf: int) -> list[tuple[FieldName, int, int, str, str]]:
        """The places of a leaf as the reader sees them: field, start, end, term, text."""
        if leaf not in self.hits:
            self.hits[leaf] = [
                (name, first, last, self.plan.leaves[leaf].term, text)
                for name, places in groupby(self[leaf], key=itemgetter(0))
                for _, start, end in islice(places, MAX_PLACES)
                for first, last, text in (self.original(name, start, end),)
            ]
        return self.hits[leaf]


def _starts(stem: str, text: str) -> Iterator[int]:
    at = text.find(stem)
    while at >= 0:
        yield at
        at = text.find(stem, at + 1)


def _forms(group: Group, text: str, at: int) -> Iterator[tuple[int, int]]:
    """The spellings that begin at a place of their stem, without the spaces round them."""
    pad = text[at] == " "
    for length in group.lengths:
        if text[at : at + length] in group.forms and at + length <= len(text):
            yield at + pad, at + length - pad


def _longest(places: list[Place]) -> list[Place]:
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


def _outside(places: list[Place], excepts: list[Place]) -> list[Place]:
    """The places that lie inside none of `excepts`; both as `_longest` gives them."""
    kept: list[Place] = []
    coming = deque(excepts)
    cover: Place | None = None  # the last except that starts at or before the place: it reaches furthest
    for place in places:
        while coming and coming[0][:2] <= place[:2]:
            cover = coming.popleft()
        if cover is None or cover[0] != place[0] or cover[2] < place[2]:
            kept.append(place)
    return kept


# ---------------------------------------------------------------- what makes a rule true


def _judge(node: Node, plan: Plan) -> Judge:
    """The function that says by which leaves `node` is true."""
    match node:
        case And(parts=parts):
            wanted = [part for part in parts if not isinstance(part, Not)]
            unwanted = [part.part for part in parts if isinstance(part, Not)]
            cheapest_first = sorted(wanted, key=lambda part: anchors(part, plan.numbers, plan.cost)[0])
            return _all_but([_judge(part, plan) for part in cheapest_first], [_judge(part, plan) for part in unwanted])
        case Or(parts=parts):
            return _any([_judge(part, plan) for part in parts])
        case Not():
            raise AssertionError(node)  # the parser lets no NOT stand alone
        case leaf:
            return _leaf(plan.numbers[leaf], plan.listed)


def _leaf(number: int, listed: Container[int]) -> Judge:
    by = [number]
    if number in listed:  # most are absent, and the presearch knows
        return lambda places: by if number in places.found and places[number] else None
    return lambda places: by if places[number] else None


def _all_but(wanted: Sequence[Judge], unwanted: Sequence[Judge]) -> Judge:
    def judge(places: _Places) -> list[int] | None:
        by: list[int] = []
        for part in wanted:
            leaves = part(places)
            if leaves is None:
                return None
            by += leaves
        return by if all(part(places) is None for part in unwanted) else None

    return judge


def _any(parts: Sequence[Judge]) -> Judge:
    def judge(places: _Places) -> list[int] | None:
        by: list[int] = []
        for part in parts:
            by += part(places) or ()
        return by or None

    return judge
