"""`aggregator run`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from aggregator import daemon
from aggregator.app import App
from aggregator.cli import given, logs, show
from aggregator.cli.options import ConfigFile
from aggregator.settings import Channel, ConsoleChannel, EmailChannel

app = typer.Typer(add_completion=False)


@app.command()
def run(
    config: ConfigFile = None,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], typer.Option("--log-level", help="How much to tell.")
    ] = "info",
) -> None:
    """Watch the feeds and send alerts until Ctrl-C or SIGTERM.

    Nothing is lost when it stops: it goes on where it stood. A second one on the same database refuses (exit code 6).
    Logs go to standard error, alerts of a console channel to standard output.
    """
    loaded = given.config(config)
    logs.to_stderr(log_level)
    for warning in (*loaded.warnings, *given.loose(loaded.settings.database)):
        show.note(f"warning: {warning}")
    if not loaded.feeds:
        show.note(f"There are no feeds in {loaded.path} yet. `aggregator feeds add URL` adds one.")
    daemon.run_until_signal(loaded, _tell)


def _tell(app: App) -> None:
    """Say what is watched, and when there will be something to see."""
    loaded, due = app.config, app.store.next_due()
    show.note(
        f"Watching {show.number(len(loaded.feeds), 'feed')} for {show.number(len(loaded.watchlists), 'watchlist')};"
        f" alerts go to {', '.join(map(_named, loaded.channels))}; database {loaded.settings.database}."
        f" {'The next feed is due at ' + show.utc(due) + ' UTC.' if due and due > app.now() else ''} Ctrl-C stops."
    )


def _named(channel: Channel) -> str:
    match channel:
        case EmailChannel():
            return f"{channel.name} (email)"
        case ConsoleChannel():
            return f"{channel.name} (this console)"
    return f"{channel.name} (webhook)"
