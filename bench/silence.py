"""Replay real publication times and count what the coverage watchdog says: false alarms a year, hours to a true one.

    python bench/silence.py [series.json.gz]

The last 500 days of each series are polled by our own schedule. None of the series ended there, so every silence that
ended is a false alarm here, though some are true outages of the publisher. Then, at every 50th poll after three weeks,
the feed is taken to die: how long until that is noticed. No series is held out: the constants were chosen on these.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aggregator import coverage
from aggregator.coverage import Sight
from aggregator.model import Due, History, Observation, Pace, Standing, Trouble
from aggregator.schedule import next_due
from aggregator.settings import Polling

CORPUS = Path(__file__).parents[2] / "shared/corpus/timestamps/series.json.gz"
DAY_S = 86_400.0
SPAN_S, WINDOW = 500 * DAY_S, 30
DIES_EACH = 50  # polls
PACE = Pace(polling=Polling())
CLASSES = ((24.0, "24 or more"), (6.0, "6 to 24"), (1.0, "1 to 6"), (0.0, "less than 1"))  # items a day


@dataclass(slots=True)
class Feed:
    """A feed as the store holds it."""

    history: History = field(default_factory=History)
    standing: Standing = field(default_factory=Standing)
    looked: datetime | None = None
    planned: datetime | None = None
    last_new: datetime | None = None
    silent: bool = False

    def visit(self, now: datetime, published: tuple[datetime, ...], entries: int) -> bool:
        """One visit; whether the feed turned silent."""
        new = len(published)
        sight = Sight(
            at=now, history=self.history, looked=self.looked, planned=self.planned or now, last_new=self.last_new,
            new=new, entries=entries,
        )  # fmt: skip
        due = self.due(now, new, entries, published)
        self.standing = coverage.after(self.standing, sight, due.history)
        was, self.silent = self.silent, self._silent(sight)
        self.history, self.looked, self.planned = due.history, now, due.at
        self.last_new = now if new else self.last_new
        return self.silent and not was

    def _silent(self, sight: Sight) -> bool:
        already = {Trouble.SILENT: sight.at} if self.silent else {}
        return Trouble.SILENT in coverage.troubles(self.standing, sight, already)

    def due(self, now: datetime, new: int, entries: int, published: tuple[datetime, ...]) -> Due:
        return next_due(self.history, Observation(new=new, entries=entries, published=published), now, PACE)


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def replay(published: list[float]) -> Iterator[tuple[Feed, bool]]:
    """The feed after each poll of the last days of a series, and whether it just turned silent."""
    now, end = max(published[0], published[-1] - SPAN_S), published[-1]
    known, feed, first = bisect_right(published, now), Feed(), True
    while now <= end:
        there = bisect_right(published, now)
        oldest = max(there - WINDOW, 0)
        seen = published[oldest if first else max(known, oldest) : there]
        yield feed, feed.visit(moment(now), tuple(map(moment, seen)), there - oldest)
        known, first = there, False
        now = feed.planned.timestamp() if feed.planned else end


def hours_until_noticed(feed: Feed) -> float | None:
    """How long after its death the feed is found silent, None: not within 120 days."""
    dead = Feed(feed.history, feed.standing, feed.looked, feed.planned, feed.last_new)
    began = dead.looked or moment(0)
    while dead.planned and dead.planned < began + timedelta(days=120):
        if dead.visit(dead.planned, (), WINDOW):
            return ((dead.looked or began) - began).total_seconds() / 3600
    return None


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS
    if not path.exists():
        print(f"skipped: no publication times at {path}")
        return
    series = json.loads(gzip.decompress(path.read_bytes()))
    begun = time.process_time()
    for kind in ("news", "commits"):
        alarms, years = 0, 0.0
        noticed: dict[str, list[float]] = {name: [] for _, name in CLASSES}
        for one in (one for one in series.values() if one["kind"] == kind):
            began, number = None, 0
            for number, (feed, turned) in enumerate(replay(one["published"]), 1):
                began = began or feed.looked
                alarms += turned
                if number % DIES_EACH == 0 and not feed.silent and feed.looked - began > timedelta(days=21):
                    rate = feed.history.items / max(feed.history.exposure_s, DAY_S) * DAY_S
                    name = next(name for least, name in CLASSES if rate >= least)
                    noticed[name].append(hours_until_noticed(feed) or float("inf"))
            years += (feed.looked - began).total_seconds() / DAY_S / 365
        print(f"{kind}: {alarms} alarms in {years:.1f} feed-years, {alarms / years:.2f} a feed and year")
        for name, hours in noticed.items():
            if hours:
                hours.sort()
                at = lambda share, hours=hours: hours[int(share * (len(hours) - 1))]  # noqa: E731 - of the next line
                print(f"  {name:12} items a day: noticed after {at(0.5):.0f} h, 95 % {at(0.95):.0f} h ({len(hours)})")
    print(f"{time.process_time() - begun:.0f} s of CPU")


if __name__ == "__main__":
    main()
