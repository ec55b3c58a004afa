"""How the `watch` commands name the places of an item."""

from __future__ import annotations

from rich.text import Text

PLACES = {"title": "title", "summary": "summary", "content": "body", "article": "article", "tags": "tags"}


def place(name: str, text: Text) -> Text:
    """A line that says where a text stands and what it is."""
    return Text.assemble(f"  {name + ':':<9} ", text)
