"""Why a watchlist matches an item, or which branch of its rule is the first that fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from aggregator.model import FieldName
from aggregator.settings import Concept
from aggregator.text.fold import folded
from aggregator.text.variants import related, spellings
from aggregator.watch import language, near
from aggregator.watch.facts import Source, spoken
from aggregator.watch.judge import spots, true_by
from aggregator.watch.near import Place, Spot
from aggregator.watch.places import OverBudgetError, Places, longest
from aggregator.watch.tokens import wild
from aggregator.watch.tree import (
    LEAD,
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
    Words,
    branches,
)

SHOWN: Final = 100  # places of one node


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A place in the original, and how the term came to find it."""

    field: FieldName
    start: int
    end: int
    text: str  # the original slice
    term: str  # the entry of the rule or concept that finds it
    how: str  # "as written", "in other letters", "with an ending", "related form", "wildcard", "expression"


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One node of a rule, judged. Under a NOT, `true` is still what the part itself is."""

    rule: str  # canonical
    true: bool
    why: str  # for people: what was found, or what is missing
    places: tuple[Stand, ...] = ()
    parts: tuple[Branch, ...] = field(default=())
    negated: bool = False  # a NOT: it fails when its part is true


def explained(node: Node, places: Places, concepts: Iterable[Concept]) -> Branch:
    """`node` and everything in it, judged for one item as the matcher judges it."""
    return _Explainer(places, {concept.name: concept for concept in concepts}).branch(node)


def decisive(branch: Branch) -> tuple[Branch, ...]:
    """The way from `branch` down to what decides it: of a miss the first part that fails, of a hit the first that is true.

    The last one of the way is a leaf, or a NEAR, EXCEPT or ATLEAST whose parts are there but not as they must be.
    """
    way = [branch]
    while way[-1].parts and (following := _deciding(way[-1])):
        way.append(following)
    return tuple(way)


def _deciding(branch: Branch) -> Branch | None:
    if branch.negated:
        return branch.parts[0]
    return next((part for part in branch.parts if part.true == branch.true), None)


class _Explainer:
    def __init__(self, places: Places, concepts: dict[str, Concept]) -> None:
        self.places = places
        self.concepts = concepts

    def branch(self, node: Node) -> Branch:
        parts = tuple(self.branch(part) for part in branches(node))
        try:
            self.places.spent = 0
            return self.judged(node, parts)
        except OverBudgetError as error:
            return Branch(rule=str(node), true=False, why=str(error), parts=parts)

    def judged(self, node: Node, parts: tuple[Branch, ...]) -> Branch:
        match node:
            case Not():
                held = parts[0].true
                why = "what must not stand there does" if held else "nothing of it stands there"
                return Branch(rule=str(node), true=not held, why=why, parts=parts, negated=True)
            case And() | Or():
                true = all(part.true for part in parts) if isinstance(node, And) else any(part.true for part in parts)
                count = sum(part.true for part in parts)
                return Branch(rule=str(node), true=true, why=f"{count} of {len(parts)} parts are true", parts=parts)
            case Fact():
                true = self.places.holds(node)
                return Branch(rule=str(node), true=true, why=self.known(node))
            case AtLeast(times=times, part=part):
                count = len(longest(list({spot[:3] for spot in spots(part, self.places)})))
                return Branch(
                    rule=str(node), true=count >= times, why=f"{_places(count)}, {times} are needed", parts=parts
                )
            case Near() | Except():
                standing = [place for spot in self.of_pair(node) for place in spot[3]]
                why = self.apart(node) if isinstance(node, Near) else self.shielded(node)
                return self.with_places(node, standing, why, parts)
            case leaf:
                number = self.places.plan.numbers[leaf]
                true_by(leaf, self.places)  # raises when it is too costly
                standing = [(number, place) for place in self.places[number]]
                return self.with_places(leaf, standing, self.missing(leaf), parts)

    def of_pair(self, node: Near | Except) -> list[Spot]:
        return [one for one in true_by(node, self.places) or () if not isinstance(one, int)]

    def with_places(
        self, node: Node, standing: Sequence[tuple[int, Place]], missing: str, parts: tuple[Branch, ...]
    ) -> Branch:
        unique = list(dict.fromkeys(standing))
        stands = tuple(self.stand(number, place, node) for number, place in unique[:SHOWN])
        why = _places(len(unique)) if unique else missing
        return Branch(rule=str(node), true=bool(unique), why=why, places=stands, parts=parts)

    # ------------------------------------------------------------ how a place was found

    def stand(self, number: int, place: Place, node: Node) -> Stand:
        name, start, end, _, text = self.places.shown(number, [place])[0]
        within = self.places.folded[name].text[place[1] : place[2]]
        term, how = next(
            (found for leaf in _terms(node) if self.places.plan.numbers[leaf] == number and (found := self.how(leaf, within, text))),
            (self.places.plan.leaves[number].term, "one of its spellings"),
        )  # fmt: skip
        return Stand(field=name, start=start, end=end, text=text, term=term, how=how)

    def how(self, leaf: Words | Pattern | ConceptRef, within: str, text: str) -> tuple[str, str] | None:
        if isinstance(leaf, Pattern):
            return str(leaf), "expression"
        if isinstance(leaf, Words):
            entries: list[tuple[Words, str | None]] = [(leaf, None)]
        else:
            concept = self.concepts[leaf.name]
            entries = [(language.entry(term), code) for code, terms in concept.terms for term in terms]
        ways = [(words.text, how) for words, code in entries if (how := _way(words, code, within, text))]
        return min(ways, key=lambda way: _WAYS.index(way[1])) if ways else None

    # ------------------------------------------------------------ what is missing

    def missing(self, leaf: Words | Pattern | ConceptRef) -> str:
        """Why `leaf` has no place."""
        number = self.places.plan.numbers[leaf]
        spec = self.places.plan.leaves[number]
        if spec.atoms:
            _, weight = self.places.weighed(spec)
            if 0 < weight < spec.least:
                return f"its spellings in this item weigh {weight}, {spec.least} are needed"
        raw = self.places.spelled(number)
        if spec.shield is not None and (raw or any(self.places[atom] for atom, _ in spec.atoms)):
            return "every place is inside an except"
        if raw:
            return f"not among the first {LEAD} words" if spec.lead else f"never written {spec.exact}"
        fields = ", ".join(name for name in self.places.folded if name in spec.fields)
        return f"stands nowhere in {fields}" if fields else "the item has no such part"

    def apart(self, node: Near) -> str:
        """How far the sides are from each other, at best."""
        left, right = spots(node.left, self.places), spots(node.right, self.places)
        if not left or not right:
            return f"{node.right if left else node.left} stands nowhere"
        if not isinstance(node.reach, int):
            return f"never in one {'sentence' if node.reach == 's' else 'paragraph'}"
        numbers = self.places.numbers(0)
        gaps = [
            gap
            for one in left[:SHOWN]
            for other in right[:SHOWN]
            for gap in _gaps(one, other, numbers, ordered=node.ordered)
        ]
        closest = [gap for gap in gaps if gap < near.APART]
        order = " in this order" if node.ordered else ""
        return (
            f"at best {min(closest)} words between, {node.reach} are allowed"
            if closest
            else f"never in one field{order}"
        )

    def shielded(self, node: Except) -> str:
        return f"every place is inside {node.right}" if spots(node.left, self.places) else f"{node.left} stands nowhere"

    def known(self, fact: Fact) -> str:
        """What the item says of what `fact` asks."""
        source = self.places.source or Source()
        said = {
            "feed": source.feed, "source": source.site, "author": self.places.item.author, "url": self.places.item.link,
            "lang": spoken(self.places.item, self.places.texts, source),
        }[fact.scope]  # fmt: skip
        return f"it is {said}" if said else "unknown"


def _places(count: int) -> str:
    return f"{count} place{'s' * (count != 1)}"


_WAYS: Final = ("as written", "in other letters", "with an ending", "related form", "wildcard")


def _way(words: Words, code: str | None, within: str, text: str) -> str | None:
    """How an entry finds a place whose folded text is `within`, if it does."""
    if wild(words.text):
        return "wildcard" if within.startswith(folded(words.text.partition("*")[0].partition("?")[0])) else None
    if within == folded(words.text):
        return "as written" if " ".join(text.split()) == words.text else "in other letters"
    if words.mark != "=" and within in spellings(words.text, code):
        return "with an ending"
    return "related form" if words.mark == "~" and within in related(words.text, code) else None


def _terms(node: Node) -> Iterator[Words | Pattern | ConceptRef]:
    if isinstance(node, Words | Pattern | ConceptRef):
        yield node
    for part in branches(node):
        yield from _terms(part)


def _gaps(one: Spot, other: Spot, numbers: near.ByField, *, ordered: bool) -> Iterator[int]:
    """The words between two places of one field that do not overlap."""
    if one[0] != other[0]:
        return
    if one[2] <= other[1]:
        yield int(numbers[one[0]][other[1]] - numbers[one[0]][one[2] - 1]) - 1
    elif other[2] <= one[1] and not ordered:
        yield int(numbers[one[0]][one[1]] - numbers[one[0]][other[2] - 1]) - 1
