# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
"""Rows S9 to S12 at full size: ten thousand overdue feeds after a long stop, under a moved clock.

The store hands out the work as it does to the daemon, a tick a second; a visit takes its host some seconds of the moved
clock. Only the wire and the parser are left out.
"""

import tempfile
from collections import Counter, defaultdict
from datetime import timedelta
from heapq import heappop, heappush
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from support.making import NOW, WORDS, blank, feed, finder, routes

from aggregator.model import History, Observation, Pace
from aggregator.schedule import next_due, to_json
from aggregator.settings import Polling
from aggregator.store import Store
from aggregator.store.feeds import LEASE

SECOND = timedelta(seconds=1)
FEEDS = 10_000
POLLING = Polling()
PACE = Pace(polling=POLLING)
FINDER = finder(WORDS)
_MEMORY = Path("/dev/shm")  # ten thousand commits, and none of this is about the disk


class Daemon:
    """The ticks of a daemon, and what its visits did to each host."""

    def __init__(self, store, now):
        self.store, self.now = store, now
        self.running = []  # (ends, number, lease), the first to end first
        self.spans = defaultdict(list)  # host -> (began, ended)
        self.dues = {}  # feed -> when it is due again
        self.visits = self.most = 0
        self._random = Random(5)

    def tick(self):
        while self.running and self.running[0][0] <= self.now:
            self._end(*heappop(self.running))
        free = POLLING.concurrency - len(self.running)
        if free >= POLLING.concurrency // 4:
            for lease in self.store.claim_feeds(self.now, free, "t", per_host=POLLING.per_host):
                self._begin(lease)
        self.most = max(self.most, len(self.running))
        self.now += SECOND

    def _begin(self, lease):
        dead = lease.id % 50 == 0
        ends = self.now + SECOND * (30 if dead else self._random.uniform(0.2, 2))
        self.spans[lease.site].append((self.now, ends))
        self.visits += 1
        heappush(self.running, (ends, self.visits, lease))

    def _end(self, ends, _number, lease):
        due = next_due(lease.history, Observation(entries=10, not_modified=True), ends, PACE)
        self.dues[lease.id] = due.at
        free_at = ends + POLLING.host_gap
        done = blank(lease, ends, outcome="not_modified", due=lambda _new: due, host_free_at=free_at)
        self.store.record_visit(done, FINDER)


def listed():
    """Fifty feeds on each of ten hosts, five on each of the others."""
    for number in range(FEEDS):
        host = number % 10 if number < 500 else number % 1900 + 10
        yield feed(f"{number}", f"https://h{host}.example/{number}")


@pytest.fixture(scope="module")
def drained():
    """What a daemon did that found all feeds overdue after a month, and was killed half-way and started again."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        path = Path(folder) / "a.db"
        with Store.open(path, routes(WORDS)) as store:
            store.sync_feeds(list(listed()), NOW)
            old = to_json(History(last_poll=NOW - timedelta(days=30)))
            store._conn.execute("UPDATE feeds SET due_at = due_at - id * 7919 % 2592000 * 1000, history = ?", (old,))
            daemon = Daemon(store, NOW)
            while len(daemon.dues) < FEEDS // 2:
                daemon.tick()
        killed = list(daemon.running)
        daemon.running.clear()
        with Store.open(path, routes(WORDS)) as store:
            daemon.store = store
            store.mend_times(daemon.now)
            while len(daemon.dues) < FEEDS:
                daemon.tick()
            yield daemon, killed


def test_S9_the_backlog_is_worked_off_once_and_within_the_bounds(drained):
    daemon, killed = drained
    assert daemon.most <= POLLING.concurrency
    assert daemon.visits == FEEDS + len(killed)
    fifty_of_one_host_s = 50 * (4 + 2)
    assert (daemon.now - NOW).total_seconds() < 2.5 * fifty_of_one_host_s


def test_S9_S12_no_host_is_asked_by_two_at_once_nor_without_a_pause(drained):
    daemon, killed = drained
    died = {lease.site: ends for ends, _, lease in killed}
    assert max(map(len, daemon.spans.values())) >= 50
    for host, spans in daemon.spans.items():
        for (began, ended), (again, _) in pairwise(spans):
            lost = died.get(host) == ended  # nobody recorded its end: the next one waits for the lease to run out
            assert again >= (began + LEASE if lost else ended + POLLING.host_gap), host


def test_S10_feeds_that_were_all_read_within_minutes_part_again(drained):
    minutes = Counter(due.replace(second=0, microsecond=0) for due in drained[0].dues.values())
    assert max(minutes.values()) < 2 * FEEDS / len(minutes)
