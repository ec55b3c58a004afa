"""`aggregator watch backtest`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Annotated

import typer

from aggregator import backtest as trial
from aggregator import watch as watching
from aggregator.cli import given, watch_archive
from aggregator.cli.options import ConfigFile, Json, Since, now
from aggregator.cli.watch_report import print_records, print_report
from aggregator.errors import RuleError, UsageError
from aggregator.settings import Config, Watchlist

SAVED = "saved"

Tell = Callable[[Sequence[int]], int]


def backtest(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The watchlist to try.")] = None,
    rule: Annotated[str | None, typer.Option("--rule", metavar="RULE", help="Try this rule instead.")] = None,
    since: Since = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="RULE", help="Say what is gained and lost: a rule, or saved for that of NAME."
        ),
    ] = None,
    sample: Annotated[int, typer.Option("--sample", min=0, max=1000, metavar="N", help="Show so many items.")] = 5,
    alert: Annotated[bool, typer.Option("--alert", help="Raise what was missed, as if it had just come.")] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Try a watchlist, or a rule, on the archive: the items of the last ninety days, or of --since.

    The evaluator is that of live items. With NAME and --rule, what the rule gains and loses against the saved one is
    shown. --alert tells what was missed; what was told of a story already is not told again.
    """
    loaded = given.config(config)
    tested, other = _rules(loaded, name, rule, against)
    if alert and (name is None or rule is not None):
        raise UsageError("--alert needs the NAME of a watchlist as it is saved: write the rule into feeds.yaml first")
    start = watch_archive.since_or_usual(since)
    with (
        given.store(loaded) as store,
        watch_archive.progress(store, start, "judging") as watched,
        _telling(loaded, name if alert else None) as tell,
    ):
        report = trial.run(
            store,
            loaded.concepts,
            tested,
            against=other,
            since=start,
            languages=watch_archive.languages(loaded),
            sample=sample,
            tell=tell,
            watching=watched,
        )
    if as_json:
        print_records(report, tested, loaded, start)
    else:
        print_report(report, tested, other, start, told=alert)


def _rules(
    config: Config, name: str | None, rule: str | None, against: str | None
) -> tuple[Watchlist, Watchlist | None]:
    """The watchlist to be tried, and the one to compare it with."""
    saved = None
    if name is not None:
        given.require("watchlist", name, (one.name for one in config.watchlists))
        saved = next(one for one in config.watchlists if one.name == name)
    if saved is None and rule is None:
        raise UsageError("give the NAME of a watchlist, or a --rule")
    if against == SAVED and (saved is None or rule is None):
        raise UsageError("--against saved needs the NAME of a watchlist and a --rule to compare with it")
    tested = saved if rule is None else _written(rule, name or "rule", config)
    if tested is None:
        raise AssertionError("neither a name nor a rule")
    if against is not None and against != SAVED:
        return tested, _written(against, "against", config)
    return tested, saved if rule is not None else None


def _written(rule: str, name: str, config: Config) -> Watchlist:
    """A watchlist of a rule from the command line."""
    try:
        watching.language.parse(rule, {concept.name for concept in config.concepts})
    except RuleError as error:
        raise UsageError(f"column {error.column} of the rule: {error}") from error
    return Watchlist(name=name, label=name, rule=rule)


@contextmanager
def _telling(config: Config, name: str | None) -> Iterator[Tell | None]:
    """What raises the alerts of a watchlist; None when none are to be raised."""
    if name is None:
        yield None
        return
    # Imported late: whoever only looks shall not wait for the whole program.
    from aggregator import app, reader  # noqa: PLC0415  # see above

    watchlist = [one for one in config.watchlists if one.name == name]
    declared = {feed.name: feed.lang for feed in config.feeds if feed.lang}
    find = partial(reader.finding, watching.compile(watchlist, config.concepts), declared)
    with app.open_store(config, now()) as store:
        yield lambda items: store.tell_missed(items, find, now())
