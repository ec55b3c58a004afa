"""`aggregator watch list`."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from aggregator.cli import chart, given, health, show
from aggregator.cli.options import ConfigFile, Json, now
from aggregator.settings import Config
from aggregator.store import StoredTrouble, is_made

DAYS = 21  # a letter each: a column of a table on a terminal has 24


def list_(config: ConfigFile = None, as_json: Json = False) -> None:
    """List the watchlists of feeds.yaml, with the alerts of each by day, three weeks back."""
    loaded = given.config(config)
    last = now().date()
    first = last - timedelta(days=DAYS - 1)
    alerts, stopped = _known(loaded, first)
    if as_json:
        for one in loaded.watchlists:
            days = alerts.get(one.name, Counter())
            show.record({
                "watchlist": one.name, "label": one.label, "severity": one.severity, "notify": one.notify,
                "keywords": one.keywords, "rule": one.rule, "alerts": days.total(),
                "troubles": [health.trouble(trouble) for trouble in stopped if trouble.watchlist == one.name],
                "days": {f"{day}": days[day] for day in sorted(days)},
            })  # fmt: skip
    elif loaded.watchlists:
        show.table(
            ("WATCHLIST", "SEVERITY", "TELLS", f"{DAYS} DAYS", "ALERTS", "LOOKS FOR"),
            (
                (
                    one.name, one.severity, ", ".join(one.notify),
                    chart.spark(chart.by_day(alerts.get(one.name, {}), first, last)),
                    f"{alerts.get(one.name, Counter()).total():,}", one.rule or ", ".join(one.keywords),
                )
                for one in loaded.watchlists
            ),
        )  # fmt: skip
        for trouble in stopped:
            show.text()
            show.text(f"{trouble.watchlist}: {trouble.kind} since {show.utc(trouble.since)} UTC: {trouble.detail}")
    else:
        show.note(f"No watchlists yet. Write one under `watchlists:` in {loaded.path}")


def _known(config: Config, first: date) -> tuple[dict[str, Counter[date]], list[StoredTrouble]]:
    """The alerts of each watchlist by day, and those that are in trouble; none while there is no database."""
    if not is_made(config.settings.database):
        return {}, []
    with given.store(config) as store:
        return store.alerts_by_day(first), [one for one in store.troubles() if one.watchlist is not None]
