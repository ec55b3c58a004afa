"""What is known of an item beside its text: where it comes from, its language, its author, its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from aggregator.model import FieldName, Item
from aggregator.text import language, urls
from aggregator.text.fold import folded
from aggregator.watch.tree import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The feed that brought an item."""

    feed: str = ""  # its name
    site: str = ""  # its host, without www.
    lang: str | None = None  # as declared


def holds(fact: Fact, item: Item, texts: Mapping[FieldName, str], source: Source | None) -> bool:
    """Whether `fact` is true of `item`. Without `source`, its feed is unknown: only what the item itself says counts."""
    known = source or Source()
    match fact.scope:
        case "feed":
            return _stands(fact.text, known.feed)
        case "source":
            sites = (known.site, urls.site(item.link or ""))
            return any(_is_site(fact.text, site) for site in sites if site)
        case "author":
            return _stands(fact.text, item.author or "")
        case "url":
            return unquote(fact.text).casefold() in unquote(item.link or "").casefold()
        case _:
            return spoken(item, texts, known) == fact.text


def spoken(item: Item, texts: Mapping[FieldName, str], source: Source) -> str | None:
    """The language of an item: of its letters and words, then as the item says, then as its feed does."""
    longest_first = sorted((text for name, text in texts.items() if name != "tags"), key=len, reverse=True)
    return language.language("\n".join(longest_first), item.lang or source.lang)


def _stands(words: str, text: str) -> bool:
    """Whether `words` stand in `text` as whole words."""
    return f" {folded(words)} " in f" {folded(text)} "


def _is_site(name: str, site: str) -> bool:
    """Whether `site` is the host `name` or one under it."""
    wanted = name.casefold().removeprefix("www.")
    return site == wanted or site.endswith(f".{wanted}")
