"""`aggregator status`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import typer

from aggregator.cli import given, health, show
from aggregator.cli.options import ConfigFile, Json, now
from aggregator.settings import Config
from aggregator.store import StoredFeed, StoredTrouble, Tick, Totals, daemon_is_running, is_made

app = typer.Typer(add_completion=False)

MOST_MOVED = 5  # named
MOST_FAILING = 20  # shown to people; `feeds list` and --json name them all


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """All that the database says of how things stand."""

    at: datetime
    running: bool
    totals: Totals
    ticks: Sequence[Tick]
    late: frozenset[str]
    feeds: Sequence[StoredFeed]
    troubles: Sequence[StoredTrouble]
    network_down_since: datetime | None = None

    @property
    def failing(self) -> list[StoredFeed]:
        """The feeds whose last visit failed."""
        return [feed for feed in self.feeds if health.state(feed) == health.FAILING]

    @property
    def fallbacks(self) -> list[StoredFeed]:
        """The feeds that are read by another address than their own."""
        return [feed for feed in self.feeds if feed.stand_in]


@app.command()
def status(config: ConfigFile = None, as_json: Json = False) -> None:
    """Show how the whole is doing.

    Exit code 1 when a tick of the daemon is late: it hangs, or it stopped. Where only `aggregator fetch` is used there
    are no ticks, so none is late. Failing feeds and dead letters are shown and leave the exit code alone.
    """
    loaded = given.config(config)
    whole = _whole(loaded) if is_made(loaded.settings.database) else _untouched(loaded)
    if as_json:
        show.record(_record(whole))
    else:
        show.fields(_lines(whole, loaded))
        _print_troubles(whole, loaded)
        _print_failing(whole)
    if whole.late:
        raise typer.Exit(1)


def _untouched(config: Config) -> Whole:
    totals = Totals(
        feeds_ok=0, feeds_failing=0, feeds_silent=0, feeds_new=len(config.feeds), items=0, alerts=0, deliveries_due=0,
        deliveries_dead=0, deliveries_orphaned=0, articles_pending=0,
    )  # fmt: skip
    return Whole(at=now(), running=False, totals=totals, ticks=(), late=frozenset(), feeds=(), troubles=())


def _whole(config: Config) -> Whole:
    at = now()
    with given.store(config) as store:
        ticks = store.ticks()
        return Whole(
            at=at,
            running=daemon_is_running(config.settings.database),
            totals=store.totals(),
            ticks=ticks,
            late=frozenset(tick.name for tick in ticks if tick.is_late(at)),
            feeds=store.feeds(),
            troubles=store.troubles(),
            network_down_since=store.network_down_since(),
        )


def _record(whole: Whole) -> dict[str, Any]:
    totals = whole.totals
    return {
        "daemon": whole.running,
        "ticks": {
            tick.name: {
                "late": tick.name in whole.late, "every_s": tick.every.total_seconds(), "started": tick.started_at,
                "finished": tick.finished_at, "error": tick.error,
            }
            for tick in whole.ticks
        },
        "feeds": {
            "ok": totals.feeds_ok, "failing": totals.feeds_failing, "silent": totals.feeds_silent,
            "new": totals.feeds_new, "twin": sum(feed.twin_of is not None for feed in whole.feeds),
        },
        "network_down_since": whole.network_down_since,
        "moved": [{"feed": feed.name, "address": health.address(feed.address)} for feed in whole.feeds if feed.address],
        "outbox": {"due": totals.deliveries_due, "dead": totals.deliveries_dead},
        "owed_to_nobody": totals.deliveries_orphaned,
        "items": totals.items,
        "alerts": totals.alerts,
        "articles_pending": totals.articles_pending,
        "failing": [
            {
                "feed": feed.name, "reason": feed.reason, "detail": feed.detail, "read": feed.read_at,
                "failures": feed.failures, "next": feed.due_at,
            }
            for feed in whole.failing
        ],
        "troubles": [
            {"feed": one.feed, "watchlist": one.watchlist, **health.trouble(one)} for one in whole.troubles
        ],
        "fallbacks": [{"feed": feed.name} | (health.fallback(feed) or {}) for feed in whole.fallbacks],
    }  # fmt: skip


def _lines(whole: Whole, config: Config) -> Iterator[tuple[str, object]]:
    totals = whole.totals
    yield "Daemon", _daemon(whole)
    for tick in whole.ticks:
        if tick.error:
            yield "", f"tick {tick.name}: {tick.error}"
    if whole.network_down_since:
        since = show.age(whole.at - whole.network_down_since)
        yield "Network", f"DOWN: for {since} hardly any host could be reached; no feed is blamed, all are tried again"
    yield (
        "Feeds",
        ", ".join(
            f"{count:,} {state}"
            for count, state in (
                (totals.feeds_ok, "ok"),
                (totals.feeds_failing, "failing"),
                (totals.feeds_silent, "silent"),
                (totals.feeds_new, "not read yet"),
                (sum(feed.twin_of is not None for feed in whole.feeds), "the same as another"),
            )
            if count or state == "ok"
        ),
    )
    for feed in whole.fallbacks:
        yield "", f"{feed.name}: {health.by_fallback(feed)}"
    if moved := [feed.name for feed in whole.feeds if feed.address]:
        more = ", ..." if len(moved) > MOST_MOVED else ""
        names = ", ".join(moved[:MOST_MOVED]) + more
        yield "Moved", f"{show.number(len(moved), 'feed')} for good, `aggregator feeds show` tells where: {names}"
    pending = f", {show.number(totals.articles_pending, 'article')} to be read" if totals.articles_pending else ""
    yield "Items", f"{totals.items:,}{pending}"
    yield "Alerts", f"{totals.alerts:,}"
    yield (
        "Deliveries",
        f"{totals.deliveries_due:,} due"
        + (
            f", {totals.deliveries_dead:,} given up: `aggregator alerts list --dead` names them, `alerts retry` sends them again"
            if totals.deliveries_dead
            else ""
        ),
    )
    if totals.deliveries_orphaned:
        yield (
            "",
            f"{totals.deliveries_orphaned:,} owed to nobody: feeds.yaml no longer names the channel or the address",
        )
    yield "Database", config.settings.database
    if not totals.items:
        yield "", "Nothing was read yet: `aggregator fetch` reads your feeds once, `aggregator run` keeps watching."


def _daemon(whole: Whole) -> str:
    if not whole.ticks:
        return "running, its first tick is not done yet" if whole.running else "not running"
    last = max(tick.finished_at or tick.started_at for tick in whole.ticks)
    ago = show.age(whole.at - last)
    if not whole.running:
        return f"not running; it last worked {ago} ago. `aggregator run` starts it"
    if whole.late:
        return f"HANGS: {', '.join(sorted(whole.late))} late, last sign of life {ago} ago"
    return f"running, last sign of life {ago} ago"


def _print_troubles(whole: Whole, config: Config) -> None:
    if not whole.troubles:
        return
    show.text()
    show.table(
        ("IN TROUBLE", "SINCE (UTC)", "KIND", "WHAT IS KNOWN"),
        ((health.subject(one), show.utc(one.since), one.kind, one.detail) for one in whole.troubles[:MOST_FAILING]),
    )
    if len(whole.troubles) > MOST_FAILING:
        show.text(f"... and {len(whole.troubles) - MOST_FAILING:,} more: `aggregator status --json` names them all")
    if not config.settings.notify_operator:
        show.text("Nobody is told of this: name channels under settings.notify_operator in feeds.yaml.")


def _print_failing(whole: Whole) -> None:
    if not whole.failing:
        return
    show.text()
    show.table(
        ("FAILING FEED", "LAST READ (UTC)", "NEXT TRY (UTC)", "WHY"),
        (
            (feed.name, show.utc(feed.read_at, "never"), show.utc(feed.due_at), health.why(feed))
            for feed in whole.failing[:MOST_FAILING]
        ),
    )
    if len(whole.failing) > MOST_FAILING:
        show.text(f"... and {len(whole.failing) - MOST_FAILING:,} more: `aggregator feeds list --state failing`")
