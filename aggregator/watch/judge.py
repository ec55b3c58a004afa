"""A tree to the function that says whether it is true of an item, and by which places."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence

from aggregator.watch import near
from aggregator.watch.near import Place, Spot
from aggregator.watch.places import PAIR, Places, longest, outside
from aggregator.watch.plan import Plan, anchors, costly
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
    Words,
)

By = list[int | Spot]  # what a tree is true by: leaves with all their places, or single places
Judge = Callable[[Places], By | None]  # None: it is false


def judge(node: Node, plan: Plan) -> Judge:  # noqa: PLR0911  # one for each kind of node
    """The function that says by what `node` is true."""
    match node:
        case And(parts=parts):
            wanted = [part for part in parts if not isinstance(part, Not)]
            unwanted = [part.part for part in parts if isinstance(part, Not)]
            cheapest_first = sorted(
                wanted, key=lambda part: (costly(part), anchors(part, plan.numbers, plan.rarity)[0])
            )
            return _all_but([judge(part, plan) for part in cheapest_first], [judge(part, plan) for part in unwanted])
        case Or(parts=parts):
            numbers = [plan.numbers[part] for part in parts if isinstance(part, Words | ConceptRef)]
            if len(numbers) == len(parts) and plan.listed.issuperset(
                numbers
            ):  # most often: the alternatives are anchors
                return lambda places: (
                    [number for number in numbers if number in places.found and places[number]] or None
                )
            return _any([judge(part, plan) for part in parts])
        case Near():
            return lambda places: _close(node, *_sides(node, places), places) or None
        case Except():
            return lambda places: list(spots(node, places)) or None
        case AtLeast(times=times, part=part):
            return lambda places: _often(times, spots(part, places))
        case Fact():
            return lambda places: [] if places.holds(node) else None
        case Not():
            raise AssertionError(node)  # the parser lets no NOT stand alone
        case Pattern():
            number = plan.numbers[node]
            return lambda places: [number] if _looked_for(number, node, places) else None
        case leaf:
            return _leaf(plan.numbers[leaf], plan.listed)


def true_by(node: Node, places: Places) -> By | None:
    """By what `node` is true of an item, now and for one item: `judge` without its preparation."""
    return judge(node, places.plan)(places)


def _leaf(number: int, listed: Container[int]) -> Judge:
    by: By = [number]
    if number in listed:  # most are absent, and the presearch knows
        return lambda places: by if number in places.found and places[number] else None
    return lambda places: by if places[number] else None


def _looked_for(number: int, node: Pattern, places: Places) -> list[Place]:
    places.spend(places.price(number), str(node))
    return places[number]


def _all_but(wanted: Sequence[Judge], unwanted: Sequence[Judge]) -> Judge:
    def judged(places: Places) -> By | None:
        by: By = []
        for part in wanted:
            leaves = part(places)
            if leaves is None:
                return None
            by += leaves
        return by if all(part(places) is None for part in unwanted) else None

    return judged


def _any(parts: Sequence[Judge]) -> Judge:
    def judged(places: Places) -> By | None:
        by: By = []
        true = False
        for part in parts:
            leaves = part(places)
            if leaves is not None:
                true = True
                by += leaves
        return by if true else None

    return judged


def _often(times: int, found: Iterable[Spot]) -> By | None:
    every = list(found)
    return list(every) if len(longest(list({spot[:3] for spot in every}))) >= times else None


# ---------------------------------------------------------------- places of more than a leaf


def spots(node: Node, places: Places) -> list[Spot]:
    """The places of a node that has places, each with the leaves that stand in it; sorted, none twice.

    Raises:
        OverBudgetError: there are too many.
    """
    match node:
        case Pattern():
            number = places.plan.numbers[node]
            return [(*place, ((number, place),)) for place in _looked_for(number, node, places)]
        case Words() | ConceptRef():
            number = places.plan.numbers[node]
            return [(*place, ((number, place),)) for place in places[number]]
        case Or(parts=parts):
            return sorted({spot for part in parts for spot in spots(part, places)})
        case Except(left=left, right=right):
            kept = spots(left, places)
            shields = longest(list({spot[:3] for spot in spots(right, places)})) if kept else []
            standing = frozenset(outside([spot[:3] for spot in kept], shields))
            return [spot for spot in kept if spot[:3] in standing]
        case Near():
            return _pairs(node, *_sides(node, places), places)
        case other:
            raise AssertionError(other)  # the parser lets nothing else stand beside NEAR and EXCEPT


def _sides(node: Near, places: Places) -> tuple[list[Spot], list[Spot]]:
    """The places of both sides; none, when the side that costs less has none."""
    if costly(node.left) and not costly(node.right):
        right = spots(node.right, places)
        return (spots(node.left, places), right) if right else ([], [])
    left = spots(node.left, places)
    return (left, spots(node.right, places)) if left else ([], [])


def _close(node: Near, left: Sequence[Spot], right: Sequence[Spot], places: Places) -> By:
    """The spots of either side that are near one of the other."""
    if not left or not right:
        return []
    numbers, reach = places.numbers(node.reach), near.distance(node.reach)
    found = near.close(left, right, numbers, reach)
    if not node.ordered:
        found |= near.close(right, left, numbers, reach)
    return sorted(found)


def _pairs(node: Near, left: Sequence[Spot], right: Sequence[Spot], places: Places) -> list[Spot]:
    """A spot for each pair that is near."""
    if not left or not right:
        return []
    numbers, reach = places.numbers(node.reach), near.distance(node.reach)
    found: set[Spot] = set()
    for one, other in ((left, right),) if node.ordered else ((left, right), (right, left)):
        for spot in near.joined(one, other, numbers, reach):
            places.spend(PAIR, str(node))
            found.add(spot)
    return sorted(found)
