"""`aggregator watch list`."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from aggregator.cli import chart, given, show
from aggregator.cli.options import ConfigFile, Json, now
from aggregator.settings import Config

DAYS = 21  # a letter each: a column of a table on a terminal has 24


def list_(config: ConfigFile = None, as_json: Json = False) -> None:
    """List the watchlists of feeds.yaml, with the alerts of each by day, three weeks back."""
    loaded = given.config(config)
    last = now().date()
    first = last - timedelta(days=DAYS - 1)
    alerts = _alerts(loaded, first)
    if as_json:
        for one in loaded.watchlists:
            days = alerts.get(one.name, Counter())
            show.record({
                "watchlist": one.name, "label": one.label, "severity": one.severity, "notify": one.notify,
                "keywords": one.keywords, "rule": one.rule, "alerts": days.total(),
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
    else:
        show.note(f"No watchlists yet. Write one under `watchlists:` in {loaded.path}")


def _alerts(config: Config, first: date) -> dict[str, Counter[date]]:
    """The alerts of each watchlist by day; none while there is no database."""
    if not config.settings.database.exists():
        return {}
    with given.store(config) as store:
        return store.alerts_by_day(first)
