"""`aggregator feeds`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from aggregator.cli import feed as page
from aggregator.cli import given, health, show
from aggregator.cli.options import ConfigFile, Json, Limit, now
from aggregator.errors import UsageError

app = typer.Typer(add_completion=False, no_args_is_help=True)

State = Literal["ok", "failing", "silent", "new", "twin"]


@app.callback()
def feeds() -> None:
    """List feeds with their state, add, import and export them."""


@app.command("list")
def list_(
    config: ConfigFile = None,
    limit: Limit = 50,
    state: Annotated[State | None, typer.Option("--state", help="Only feeds in this state.")] = None,
    as_json: Json = False,
) -> None:
    """List the feeds of feeds.yaml with their state.

    ok: read well. failing: the last visit failed. silent: nothing new for far longer than its own rhythm makes
    plausible. new: not read yet. twin: another feed of the list has the same document and is read for
    both.
    """
    loaded, at = given.config(config), now()
    listed = health.listed(loaded, given.answer(loaded, lambda store: store.feeds()))
    chosen = [(spec, feed) for spec, feed in listed if state in {None, health.state(feed)}]
    if as_json:
        for spec, feed in chosen[:limit]:
            show.record(health.record(spec, feed))
    elif chosen:
        show.table(
            ("FEED", "STATE", "ITEMS", "LAST READ (UTC)", "NEXT (UTC)", "WHAT IS WRONG"),
            (
                (
                    spec.name,
                    health.state(feed),
                    f"{feed.items:,}" if feed else "0",
                    show.utc(feed.read_at, "never") if feed else "never",
                    show.utc(feed.due_at) if feed and feed.due_at > at else "now",
                    health.wrong(feed) if feed else "",
                )
                for spec, feed in chosen[:limit]
            ),
        )
        if len(chosen) > limit:
            show.note(f"{limit} of {len(chosen):,} feeds; --limit shows more")
    else:
        show.note(
            "No such feeds." if listed else f"No feeds in {loaded.path} yet. `aggregator feeds add URL` adds one."
        )


@app.command("show")
def show_(
    name: Annotated[str, typer.Argument(metavar="NAME")], config: ConfigFile = None, as_json: Json = False
) -> None:
    """Show a feed: how its last visit went, when it is read next and why then, and when it publishes."""
    loaded, at = given.config(config), now()
    given.require("feed", name, (spec.name for spec in loaded.feeds))
    listed = health.listed(loaded, given.answer(loaded, lambda store: store.feeds()))
    spec, feed = next((spec, feed) for spec, feed in listed if spec.name == name)
    known = None
    if feed is not None:
        (history,) = given.answer(loaded, lambda store: [store.history(feed.id)])
        known = page.Known(feed=feed, history=history, now=at)
    if as_json:
        show.record(page.record(spec, known))
        return
    show.fields(page.lines(spec, known))
    if known is not None:
        page.print_rhythm(known.history, at)


@app.command()
def add(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The address of a feed, or of a site that names its feeds.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What to call it; the host if not given.")
    ] = None,
    pick: Annotated[
        int | None, typer.Option("--pick", min=1, metavar="N", help="Which one to add, when a site names several.")
    ] = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Add a feed to feeds.yaml, once it was read. Comments and layout of the file stay.

    Of a site that names several feeds the first is added; on a terminal you are asked. Of a site without feeds it is a
    sitemap that its robots.txt names, one for news if there is one.
    """
    from aggregator import subscriptions  # noqa: PLC0415 - lxml and the network: for `list` they would be slow
    from aggregator.cli import adding  # noqa: PLC0415 - see above

    loaded = given.config(config)
    asks = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    read = adding.candidate(loaded, url, lambda found: adding.chosen(found, pick, asks=asks))
    added = subscriptions.add(loaded.path, read.url, name, read.type)
    if as_json:
        show.record({
            "feed": added.name, "url": added.url, "format": read.feed.format, "title": read.feed.title,
            "items": len(read.feed.items), "type": read.type,
        })  # fmt: skip
        return
    show.text(f"Added {added.name}: {health.address(added.url)}")
    holds = (len(read.feed.sitemaps), "part") if read.feed.sitemaps else (len(read.feed.items), "item")
    show.text(f"It has {show.number(*holds)} now. Next: aggregator fetch {shlex.quote(added.name)}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An OPML file; - is standard input.")],
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Add the feeds of an OPML file to feeds.yaml; folders become tags. Feeds that are there already are passed over."""
    from aggregator import subscriptions  # noqa: PLC0415 - see `add`

    data = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    done = subscriptions.import_opml(given.config_path(config), data)
    if as_json:
        added = [{"feed": spec.name, "url": spec.url} for spec in done.added]
        show.record({"added": added, "duplicates": done.duplicates, "refused": done.refused})
        return
    for why in done.refused:
        show.note(f"not added: {why}")
    show.text(
        f"Added {show.number(len(done.added), 'feed')}; {done.duplicates:,} there already; {len(done.refused):,} refused."
    )


@app.command()
def export(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A file that does not exist yet; without it or with -, standard output."),
    ] = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Write all feeds as OPML."""
    from aggregator import subscriptions  # noqa: PLC0415 - see `add`

    loaded = given.config(config)
    document = subscriptions.export_opml(loaded)
    if as_json:
        for spec in loaded.feeds:
            show.record({"feed": spec.name, "url": spec.url, "lang": spec.lang, "tags": spec.tags})
    if file is not None and file != Path("-"):
        if not show.new_file(file, document):
            raise UsageError(f"{file}: exists already; nothing was written")
        show.note(f"Wrote {file}: {show.number(len(loaded.feeds), 'feed')}.")
    elif not as_json:
        sys.stdout.buffer.write(document)
