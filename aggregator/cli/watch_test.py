"""`aggregator watch test`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from aggregator import watch as watching
from aggregator.cli import given, show, watch_archive
from aggregator.cli.options import ConfigFile, Json
from aggregator.cli.watch_shown import failing, passages
from aggregator.errors import AggregatorError, UsageError
from aggregator.model import Failed, Fetched, Hit, Item, Request
from aggregator.settings import Config, Watchlist
from aggregator.watch.facts import Source

FEW = 20  # misses are named up to here


def try_(
    *,
    config: ConfigFile = None,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="The title of the item.")] = "",
    summary: Annotated[str, typer.Option("--summary", metavar="TEXT", help="Its summary.")] = "",
    body_file: Annotated[
        Path | None, typer.Option("--body-file", metavar="FILE", help="A file with its text; - is standard input.")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="A page to read its article from.")] = None,
    item: Annotated[str | None, typer.Option("--item", metavar="ID", help="An item of the archive.")] = None,
    lang: Annotated[str | None, typer.Option("--lang", metavar="CODE", help="Its language, such as fa.")] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Only this watchlist.")] = None,
    as_json: Json = False,
) -> None:
    """Try the watchlists on a text, a page or an item, with the evaluator that judges live items.

    Exit code 0, hit or miss.
    """
    loaded = given.config(config)
    watchlists = _chosen(loaded.watchlists, name)
    source = None
    if item is not None:
        if title or summary or body_file or url:
            raise UsageError("--item stands alone: the item has its texts")
        tried, source = _stored(loaded, item)
    else:
        article = None if url is None else asyncio.run(_article(loaded, url))
        tried = Item(title=title, summary=summary, content=_body(body_file), article=article, lang=lang, link=url)
    if not any(text for _, text in tried.texts()):
        raise UsageError("there is nothing to try them on: give --title, --summary, --body-file, --url or --item")
    matcher = watching.compile(watchlists, loaded.concepts)
    hits = matcher.hits(tried, source=source)
    found = {watchlist: tuple(places) for watchlist, places in groupby(hits, key=lambda hit: hit.watchlist)}
    if as_json:
        for one in watchlists:
            show.record(_record(one.name, found.get(one.name, ())))
        return
    _print(tried, watchlists, found)
    misses = [one for one in watchlists if one.name not in found]
    if len(misses) > FEW:
        show.text(f"miss  {len(misses):,} other watchlists")
        return
    for missed in misses:
        if missed.rule is None:
            show.text(f"miss  {missed.name}: none of {show.number(len(missed.keywords), 'keyword')} stands there")
            continue
        branch, why = failing(watching.decisive(matcher.explain(tried, missed.name, source=source)))
        show.text(f"miss  {missed.name}: {branch}: {why}")


def _stored(config: Config, text: str) -> tuple[Item, Source]:
    """An item of the archive, and the feed that brought it."""
    with given.store(config) as store:
        archived = store.archived_item(given.row_id("item", text))
    if archived is None:
        raise UsageError(f'there is no item "{text}": `aggregator items list` shows the ids')
    lang = watch_archive.languages(config).get(archived.feed)
    return archived.item, Source(feed=archived.feed, site=archived.site, lang=lang)


async def _article(config: Config, url: str) -> str:
    """The text of the page at `url`."""
    # Imported late: trying a text shall not wait for the network's modules.
    from aggregator import article  # noqa: PLC0415  # see above
    from aggregator.fetch import Client  # noqa: PLC0415  # same

    client = Client(config.settings.network, host_gap_s=0)
    try:
        outcome = await client.get(Request(url=url, accept="page"))
    finally:
        await client.aclose()
    match outcome:
        case Fetched():
            read = article.extract(outcome.body, charset=outcome.charset, url=outcome.url)
            if read.text is None:
                raise AggregatorError(f"{url}: holds no article ({read.reason})")
            return read.text
        case Failed(reason=reason, detail=detail):
            raise AggregatorError(f"{url}: {reason}{f' ({detail})' if detail else ''}")
    raise AggregatorError(f"{url}: no document")


def _chosen(watchlists: Sequence[Watchlist], name: str | None) -> Sequence[Watchlist]:
    if name is None:
        if not watchlists:
            raise UsageError("there are no watchlists to try: write one under `watchlists:` in feeds.yaml")
        return watchlists
    given.require("watchlist", name, (one.name for one in watchlists))
    return [one for one in watchlists if one.name == name]


def _body(path: Path | None) -> str:
    if path is None:
        return ""
    content = sys.stdin.buffer.read() if path == Path("-") else path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AggregatorError(f"{path}: is no UTF-8 text") from error


def _record(watchlist: str, hits: Sequence[Hit]) -> dict[str, Any]:
    return {
        "watchlist": watchlist,
        "verdict": "hit" if hits else "miss",
        "hits": [
            {"term": hit.term, "field": hit.field, "start": hit.start, "end": hit.end, "text": hit.text} for hit in hits
        ],
    }


def _print(item: Item, watchlists: Sequence[Watchlist], found: dict[str, tuple[Hit, ...]]) -> None:
    for one in watchlists:
        if one.name not in found:
            continue
        hits = found[one.name]
        show.heading(f"hit   {one.name}")
        show.fields([
            ("      terms:", ", ".join(dict.fromkeys(hit.term for hit in hits))),
            *passages(item, hits, "      "),
        ])  # fmt: skip
