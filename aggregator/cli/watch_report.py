"""What a back-test came to, for people and for programs."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from aggregator import backtest
from aggregator.backtest import Match, Report
from aggregator.cli import chart, show
from aggregator.cli.options import now
from aggregator.cli.watch_shown import passages
from aggregator.settings import Config, Watchlist
from aggregator.store import dialect

WIDEST = 100  # columns of a chart


def print_records(report: Report, tested: Watchlist, config: Config, since: datetime) -> None:
    """A report for programs: its samples, then the total."""
    for kind, matches in (("hit", report.sample), ("gained", report.gained_sample), ("lost", report.lost_sample)):
        for match in matches:
            show.record({"type": kind, **_record(match)})
    defined = backtest.definition(tested, config.concepts)
    show.record({
        "type": "total", "watchlist": tested.name, "rule": defined.get("rule"), "version": backtest.version(defined),
        "since": since, "items": report.items, "hits": report.hits, "gained": report.gained, "lost": report.lost,
        "alerts": report.alerts, "stopped": report.stopped, "days": {f"{day}": report.days[day] for day in sorted(report.days)},
    })  # fmt: skip


def _record(match: Match) -> dict[str, Any]:
    archived = match.item
    return {
        "item": str(archived.id), "feed": archived.feed, "title": archived.title, "link": archived.link,
        "first_seen": dialect.from_ms(archived.first_seen),
        "hits": [
            {"term": hit.term, "field": hit.field, "start": hit.start, "end": hit.end, "text": hit.text}
            for hit in match.hits
        ],
    }  # fmt: skip


def print_report(report: Report, tested: Watchlist, other: Watchlist | None, since: datetime, *, told: bool) -> None:
    """A report for people."""
    show.fields((
        ("Rule", _rule(tested)),
        ("Against", _rule(other) if other else None),
        ("Archive", f"{show.number(report.items, 'item')} since {show.utc(since)} UTC"),
        ("Found", f"{show.number(report.hits, 'item')}{_share(report)}"),
        ("Not judged", f"{show.number(report.stopped, 'item')}: the rule was too costly there" if report.stopped else None),
        ("Compared", f"{report.gained:,} gained, {report.lost:,} lost" if other else None),
        ("Alerts", f"{report.alerts:,} raised; the daemon, or `aggregator fetch`, sends them" if told else None),
    ))  # fmt: skip
    if report.hits:
        show.text()
        width = min(WIDEST, shutil.get_terminal_size().columns - 12)
        for line in chart.columns(report.days, since.date(), max(now().date(), *report.days), width):
            show.text(line)
    differences = (("Gained", report.gained_sample, report.gained), ("Lost", report.lost_sample, report.lost))
    samples = differences if report.gained or report.lost else (("Sample", report.sample, report.hits),)
    for title, matches, count in samples:
        _print_sample(title, matches, count)


def _rule(watchlist: Watchlist) -> str:
    return watchlist.rule or ", ".join(watchlist.keywords)


def _share(report: Report) -> str:
    return f", {report.hits / report.items:.2%} of all" if report.hits else ""


def _print_sample(title: str, matches: Sequence[Match], count: int) -> None:
    if not matches:
        return
    show.text()
    show.heading(title if len(matches) == count else f"{title}: {len(matches):,} of {count:,}")
    for match in matches:
        archived = match.item
        show.text()
        show.text(f"{archived.id}  {show.utc(dialect.from_ms(archived.first_seen))}  {archived.feed}")
        hits = [replace(hit, watchlist="") for hit in match.hits]
        shown = list(passages(archived.item, hits))
        headline = (
            [] if any(name.strip() == "title:" for name, _ in shown) else [("  title:", archived.title or "(no title)")]
        )
        show.fields([*headline, *shown])
