"""Watchlists: rule text to tree (`language`), trees to one plan (`plan`), item to hits (`evaluate`)."""

from __future__ import annotations

from collections.abc import Iterable

from aggregator.settings import Concept, Watchlist
from aggregator.watch import language
from aggregator.watch.evaluate import Matcher

__all__ = ["Matcher", "compile", "language"]


def compile(watchlists: Iterable[Watchlist], concepts: Iterable[Concept]) -> Matcher:  # noqa: A001  # read as watch.compile
    """The matcher of all `watchlists`, whose rules may name `concepts`.

    Raises:
        RuleError: of the first rule, keyword or concept that cannot be read.
    """
    return Matcher(watchlists, concepts)
