"""What a visit and the reading of an article change, each in ONE transaction.

Validators, items, revisions, stories, told terms, alerts, deliveries, article debts and the next due time commit
together or not at all, so a process that dies anywhere loses nothing and tells nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from aggregator import schedule
from aggregator.model import Due, Older, Reading, Rejected, Visit, VisitReport
from aggregator.store.base import Find, item_of
from aggregator.store.dialect import Row, as_json, to_ms, to_ms_or_none
from aggregator.store.items import AT_ONCE, Counts, Recorder
from aggregator.store.notices import Notices
from aggregator.store.older import OWN
from aggregator.text import urls

MOVE_VISITS, MOVE_TIME = 3, timedelta(days=1)  # before a permanent redirect is believed
MOVE_UNDONE_FAILURES = 7  # at the new address, about two days
_AT_HOME = "address = NULL, site = ?, document = ?, moved_to = NULL, moved_since = NULL, moved_visits = 0"


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
            counts, rejected = Counts(), 0
            for part in (visit, *visit.parts):
                counts.add(self._store_document(part, find))
                rejected += len(part.document.rejected) if part.document else 0
                lease = part.lease
                self._site_rests(urls.server(lease.address) if lease.elsewhere else lease.site, part.host_free_at)
                if part.pauses and (until := part.due(0).not_before):
                    self._site_pauses(part.pauses, until)
            due = visit.due(counts.new)
            self._store_feed_state(visit, due, counts.new)
            self._store_move(visit, due, before)
            self._lead_twins(visit, due)
            self._keep_stand_in(visit.lease.id, visit.stand_in)
            if not self._judge_network(visit):
                self._watch_over(visit, before, due, counts)
            self._watchlists_stopped(counts.stopped, to_ms(visit.at))
        return VisitReport(
            feed=visit.lease.name,
            outcome=visit.outcome,
            reason=visit.reason,
            new=counts.new,
            revised=counts.revised,
            unchanged=counts.unchanged,
            rejected=rejected,
            fallback=visit.lease.address if visit.stand_in and visit.outcome != "failed" else None,
            alerts=counts.alerts,
        )

    def _store_document(self, visit: Visit, find: Find) -> Counts:
        """The items of what a visit read, and what is known of its address from now on."""
        if visit.lease.elsewhere:
            self._keep_address(visit)
        else:
            self._keep_own_address(visit)
        return self._store_items(visit, find)

    def record_page(self, page: Visit, older: Older | None, find: Find) -> VisitReport:
        """Store a document with older entries of a feed, and where it leads; the feed stays leased, and due as it was.

        Raises:
            LeaseLost: Another worker took the feed over; nothing is stored.
            StoreError: The disk failed; nothing is stored, and the lease runs out.
        """
        with self._write():
            self._held("feeds", "id", page.lease.id, page.lease.token)
            counts = self._store_items(page, find)
            self._site_rests(urls.server(page.lease.address), page.host_free_at)
            if page.outcome != "failed":
                self._keep_older(page.lease.id, page.lease.address, older, page.at)
            self._watchlists_stopped(counts.stopped, to_ms(page.at))
        return VisitReport(
            feed=page.lease.name, outcome=page.outcome, reason=page.reason, new=counts.new, revised=counts.revised,
            unchanged=counts.unchanged, rejected=len(page.document.rejected) if page.document else 0,
            alerts=counts.alerts,
        )  # fmt: skip

    def _store_items(self, visit: Visit, find: Find) -> Counts:
        """What became of the entries that a visit read."""
        counts, document = Counts(), visit.document
        if document is not None:
            recorder = Recorder(self._telling(), visit.lease.id, visit.at, find)
            counts = recorder.record(document.findings, document.standing, document.rechecked)
            counts.unchanged += document.known
            if counts.new + counts.revised + counts.unchanged + len(document.rejected) != document.entries:
                raise AssertionError("an entry is not accounted for")
            self._store_rejections(visit, document.rejected)
        elif visit.outcome != "failed":
            counts.unchanged = visit.lease.entries
        return counts

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

        if reading.pages_rest_until:
            self._conn.execute(
                "UPDATE articles SET due_at = :until WHERE site = :site AND due_at < :until",
                {"site": urls.server(reading.lease.link), "until": to_ms(reading.pages_rest_until)},
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
            " lease_token = NULL, lease_until = NULL WHERE id = ?",
            (
                to_ms(due.at), due.why, to_ms_or_none(due.not_before), schedule.to_json(due.history),
                due.history.failures, at, None if failed else at, at if new else None, visit.outcome, visit.reason,
                visit.detail, visit.lease.id,
            ),
        )  # fmt: skip

    def _keep_own_address(self, visit: Visit) -> None:
        """Remember what the feed's own address showed."""
        if visit.validators not in {None, visit.lease.validators}:
            self._conn.execute(
                "UPDATE feeds SET etag = ?, last_modified = ?, validators_url = ? WHERE id = ?",
                (visit.validators.etag, visit.validators.last_modified, visit.validators.url, visit.lease.id),
            )
        if visit.document is not None:
            document = visit.document
            self._conn.execute(
                "UPDATE feeds SET body_hash = ?, entries = ?, partial_reads = CASE WHEN ? THEN partial_reads + 1 ELSE 0 END"
                " WHERE id = ?",
                (document.body_hash, visit.entries, document.known, visit.lease.id),
            )
            if facts := document.facts:
                self._conn.execute(
                    "UPDATE feeds SET title = ?, format = ?, flags = ? WHERE id = ?",
                    (facts.title, facts.format, as_json(facts.flags), visit.lease.id),
                )
                if facts.older:
                    self._keep_older(visit.lease.id, OWN, facts.older, visit.at)

    def _lead_twins(self, visit: Visit, due: Due) -> None:
        """Other feeds of the list with this document wait as long as it, and are well while it is."""
        twins = self._all(
            "SELECT id FROM feeds WHERE listed = 1 AND id != ?1 AND document = (SELECT document FROM feeds WHERE id = ?1)",
            (visit.lease.id,),
        )
        for (twin,) in twins:
            self._conn.execute(
                "UPDATE feeds SET due_at = ?, not_before = ? WHERE id = ?",
                (to_ms(due.at), to_ms_or_none(due.not_before), twin),
            )
            if visit.outcome != "failed":
                self._conn.execute("UPDATE feeds SET look_at = NULL WHERE id = ?", (twin,))
                self._settle(twin, {}, self._already(twin), to_ms(visit.at))

    def _store_move(self, visit: Visit, due: Due, before: Row) -> None:
        """Believe that a feed moved for good only when it read well there three times over a day, and never for ever.

        A hotel's login page answers 301 for every address, but is no feed; a mistaken 301 is mended within hours.
        """
        lease, at = visit.lease, to_ms(visit.at)
        if visit.stand_in or visit.outcome == "failed":
            failures = visit.stand_in.failures if visit.stand_in else due.history.failures
            self._conn.execute(
                # The new address died: ask at the listed one again, which says where to go, or takes us back.
                f"UPDATE feeds SET {_AT_HOME} WHERE id = ? AND address IS NOT NULL AND ? >= ?",
                (urls.server(lease.url), urls.document(lease.url), lease.id, failures, MOVE_UNDONE_FAILURES),
            )
            return
        if visit.moved_to is None and before["moved_to"] is None:
            return
        self._conn.execute(
            "UPDATE feeds SET moved_since = CASE WHEN moved_to = :to THEN moved_since WHEN :to IS NOT NULL THEN :at END,"
            " moved_visits = CASE WHEN moved_to = :to THEN moved_visits + 1 WHEN :to IS NOT NULL THEN 1 ELSE 0 END,"
            " moved_to = :to WHERE id = :id",
            {"to": visit.moved_to, "at": at, "id": lease.id},
        )
        if visit.moved_to is None or urls.login(lease.url):
            return  # with a login in its address a feed stays where it is listed: the login must not go elsewhere
        self._conn.execute(
            "UPDATE feeds SET address = moved_to, site = ?, document = ?, moved_to = NULL, moved_since = NULL,"
            " moved_visits = 0 WHERE id = ? AND moved_visits >= ? AND moved_since <= ?",
            (
                urls.server(visit.moved_to), urls.document(visit.moved_to), lease.id, MOVE_VISITS,
                to_ms(visit.at - MOVE_TIME),
            ),
        )  # fmt: skip
