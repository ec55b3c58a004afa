"""Trees to one plan: which leaves there are, what they look for, and which of them wake which watchlist.

An item need not be judged by every watchlist: a rule can only be true when one of its *anchors* stands in the item. The
anchors of all watchlists go into one automaton, so the cost of an item hardly grows with the number of watchlists (the
idea is Luwak's; measured: 1,000 rules cost 1.3 times 10 rules, and asking each rule 600 times as much). An Arabic-script
keyword has some 90 spellings with 13 beginnings: the automaton holds the beginnings only, a quarter of the patterns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, takewhile
from typing import get_args

from aggregator.errors import RuleError
from aggregator.model import FieldName
from aggregator.settings import Concept, Watchlist
from aggregator.text.fold import folded, unspaced
from aggregator.text.variants import spellings
from aggregator.watch import language
from aggregator.watch.language import And, ConceptRef, Node, Not, Or, Words

FIELDS: tuple[FieldName, ...] = get_args(FieldName)
FEW = 8  # cores that are looked for one by one when a rule asks: 0.4 us each in 3 KB
SHORTEST_STEM = 5  # code points, with the space in front: shorter ones begin too many other words


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Spellings that begin alike: each place of one is a place of the stem.

    A spelling has a space at each end, unless its script has none.
    """

    stem: str
    forms: frozenset[str]
    lengths: tuple[int, ...]  # of the forms, each once


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A term with all its spellings, and the fields where it counts."""

    term: str
    groups: tuple[Group, ...]
    cores: tuple[str, ...]  # a text that holds none of these holds no spelling
    excepts: tuple[Group, ...] = ()  # a place inside one of these is none
    fields: frozenset[FieldName] = frozenset(FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All watchlists, ready to be judged. Leaves and watchlists go by their number."""

    trees: tuple[Node, ...]  # by watchlist
    leaves: tuple[Leaf, ...]
    numbers: Mapping[Words | ConceptRef, int]  # of each leaf of a tree
    cost: tuple[float, ...]  # by leaf: how often it may be expected, in no unit
    wakes: Mapping[int, tuple[int, ...]]  # anchor to the watchlists that it may make true
    listed: frozenset[int]  # leaves whose stems are in the automaton: the anchors, and those of many cores


def planned(watchlists: Iterable[Watchlist], concepts: Iterable[Concept]) -> Plan:
    """The plan of all `watchlists`.

    Raises:
        RuleError: of the first rule, keyword or concept that cannot be read.
    """
    known = {concept.name: concept for concept in concepts}
    trees = tuple(_tree(watchlist, known) for watchlist in watchlists)
    leaves: dict[Leaf, int] = {}
    numbers: dict[Words | ConceptRef, int] = {}
    uses: Counter[int] = Counter()
    for tree in trees:
        for node in _leaves(tree):
            if node not in numbers:
                numbers[node] = leaves.setdefault(_leaf(node, known), len(leaves))
            uses[numbers[node]] += 1
    cost = tuple(uses[number] * _frequency(leaf) for leaf, number in leaves.items())
    wakes: dict[int, list[int]] = {}
    for watchlist, tree in enumerate(trees):
        for anchor in set(anchors(tree, numbers, cost)[1]):
            wakes.setdefault(anchor, []).append(watchlist)
    return Plan(
        trees=trees,
        leaves=tuple(leaves),
        numbers=numbers,
        cost=cost,
        wakes={anchor: tuple(woken) for anchor, woken in wakes.items()},
        listed=frozenset(number for leaf, number in leaves.items() if number in wakes or len(leaf.cores) > FEW),
    )


def _tree(watchlist: Watchlist, concepts: Mapping[str, Concept]) -> Node:
    if watchlist.rule is not None:
        return language.parse(watchlist.rule, concepts)
    words = tuple(dict.fromkeys(language.literal(keyword) for keyword in watchlist.keywords))
    if not words:
        raise RuleError(f"watchlist {watchlist.name} has neither keywords nor a rule", 1)
    return words[0] if len(words) == 1 else Or(parts=words)


def _leaves(node: Node) -> Iterator[Words | ConceptRef]:
    match node:
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _leaves(part)
        case Not(part=part):
            yield from _leaves(part)
        case leaf:
            yield leaf


# ---------------------------------------------------------------- a leaf and what it looks for


def _leaf(node: Words | ConceptRef, concepts: Mapping[str, Concept]) -> Leaf:
    fields = language.SCOPES[node.scope] if node.scope else frozenset(FIELDS)
    if isinstance(node, Words):
        return _spelled(folded(node.text), [spellings(node.text, None)], (), fields)
    concept = concepts[node.name]
    given = [(code, language.literal(term).text) for code, terms in concept.terms for term in terms]
    if not given:
        raise RuleError(f"concept {concept.name} has no spellings", 1)
    excepts = _groups(folded(language.literal(phrase).text) for phrase in concept.excepts)
    return _spelled(concept.name, [spellings(term, code) for code, term in given], excepts, fields)


def _spelled(
    term: str, families: Sequence[Sequence[str]], excepts: tuple[Group, ...], fields: frozenset[FieldName]
) -> Leaf:
    return Leaf(
        term=term,
        groups=_groups(chain.from_iterable(families)),
        cores=tuple(dict.fromkeys(map(_core, families))),
        excepts=excepts,
        fields=fields,
    )


def _core(family: Sequence[str]) -> str:
    """The longest beginning of the bare spelling that stands in all spellings of its family."""
    bare = family[0]
    return next(bare[:end] for end in range(len(bare), -1, -1) if all(bare[:end] in form for form in family))


def _groups(spelled: Iterable[str]) -> tuple[Group, ...]:
    """The spellings in groups whose stem is at most one letter shorter than the shortest of them."""
    groups: list[list[str]] = []
    least = 0  # letters that the last group's stem must have
    for form in sorted({form if unspaced(form) else f" {form} " for form in spelled}):
        if groups and len(_beginning(groups[-1][0], form)) >= least:
            groups[-1].append(form)
        else:
            groups.append([form])
            least = max(SHORTEST_STEM, len(form.rstrip()) - 1)
    return tuple(
        Group(stem=_beginning(forms[0], forms[-1]), forms=frozenset(forms), lengths=tuple({*map(len, forms)}))
        for forms in groups
    )


def _beginning(one: str, other: str) -> str:
    """What two strings begin with alike."""
    return "".join(letter for letter, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


# ---------------------------------------------------------------- what must be there


def anchors(
    node: Node, numbers: Mapping[Words | ConceptRef, int], cost: tuple[float, ...]
) -> tuple[float, tuple[int, ...]]:
    """The cheapest leaves of which one must stand in an item for `node` to be true, and what they cost."""
    match node:
        case And(parts=parts):
            return min(anchors(part, numbers, cost) for part in parts if not isinstance(part, Not))
        case Or(parts=parts):
            each = [anchors(part, numbers, cost) for part in parts]
            return sum(price for price, _ in each), tuple(anchor for _, some in each for anchor in some)
        case Not():
            raise AssertionError(node)  # the parser lets no NOT stand alone
        case leaf:
            return cost[numbers[leaf]], (numbers[leaf],)


def _frequency(leaf: Leaf) -> float:
    """How often a leaf may be expected: short words are frequent. Only speed depends on it."""
    return sum(2.0 ** -min(len(group.stem), 16) for group in leaf.groups)
