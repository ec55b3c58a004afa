"""One block under `concepts:` to a `Concept`. What each key must hold depends on the key, so it is checked here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from aggregator import settings as say
from aggregator.config import shape
from aggregator.config.problems import Problems, did_you_mean
from aggregator.config.yaml import Path as Key
from aggregator.errors import RuleError
from aggregator.watch import plan

MAX_WEIGHT: Final = 1000


def concept(name: str, said: Mapping[str, Any], problems: Problems) -> say.Concept:
    """The concept that a block says; faults go to `problems`."""
    key = ("concepts", name)
    lists = dict(_lists(key, said, problems))
    terms = tuple((code, spellings) for code, spellings in lists.items() if code != "except")
    if not said.keys() - {*shape.CONCEPT_SETTINGS}:
        problems.add(key, "needs spellings in a language, such as en: [relocation]")
    made = say.Concept(
        name=name,
        terms=terms,
        excepts=lists.get("except", ()),
        weights=_weights(
            (*key, "weights"), said.get("weights", {}), {one for _, some in terms for one in some}, problems
        ),
        least=_number((*key, "min"), said.get("min", 1), problems),
        case=_switch((*key, "case"), said.get("case", False), problems),
    )
    if terms:
        try:
            plan.check(made)
        except RuleError as error:  # what only shows when all of it is put together
            problems.add(key, str(error))
    return made


def _lists(key: Key, said: Mapping[str, Any], problems: Problems) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The lists of a concept by key; what is no list is told, unless it is a setting."""
    for code, value in said.items():
        if isinstance(value, list):
            yield code, tuple(value)
        elif code == "except" or code not in shape.CONCEPT_SETTINGS:
            problems.add((*key, code), "must be a list, such as [one, two]")


def _weights(key: Key, said: Any, spellings: Collection[str], problems: Problems) -> tuple[tuple[str, int], ...]:
    if not isinstance(said, dict):
        problems.add(key, "must be a block of spellings with their weights")
        return ()
    for spelling in sorted(said.keys() - spellings):
        problems.add((*key, spelling), f"is no spelling of this concept{did_you_mean(spelling, spellings)}")
    return tuple((spelling, _number((*key, spelling), weight, problems)) for spelling, weight in said.items())


def _number(key: Key, said: Any, problems: Problems) -> int:
    if type(said) is int and 1 <= said <= MAX_WEIGHT:
        return said
    problems.add(key, f"must be a whole number from 1 to {MAX_WEIGHT}")
    return 1


def _switch(key: Key, said: Any, problems: Problems) -> bool:
    if not isinstance(said, bool):
        problems.add(key, "must be true or false")
    return said is True
