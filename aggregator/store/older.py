"""Which documents with older entries of a feed were read, and where each leads (RFC 5005)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.model import FeedLease, Finding, Older
from aggregator.store.base import Base
from aggregator.store.dialect import to_ms
from aggregator.store.feeds import LEASE
from aggregator.store.items import AT_ONCE

OWN = ""  # the feed's own document


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderPage:
    """A document that was read."""

    older: Older | None  # where it leads


class OlderPages(Base):
    """The way into the past of a feed."""

    def older_page(self, feed: int, url: str = OWN) -> OlderPage | None:
        """The document at `url`, or the feed's own, when it was read."""
        row = self._one("SELECT older, fixed FROM older_pages WHERE feed = ? AND url = ?", (feed, url))
        if row is None:
            return None
        return OlderPage(older=Older(url=row["older"], fixed=bool(row["fixed"])) if row["older"] else None)

    def forget_moving_pages(self, feed: int) -> None:
        """The end was reached: the next walk looks at pages that move on again, never at archive documents."""
        with self._write():
            self._conn.execute(
                "DELETE FROM older_pages WHERE feed = ?1 AND url IN"
                " (SELECT older FROM older_pages WHERE feed = ?1 AND fixed = 0)",
                (feed,),
            )

    def knows_any(self, feed: int, findings: Sequence[Finding]) -> bool:
        """Whether one of the entries is an item of the feed already."""
        for start in range(0, len(findings), AT_ONCE):
            some = findings[start : start + AT_ONCE]
            places = ", ".join("?" * len(some))
            row = self._one(
                f"SELECT 1 FROM items WHERE feed = ? AND (key IN ({places}) OR content_hash IN ({places})) LIMIT 1",
                (feed, *(one.key for one in some), *(one.content_hash for one in some)),
            )
            if row is not None:
                return True
        return False

    def hold(self, lease: FeedLease, now: datetime) -> None:
        """Have a lease for its full time from now on.

        Raises:
            LeaseLost: Another worker took the feed over.
        """
        with self._write():
            self._hold(lease, now)

    def release(self, lease: FeedLease) -> None:
        """Give a lease back without a visit; when the feed is due stays as it is."""
        with self._write():
            self._conn.execute(
                "UPDATE feeds SET lease_token = NULL, lease_until = NULL WHERE id = ? AND lease_token = ?",
                (lease.id, lease.token),
            )

    def _hold(self, lease: FeedLease, now: datetime) -> None:
        self._held("feeds", "id", lease.id, lease.token)
        self._conn.execute("UPDATE feeds SET lease_until = ? WHERE id = ?", (to_ms(now + LEASE), lease.id))

    def _keep_older(self, feed: int, url: str, older: Older | None, at: datetime) -> None:
        self._conn.execute(
            "INSERT INTO older_pages (feed, url, older, fixed, read_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (feed, url)"
            " DO UPDATE SET older = excluded.older, fixed = excluded.fixed, read_at = excluded.read_at",
            (feed, url, older.url if older else None, int(older.fixed) if older else 0, to_ms(at)),
        )
