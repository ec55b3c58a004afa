"""An item to its hits: one pass of the automaton, then only the watchlists that it wakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, Implementation

from aggregator.errors import UsageError
from aggregator.model import FieldName, Hit, Item
from aggregator.settings import Concept, Watchlist
from aggregator.text.fold import Folded, fold, fold_each
from aggregator.watch.explain import Branch, explained
from aggregator.watch.facts import Source
from aggregator.watch.judge import By, judge
from aggregator.watch.near import Place
from aggregator.watch.places import FIRST_OCTET, Found, OverBudgetError, Places, Told
from aggregator.watch.plan import Plan, planned
from aggregator.watch.spelling import Group, ends

MANY: Final = 5_000  # stems up to which the faster form of the automaton is used: 7 KB a stem, the other takes 0.7

Watched = tuple[int, Group, frozenset[FieldName]]  # a leaf, its group of a stem, and where it counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A watchlist that could not be judged for an item, and why. The others could."""

    watchlist: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All that the watchlists say of an item."""

    hits: tuple[Hit, ...] = ()
    stopped: tuple[Stopped, ...] = ()


class Matcher:
    """All watchlists at once. Never changes, so threads may share it; a pickle carries the watchlists and compiles anew."""

    def __init__(self, watchlists: Iterable[Watchlist], concepts: Iterable[Concept]) -> None:
        self.watchlists = tuple(watchlists)
        self.concepts = tuple(concepts)
        plan = planned(self.watchlists, self.concepts)
        stems = tuple(dict.fromkeys(group.stem for leaf in plan.listed for group in plan.leaves[leaf].groups))
        self._plan = plan
        self._automaton = _Automaton(stems)
        self._watched = _watched(stems, plan)
        self._judges = tuple(judge(tree, plan) for tree in plan.trees)

    def __reduce__(self) -> tuple[type[Matcher], tuple[tuple[Watchlist, ...], tuple[Concept, ...]]]:
        """Rebuild from the sources: an automaton has no bytes."""
        return type(self), (self.watchlists, self.concepts)

    def hits(
        self, item: Item, folds: Mapping[FieldName, Folded] | None = None, source: Source | None = None
    ) -> tuple[Hit, ...]:
        """Every place that makes a watchlist true, sorted: the hits of `verdict`."""
        return self.verdict(item, folds, source).hits

    def verdict(
        self, item: Item, folds: Mapping[FieldName, Folded] | None = None, source: Source | None = None
    ) -> Verdict:
        """Every place that makes a watchlist true, sorted, and the watchlists that took too long for this item.

        `folds`: folded fields of `item` that the caller has at hand. `source`: the feed that brought it; without, what
        a rule asks of the feed is false.

        A rule is judged over the whole item; a term stands inside one field (and one tag). A true rule's hits are all
        places of the terms it is true by: none under NOT, none of a branch that is false; of NEAR and EXCEPT, the
        places that made it true. Of places inside each other a term keeps the longest; of one term in one field the
        first MAX_PLACES are told. Never raises.
        """
        places = self.places(item, folds, source)
        woken = self._woken(places)
        if not woken:
            return Verdict()
        told: set[tuple[str, *Told]] = set()
        stopped: list[Stopped] = []
        for watchlist in woken:
            name = self.watchlists[watchlist].name
            places.spent = 0
            try:
                by = self._judges[watchlist](places)
            except OverBudgetError as error:
                stopped.append(Stopped(watchlist=name, why=str(error)))
                continue
            if by:
                told.update([(name, *place) for place in _told(by, places)])
        return Verdict(
            hits=tuple(
                Hit(watchlist=watchlist, field=name, start=start, end=end, term=term, text=text)
                for watchlist, name, start, end, term, text in sorted(told)
            ),
            stopped=tuple(sorted(stopped, key=lambda one: one.watchlist)),
        )

    def explain(
        self, item: Item, watchlist: str, folds: Mapping[FieldName, Folded] | None = None, source: Source | None = None
    ) -> Branch:
        """Every branch of a watchlist's rule as it is judged for `item`, with its places; `decisive` finds what counts.

        Raises:
            UsageError: there is no watchlist of that name.
        """
        numbers = {one.name: number for number, one in enumerate(self.watchlists)}
        if watchlist not in numbers:
            raise UsageError(f"there is no watchlist {watchlist}")
        places = self.places(item, folds, source)
        return explained(self._plan.trees[numbers[watchlist]], places, self.concepts)

    def places(self, item: Item, folds: Mapping[FieldName, Folded] | None, source: Source | None) -> Places:
        """Where the leaves of all watchlists stand in `item`."""
        texts = dict(item.texts())
        folded = (
            dict(zip(texts, fold_each(tuple(texts.values())), strict=True)) if not folds else _completed(texts, folds)
        )
        joined = "".join(field.text for field in folded.values())
        return Places(self._plan, item, texts, folded, joined, self._presearch(folded, joined), source)

    def _woken(self, places: Places) -> list[int]:
        wakes = self._plan.wakes
        woken = set(self._plan.always)
        for leaf in places.found:
            if leaf in wakes and places[leaf]:
                woken.update(wakes[leaf])
        return list(woken)

    def _presearch(self, folded: Mapping[FieldName, Folded], text: str) -> Found:
        """All fields in one pass: two spaces part them, and no spelling holds two."""
        found: dict[int, list[Place]] = {}
        watched = self._watched
        for stem, at in self._automaton.places(text):
            for leaf, group, fields in watched[stem]:
                for length in group.lengths:  # as `ends` does, for each place of each stem: the hottest lines of all
                    end = at + length
                    if text[at:end] in group.forms and end <= len(text):
                        _note(found, leaf, (at, end), fields, folded, text)
                if group.pattern:
                    for start, end in ends(group, text, at):
                        _note(found, leaf, (start - 1, end + 1), fields, folded, text)
        return found


def _note(
    found: dict[int, list[Place]], leaf: int, place: tuple[int, int], fields: frozenset[FieldName],
    folded: Mapping[FieldName, Folded], text: str,
) -> None:  # fmt: skip
    """Add a place of the joined text, without the spaces round it, in its field."""
    start, end = place
    offset = 0
    for name, field in folded.items():
        if start < offset + len(field.text):
            if name in fields:
                pad = text[start] == " "
                found.setdefault(leaf, []).append((name, start + pad - offset, end - pad - offset))
            return
        offset += len(field.text)


def _completed(texts: Mapping[FieldName, str], folds: Mapping[FieldName, Folded]) -> dict[FieldName, Folded]:
    return {name: folds.get(name) or fold(text) for name, text in texts.items()}


def _told(by: By, places: Places) -> list[Told]:
    """All that a rule is true by, as the reader sees it."""
    told: list[Told] = []
    single: dict[int, set[Place]] = {}
    for one in by:
        if isinstance(one, int):
            told += places.told(one)
        else:
            for leaf, place in one[3]:
                single.setdefault(leaf, set()).add(place)
    for leaf, some in single.items():
        told += places.shown(leaf, sorted(some))
    return told


def _watched(stems: Sequence[str], plan: Plan) -> tuple[tuple[Watched, ...], ...]:
    """By stem: the leaves that it may begin."""
    watched: dict[str, list[Watched]] = {stem: [] for stem in stems}
    for number in plan.listed:
        leaf = plan.leaves[number]
        for group in leaf.groups:
            watched[group.stem].append((number, group, leaf.fields))
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
        letters = np.cumsum(np.frombuffer(octets, np.int8) >= FIRST_OCTET)  # up to and with each octet
        return ((stem, int(letters[start]) - 1) for stem, start, _ in found)
