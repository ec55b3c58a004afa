"""A watchlist tried on the whole archive, by the evaluator that judges live items.

An item is judged as it stands now, with its article. Nothing is estimated and nothing is looked up in the search index,
so a back-test finds what the same rule would alert on today. With `tell`, what it finds is told as if it had just come.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from aggregator import watch
from aggregator.model import Hit
from aggregator.settings import Concept, Watchlist
from aggregator.store import Archived, Store
from aggregator.text.variants import edition
from aggregator.watch import language
from aggregator.watch.evaluate import Verdict
from aggregator.watch.facts import Source

TESTED, AGAINST = "tested", "against"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An item of the archive that a rule found, or no longer finds."""

    item: Archived
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a rule finds in the archive. Samples are drawn at random, the same ones each time, and stand oldest first."""

    items: int  # that were judged
    hits: int  # items found
    days: Mapping[date, int]  # items found by day first seen, UTC
    sample: tuple[Match, ...]
    gained: int = 0  # found by the rule and not by the other one
    lost: int = 0  # found by the other rule only
    gained_sample: tuple[Match, ...] = ()
    lost_sample: tuple[Match, ...] = ()
    alerts: int = 0  # that were raised
    stopped: int = 0  # items for which the rule was too costly to be judged


def run(
    store: Store,
    concepts: Iterable[Concept],
    tested: Watchlist,
    *,
    against: Watchlist | None = None,
    since: datetime | None = None,
    languages: Mapping[str, str | None] | None = None,
    sample: int = 5,
    tell: Callable[[Sequence[int]], int] | None = None,
    watching: Callable[[int], None] = lambda _id: None,
) -> Report:
    """Judge every item first seen since `since` and say what came of it. `languages`: what each feed declares, by its name.

    `tell` is given the ids of the items found in each batch and says how many alerts that raised; `watching` the id of
    the last item that was judged.

    Raises:
        RuleError: one of the rules cannot be read.
    """
    rules = [replace(tested, name=TESTED)] + ([replace(against, name=AGAINST)] if against else [])
    matcher = watch.compile(rules, concepts)
    count = _Count(sample, compares=against is not None)
    for batch in store.archived(since):
        found = [
            archived.id
            for archived, verdict in judged(matcher, batch, languages or {})
            if count.take(archived, verdict)
        ]
        count.items += len(batch)
        if tell and found:
            count.alerts += tell(found)
        watching(batch[-1].id)
    return count.report()


def judged(
    matcher: watch.Matcher, batch: Sequence[Archived], languages: Mapping[str, str | None]
) -> Iterator[tuple[Archived, Verdict]]:
    """Each item of a batch with all that the watchlists say of it. `languages`: what each feed declares, by its name."""
    for archived in batch:
        source = Source(feed=archived.feed, site=archived.site, lang=languages.get(archived.feed))
        yield archived, matcher.verdict(archived.item, source=source)


class _Count:
    """What was found so far, by both rules."""

    def __init__(self, sample: int, *, compares: bool) -> None:
        self._compares = compares
        self.items = self.alerts = self.stopped = 0
        self.days: Counter[date] = Counter()
        self.all, self.gained, self.lost = (Drawn[Match](sample) for _ in range(3))

    def take(self, archived: Archived, verdict: Verdict) -> bool:
        """Count an item; whether the tested rule finds it."""
        self.stopped += any(stopped.watchlist == TESTED for stopped in verdict.stopped)
        if not verdict.hits:
            return False
        tested = tuple(hit for hit in verdict.hits if hit.watchlist == TESTED)
        if not tested:
            self.lost.offer(Match(item=archived, hits=verdict.hits))
            return False
        match = Match(item=archived, hits=tested)
        self.all.offer(match)
        self.days[day(archived)] += 1
        if self._compares and len(tested) == len(verdict.hits):
            self.gained.offer(match)
        return True

    def report(self) -> Report:
        return Report(
            items=self.items, hits=self.all.offered, days=self.days, sample=self.all.drawn(),
            gained=self.gained.offered, lost=self.lost.offered, gained_sample=self.gained.drawn(),
            lost_sample=self.lost.drawn(), alerts=self.alerts,
            stopped=self.stopped,
        )  # fmt: skip


@dataclass
class Drawn(Generic[T]):
    """At most `most` of all that was offered, each as likely as the others (Vitter's algorithm R)."""

    most: int
    offered: int = 0
    _kept: list[tuple[int, T]] = field(default_factory=list)
    _draw: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  # a sample, no secret

    def offer(self, one: T) -> None:
        """One more."""
        place = self.offered if self.offered < self.most else self._draw.randrange(self.offered + 1)
        self.offered += 1
        if place < len(self._kept):
            self._kept[place] = self.offered, one
        elif place < self.most:
            self._kept.append((self.offered, one))

    def drawn(self) -> tuple[T, ...]:
        """Those that were drawn, in the order of their coming."""
        return tuple(one for _, one in sorted(self._kept, key=lambda entry: entry[0]))


def day(archived: Archived) -> date:
    """The day on which an item was first seen, UTC."""
    return datetime.fromtimestamp(archived.first_seen / 1000, UTC).date()


# ---------------------------------------------------------------- which rule it was


def definition(watchlist: Watchlist, concepts: Iterable[Concept]) -> dict[str, Any]:
    """All that decides what a watchlist finds: its rule in canonical form or its keywords, its concepts, the lists of endings.

    Raises:
        RuleError: the rule cannot be read.
    """
    by_name = {concept.name: concept for concept in concepts}
    if watchlist.rule is None:
        return {"keywords": list(watchlist.keywords), "concepts": [], "words": edition()}
    rule = str(language.parse(watchlist.rule, by_name))
    named = sorted(name for name in by_name if f"@{name}" in rule)
    return {"rule": rule, "concepts": [asdict(by_name[name]) for name in named], "words": edition()}


def version(definition: Mapping[str, Any]) -> str:
    """A short name of a definition, the same wherever it is computed: 12 hexadecimal digits."""
    text = json.dumps(definition, ensure_ascii=False, sort_keys=True)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def definitions(watchlists: Iterable[Watchlist], concepts: Sequence[Concept]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Version and definition of each watchlist by its name, for `Store.note_rules`."""
    said = {watchlist.name: definition(watchlist, concepts) for watchlist in watchlists}
    return {name: (version(one), one) for name, one in said.items()}
