"""`aggregator alerts`."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from aggregator import compose
from aggregator.cli import given, show
from aggregator.cli.options import ConfigFile, Feed, Json, Limit, Since, now
from aggregator.errors import UsageError
from aggregator.model import Alert
from aggregator.store import Owed, Store

app = typer.Typer(add_completion=False, no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The id from `alerts list` or from a message.")]


@app.callback()
def alerts() -> None:
    """What was found, and who was told."""


@app.command("list")
def list_(
    config: ConfigFile = None,
    limit: Limit = 50,
    feed: Feed = None,
    since: Since = None,
    watchlist: Annotated[str | None, typer.Option("--watchlist", metavar="NAME", help="Only of this one.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Only where a delivery was given up.")] = False,
    unseen: Annotated[bool, typer.Option("--unseen", help="Only those that nobody marked as seen.")] = False,
    as_json: Json = False,
) -> None:
    """List alerts, the newest first."""
    loaded = given.config(config)
    found = given.answer(
        loaded,
        lambda store: store.alerts(
            limit=limit, feed=feed, since=since, watchlist=watchlist, dead_only=dead, unseen_only=unseen
        ),
    )
    if not found and feed:
        given.require("feed", feed, (spec.name for spec in loaded.feeds))
    if not found and watchlist:
        given.require("watchlist", watchlist, (one.name for one in loaded.watchlists))
    if as_json:
        for alert, owed in found:
            show.record(_record(alert, owed))
    elif found:
        show.table(
            ("ID", "WHEN (UTC)", "SEVERITY", "WATCHLIST", "TOLD", "SEEN", "TITLE"),
            (
                (
                    alert.id,
                    show.utc(alert.created),
                    alert.severity,
                    alert.watchlist,
                    _told(owed),
                    "seen" if alert.acked else "",
                    _title(alert),
                )
                for alert, owed in found
            ),
        )
    else:
        filtered = feed or since or watchlist or dead or unseen
        show.note(
            "No such alerts." if filtered else "No alerts yet. `aggregator watch test` tries a watchlist on a text."
        )


@app.command("show")
def show_(alert: Id, config: ConfigFile = None, as_json: Json = False) -> None:
    """Show an alert: what was found where, and each delivery."""
    with given.store(given.config(config)) as store:
        found, owed = _one(store, alert)
    if as_json:
        show.record(_record(found, owed) | {"excerpts": [asdict(excerpt) for excerpt in found.excerpts]})
        return
    paint = compose.COLOURED if _colourful() else compose.PLAIN
    sys.stdout.write(compose.block(found, paint, show.columns()))
    show.text(f"  {'item:':<11} {found.item}")
    if found.acked:
        show.text(f"  {'seen:':<11} {show.utc(found.acked)} UTC, by a person")
    show.text()
    if not owed:
        show.text("Nobody is told: its watchlist has no recipients.")
        return
    show.table(
        ("CHANNEL", "RECIPIENT", "STATE", "ATTEMPTS", "LAST ERROR"),
        ((one.channel, one.recipient, one.state, one.attempts, one.last_error) for one in owed),
    )


@app.command()
def ack(alert: Id, config: ConfigFile = None, as_json: Json = False) -> None:
    """Mark an alert as seen by a person. Deliveries go on."""
    number = given.row_id("alert", alert)
    with given.store_to_write(given.config(config)) as store:
        _one(store, alert)
        store.ack(number, now())
    if as_json:
        show.record({"id": alert, "acked": True})
    else:
        show.text(f"Alert {alert} is marked as seen.")


@app.command()
def retry(
    alert: Annotated[
        str | None, typer.Argument(metavar="ID", help="Only what this alert owes; without it, all that was given up.")
    ] = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Owe again what was given up: it is sent by the daemon, or by the next `aggregator fetch`, as the same message."""
    number = None if alert is None else given.row_id("alert", alert)
    with given.store_to_write(given.config(config)) as store:
        if alert is not None:
            _one(store, alert)
        owed = store.owe_again(number, now())
    if as_json:
        show.record({"owed": owed})
    else:
        show.text(f"Owed again: {owed:,}." if owed else "Nothing was given up.")


def _one(store: Store, alert: str) -> tuple[Alert, list[Owed]]:
    found = store.alerts(alert=given.row_id("alert", alert), limit=1)
    if not found:
        raise UsageError(f'there is no alert "{alert}": `aggregator alerts list` shows the ids')
    return found[0]


def _record(alert: Alert, owed: list[Owed]) -> dict[str, Any]:
    return {**compose.record(alert), "acked": alert.acked, "deliveries": [asdict(one) for one in owed]}


def _told(owed: list[Owed]) -> str:
    """How many of the deliveries are done, and what became of the others."""
    states = [one.state for one in owed]
    sent, dead = states.count("sent"), states.count("dead")
    return f"{sent} of {len(states)}" + (f", {dead} given up" if dead else "")


def _title(alert: Alert) -> str:
    return f"{'(update) ' if alert.update else ''}{alert.title or '(no title)'}"


def _colourful() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
