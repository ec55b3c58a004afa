"""`aggregator watch import`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from aggregator import watchimport
from aggregator.cli import given, show
from aggregator.cli.options import ConfigFile, Json
from aggregator.watchimport import Imported

Form = StrEnum("Form", list(watchimport.FORMS))  # type: ignore[misc]  # its members are the table's keys


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list; - is standard input.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What to call it; otherwise after the file.")
    ] = None,
    form: Annotated[Form | None, typer.Option("--form", help="What it is; otherwise guessed from its text.")] = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Add the watchlists of another system to feeds.yaml; its comments and layout stay.

    A flat list of keywords, Google Alerts queries (one a line), Miniflux keep rules, or a category definition
    file (.adf) of the EMM OSINT Suite. What
    cannot be converted is named with its reason. Exit code 1 when nothing could be.
    """
    data = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    called = name or ("imported" if file == Path("-") else file.stem)
    done = watchimport.import_watchlists(given.config_path(config), data, called, form and form.value)
    if as_json:
        _print_records(done)
    else:
        _print(done)
    if done.refused and not done.added:
        raise typer.Exit(1)


def _print_records(done: Imported) -> None:
    for one in done.added:
        show.record({"type": "added", "watchlist": one.name, "keywords": one.keywords, "rule": one.rule})
    for piece in done.refused:
        show.record({"type": "refused", "place": piece.place, "text": piece.text, "why": piece.why})
    show.record({
        "type": "total", "form": done.form, "added": len(done.added), "refused": len(done.refused),
        "remarks": done.remarks,
    })  # fmt: skip


def _print(done: Imported) -> None:
    for one in done.added:
        show.heading(one.name)
        show.text(f"  {one.rule or show.number(len(one.keywords), 'keyword')}")
    if done.refused:
        show.text()
        show.explaining_table(
            ("NOT CONVERTED", "TEXT", "WHY"), ((piece.place, piece.text, piece.why) for piece in done.refused)
        )
    show.note(
        f"Read as {done.form}: {show.number(len(done.added), 'watchlist')} added, {len(done.refused):,} pieces not converted."
    )
    for remark in done.remarks:
        show.note(f"Note: {remark}.")
    if done.added:
        show.note("They tell all channels until `notify:` says otherwise. `aggregator watch backtest NAME` tries one.")
