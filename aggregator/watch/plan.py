"""Trees to one plan: which leaves there are, what they look for, and which of them wake which watchlist.

An item need not be judged by every watchlist: a rule can only be true when one of its *anchors* stands in the item (the
idea is Luwak's; asking each rule costs 600 times as much). All that is done for each rule when it is compiled is to read it
and to choose its anchors; the spellings of a term, some 200 in Arabic script, are spread out again when its first letters
stand somewhere.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aggregator.errors import RuleError
from aggregator.model import FieldName
from aggregator.settings import Concept, Watchlist
from aggregator.text.fold import fold, folded
from aggregator.watch import language
from aggregator.watch.lexicon import Leaf, Lexicon, Written, bare
from aggregator.watch.tokens import UNSEEN, wild
from aggregator.watch.tree import (
    And,
    AtLeast,
    ConceptRef,
    Except,
    Fact,
    Near,
    Node,
    Not,
    Or,
    Pattern,
    Term,
    Words,
    branches,
    fields,
    leaves,
)

FEW: Final = 8  # spellings as written that are looked for one by one when a rule asks


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All watchlists, ready to be judged. Leaves and watchlists go by their number."""

    trees: tuple[Node, ...]  # by watchlist
    leaves: tuple[Leaf, ...]
    numbers: Mapping[Term, int]  # of each term of a tree
    rarity: tuple[float, ...]  # by leaf: how often it may be expected, in no unit; infinite when nothing can tell
    wakes: Mapping[int, tuple[int, ...]]  # anchor to the watchlists that it may make true
    always: tuple[int, ...]  # watchlists without an anchor
    listed: frozenset[int]  # leaves that are looked for in every item: the anchors, and those of many spellings
    lexicon: Lexicon


def planned(watchlists: Iterable[Watchlist], concepts: Iterable[Concept]) -> Plan:
    """The plan of all `watchlists`.

    Raises:
        RuleError: of the first rule, keyword or concept that cannot be read.
    """
    known = {concept.name: concept for concept in concepts}
    trees = tuple(tree(watchlist, known) for watchlist in watchlists)
    registry = _Registry(known)
    uses: Counter[int] = Counter()
    for root in trees:
        for node in leaves(root):
            if not isinstance(node, Fact):
                uses[registry.number(node)] += 1
    every = tuple(registry.leaves)
    texts = [[bare(words.text) for words, _ in leaf.written] for leaf in every]
    rarity = registry.rarity(texts)
    cost = tuple(uses[number] * rare if uses[number] else rare for number, rare in enumerate(rarity))
    wakes: dict[int, list[int]] = {}
    always: list[int] = []
    for watchlist, root in enumerate(trees):
        price, found = anchors(root, registry.numbers, cost)
        if math.isinf(price):
            always.append(watchlist)
            continue
        for anchor in {atom for number in found for atom in every[number].stemmed or (number,)}:
            wakes.setdefault(anchor, []).append(watchlist)
    return Plan(
        trees=trees,
        leaves=every,
        numbers=registry.numbers,
        rarity=rarity,
        wakes={anchor: tuple(woken) for anchor, woken in wakes.items()},
        always=tuple(always),
        listed=frozenset(n for n, leaf in enumerate(every) if n in wakes or len(leaf.written) > FEW),
        lexicon=Lexicon(every, texts),
    )


def tree(watchlist: Watchlist, concepts: Mapping[str, Concept]) -> Node:
    """What `watchlist` looks for, as a tree.

    Raises:
        RuleError: its rule or a keyword cannot be read, or it has neither.
    """
    if watchlist.rule is not None:
        return language.parse(watchlist.rule, concepts)
    words = tuple(dict.fromkeys(language.literal(keyword) for keyword in watchlist.keywords))
    if not words:
        raise RuleError(f"watchlist {watchlist.name} has neither keywords nor a rule", 1)
    return words[0] if len(words) == 1 else Or(parts=words)


def check(concept: Concept) -> None:
    """Read a concept as a rule would that names it.

    Raises:
        RuleError: one of its phrases cannot be looked for, or its settings do not go together.
    """
    _Registry({concept.name: concept}).number(ConceptRef(name=concept.name))
    total = sum(dict(concept.weights).get(term, 1) for term in {term for _, terms in concept.terms for term in terms})
    if total < concept.least:
        raise RuleError(f"min is {concept.least}, but all spellings together weigh {total}: it would never be found", 1)


# ---------------------------------------------------------------- a leaf and what it looks for


def term_of(node: Term) -> str:
    """The name under which a place of `node` is told: of a concept its own, of words their folded form."""
    match node:
        case ConceptRef(name=name):
            return name
        case Pattern():
            return str(Pattern(text=node.text, any_case=node.any_case))
        case Words(text=text) if wild(text):
            return " ".join(text.lower().split())
        case Words(text=text, mark=mark):
            return f"={exactly(text)}" if mark == "=" else f"{mark}{folded(text)}"


def exactly(text: str) -> str:
    """What `=` compares: `text` from its first letter to its last, without what no reader sees."""
    seen = "".join(letter for letter in text if letter == "\u200c" or unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFC", " ".join(seen.translate(UNSEEN).split()))


class _Registry:
    """Every leaf once, by number."""

    def __init__(self, concepts: Mapping[str, Concept]) -> None:
        self.concepts = concepts
        self.leaves: dict[Leaf, int] = {}
        self.numbers: dict[Term, int] = {}

    def number(self, node: Term) -> int:
        number = self.numbers.get(node)
        if number is None:
            number = self.numbers[node] = self.add(self.leaf(node))
        return number

    def add(self, leaf: Leaf) -> int:
        return self.leaves.setdefault(leaf, len(self.leaves))

    def rarity(self, written: Sequence[Sequence[str]]) -> tuple[float, ...]:
        """How often each leaf may be expected: short words are frequent. Only speed depends on it."""
        own = [
            math.inf if leaf.pattern else sum(2.0 ** -min(len(text), 15) for text in texts)
            for leaf, texts in zip(self.leaves, written, strict=True)
        ]
        return tuple(
            rare + sum(own[atom] for atom, _ in leaf.atoms) for rare, leaf in zip(own, self.leaves, strict=True)
        )

    def leaf(self, node: Term) -> Leaf:
        where, lead = fields(node), node.scope == "lead"
        match node:
            case Pattern():
                return Leaf(term=term_of(node), pattern=node, fields=where, lead=lead)
            case Words():
                return _leaf(term_of(node), ((_plain(node), None),), None, where, lead=lead)
        concept = self.concepts[node.name]
        written = tuple((_entry(concept, term), code) for code, terms in concept.terms for term in terms)
        if not written:
            raise RuleError(f"concept {concept.name} has no spellings", 1)
        shield = self.shield(concept, where)
        if concept.least == 1 and all(words.mark != "=" for words, _ in written):
            return _leaf(concept.name, written, shield, where, lead=lead)
        return self.composed(concept, written, shield, node)

    def shield(self, concept: Concept, where: frozenset[FieldName]) -> int | None:
        """The leaf of the phrases in which `concept` does not stand: they take no endings."""
        phrases = [Words(text=folded(language.literal(phrase).text), mark="=") for phrase in concept.excepts]
        written = tuple((words, None) for words in dict.fromkeys(phrases))
        return self.add(Leaf(term=concept.name, written=written, fields=where)) if written else None

    def composed(
        self, concept: Concept, written: Sequence[tuple[Words, str]], shield: int | None, node: ConceptRef
    ) -> Leaf:
        """A concept that must know which of its spellings stand where; one spelling in two languages is one."""
        alike: dict[str, list[tuple[Words, str | None]]] = {}
        for words, code in written:
            alike.setdefault(term_of(words), []).append((words, code))
        weights = {term_of(_entry(concept, term)): weight for term, weight in concept.weights}
        where, lead = fields(node), node.scope == "lead"
        atoms = tuple(
            (self.add(_leaf(concept.name, tuple(same), None, where, lead=lead)), weights.get(term, 1))
            for term, same in alike.items()
        )
        return Leaf(term=concept.name, fields=where, shield=shield, atoms=atoms, least=concept.least)


def _entry(concept: Concept, term: str) -> Words:
    words = language.entry(term)
    if not concept.case or words.mark == "=":
        return words
    if words.mark or wild(words.text):
        raise RuleError(f"{term}: the concept asks for exact spellings (case: true); write it without ~, * and ?", 1)
    return Words(text=words.text, mark="=")


def _plain(node: Words) -> Words:
    """`node` without its scope: what it looks for."""
    return Words(text=node.text, mark=node.mark)


def _leaf(term: str, written: Written, shield: int | None, where: frozenset[FieldName], *, lead: bool) -> Leaf:
    """A leaf of words that are all exact and alike, or none exact."""
    first = written[0][0]
    exact = _slice(first.text) if first.mark == "=" else ""
    return Leaf(term=term, written=written, fields=where, lead=lead, exact=exact, shield=shield)


def _slice(text: str) -> str:
    """What stands in an original where `text` does: dots and brackets at its ends are no part of a place."""
    whole = fold(text)
    start, end = whole.span(1, len(whole.text) - 1)
    return exactly(text[start:end])


# ---------------------------------------------------------------- what must be there


def anchors(node: Node, numbers: Mapping[Term, int], cost: Sequence[float]) -> tuple[float, tuple[int, ...]]:
    """The cheapest leaves of which one must stand in an item for `node` to be true, and what they cost.

    The cost is infinite when nothing must: then the node must be judged for every item.
    """
    match node:
        case And(parts=parts):
            return min(anchors(part, numbers, cost) for part in parts if not isinstance(part, Not))
        case Or(parts=parts):
            each = [anchors(part, numbers, cost) for part in parts]
            return sum(price for price, _ in each), tuple(anchor for _, some in each for anchor in some)
        case Near(left=left, right=right):
            return min(anchors(left, numbers, cost), anchors(right, numbers, cost))
        case Except(left=part) | AtLeast(part=part):
            return anchors(part, numbers, cost)
        case Fact():
            return math.inf, ()
        case Not():
            raise AssertionError(node)  # the parser lets no NOT stand alone
        case leaf:
            return cost[numbers[leaf]], (numbers[leaf],)


def costly(node: Node) -> bool:
    """Whether judging `node` may be more than looking for words: such parts are judged last."""
    return isinstance(node, Pattern | Near) or any(map(costly, branches(node)))
