"""Whether the network itself is down: then no feed is to blame.

When more than nine in ten of the hosts that were asked lately could not be reached, the fault is near us. Feeds that
failed in that time have no failure counted, wait a few minutes (half an hour when it lasts), and are due within five when
other hosts answer again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zlib import crc32

from aggregator import coverage, schedule
from aggregator.model import Reason, Visit
from aggregator.store.base import Base
from aggregator.store.dialect import as_json, from_ms, to_ms

UNREACHED = frozenset({Reason.DNS, Reason.CONNECT, Reason.TIMEOUT, Reason.TLS, Reason.RESET})
LATELY = timedelta(minutes=10)
LEAST_HOSTS = 5
SHARE = 0.9
SOONEST, LATEST = timedelta(minutes=2), timedelta(minutes=30)  # between two tries, longer the longer it lasts
NAMES_KEPT = timedelta(minutes=5)  # for so long a name that was not found is not asked for again (`fetch.dns`)
_KEY = "network_down_since"


class Network(Base):
    """What failed visits say of the network."""

    def network_down_since(self) -> datetime | None:
        """Since when hardly any host can be reached; None while the network works."""
        row = self._one("SELECT value FROM meta WHERE key = ?", (_KEY,))
        return from_ms(int(row["value"])) if row else None

    def _judge_network(self, visit: Visit) -> bool:
        """Learn from a visit, inside the transaction that records it, whether the network is down or up again.

        Whether the visit failed because it is down: then it says nothing of its feed.
        """
        since = self.network_down_since()
        unreached = visit.outcome == "failed" and visit.reason in UNREACHED
        if unreached and since is None and self._is_down(visit.at, LEAST_HOSTS):
            since = visit.at
            self._conn.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (_KEY, str(to_ms(since))))
        if unreached and since is not None:
            self._blame_nobody(visit.at, since)
            return True
        if since is not None and not self._is_down(visit.at, 1):
            self._conn.execute("DELETE FROM meta WHERE key = ?", (_KEY,))
            self._conn.execute(
                "UPDATE feeds SET due_at = max(:now, visited_at + :memory)"
                " WHERE listed = 1 AND due_why = 'network' AND due_at > :now",
                {"now": to_ms(visit.at), "memory": NAMES_KEPT // timedelta(milliseconds=1)},
            )
        return False

    def _is_down(self, now: datetime, least_hosts: int) -> bool:
        row = self._one(
            "SELECT count(*) AS hosts, sum(unreached) AS unreached FROM (SELECT min(outcome = 'failed' AND reason IN"
            " (SELECT value FROM json_each(:reasons))) AS unreached FROM feeds"
            " WHERE listed = 1 AND visited_at > :since GROUP BY site)",
            {"reasons": as_json(sorted(UNREACHED)), "since": to_ms(now - LATELY)},
        )
        return row is not None and row["hosts"] >= least_hosts and row["unreached"] > SHARE * row["hosts"]

    def _blame_nobody(self, now: datetime, since: datetime) -> None:
        """Take back the failures that the outage caused. What failed before it keeps its own wait."""
        rows = self._all(
            "SELECT id, history, failures, due_at, coverage FROM feeds WHERE listed = 1 AND visited_at > :since"
            " AND outcome = 'failed' AND due_why != 'network' AND reason IN (SELECT value FROM json_each(:reasons))",
            {"reasons": as_json(sorted(UNREACHED)), "since": to_ms(now - LATELY)},
        )
        wait = min(max((now - since) / 2, SOONEST), LATEST)
        for row in rows:
            failures = max(row["failures"] - 1, 0)
            history = replace(schedule.from_json(row["history"]), failures=failures)
            soon = to_ms(now + wait * (1 + crc32(b"%d" % (row["id"] + to_ms(now))) / 2**32))
            self._conn.execute(
                "UPDATE feeds SET failures = ?, history = ?, coverage = ?, due_at = ?, due_why = 'network' WHERE id = ?",
                (
                    failures,
                    schedule.to_json(history),
                    _not_failing_since(now - LATELY, row["coverage"]),
                    row["due_at"] if failures else soon,
                    row["id"],
                ),
            )


def _not_failing_since(moment: datetime, standing: str) -> str:
    """A feed's standing, as stored, without failures that began after `moment`."""
    known = coverage.from_json(standing)
    if known.failing_since is None or known.failing_since <= moment:
        return standing
    return coverage.to_json(replace(known, failing_since=None))
