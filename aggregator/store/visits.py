"""What a visit and the reading of an article change, each in ONE transaction.

Validators, items, revisions, stories, told terms, alerts, deliveries, article debts and the next due time commit
together or not at all, so a process that dies anywhere loses nothing and tells nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aggregator import schedule
from aggregator.model import Due, Reading, Rejected, Visit, VisitReport
from aggregator.store.base import Find, item_of
from aggregator.store.dialect import as_json, to_ms, to_ms_or_none
from aggregator.store.items import AT_ONCE, Counts, Recorder
from aggregator.store.notices import Notices
from aggregator.text import urls


class Visits(Notices):
    """Recording what was read."""

    def record_visit(self, visit: Visit, find: Find) -> VisitReport:
        """Store all that one visit changed and say what it came to.

        `find` judges a revised item again together with the article that was read before.

        Raises:
            LeaseLost: Another worker took the feed over; nothing is stored.
            StoreError: The disk failed; nothing is stored, and the lease runs out.
        """
        with self._write():
            before = self._held("feeds", "id", visit.lease.id, visit.lease.token)
            counts = Counts()
            rejected: tuple[Rejected, ...] = ()
            if visit.document is not None:
                recorder = Recorder(self._telling(), visit.lease.id, visit.at, find)
                counts = recorder.record(visit.document.findings, visit.document.standing, visit.document.rechecked)
                counts.unchanged += visit.document.known
                rejected = visit.document.rejected
                if counts.new + counts.revised + counts.unchanged + len(rejected) != visit.document.entries:
                    raise AssertionError("an entry is not accounted for")
                self._store_rejections(visit, rejected)
            elif visit.outcome != "failed":
                counts.unchanged = visit.lease.entries
            due = visit.due(counts.new)
            self._store_feed_state(visit, due, counts.new)
            self._watch_over(visit, before, due, counts)
            self._watchlists_stopped(counts.stopped, to_ms(visit.at))
        return VisitReport(
            feed=visit.lease.name,
            outcome=visit.outcome,
            reason=visit.reason,
            new=counts.new,
            revised=counts.revised,
            unchanged=counts.unchanged,
            rejected=len(rejected),
            alerts=counts.alerts,
        )

    def known_slices(self, feed: int, hashes: Sequence[bytes]) -> frozenset[bytes]:
        """Those of the slice hashes that items of the feed were read from."""
        known: set[bytes] = set()
        for start in range(0, len(hashes), AT_ONCE):
            some = hashes[start : start + AT_ONCE]
            places = ", ".join("?" * len(some))
            rows = self._all(f"SELECT slice_hash FROM items WHERE slice_hash IN ({places}) AND feed = ?", (*some, feed))
            known.update(row["slice_hash"] for row in rows)
        return frozenset(known)

    def record_article(self, reading: Reading, find: Find) -> int:
        """Store what reading an item's page came to, match the item again, and say how many alerts that made.

        Raises:
            LeaseLost: Another worker took the reading over; nothing is stored.
            StoreError: The disk failed; nothing is stored, and the lease runs out.
        """
        lease = reading.lease
        with self._write():
            self._held("articles", "item", lease.item, lease.token)
            if lease.text is None:
                self._site_rests(urls.server(lease.link), reading.host_free_at)
            if reading.text is None:
                self._postpone_article(reading)
                return 0
            self._conn.execute(
                "UPDATE articles SET state = 'read', text = ?, reason = NULL, due_at = NULL, lease_token = NULL,"
                " lease_until = NULL, attempts = attempts + 1, read_at = ? WHERE item = ?",
                (reading.text, to_ms(reading.at), lease.item),
            )
            row = self._one("SELECT * FROM items JOIN feeds ON feeds.id = feed WHERE items.id = ?", (lease.item,))
            if row is None:
                raise AssertionError("an article without an item")
            recorder = Recorder(self._telling(), row["feed"], reading.at, find)
            recorder.rematch(lease.item, item_of(row, article=reading.text), row)
            self._watchlists_stopped(recorder.counts.stopped, to_ms(reading.at))
            return recorder.counts.alerts

    def _postpone_article(self, reading: Reading) -> None:
        self._conn.execute(
            "UPDATE articles SET state = ?, reason = ?, due_at = ?, lease_token = NULL, lease_until = NULL,"
            " attempts = attempts + 1 WHERE item = ?",
            (
                "failed" if reading.retry_at is None else "pending",
                reading.reason,
                to_ms_or_none(reading.retry_at),
                reading.lease.item,
            ),
        )

    def _store_rejections(self, visit: Visit, rejected: Iterable[Rejected]) -> None:
        self._conn.executemany(
            "INSERT INTO rejections (feed, position, reason, first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?4)"
            " ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen",
            [(visit.lease.id, entry.position, entry.reason, to_ms(visit.at)) for entry in rejected],
        )

    def _store_feed_state(self, visit: Visit, due: Due, new: int) -> None:
        at = to_ms(visit.at)
        failed = visit.outcome == "failed"
        self._conn.execute(
            "UPDATE feeds SET due_at = ?, due_why = ?, not_before = ?, history = ?, failures = ?, visited_at = ?,"
            " read_at = coalesce(?, read_at), new_at = coalesce(?, new_at), outcome = ?, reason = ?, detail = ?,"
            " moved_to = ?, lease_token = NULL, lease_until = NULL WHERE id = ?",
            (
                to_ms(due.at), due.why, to_ms_or_none(due.not_before), schedule.to_json(due.history),
                due.history.failures, at, None if failed else at, at if new else None, visit.outcome, visit.reason,
                visit.detail, visit.moved_to, visit.lease.id,
            ),
        )  # fmt: skip
        if visit.validators is not None:
            self._conn.execute(
                "UPDATE feeds SET etag = ?, last_modified = ?, validators_url = ? WHERE id = ?",
                (visit.validators.etag, visit.validators.last_modified, visit.validators.url, visit.lease.id),
            )
        if visit.document is not None:
            document = visit.document
            self._conn.execute(
                "UPDATE feeds SET body_hash = ?, entries = ?, partial_reads = CASE WHEN ? THEN partial_reads + 1 ELSE 0 END"
                " WHERE id = ?",
                (document.body_hash, document.entries, document.known, visit.lease.id),
            )
            if facts := document.facts:
                self._conn.execute(
                    "UPDATE feeds SET title = ?, format = ?, flags = ? WHERE id = ?",
                    (facts.title, facts.format, as_json(facts.flags), visit.lease.id),
                )
        self._site_rests(urls.server(visit.lease.url), visit.host_free_at)
