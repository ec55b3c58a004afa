"""What the readers of all forms make: drafts of watchlists, and what could not become one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Final

from aggregator.errors import RuleError
from aggregator.watch import language

LONGEST: Final = 18_000  # characters of a rule; feeds.yaml takes 20,000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A watchlist on its way into feeds.yaml: keywords or a rule."""

    name: str
    place: str  # where it stood: "line 3"
    keywords: tuple[str, ...] = ()
    rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What could not be converted."""

    place: str  # "line 3"
    text: str
    why: str


@dataclass(slots=True, kw_only=True)
class Reading:
    """What a file came to, while and after it is read."""

    drafts: list[Draft] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def refuse(self, place: str, text: str, why: str) -> None:
        """One piece that stays out."""
        self.refused.append(Refusal(place=place, text=text, why=why))


class Unconvertible(Exception):  # never leaves this room: a reader turns it into a Refusal
    """Why a piece has no meaning here."""


def term(text: str) -> str:
    """A word or phrase as it stands in a rule.

    Raises:
        Unconvertible: nothing of it can stand in a text.
    """
    try:
        return str(language.literal(text))
    except RuleError as error:
        raise Unconvertible(str(error)) from error


def canonical(rule: str) -> str:
    """The rule as our language says it.

    Raises:
        Unconvertible: it has no meaning there.
    """
    try:
        return str(language.parse(rule, ()))
    except RuleError as error:
        raise Unconvertible(str(error)) from error


def either(parts: Iterable[str]) -> str:
    """The parts joined by OR, each bracketed where it must be."""
    return _joined("OR", parts)


def every(parts: Iterable[str]) -> str:
    """The parts joined by AND, each bracketed where it must be."""
    return _joined("AND", parts)


def _joined(operator: str, parts: Iterable[str]) -> str:
    each = list(dict.fromkeys(parts))
    return each[0] if len(each) == 1 else f" {operator} ".join(map(bracketed, each))


def bracketed(rule: str) -> str:
    """The rule so that it may stand beside any operator."""
    alone = rule.startswith("(") and _closes_last(rule)
    return rule if alone or not _divided(rule) else f"({rule})"


def _divided(rule: str) -> bool:
    """Whether a space stands outside of quotes."""
    return any(" " in piece for piece in rule.split('"')[0::2]) and not (rule.startswith("«") and rule.endswith("»"))


def _closes_last(rule: str) -> bool:
    depth = 0
    for at, letter in enumerate(rule):
        depth += (letter == "(") - (letter == ")")
        if not depth:
            return at == len(rule) - 1
    return False


def packed(name: str, place: str, alternatives: Iterable[str]) -> Iterator[Draft]:
    """Drafts that find any of the alternatives; more than one when a rule would be too long."""
    names, pack, size = numbered(name), list[str](), 0
    for alternative in alternatives:
        if pack and size + len(alternative) > LONGEST:
            yield Draft(name=next(names), place=place, rule=canonical(either(pack)))
            pack, size = [], 0
        pack.append(alternative)
        size += len(alternative) + len(" OR ()")
    if pack:
        yield Draft(name=next(names), place=place, rule=canonical(either(pack)))


def numbered(name: str) -> Iterator[str]:
    """`name`, name-2, name-3, ..."""
    return chain((name,), (f"{name}-{n}" for n in count(2)))
