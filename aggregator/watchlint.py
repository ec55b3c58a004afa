"""What is worth a look in watchlists: by themselves, and against the archive.

The archive is judged by the evaluator of live items: each term is a watchlist of its own for that pass, so the counts are
what the term finds, in the spellings that stood in the texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from aggregator import watch
from aggregator.backtest import judged
from aggregator.model import Hit
from aggregator.settings import Concept, Watchlist
from aggregator.store import Archived, Store
from aggregator.text.fold import folded
from aggregator.watch import Warned, plan
from aggregator.watch.tree import And, Fact, Node, Not, Or, branches, leaves

ENOUGH: Final = 100  # items; a smaller archive proves nothing about a term
TOO_OFTEN: Final = 0.05  # of all items


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A leaf of a rule, and what it finds."""

    text: str  # as it stands in a rule
    watchlists: tuple[str, ...]  # that look for it
    items: int  # of the archive that hold it
    seen: tuple[tuple[str, int], ...]  # folded spellings with the items that hold them, the most frequent first
    unseen: tuple[str, ...]  # spellings that are looked for and stand nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that was seen."""

    items: int
    terms: tuple[Seen, ...]
    remarks: tuple[Warned, ...]


def lint(
    watchlists: Sequence[Watchlist],
    concepts: Sequence[Concept],
    store: Store | None = None,
    since: datetime | None = None,
    languages: Mapping[str, str | None] | None = None,
    watching: Callable[[int], None] = lambda _id: None,
) -> Report:
    """What is worth a look; without a store, only what the words themselves show.

    Raises:
        RuleError: a rule cannot be read.
    """
    known = {concept.name: concept for concept in concepts}
    trees = {one.name: plan.tree(one, known) for one in watchlists}
    spelled = {each.written: each.forms for one in watchlists for each in watch.spread(one, concepts)}
    probes = _Probes(trees)
    if store is not None:
        _judge(probes, concepts, store, since, languages or {}, watching)
    terms = tuple(probes.terms(spelled))
    remarks = list(watch.warnings(watchlists, concepts))
    if store is not None and probes.items >= ENOUGH:
        remarks += [*_frequencies(terms, probes.items), *_removing(probes, store)]
    return Report(items=probes.items, terms=terms, remarks=tuple(remarks))


# ---------------------------------------------------------------- the pass over the archive


@dataclass
class _Exclusion:
    """A NOT of a rule: the rule without it, and the items that it takes away."""

    watchlist: str
    text: str
    whole: str
    rest: str
    removed: list[int] = field(default_factory=list)


class _Probes:
    """Every leaf, and every rule without one of its NOTs, as a watchlist of its own."""

    def __init__(self, trees: Mapping[str, Node]) -> None:
        self.items = 0
        self.users: dict[str, list[str]] = {}  # of a leaf, as it is written
        self.leaves: dict[str, None] = {}
        for name, node in trees.items():
            for leaf in dict.fromkeys(one for one in leaves(node) if not isinstance(one, Fact)):
                self.users.setdefault(str(leaf), []).append(name)
                self.leaves[str(leaf)] = None
        self.exclusions = [
            _Exclusion(watchlist=name, text=str(lost), whole=str(node), rest=str(_without(node, lost)))
            for name, node in trees.items()
            for lost in _exclusions(node)
        ]
        self.counts: dict[str, Counter[str]] = {text: Counter() for text in self.leaves}
        self.holding: Counter[str] = Counter()

    def watchlists(self) -> list[Watchlist]:
        """What the pass is made with."""
        rules = {
            **{f"leaf {text}": text for text in self.leaves},
            **{f"rest {n}": exclusion.rest for n, exclusion in enumerate(self.exclusions)},
            **{f"rule {exclusion.watchlist}": exclusion.whole for exclusion in self.exclusions},
        }
        return [Watchlist(name=name, label="", rule=rule) for name, rule in rules.items()]

    def take(self, archived: Archived, hits: Iterable[Hit]) -> None:
        """Count what stands in an item."""
        forms: dict[str, set[str]] = {}
        for hit in hits:
            forms.setdefault(hit.watchlist, set()).add(hit.text)
        for name, texts in forms.items():
            if name.startswith("leaf "):
                leaf = name.removeprefix("leaf ")
                self.holding[leaf] += 1
                self.counts[leaf].update({folded(text) for text in texts})
        for n, exclusion in enumerate(self.exclusions):
            if f"rest {n}" in forms and f"rule {exclusion.watchlist}" not in forms:
                exclusion.removed.append(archived.id)

    def terms(self, spelled: Mapping[str, Sequence[str]]) -> Iterator[Seen]:
        """What was found of each leaf, in the order of the watchlists. `spelled`: the forms that each looks for."""
        for text in self.leaves:
            seen = self.counts[text]
            yield Seen(
                text=text, watchlists=tuple(self.users[text]), items=self.holding[text], seen=tuple(seen.most_common()),
                unseen=tuple(form for form in spelled.get(text, ()) if form not in seen),
            )  # fmt: skip


def _judge(
    probes: _Probes, concepts: Sequence[Concept], store: Store, since: datetime | None,
    languages: Mapping[str, str | None], watching: Callable[[int], None],
) -> None:  # fmt: skip
    matcher = watch.compile(probes.watchlists(), concepts)
    for batch in store.archived(since):
        for archived, verdict in judged(matcher, batch, languages):
            if verdict.hits:
                probes.take(archived, verdict.hits)
        probes.items += len(batch)
        watching(batch[-1].id)


def _exclusions(node: Node) -> Iterator[Not]:
    if isinstance(node, Not):
        yield node
        return
    for part in branches(node):
        yield from _exclusions(part)


def _without(node: Node, lost: Not) -> Node:
    """`node` without one of its NOTs."""
    match node:
        case And(parts=parts) | Or(parts=parts):
            left = tuple(_without(part, lost) for part in parts if part is not lost)
            return left[0] if len(left) == 1 else type(node)(parts=left)
        case _:
            return node


# ---------------------------------------------------------------- what the archive shows


def _frequencies(terms: Iterable[Seen], items: int) -> Iterator[Warned]:
    for term in terms:
        about = f"watchlist {', '.join(term.watchlists)}"
        if not term.items:
            yield Warned(kind="unseen", where=about, text=f"{term.text} stands in none of {items:,} items")
        elif term.items > items * TOO_OFTEN:
            share = f"{term.items / items:.0%} of {items:,} items"
            yield Warned(kind="often", where=about, text=f"{term.text} stands in {share}: by itself it says little")


def _removing(probes: _Probes, store: Store) -> Iterator[Warned]:
    """A NOT that takes away items of stories which the watchlist alerted on."""
    for exclusion in probes.exclusions:
        told = store.stories_told(exclusion.watchlist) if exclusion.removed else {}
        stories = set(store.stories_of(exclusion.removed).values()) & told.keys() if told else set()
        if stories:
            seen = sum(told[story] for story in stories)
            confirmed = f", {seen:,} of them marked as seen by a person" if seen else ""
            why = (
                f"{exclusion.text} removes {len(exclusion.removed):,} items; {len(stories):,} of their stories were"
                f" alerted on{confirmed}"
            )
            yield Warned(kind="not-removes", where=f"watchlist {exclusion.watchlist}", text=why)
