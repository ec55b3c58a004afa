"""An item to its hits: one look at the sieve, then only the watchlists that it wakes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from aggregator.errors import UsageError
from aggregator.model import Hit, Item
from aggregator.settings import Concept, Watchlist
from aggregator.text.fold import Folds
from aggregator.watch.explain import Branch, explained
from aggregator.watch.facts import Source
from aggregator.watch.judge import By, Judge, judge
from aggregator.watch.lexicon import SPREAD
from aggregator.watch.near import Place
from aggregator.watch.places import OverBudgetError, Places, Told
from aggregator.watch.plan import Plan, planned
from aggregator.watch.sieve import Sieve, Tier
from aggregator.watch.spelling import Group, ends


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
        self._plan = planned(self.watchlists, self.concepts)
        self._sieve = _sieve(self._plan)
        self._watched = {tier: _Watched(self._plan, self._sieve, tier) for tier in self._sieve.tables}
        self._judges = _Judges(self._plan)

    def __reduce__(self) -> tuple[type[Matcher], tuple[tuple[Watchlist, ...], tuple[Concept, ...]]]:
        """Rebuild from the sources, which are far smaller."""
        return type(self), (self.watchlists, self.concepts)

    def hits(self, item: Item, folds: Folds | None = None, source: Source | None = None) -> tuple[Hit, ...]:
        """Every place that makes a watchlist true, sorted: the hits of `verdict`."""
        return self.verdict(item, folds, source).hits

    def verdict(self, item: Item, folds: Folds | None = None, source: Source | None = None) -> Verdict:
        """Every place that makes a watchlist true, sorted, and the watchlists that took too long for this item.

        `folds`: the folded texts of `item`, if the caller has them at hand. `source`: the feed that brought it; without, what
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
                [
                    Hit(watchlist=watchlist, field=name, start=start, end=end, term=term, text=text)
                    for watchlist, name, start, end, term, text in sorted(told)
                ]
            ),
            stopped=tuple(sorted(stopped, key=lambda one: one.watchlist)),
        )

    def explain(self, item: Item, watchlist: str, folds: Folds | None = None, source: Source | None = None) -> Branch:
        """Every branch of a watchlist's rule as it is judged for `item`, with its places; `decisive` finds what counts.

        Raises:
            UsageError: there is no watchlist of that name.
        """
        numbers = {one.name: number for number, one in enumerate(self.watchlists)}
        if watchlist not in numbers:
            raise UsageError(f"there is no watchlist {watchlist}")
        places = self.places(item, folds, source)
        return explained(self._plan.trees[numbers[watchlist]], places, self.concepts)

    def places(self, item: Item, folds: Folds | None, source: Source | None) -> Places:
        """Where the leaves of all watchlists stand in `item`."""
        texts = dict(item.texts())
        folds = folds or Folds(texts)
        places = Places(self._plan, item, texts, folds, source)
        for tier, windows in self._sieve.sift(places.windows):
            watched = self._watched[tier]
            for number, at in windows:
                words, groups = watched[number]
                if words:
                    text = folds.text
                    word = text[at + 1 : text.index(" ", at + 1)]
                    if word in words:
                        places.note(words[word], at + 1, at + 1 + len(word))
                for leaf, group in groups:
                    for start, end in ends(group, folds.text, at):
                        places.note((leaf,), start, end)
        return places

    def _woken(self, places: Places) -> Iterable[int]:
        wakes = self._plan.wakes
        woken = [wakes[leaf] for leaf in tuple(places.found) if leaf in wakes and places[leaf]]
        return {*self._plan.always, *chain.from_iterable(woken)}


class _Watched(dict[int, tuple[Mapping[str, tuple[int, ...]], tuple[tuple[int, Group], ...]]]):
    """By number of a window of one tier: the leaves that a word tells, and those that take a second look."""

    def __init__(self, plan: Plan, sieve: Sieve, tier: Tier) -> None:
        self.plan = plan
        self.sieve = sieve
        self.tier = tier

    def __missing__(self, number: int) -> tuple[Mapping[str, tuple[int, ...]], tuple[tuple[int, Group], ...]]:
        if len(self) > SPREAD:
            self.clear()
        words: dict[str, tuple[int, ...]] = {}
        others = []
        for leaf in dict.fromkeys(self.sieve.owners(self.tier, number)):
            numbers, groups = self.plan.lexicon.made(leaf)[self.tier]
            for group in groups[int(numbers.searchsorted(np.uint64(number)))]:
                if group.single:
                    words.update({form[1:-1]: (*words.get(form[1:-1], ()), leaf) for form in group.forms})
                else:
                    others.append((leaf, group))
        self[number] = words, tuple(others)
        return self[number]


class _Judges(dict[int, Judge]):
    """The judge of each watchlist, made when first woken."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __missing__(self, watchlist: int) -> Judge:
        self[watchlist] = judge(self.plan.trees[watchlist], self.plan)
        return self[watchlist]


def _sieve(plan: Plan) -> Sieve:
    """The windows of all leaves that are looked for in every item."""
    keys: dict[Tier, tuple[list[str], list[int]]] = {}
    for leaf in plan.listed:
        for tier, key in plan.lexicon.watched(leaf):
            texts, owners = keys.setdefault(tier, ([], []))
            texts.append(key)
            owners.append(leaf)
    return Sieve(keys)


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
