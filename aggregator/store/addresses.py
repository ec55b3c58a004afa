"""The other addresses of a feed: what is known of each, and which one stands in for its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from aggregator.model import FeedLease, Reason, StandIn, Validators, Visit
from aggregator.store.dialect import Row, from_ms, to_ms
from aggregator.store.older import OlderPages


class Addresses(OlderPages):
    """Where a feed is read besides its own address."""

    def stand_in(self, feed: int) -> StandIn | None:
        """What stands in for the feed's own address; None when nothing has to."""
        row = self._one("SELECT * FROM stand_ins WHERE feed = ?", (feed,))
        return stand_in_of(row) if row else None

    def lease_elsewhere(self, lease: FeedLease, url: str, now: datetime) -> FeedLease:
        """The same lease, held for its full time from now on, with what is known of another address of the feed.

        Raises:
            LeaseLost: Another worker took the feed over.
        """
        with self._write():
            self._hold(lease, now)
            row = self._one("SELECT * FROM addresses WHERE feed = ? AND url = ?", (lease.id, url))
        if row is None:
            return replace(
                lease, address=url, elsewhere=True, validators=Validators(), body_hash=None, entries=0, partial_reads=0
            )
        return replace(
            lease,
            address=url,
            elsewhere=True,
            validators=Validators(etag=row["etag"], last_modified=row["last_modified"], url=row["validators_url"]),
            body_hash=row["body_hash"],
            entries=row["entries"],
            partial_reads=row["partial_reads"],
        )

    def _keep_address(self, visit: Visit) -> None:
        """Remember what a visit to another address than the feed's own showed."""
        if visit.outcome == "failed" and visit.document is None:
            return
        key = (visit.lease.id, visit.lease.address)
        self._conn.execute(
            "INSERT INTO addresses (feed, url, read_at) VALUES (?, ?, ?)"
            " ON CONFLICT (feed, url) DO UPDATE SET read_at = excluded.read_at",
            (*key, to_ms(visit.at)),
        )
        if (known := visit.validators) is not None:
            self._conn.execute(
                "UPDATE addresses SET etag = ?, last_modified = ?, validators_url = ? WHERE feed = ? AND url = ?",
                (known.etag, known.last_modified, known.url, *key),
            )
        if (document := visit.document) is not None:
            self._conn.execute(
                "UPDATE addresses SET body_hash = ?, entries = ?,"
                " partial_reads = CASE WHEN ? THEN partial_reads + 1 ELSE 0 END WHERE feed = ? AND url = ?",
                (document.body_hash, visit.entries, document.known, *key),
            )

    def _keep_stand_in(self, feed: int, stand_in: StandIn | None) -> None:
        self._conn.execute("DELETE FROM stand_ins WHERE feed = ?", (feed,))
        if stand_in is not None:
            self._conn.execute(
                "INSERT INTO stand_ins (feed, url, since, reason, detail, failures, retry_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    feed, stand_in.url, to_ms(stand_in.since), stand_in.reason, stand_in.detail, stand_in.failures,
                    to_ms(stand_in.retry_at),
                ),
            )  # fmt: skip


def stand_in_of(row: Row) -> StandIn:
    """The stand-in that a row of `stand_ins` holds."""
    return StandIn(
        url=row["url"], since=from_ms(row["since"]), reason=Reason(row["reason"]), detail=row["detail"],
        failures=row["failures"], retry_at=from_ms(row["retry_at"]),
    )  # fmt: skip
