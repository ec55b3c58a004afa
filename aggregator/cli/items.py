"""`aggregator items`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from aggregator.cli import given, show
from aggregator.cli.options import ConfigFile, Feed, Json, Limit, Since
from aggregator.errors import UsageError
from aggregator.store import StoredItem

app = typer.Typer(add_completion=False, no_args_is_help=True)

NO_TITLE = "(no title)"
STORY_RULES = {
    "new": "nothing like it was known",
    "url": "its address is that of an item known before, and its title or text agrees",
    "words": "its title and text are those of an item known before",
    "text": "its text is that of an item known before",
}


@app.callback()
def items() -> None:
    """What the feeds brought. Nothing is ever deleted."""


@app.command("list")
def list_(
    config: ConfigFile = None, limit: Limit = 50, feed: Feed = None, since: Since = None, as_json: Json = False
) -> None:
    """List items, the newest first."""
    loaded = given.config(config)
    found = given.answer(loaded, lambda store: store.items(limit=limit, feed=feed, since=since))
    if feed and not found:
        given.require("feed", feed, (spec.name for spec in loaded.feeds))
    print_items(found, as_json=as_json)
    if not found:
        filtered = feed or since
        show.note("No such items." if filtered else "No items yet. `aggregator fetch` reads your feeds once.")


@app.command("show")
def show_(
    item: Annotated[str, typer.Argument(metavar="ID", help="The id from a list.")],
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show an item: its text, what it said before, its article, its story."""
    number = given.row_id("item", item)
    with given.store(given.config(config)) as store:
        found = store.items(ids=[number])
        revisions = store.revisions(number)
    if not found:
        raise UsageError(f'there is no item "{item}": `aggregator items list` shows the ids')
    if as_json:
        show.record(_whole(found[0], revisions))
        return
    _print_whole(found[0], revisions)


def print_items(found: Sequence[StoredItem], *, as_json: bool) -> None:
    """A list of items for people or programs."""
    if as_json:
        for stored in found:
            show.record(record(stored))
    elif found:
        show.table(
            ("ID", "FIRST SEEN (UTC)", "FEED", "TITLE"),
            ((stored.id, show.utc(stored.first_seen), stored.feed, stored.item.title or NO_TITLE) for stored in found),
        )


def record(stored: StoredItem) -> dict[str, Any]:
    """The stable fields of an item in a list."""
    return {
        "id": stored.id, "feed": stored.feed, "title": stored.item.title, "link": stored.item.link,
        "published": stored.item.published, "first_seen": stored.first_seen, "lang": stored.item.lang,
        "revision": stored.revision, "story": stored.story, "event": None,
    }  # fmt: skip


def _whole(stored: StoredItem, revisions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    item = stored.item
    return record(stored) | {
        "story_rule": stored.story_rule, "changed": stored.changed_at, "updated": item.updated, "author": item.author,
        "guid": item.guid, "tags": item.tags, "flags": item.flags, "summary": item.summary, "content": item.content,
        "article": {"state": stored.article_state, "reason": stored.article_reason, "text": item.article},
        "enclosures": [asdict(enclosure) for enclosure in item.enclosures], "revisions": revisions,
    }  # fmt: skip


def _print_whole(stored: StoredItem, revisions: Sequence[dict[str, Any]]) -> None:
    item = stored.item
    rule = STORY_RULES.get(stored.story_rule)
    show.fields((
        ("Title", item.title or NO_TITLE),
        ("Feed", stored.feed),
        ("Link", item.link),
        ("Author", item.author),
        ("Language", item.lang),
        ("Tags", ", ".join(item.tags)),
        ("Published", show.utc(item.published) and f"{show.utc(item.published)} UTC, says the publisher"),
        ("First seen", f"{show.utc(stored.first_seen)} UTC"),
        ("Changed", f"{show.utc(stored.changed_at)} UTC, revision {stored.revision}" if revisions else None),
        ("Article", _article(stored)),
        ("Story", f"{stored.story} ({stored.story_rule}{f': {rule}' if rule else ''})"),
        ("Doubts", ", ".join(item.flags)),
        ("Files", ", ".join(enclosure.url for enclosure in item.enclosures)),
    ))  # fmt: skip
    for name, text in (("Summary", item.summary), ("Feed text", item.content), ("Article", item.article or "")):
        _print_text(name, text)
    for revision in revisions:
        said = "\n".join(filter(None, (revision["title"], revision["summary"], revision["content"])))
        _print_text(f"Revision {revision['revision']}, until {show.utc(revision['seen_at'])} UTC", said)


def _article(stored: StoredItem) -> str | None:
    match stored.article_state:
        case "read":
            return f"read, {len(stored.item.article or ''):,} characters"
        case "pending":
            return f"not read yet{f' (last try: {stored.article_reason})' if stored.article_reason else ''}"
        case "failed":
            return f"not read: {stored.article_reason}; the feed's text is kept and matched"
        case _:
            return None


def _print_text(name: str, text: str) -> None:
    if not text:
        return
    show.text()
    show.heading(name)
    for paragraph in filter(str.strip, text.splitlines()):
        show.text(paragraph)
