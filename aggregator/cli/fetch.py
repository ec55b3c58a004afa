"""`aggregator fetch`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from aggregator.app import opened
from aggregator.backfill import Backfilled, Page
from aggregator.cli import given, health, logs, progress, show
from aggregator.cli.options import ConfigFile, Json
from aggregator.errors import UsageError
from aggregator.model import VisitReport
from aggregator.settings import Config
from aggregator.store import StoredFeed
from aggregator.work import Tally

app = typer.Typer(add_completion=False)

FEEDS_FAILED, DELIVERIES_FAILED = 4, 5  # exit codes
PAGES = 50  # of an archive in one call
STOP_S = 1.0  # for units in hand after Ctrl-C; a person waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a round came to."""

    visits: Sequence[VisitReport]  # one for each feed
    tally: Tally
    walks: Sequence[Backfilled]  # into the past
    feeds: dict[str, StoredFeed]  # by name, as they stand now

    @property
    def failed(self) -> list[VisitReport]:
        """The visits that brought nothing."""
        return [visit for visit in self.visits if visit.outcome == "failed"]


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Feeds to read, due or not.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Read all feeds, due or not.")] = False,
    past: Annotated[
        bool, typer.Option("--backfill", help="Read the archives of the named feeds too, where they name one.")
    ] = False,
    pages: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="With --backfill: at most N documents a feed; 50.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log each step.")] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Do one round: read the feeds that are due and their articles, match, and make the deliveries that are due.

    --all and names pass over our own schedule, never over a server's: where one asked for a pause, its feed is not due.
    A feed that is gone for good (410) is asked again each 30 days, or by its name.
    --backfill goes on where an earlier one ended. It may run beside the daemon. Exit code 4 when a feed failed, else 5 when a delivery failed.
    """
    loaded = given.config(config)
    for name in names or ():
        given.require("feed", name, (feed.name for feed in loaded.feeds))
    if names and everything:
        raise UsageError("give names or --all, not both")
    if past and not names:
        raise UsageError("name the feeds to backfill")
    if pages and not past:
        raise UsageError("--limit goes with --backfill")
    if not loaded.feeds:
        show.note(f"There are no feeds in {loaded.path} yet. `aggregator feeds add URL` adds one.")
    logs.to_stderr("info" if verbose else "warning")
    # With --json, standard output is for JSON lines, so a console channel writes to standard error.
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        done = asyncio.run(_round(loaded, names, everything, (pages or PAGES) if past else 0))
    if as_json:
        _print_records(done)
    else:
        _print(done)
    if done.failed:
        raise typer.Exit(FEEDS_FAILED)
    if done.tally.undelivered:
        raise typer.Exit(DELIVERIES_FAILED)


async def _round(config: Config, names: Sequence[str] | None, everything: bool, pages: int) -> Round:
    bar = progress.Bar()
    async with opened(config, watching=bar.ended) as app:
        every = app.store.feeds_but_gone if everything else app.store.due_feeds
        chosen = names if names is not None else await app.write(every, app.now())
        try:
            with bar.over(len(chosen)):
                tally = await app.work.round(chosen)
            walks = [await app.work.backfill(name, pages, _say_page) for name in chosen if pages]
            tally = await app.work.round(()) if walks else tally
        except asyncio.CancelledError:  # Ctrl-C: what is in hand may end well before the store closes
            await app.work.settle(STOP_S)
            show.note("Interrupted. What was read is kept; the next round goes on.")
            raise
        await asyncio.to_thread(app.index)
        feeds = await app.write(app.store.feeds)
        return Round(
            visits=_accounted(tally.visits, chosen, config), tally=tally, walks=walks,
            feeds={feed.name: feed for feed in feeds},
        )  # fmt: skip


def _say_page(page: Page) -> None:
    """Progress, on standard error."""
    show.note(f"{page.report.feed}: {page.report.new} new in {health.address(page.url)}")


def _accounted(visits: Sequence[VisitReport], chosen: Sequence[str], config: Config) -> list[VisitReport]:
    """A visit for each feed, in the order of feeds.yaml: also for one that broke down (it was logged) or was not due."""
    made = {visit.feed: visit for visit in visits}
    broken = {name: VisitReport(feed=name, outcome="failed", reason="internal") for name in chosen}
    return [
        made.get(feed.name)
        or broken.get(feed.name)
        or VisitReport(feed=feed.name, outcome="not_due", reason="schedule")
        for feed in config.feeds
    ]


def _print_records(done: Round) -> None:
    for visit in done.visits:
        show.record({
            "type": "visit", "feed": visit.feed, "outcome": visit.outcome, "reason": visit.reason, "new": visit.new,
            "revised": visit.revised, "unchanged": visit.unchanged, "rejected": visit.rejected,
            "fallback": visit.fallback and health.address(visit.fallback),
        })  # fmt: skip
    for walk in done.walks:
        show.record({"type": "backfill", **asdict(walk), "next": walk.next and health.address(walk.next)})
    show.record({
        "type": "total", "feeds": len(done.visits), "new": sum(visit.new for visit in done.visits),
        "revised": sum(visit.revised for visit in done.visits), "alerts": done.tally.alerts, "sent": done.tally.sent,
        "failed": len(done.failed), "undelivered": done.tally.undelivered,
    })  # fmt: skip


def _print(done: Round) -> None:
    visits, tally = done.visits, done.tally
    outcomes = Counter(visit.outcome for visit in visits)
    new, revised, rejected = (sum(getattr(visit, name) for visit in visits) for name in ("new", "revised", "rejected"))
    show.fields((
        ("Feeds", _counted((outcomes["fetched"], "read"), (outcomes["not_modified"], "unchanged"),
                           (outcomes["failed"], "failed"), (outcomes["not_due"], "not due"))),
        ("Items", _counted((new, "new"), (revised, "revised"), (rejected, "unreadable"))),
        ("Alerts", _counted((tally.alerts, "new"))),
        ("Deliveries", _counted((tally.sent, "sent"), (tally.undelivered, "failed"))),
    ))  # fmt: skip
    for walk in done.walks:
        show.text(f"{walk.feed}: {_walked(walk)}")
    if outcomes["not_due"] == len(visits) > 0:
        show.text("No feed is due yet. `aggregator fetch --all` reads them all the same.")
    if done.failed:
        show.text()
        show.table(("FAILED FEED", "NEXT TRY (UTC)", "WHY"), (_failure(visit, done.feeds) for visit in done.failed))


def _walked(walk: Backfilled) -> str:
    """How far a walk into the past came."""
    read = f"{show.number(walk.pages, 'older document')} read, {walk.new:,} new"
    if walk.reason == "no_archive":
        return "its document names no older ones (RFC 5005)"
    if walk.reason is None:
        return f"{read}; that is all there is"
    return f"{read}; ended by {walk.reason}, the next --backfill goes on{f' at {health.address(walk.next)}' if walk.next else ''}"


def _counted(*counts: tuple[int, str]) -> str:
    return ", ".join(f"{count:,} {what}" for count, what in counts if count) or "none"


def _failure(visit: VisitReport, feeds: dict[str, StoredFeed]) -> tuple[str, str, str]:
    feed = feeds[visit.feed]
    return visit.feed, show.utc(feed.due_at), health.why(feed) or f"{visit.reason}"
