"""`aggregator init`."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from aggregator import config as configuration
from aggregator.cli import show
from aggregator.cli.options import ConfigFile, Json
from aggregator.config.environment import FILE, PREFIX

app = typer.Typer(add_completion=False)


@app.command()
def init(config: ConfigFile = None, as_json: Json = False) -> None:
    """Write a first feeds.yaml, which works as it stands, and make the data folder. Never overwrites."""
    path = (config or Path(os.environ.get(f"{PREFIX}CONFIG") or FILE)).absolute()
    created = show.new_file(path, configuration.starter().encode())
    loaded = configuration.load(path)
    data = loaded.settings.database.parent
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if as_json:
        show.record({"config": str(path), "created": created, "database": str(loaded.settings.database)})
        return
    show.text(f"Wrote {path}" if created else f"{path} is there already; it stays as it is.")
    feeds, watchlists = show.number(len(loaded.feeds), "feed"), show.number(len(loaded.watchlists), "watchlist")
    show.text(f"It names {feeds} and {watchlists}. Items and alerts will be kept in {data}")
    show.text()
    show.text("Next:")
    show.text(f"  edit {path.name}            what to watch, what to look for, whom to tell")
    show.text("  aggregator fetch           read the feeds once")
    show.text("  aggregator run             watch them until stopped")
