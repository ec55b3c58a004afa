"""What was told: one alert for a watchlist and a story, later ones only for terms not yet told.

Decided inside the write transaction by the primary key of `told`, so that copies that arrive together cannot both
alert.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter

from aggregator import compose
from aggregator.model import Finding, Hit, Route
from aggregator.store.dialect import Connection, as_json

PLACES = 20  # of one term kept in an alert; a 1 MB title repeats a word 100,000 times
URGENCY = {"critical": 0, "high": 1, "normal": 2, "low": 3}


class Telling:
    """Alerts and their deliveries, inside the caller's transaction."""

    def __init__(self, conn: Connection, routes: Mapping[str, Route], rules: Mapping[str, int]) -> None:
        self.conn = conn
        self._routes = routes
        self._rules = rules

    def tell(self, item: int, revision: int, story: int, finding: Finding, now_ms: int) -> int:
        """Keep the verdict and create an alert for each watchlist that has something new to say; how many there were."""
        self._keep_verdicts(item, revision, finding, now_ms)
        if finding.quiet:
            return 0
        alerts = 0
        for watchlist, hits in groupby(sorted(finding.hits), key=attrgetter("watchlist")):
            told = {
                row[0]
                for row in self.conn.execute(
                    "SELECT term FROM told WHERE watchlist = ? AND story = ?", (watchlist, story)
                )
            }
            fresh = tuple(_first_places(hit for hit in hits if hit.term not in told))
            if not fresh:
                continue
            alert = self._alert((item, revision, story), finding, fresh, now_ms, update=bool(told))
            self.conn.executemany(
                "INSERT INTO told (watchlist, story, term, alert) VALUES (?, ?, ?, ?)",
                [(watchlist, story, term, alert) for term in sorted({hit.term for hit in fresh})],
            )
            alerts += 1
        return alerts

    def _keep_verdicts(self, item: int, revision: int, finding: Finding, now_ms: int) -> None:
        """Remember which rules the item is a hit of; a miss is an item without a row."""
        rules = {self._rules[hit.watchlist] for hit in finding.hits if hit.watchlist in self._rules}
        self.conn.executemany(
            "INSERT INTO verdicts (item, rule, revision, at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (item, rule) DO UPDATE SET revision = excluded.revision, at = excluded.at",
            [(item, rule, revision, now_ms) for rule in sorted(rules)],
        )

    def _alert(
        self, where: tuple[int, int, int], finding: Finding, hits: Sequence[Hit], now_ms: int, *, update: bool
    ) -> int:
        item, revision, story = where
        watchlist = hits[0].watchlist
        route = self._routes[watchlist]
        cursor = self.conn.execute(
            "INSERT INTO alerts (watchlist, label, severity, story, item, revision, title, created_at, is_update,"
            " terms, excerpts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                watchlist, route.label, route.severity, story, item, revision, finding.item.title, now_ms, int(update),
                as_json([asdict(hit) for hit in hits]),
                as_json([asdict(excerpt) for excerpt in compose.excerpts(finding.item, hits)]),
            ),
        )  # fmt: skip
        alert: int = cursor.lastrowid  # type: ignore[assignment]  # an insert has one
        self.conn.executemany(
            "INSERT INTO deliveries (alert, channel, recipient, state, urgency, due_at) VALUES (?, ?, ?, 'due', ?, ?)",
            [(alert, channel, recipient, URGENCY[route.severity], now_ms) for channel, recipient in route.recipients],
        )
        return alert


def _first_places(hits: Iterator[Hit]) -> Iterator[Hit]:
    seen: dict[str, int] = {}
    for hit in hits:
        seen[hit.term] = seen.get(hit.term, 0) + 1
        if seen[hit.term] <= PLACES:
            yield hit
