"""`aggregator watch why`."""

from __future__ import annotations

from typing import Annotated

import typer

from aggregator import backtest
from aggregator import watch as watching
from aggregator.cli import given, show, watch_archive
from aggregator.cli.options import ConfigFile, Json
from aggregator.cli.watch_case import Case, print_case, record
from aggregator.errors import UsageError
from aggregator.settings import Config, Watchlist
from aggregator.store import Store
from aggregator.watch import Source


def why(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="The id from a list of items.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The watchlist.")],
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Say why a watchlist finds an item or does not, what was told of its story, and to whom.

    The item is judged now, as it stands, by the evaluator of live items. Exit code 0, hit or miss.
    """
    loaded = given.config(config)
    given.require("watchlist", name, (one.name for one in loaded.watchlists))
    watchlist = next(one for one in loaded.watchlists if one.name == name)
    number = given.row_id("item", item)
    with given.store(loaded) as store:
        case = _case(store, number, watchlist, loaded)
    if as_json:
        show.record(record(case))
    else:
        print_case(case)


def _case(store: Store, number: int, watchlist: Watchlist, config: Config) -> Case:
    archived, stored = store.archived_item(number), store.items(ids=[number])
    if archived is None or not stored:
        raise UsageError(f'there is no item "{number}": `aggregator items list` shows the ids')
    source = Source(feed=archived.feed, site=archived.site, lang=watch_archive.languages(config).get(archived.feed))
    story = int(stored[0].story)
    matcher = watching.compile([watchlist], config.concepts)
    verdict = matcher.verdict(archived.item, source=source)
    kept = not store.pending_migrations()  # an older database has no verdicts yet
    return Case(
        stored=stored[0],
        watchlist=watchlist,
        version=backtest.version(backtest.definition(watchlist, config.concepts)),
        hits=verdict.hits,
        stopped=verdict.stopped[0].why if verdict.stopped else None,
        tree=matcher.explain(archived.item, watchlist.name, source=source),
        first=store.items(ids=[story])[0] if story != number else None,
        alerts=store.story_alerts(story, watchlist.name),
        recorded=store.verdict(number, watchlist.name) if kept else None,
        rule_then=store.rule_at(watchlist.name, stored[0].changed_at) if kept else None,
    )
