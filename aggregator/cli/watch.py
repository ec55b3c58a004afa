"""`aggregator watch`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from aggregator import compose
from aggregator import watch as watching
from aggregator.cli import given, show
from aggregator.cli.options import ConfigFile, Json
from aggregator.errors import AggregatorError, UsageError
from aggregator.model import Hit, Item
from aggregator.settings import Watchlist

app = typer.Typer(add_completion=False, no_args_is_help=True)

FEW = 20  # misses are named up to here
PLACES = {"title": "title", "summary": "summary", "content": "body", "article": "article", "tags": "tags"}


@app.callback()
def watch() -> None:
    """List watchlists, and try them on a text."""


@app.command("list")
def list_(config: ConfigFile = None, as_json: Json = False) -> None:
    """List the watchlists of feeds.yaml."""
    loaded = given.config(config)
    if as_json:
        for one in loaded.watchlists:
            show.record({
                "watchlist": one.name, "label": one.label, "severity": one.severity, "notify": one.notify,
                "keywords": one.keywords, "rule": one.rule,
            })  # fmt: skip
    elif loaded.watchlists:
        show.table(
            ("WATCHLIST", "SEVERITY", "TELLS", "LOOKS FOR"),
            (
                (one.name, one.severity, ", ".join(one.notify), one.rule or ", ".join(one.keywords))
                for one in loaded.watchlists
            ),
        )
    else:
        show.note(f"No watchlists yet. Write one under `watchlists:` in {loaded.path}")


@app.command("test")
def try_(
    config: ConfigFile = None,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="The title of the item.")] = "",
    summary: Annotated[str, typer.Option("--summary", metavar="TEXT", help="Its summary.")] = "",
    body_file: Annotated[
        Path | None, typer.Option("--body-file", metavar="FILE", help="A file with its text; - is standard input.")
    ] = None,
    lang: Annotated[str | None, typer.Option("--lang", metavar="CODE", help="Its language, such as fa.")] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Only this watchlist.")] = None,
    as_json: Json = False,
) -> None:
    """Try the watchlists on a text, with the evaluator that judges live items. Exit code 0, hit or miss."""
    loaded = given.config(config)
    watchlists = _chosen(loaded.watchlists, name)
    item = Item(title=title, summary=summary, content=_body(body_file), lang=lang)
    if not any(text for _, text in item.texts()):
        raise UsageError("there is nothing to try them on: give --title, --summary or --body-file")
    hits = watching.compile(watchlists, loaded.concepts).hits(item)
    found = {watchlist: tuple(places) for watchlist, places in groupby(hits, key=lambda hit: hit.watchlist)}
    if as_json:
        for one in watchlists:
            show.record(_record(one.name, found.get(one.name, ())))
        return
    _print(item, watchlists, found)


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
            ("      terms", ", ".join(dict.fromkeys(hit.term for hit in hits))),
            *((f"      {PLACES[excerpt.field]}", show.marked(excerpt.text, excerpt.marks)) for excerpt in compose.excerpts(item, hits)),
        ])  # fmt: skip
    misses = [one.name for one in watchlists if one.name not in found]
    if len(misses) <= FEW:
        for name in misses:
            show.text(f"miss  {name}")
    else:
        show.text(f"miss  {len(misses):,} other watchlists")
