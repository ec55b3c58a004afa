"""Watchlists: rule text to tree (`language`), trees to one plan (`plan`), item to hits (`evaluate`)."""

from __future__ import annotations

from collections.abc import Iterable

from aggregator.garbage import uncollected
from aggregator.model import Item
from aggregator.settings import Concept, Watchlist
from aggregator.watch import facts, language
from aggregator.watch.evaluate import Matcher, Stopped, Verdict
from aggregator.watch.explain import Branch, Stand, decisive
from aggregator.watch.facts import Source
from aggregator.watch.lint import Spread, Warned, spread, warnings
from aggregator.watch.plan import term_of

__all__ = [
    "Branch", "Matcher", "Source", "Spread", "Stand", "Stopped", "Verdict", "Warned", "compile", "decisive", "language",
    "spoken", "spread", "term_of", "warnings",
]  # fmt: skip


def compile(watchlists: Iterable[Watchlist], concepts: Iterable[Concept]) -> Matcher:  # noqa: A001  # read as watch.compile
    """The matcher of all `watchlists`, whose rules may name `concepts`.

    Raises:
        RuleError: of the first rule, keyword or concept that cannot be read.
    """
    with uncollected():
        return Matcher(watchlists, concepts)


def spoken(item: Item, source: Source | None = None) -> str | None:
    """The language of `item` as `lang:` takes it: by its letters and words, then as declared; None when unknown."""
    return facts.spoken(item, dict(item.texts()), source or Source())
