"""`aggregator watch lint`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Annotated

import typer

from aggregator import watchlint
from aggregator.cli import given, show, watch_archive
from aggregator.cli.options import ConfigFile, Json, Since
from aggregator.errors import UsageError
from aggregator.store import is_made
from aggregator.watchlint import Report, Seen

FORMS = 6  # spellings named of each term; --json names all


def lint(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Watchlists; all if none is named.")
    ] = None,
    since: Since = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Say what is worth a look in watchlists: what each term finds in the archive, and what seems not meant so.

    The archive is that of the last ninety days, or of --since. Exit code 0 whatever is found: these are remarks.
    """
    loaded = given.config(config)
    for name in names or ():
        given.require("watchlist", name, (one.name for one in loaded.watchlists))
    chosen = [one for one in loaded.watchlists if not names or one.name in names]
    if not chosen:
        raise UsageError("there are no watchlists yet: write one under `watchlists:` in feeds.yaml")
    with ExitStack() as stack:
        store, watched, start = None, None, watch_archive.since_or_usual(since)
        if is_made(loaded.settings.database):
            store = stack.enter_context(given.store(loaded))
            watched = stack.enter_context(watch_archive.progress(store, start, "counting"))
        report = watchlint.lint(
            chosen, loaded.concepts, store, start, watch_archive.languages(loaded), watched or (lambda _id: None)
        )
    if as_json:
        _print_records(report)
    else:
        _print(report)


def _print_records(report: Report) -> None:
    for term in report.terms:
        show.record({
            "type": "term", "term": term.text, "watchlists": term.watchlists, "items": term.items,
            "seen": dict(term.seen), "unseen": term.unseen,
        })  # fmt: skip
    for remark in report.remarks:
        show.record({"type": "warning", "kind": remark.kind, "where": remark.where, "text": remark.text})
    show.record({"type": "total", "items": report.items, "terms": len(report.terms), "warnings": len(report.remarks)})


def _print(report: Report) -> None:
    show.table(("TERM", "ITEMS", "IN", "AS"), (_row(term) for term in report.terms))
    if report.items < watchlint.ENOUGH:
        show.note(f"The archive holds {show.number(report.items, 'item')}: too few to say what a term finds.")
    if report.remarks:
        show.text()
        show.explaining_table(
            ("WORTH A LOOK", "WHERE", "WHY"), ((one.kind, one.where, one.text) for one in report.remarks)
        )
    else:
        show.text("Nothing seems wrong.")


def _row(term: Seen) -> tuple[object, ...]:
    return term.text, f"{term.items:,}", ", ".join(term.watchlists), _forms(term.seen, len(term.unseen))


def _forms(seen: Iterable[tuple[str, int]], unseen: int) -> str:
    named = [f"{form} {count:,}" for form, count in seen]
    more = [f"{len(named) - FORMS} more"] if len(named) > FORMS else []
    never = [f"{unseen} never seen"] if unseen else []
    return ", ".join((*named[:FORMS], *more, *never))
