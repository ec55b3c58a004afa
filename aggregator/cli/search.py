"""`aggregator search`."""

from __future__ import annotations

from typing import Annotated

import typer

from aggregator.cli import given, show
from aggregator.cli.items import print_items
from aggregator.cli.options import ConfigFile, Feed, Json, Limit, Since
from aggregator.store.search import Search

app = typer.Typer(add_completion=False)


@app.command()
def search(
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help='Words, and "phrases" in quotes.')],
    config: ConfigFile = None,
    limit: Limit = 50,
    feed: Feed = None,
    since: Since = None,
    as_json: Json = False,
) -> None:
    """Find the items that hold all these words, in title, feed text, article or tags, the newest first.

    Spelling does not matter: kaf and yeh of any keyboard, digits of any script, accents, half-spaces. Any query is
    valid; signs are passed over. In a shell a phrase needs both kinds of quotes: '"general amnesty"'.
    """
    loaded = given.config(config)
    path = loaded.settings.database
    if not path.exists():
        show.note("No items yet. `aggregator fetch` reads your feeds once.")
        return
    index = Search.open(path)
    try:
        with given.store(loaded) as store:
            index.catch_up(store)
            ids = {stored.name: stored.id for stored in store.feeds()}
            if feed:
                given.require("feed", feed, ids)
            found = index.find(" ".join(query), limit=limit, feed=ids[feed] if feed else None, since=since)
            print_items(store.items(ids=found, limit=limit), as_json=as_json)
    finally:
        index.close()
    if not found:
        show.note("Nothing found.")
