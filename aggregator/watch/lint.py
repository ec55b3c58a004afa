"""What can be said of watchlists and concepts without an archive: all their spellings, and what looks like a mistake."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aggregator.settings import Concept, Watchlist
from aggregator.text.fold import folded
from aggregator.watch import advice, language
from aggregator.watch.lexicon import forms
from aggregator.watch.plan import anchors, planned, term_of, tree
from aggregator.watch.tokens import wild
from aggregator.watch.tree import ConceptRef, Fact, Node, Not, Pattern, Words, branches, leaves

WANTED: Final = ("en", "fa", "ps")  # languages that a concept is expected to speak

_ACRONYM: Final = re.compile(r"[A-Z]{2,4}")  # so short that it is also a word somewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A term of a watchlist with everything that it looks for."""

    term: str  # as hits name it
    written: str  # as the rule has it, canonical
    forms: tuple[str, ...]  # folded spellings; none of a wildcard or an expression, which cannot be listed
    negated: bool  # under a NOT, or after EXCEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something that is allowed and probably not meant. Ours are known without an archive."""

    kind: str  # "acronym", "language", "alike", "letters", "anchor"
    where: str  # "watchlist NAME" or "concept NAME"
    text: str  # for people, with what to write instead


def spread(watchlist: Watchlist, concepts: Iterable[Concept]) -> tuple[Spread, ...]:
    """Each term of `watchlist` once, in the order of the rule, with its spellings.

    Raises:
        RuleError: its rule or a keyword cannot be read.
    """
    known = {concept.name: concept for concept in concepts}
    found = {}
    for node, negated in _signed(tree(watchlist, known), negated=False):
        if not isinstance(node, Fact):
            spelled = tuple(dict.fromkeys(_forms(node, known)))
            found[node, negated] = Spread(term=term_of(node), written=str(node), forms=spelled, negated=negated)
    return tuple(found.values())


def warnings(watchlists: Iterable[Watchlist], concepts: Iterable[Concept]) -> tuple[Warned, ...]:
    """Everything that looks like a mistake, in the order of the file: concepts first.

    Raises:
        RuleError: a rule, keyword or concept cannot be read.
    """
    concepts = tuple(concepts)
    watchlists = tuple(watchlists)
    plan = planned(watchlists, concepts)
    found = [warned for concept in concepts for warned in _of_concept(concept)]
    for watchlist, root in zip(watchlists, plan.trees, strict=True):
        where = f"watchlist {watchlist.name}"
        terms = [node for node in leaves(root) if isinstance(node, Words)]
        found += _acronyms(where, terms)
        found += _alike(where, terms)
        found += _strangers(where, terms)
        if math.isinf(anchors(root, plan.numbers, plan.rarity)[0]):
            text = "nothing that must stand there can be looked for at once, so every item is read for it; add a word: … AND word"
            found.append(Warned(kind="anchor", where=where, text=text))
    return tuple(found)


def _forms(node: Words | Pattern | ConceptRef, concepts: dict[str, Concept]) -> Iterator[str]:
    match node:
        case Words():
            yield from forms(node, None)
        case ConceptRef(name=name):
            for code, terms in concepts[name].terms:
                for term in terms:
                    yield from forms(language.entry(term), code)
        case Pattern():
            return


def _signed(node: Node, *, negated: bool) -> Iterator[tuple[Words | Pattern | ConceptRef | Fact, bool]]:
    if isinstance(node, Words | Pattern | ConceptRef | Fact):
        yield node, negated
    for n, part in enumerate(branches(node)):
        turned = isinstance(node, Not) or (isinstance(node, language.Except) and n == 1)
        yield from _signed(part, negated=negated or turned)


def _of_concept(concept: Concept) -> Iterator[Warned]:
    where = f"concept {concept.name}"
    entries = [language.entry(term) for _, terms in concept.terms for term in terms]
    if not concept.case:
        yield from _acronyms(where, entries)
    for _, terms in concept.terms:
        yield from _alike(where, [language.entry(term) for term in terms])
    yield from _strangers(where, entries)
    spoken = {code.partition("-")[0].replace("prs", "fa") for code, _ in concept.terms}
    missing = [code for code in WANTED if code not in spoken]
    if missing and not spoken.isdisjoint(WANTED):
        text = f"has no spelling in {', '.join(missing)}: what is written in that language is not found"
        yield Warned(kind="language", where=where, text=text)


def _acronyms(where: str, entries: Iterable[Words]) -> Iterator[Warned]:
    for words in dict.fromkeys(entries):
        if words.mark != "=" and _ACRONYM.fullmatch(words.text):
            text = f"{words.text} also finds {words.text.lower()} and {words.text.title()}; write ={words.text} for these letters only"
            yield Warned(kind="acronym", where=where, text=text)


def _strangers(where: str, entries: Iterable[Words]) -> Iterator[Warned]:
    """A letter that only looks Latin: keywords are literal, so it is allowed, and no text will ever hold the word."""
    for words in dict.fromkeys(entries):
        for word in words.text.split():
            if letter := advice.stranger(word):
                text = f"the {letter} in {word} is of another alphabet, so hardly a text holds it; write the word anew, unless it is meant"
                yield Warned(kind="letters", where=where, text=text)


def _alike(where: str, entries: Sequence[Words]) -> Iterator[Warned]:
    """Terms of which one already finds the other."""
    first: dict[tuple[str, str, str | None], str] = {}
    for words in dict.fromkeys(entries):
        if wild(words.text):
            continue
        key = (folded(words.text), words.mark, words.scope)
        earlier = first.setdefault(key, words.text)
        if earlier != words.text:
            yield Warned(kind="alike", where=where, text=f"{earlier} and {words.text} find the same; keep one")
