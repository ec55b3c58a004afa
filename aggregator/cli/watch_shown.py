"""What the `watch` commands show of an item: where it was found, and which branch of a rule decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from aggregator import compose
from aggregator.cli import show
from aggregator.model import Hit, Item
from aggregator.watch import Branch

PLACES = {"title": "title", "summary": "summary", "content": "body", "article": "article", "tags": "tags"}


def passages(item: Item, hits: Sequence[Hit], indent: str = "  ") -> Iterator[tuple[str, Text]]:
    """The texts in which something was found, by their names, for `show.fields`."""
    for excerpt in compose.excerpts(item, hits):
        yield f"{indent}{PLACES[excerpt.field]}:", show.marked(excerpt.text, excerpt.marks)


def failing(way: Sequence[Branch]) -> tuple[str, str]:
    """The branch at which a miss fails, and why; `way` is what `watch.decisive` gives."""
    last = way[-1]
    if any(branch.negated for branch in way[:-1]):
        return f"NOT {last.rule}", f"it must not stand there, and does: {last.why}"
    return last.rule, last.why
