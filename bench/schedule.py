"""Replay real publication times under a simulated clock and compare polling rules: delay against polls.

    python bench/schedule.py [series.json.gz [RULE...]]

Of each series the last 63 days are replayed: 21 to learn, 42 to judge; a shorter series is split 1:2. A document
holds the 30 newest items. `mean`, `p50` and `p95` are minutes from publication to the poll that finds the item,
over all items; `macro` is the mean of the feeds' means. A missed item slipped out of the document before a poll.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

from aggregator.model import History, Observation, Pace
from aggregator.schedule import next_due
from aggregator.settings import Polling

CORPUS = Path(__file__).parents[2] / "shared/corpus/timestamps/series.json.gz"
DAY_S = 86_400.0
WINDOW = 30
LEARN_S, JUDGE_S = 21 * DAY_S, 42 * DAY_S


@dataclass(slots=True)
class Poll:
    """What a rule sees: the times of new items, and how many the document holds."""

    now: float
    new: list[float]
    entries: int
    first: bool


Rule = Callable[[Poll], float]  # seconds until the next poll; a new rule object for each feed


@dataclass(slots=True)
class Tally:
    polls: int = 0
    hits: int = 0
    days: float = 0.0
    missed: int = 0
    delays: list[float] = field(default_factory=list)
    means: list[float] = field(default_factory=list)

    def row(self) -> str:
        delays = sorted(self.delays)
        at = lambda share: delays[int(share * (len(delays) - 1))] / 60  # noqa: E731 - used in the next line only
        return (
            f"{self.polls / self.days:10.1f} {self.polls / len(delays):10.2f} {100 * self.hits / self.polls:6.1f}"
            f" {fmean(delays) / 60:7.1f} {at(0.5):7.1f} {at(0.95):7.1f} {fmean(self.means) / 60:7.1f} {self.missed:7d}"
        )


def replay(published: list[float], rule: Rule, tally: Tally) -> None:
    """Poll one feed by `rule` and add what happened in its judged days to `tally`."""
    end = published[-1]
    span = min(LEARN_S + JUDGE_S, end - published[0])
    begin = end - span
    judged = begin + span / 3
    known = bisect_right(published, begin)  # items of the past are in the first document, not news
    now, first, mine = begin, True, []
    while known < len(published) or now < end:
        there = bisect_right(published, now)
        oldest = max(there - WINDOW, 0)
        seen = published[max(known, oldest) : there]
        new = published[oldest:there] if first else seen
        if now >= judged:
            tally.polls += now <= end
            tally.hits += bool(seen) and now <= end
            mine += [now - at for at in seen if at >= judged]
            tally.missed += sum(at >= judged for at in published[known : max(known, oldest)])
        known = there
        now += rule(Poll(now=now, new=new, entries=there - oldest, first=first))
        first = False
    tally.days += (end - judged) / DAY_S
    tally.delays += mine
    if mine:
        tally.means.append(fmean(mine))


# ---------------------------------------------------------------- rules


def fixed(minutes: float) -> Rule:
    return lambda _poll: minutes * 60


def miniflux(factor: float, cap_s: float = DAY_S) -> Rule:
    """entry_frequency: a week divided by the items of the last week."""
    week: list[float] = []

    def rule(poll: Poll) -> float:
        nonlocal week
        week = [at for at in week + poll.new if at > poll.now - 7 * DAY_S]
        return min(max(7 * DAY_S / (len(week) * factor), 300), cap_s) if week else cap_s

    return rule


def media_cloud() -> Rule:
    """Slower by 10 minutes when two thirds are known, faster by an hour when less than one third is."""
    wait_s, last_new = 6 * 3600.0, 0.0

    def rule(poll: Poll) -> float:
        nonlocal wait_s, last_new
        last_new = poll.now if poll.new else last_new
        fresh = len(poll.new) / poll.entries if poll.entries else 0.0
        if fresh <= 1 / 3:
            wait_s += 3600 if poll.now - last_new > 31 * DAY_S else 600
        elif fresh > 2 / 3:
            wait_s = min(wait_s - 3600, 6 * 3600)
        wait_s = min(max(wait_s, 600), DAY_S)
        return wait_s

    return rule


CALLS: defaultdict[tuple[bool, bool], deque[Any]] = defaultdict(lambda: deque(maxlen=5_000))  # of `next_due`


def cost_of_calls() -> None:
    """Print what a call of `next_due` costs, by what the visit showed: the calls of the replays, made once more."""
    for (first, new), calls in sorted(CALLS.items()):
        what = "first document" if first else "new items" if new else "nothing new"
        times = []
        for _ in range(3):
            begun = time.process_time()
            for call in calls:
                next_due(*call)
            times.append((time.process_time() - begun) / len(calls) * 1e6)
        print(f"next_due, {what:14} {min(times):5.1f} us a call ({len(calls)} calls, best of 3)")


def ours(cost: float, *, dated: bool = True, **polling: timedelta) -> Rule:
    pace = Pace(polling=Polling(cost=cost, **polling))
    history = History()

    def rule(poll: Poll) -> float:
        nonlocal history
        now = datetime.fromtimestamp(poll.now, UTC)
        published = tuple(datetime.fromtimestamp(at, UTC) for at in poll.new) if dated or poll.first else ()
        seen = Observation(
            new=len(poll.new), entries=poll.entries, published=published, not_modified=not poll.new and not poll.first
        )
        due = next_due(history, seen, now, pace)
        CALLS[poll.first, bool(poll.new)].append((history, seen, now, pace))
        history = due.history
        return (due.at - now).total_seconds()

    return rule


RULES: dict[str, Callable[[], Rule]] = {
    "fixed 15 min": lambda: fixed(15),
    "fixed 30 min": lambda: fixed(30),
    "fixed 60 min": lambda: fixed(60),
    "fixed 90 min": lambda: fixed(90),
    "miniflux x1": lambda: miniflux(1),
    "miniflux x1, cap 6 h": lambda: miniflux(1, 6 * 3600),
    "miniflux x2": lambda: miniflux(2),
    "media cloud": media_cloud,
    "ours, cost 300": lambda: ours(300),
    "ours, cost 600": lambda: ours(600),
    "ours, cost 1000": lambda: ours(1000),
    "ours, no item dates": lambda: ours(1000, dated=False),
    "ours, cost 2500": lambda: ours(2500),
    "ours, cap 1 h": lambda: ours(1000, cap=timedelta(hours=1)),
}


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS
    if not path.exists():
        print(f"skipped: no publication times at {path}")
        return
    series = json.loads(gzip.decompress(path.read_bytes()))
    print(f"{len(series)} series\n{'rule':22} polls/day polls/item  hit %    mean     p50     p95   macro  missed")
    chosen = {name: rule for name, rule in RULES.items() if len(sys.argv) < 3 or name in sys.argv[2:]}
    for name, rule in chosen.items():
        tally, begun = Tally(), time.process_time()
        for one in series.values():
            replay(one["published"], rule(), tally)
        print(f"{name:22}{tally.row()}   {time.process_time() - begun:5.1f} s", flush=True)
    cost_of_calls()


if __name__ == "__main__":
    main()
