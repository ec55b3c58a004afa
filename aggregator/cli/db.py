"""`aggregator db`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aggregator.cli import given, show
from aggregator.cli.options import ConfigFile, Json
from aggregator.store import Store

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def db() -> None:
    """Back up, check and migrate the database."""


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="A file that does not exist yet.")],
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Copy the database to a file, also while the daemon writes. The search index is left out: it makes itself anew."""
    with given.store_to_write(given.config(config)) as store:
        store.backup(target)
    size = target.stat().st_size
    if as_json:
        show.record({"target": str(target), "bytes": size})
    else:
        show.text(f"Wrote {target} ({size / 1e6:,.1f} MB, only you can read it).")


@app.command()
def check(config: ConfigFile = None, as_json: Json = False) -> None:
    """Look for damage in the database; exit code 1 when there is some."""
    loaded = given.config(config)
    with given.store(loaded) as store:
        problems = store.check()
    if as_json:
        show.record({"ok": not problems, "problems": problems})
    elif problems:
        for problem in problems:
            show.text(problem)
        show.note("The database is damaged. Stop the daemon, keep the file, and go on with a backup.")
    else:
        show.text(f"ok: {loaded.settings.database}")
    if problems:
        raise typer.Exit(1)


@app.command()
def migrate(config: ConfigFile = None, as_json: Json = False) -> None:
    """Bring the database to the form that this version needs. `run` and `fetch` do it by themselves; back up first."""
    path = given.config(config).settings.database
    pending: list[str] = []
    if path.exists():
        with Store.open_to_read(path) as store:
            pending = store.pending_migrations()
    Store.open(path).close()
    if as_json:
        show.record({"applied": pending})
    elif pending:
        show.text(f"Applied: {', '.join(pending)}")
    else:
        show.text("Nothing to do: the database has the newest form.")
