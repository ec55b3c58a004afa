"""`aggregator config`."""

from __future__ import annotations

import json
import sys

import typer

from aggregator import config as configuration
from aggregator.cli import given, show
from aggregator.cli.options import ConfigFile, Json
from aggregator.errors import ConfigError

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def config() -> None:
    """Check feeds.yaml, and show what it comes to."""


@app.command()
def check(config: ConfigFile = None, as_json: Json = False) -> None:
    """Say everything that is wrong with feeds.yaml (exit code 3), and what is worth a look."""
    path = given.config_path(config)
    try:
        loaded = configuration.load(path)
    except ConfigError as error:
        if as_json:
            show.record({"ok": False, "problems": error.problems, "warnings": ()})
            raise typer.Exit(error.exit_code) from error
        raise
    database = loaded.settings.database
    warnings = [*loaded.warnings, *given.loose(database.parent, database)]
    if as_json:
        show.record({"ok": True, "problems": (), "warnings": warnings})
        return
    for warning in warnings:
        show.note(f"warning: {warning}")
    counts = ", ".join(
        show.number(len(named), noun)
        for named, noun in (
            (loaded.feeds, "feed"),
            (loaded.concepts, "concept"),
            (loaded.watchlists, "watchlist"),
            (loaded.channels, "channel"),
        )
    )
    show.text(f"ok: {path}: {counts}")


@app.command()
def schema(as_json: Json = False) -> None:
    """Print the JSON Schema of feeds.yaml, for editors that complete and check it."""
    if as_json:
        show.record(configuration.schema())
    else:
        sys.stdout.write(json.dumps(configuration.schema(), indent=2, ensure_ascii=False) + "\n")


@app.command("show")
def show_(config: ConfigFile = None, as_json: Json = False) -> None:
    """Show every setting with its value and where it came from: a line, a variable, or the default. No secrets."""
    rows = configuration.describe(given.config(config))
    if as_json:
        for key, value, source in rows:
            show.record({"key": key, "value": value, "source": source})
    else:
        show.table(("SETTING", "FROM", "VALUE"), ((key, source, value) for key, value, source in rows))
