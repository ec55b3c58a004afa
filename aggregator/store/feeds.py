"""Feeds and article debts as a queue: due times, leases, and hosts that rest. No second truth in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from aggregator import schedule
from aggregator.model import ArticleLease, FeedLease, History, Validators
from aggregator.settings import FeedSpec
from aggregator.store.base import Base
from aggregator.store.dialect import Row, as_json, from_ms_or_none, to_ms
from aggregator.text import urls

LEASE = timedelta(seconds=180)  # robots.txt and page: a turn and a fetch of 30 s each; reading 30 s; and a slow disk
SAME_PAGE = timedelta(days=1)  # a page that another feed's item led to is not asked for twice in this time
_TIMES = (  # columns that hold a time to come, and how far ahead that can be
    ("feeds", "due_at", timedelta(days=32)),  # a feed that is gone is looked at again after 30 days
    ("feeds", "not_before", timedelta(days=8)),  # Retry-After is honoured for 7 days
    ("feeds", "lease_until", timedelta(minutes=10)),
    ("stand_ins", "retry_at", timedelta(days=32)),
    ("sites", "free_at", timedelta(minutes=10)),
    ("sites", "paused_until", timedelta(days=8)),
    ("articles", "due_at", timedelta(days=2)),
    ("articles", "lease_until", timedelta(minutes=10)),
    ("deliveries", "due_at", timedelta(days=2)),
    ("deliveries", "lease_until", timedelta(minutes=20)),
)
ASKED = (  # of several listed feeds with one document one is asked: the first that does not fail
    "feeds.listed = 1 AND NOT EXISTS (SELECT 1 FROM feeds AS other WHERE other.listed = 1 AND other.id != feeds.id"
    " AND other.document = feeds.document AND (other.failures, other.id) < (feeds.failures, feeds.id))"
)
_FEEDS = ("feeds", "id", "due_at, id")
_ARTICLES = ("articles", "item", "+item DESC")  # +: by the index of what is due, not through all pages ever read


class Feeds(Base):
    """Which feeds there are and who works on them."""

    def sync_feeds(self, feeds: Iterable[FeedSpec], now: datetime) -> None:
        """Make the listed feeds those of feeds.yaml. A feed that left keeps its history; one that returns finds it.

        A feed is known by its address, else by its name, so both may be edited one at a time.
        """
        wanted = tuple(feeds)
        listed = {(row["url"], row["name"]) for row in self._all("SELECT url, name FROM feeds WHERE listed = 1")}
        if listed == {(feed.url, feed.name) for feed in wanted}:
            return
        with self._write():
            self._conn.execute("UPDATE feeds SET listed = 0")
            rows = self._all("SELECT id, url, name FROM feeds ORDER BY id")
            by_url = {row["url"]: row["id"] for row in rows}
            stay = {feed.url for feed in wanted}
            by_name = {row["name"]: row["id"] for row in rows if row["url"] not in stay}
            for feed in wanted:
                self._list_feed(feed, by_url.get(feed.url) or by_name.pop(feed.name, None), now)
            self._conn.execute(
                "UPDATE articles SET state = 'failed', reason = 'unlisted', due_at = NULL WHERE due_at IS NOT NULL AND item IN"
                " (SELECT items.id FROM items JOIN feeds ON feeds.id = items.feed WHERE feeds.listed = 0)"
            )

    def _list_feed(self, feed: FeedSpec, known: int | None, now: datetime) -> None:
        place = {"url": feed.url, "name": feed.name, "site": urls.server(feed.url), "document": urls.document(feed.url)}
        if known is None:
            self._conn.execute(
                "INSERT INTO feeds (url, name, site, document, listed, due_at, due_why)"
                " VALUES (:url, :name, :site, :document, 1, :now, 'new')",
                {**place, "now": to_ms(now)},
            )
            return
        for table in ("stand_ins", "older_pages"):
            self._conn.execute(
                f"DELETE FROM {table} WHERE feed = ? AND (SELECT url FROM feeds WHERE id = ?) != ?",
                (known, known, feed.url),
            )
        self._conn.execute(
            # At a corrected address nothing is owed to what the old one answered.
            "UPDATE feeds SET due_at = ?, due_why = 'new', not_before = NULL, failures = 0, history = '{}',"
            " coverage = '{}', look_at = NULL, etag = NULL, last_modified = NULL, validators_url = NULL,"
            " body_hash = NULL, address = NULL, moved_to = NULL, moved_since = NULL, moved_visits = 0"
            " WHERE id = ? AND url != ?",
            (to_ms(now), known, feed.url),
        )
        self._conn.execute(
            "UPDATE troubles SET ended_at = ? WHERE ended_at IS NULL AND feed IN (SELECT id FROM feeds WHERE id = ? AND url != ?)",
            (to_ms(now), known, feed.url),
        )
        self._conn.execute(
            "UPDATE feeds SET listed = 1, url = :url, name = :name, site = CASE WHEN address IS NULL THEN :site ELSE site END,"
            " document = CASE WHEN address IS NULL THEN :document ELSE document END WHERE id = :id",
            {**place, "id": known},
        )

    def mend_times(self, now: datetime) -> None:
        """Bring times that a clock ahead of its time wrote back to `now`.

        What is due later than anything can be is due now. A feed that was visited in the future was visited now, and
        waits from here on what it was to wait then: neither a storm nor a silence.
        """
        with self._write():
            for table, column, longest in _TIMES:
                self._conn.execute(
                    f"UPDATE {table} SET {column} = :now WHERE {column} > :latest",
                    {"now": to_ms(now), "latest": to_ms(now + longest)},
                )
            self._conn.execute(
                "UPDATE feeds SET due_at = due_at - (visited_at - :now), not_before = not_before - (visited_at - :now),"
                " visited_at = :now WHERE visited_at > :now",
                {"now": to_ms(now)},
            )

    def claim_feeds(self, now: datetime, limit: int, token: str, *, per_host: int = 1) -> tuple[FeedLease, ...]:
        """Lease up to `limit` due feeds, the longest due first, never more than `per_host` of one host at once."""
        if not self._is_due("feeds", now):
            return ()
        with self._write():
            rows = self._lease_rows(_FEEDS, f"due_at <= :now AND {ASKED}", now, token, limit=limit, per_host=per_host)
        return tuple(_feed_lease(row) for row in sorted(rows, key=lambda row: (row["due_at"], row["id"])))

    def claim_named(
        self, now: datetime, names: Sequence[str], limit: int, token: str, *, per_host: int
    ) -> tuple[FeedLease, ...]:
        """Lease the named feeds whether our own schedule says so or not; the server's bounds hold all the same."""
        wanted = f"name IN (SELECT value FROM json_each(:names)) AND coalesce(not_before, 0) <= :now AND {ASKED}"
        with self._write():
            rows = self._lease_rows(_FEEDS, wanted, now, token, limit=limit, per_host=per_host, names=as_json(names))
        return tuple(_feed_lease(row) for row in rows)

    def claim_articles(self, now: datetime, limit: int, token: str, *, per_host: int = 1) -> tuple[ArticleLease, ...]:
        """Lease up to `limit` pages to be read, newest items first, never more than `per_host` of one host at once."""
        if not self._is_due("articles", now):
            return ()
        with self._write():
            rows = self._lease_rows(_ARTICLES, "due_at <= :now", now, token, limit=limit, per_host=per_host)
            return tuple(self._article_lease(row, now) for row in rows)

    def _is_due(self, table: str, now: datetime) -> bool:
        """Whether a row may be due. Most ticks come to nothing; they need no lock and one step in an index."""
        listed = "listed = 1 AND " if table == "feeds" else ""
        return self._one(f"SELECT 1 FROM {table} WHERE {listed}due_at <= ? LIMIT 1", (to_ms(now),)) is not None

    def _lease_rows(
        self, queue: tuple[str, str, str], wanted: str, now: datetime, token: str, *, limit: int, per_host: int,
        **more: str,
    ) -> list[Row]:  # fmt: skip
        """Lease rows of a queue (table, key, which go first); feeds and pages of one host share its bound and its rest.

        Rows are looked at in their order until there are enough, so that a long backlog costs no more than a short one.
        """
        table, key, first = queue
        known = {"now": to_ms(now), "per_host": per_host, **more}
        rows = self._conn.execute(
            f"""
            WITH busy AS (
              SELECT site, count(*) AS held FROM (
                SELECT site FROM feeds WHERE lease_until > :now
                UNION ALL SELECT site FROM articles WHERE lease_until > :now
              ) GROUP BY site
            )
            SELECT {table}.{key}, {table}.site, coalesce(busy.held, 0)
            FROM {table} LEFT JOIN busy ON busy.site = {table}.site LEFT JOIN sites ON sites.site = {table}.site
            WHERE {wanted} AND coalesce(lease_until, 0) <= :now AND coalesce(busy.held, 0) < :per_host
              AND coalesce(sites.free_at, 0) <= :now AND coalesce(sites.paused_until, 0) <= :now
            ORDER BY {first}
            """,
            known,
        )
        chosen = list(islice(_within(rows, per_host), limit))
        rows.close()
        return self._all(
            f"UPDATE {table} SET lease_token = ?, lease_until = ? WHERE {key} IN (SELECT value FROM json_each(?))"
            " RETURNING *",
            (token, to_ms(now + LEASE), as_json(chosen)),
        )

    def due_feeds(self, now: datetime) -> list[str]:
        """Names of the feeds that are due, the longest due first."""
        rows = self._all(
            f"SELECT name FROM feeds LEFT JOIN sites ON sites.site = feeds.site WHERE due_at <= :now AND {ASKED}"
            " AND coalesce(paused_until, 0) <= :now ORDER BY due_at, id",
            {"now": to_ms(now)},
        )
        return [row["name"] for row in rows]

    def feeds_but_gone(self, now: datetime) -> list[str]:
        """Names of all feeds, without those whose server said that they are gone for good, until they are due."""
        rows = self._all(
            "SELECT name FROM feeds WHERE listed = 1 AND (due_why != 'gone' OR due_at <= ?) ORDER BY id", (to_ms(now),)
        )
        return [row["name"] for row in rows]

    def next_due(self) -> datetime | None:
        """When the next feed is due that may be asked then; None when there is none."""
        row = self._one(
            "SELECT min(max(due_at, coalesce(paused_until, 0))) FROM feeds LEFT JOIN sites ON sites.site = feeds.site"
            f" WHERE {ASKED}"
        )
        return from_ms_or_none(row[0]) if row else None

    def history(self, feed: int) -> History:
        """What the scheduler remembers of a feed."""
        row = self._one("SELECT history FROM feeds WHERE id = ?", (feed,))
        return schedule.from_json(row["history"] if row else "")

    def not_claimable(self, names: Sequence[str], now: datetime, began: datetime) -> list[tuple[str, str]]:
        """Those of the named feeds that a round must leave alone, and why.

        `unlisted`: another process took it from the list. `twin`: another feed of the list has the same document.
        `not_before`: its server asked for a pause. `leased`: another process has it in hand. `visited`: it was visited
        since the round `began`.
        """
        rows = self._all(
            "SELECT * FROM (SELECT value AS name, CASE WHEN feeds.id IS NULL THEN 'unlisted'"
            f" WHEN NOT ({ASKED}) THEN 'twin' WHEN coalesce(lease_until, 0) > :now THEN 'leased'"
            " WHEN max(coalesce(not_before, 0), coalesce(paused_until, 0)) > :now THEN 'not_before'"
            " WHEN visited_at >= :began THEN 'visited' END AS why FROM json_each(:names)"
            " LEFT JOIN feeds ON feeds.name = value AND feeds.listed = 1 LEFT JOIN sites ON sites.site = feeds.site)"
            " WHERE why IS NOT NULL",
            {"names": as_json(names), "now": to_ms(now), "began": to_ms(began)},
        )
        return [(row["name"], row["why"]) for row in rows]

    def articles_open(self, now: datetime) -> bool:
        """Whether a page is due that no process has in hand, though its host may rest for the moment."""
        row = self._one(
            "SELECT 1 FROM articles LEFT JOIN sites ON sites.site = articles.site WHERE due_at <= :now"
            " AND coalesce(lease_until, 0) <= :now AND coalesce(paused_until, 0) <= :now LIMIT 1",
            {"now": to_ms(now)},
        )
        return row is not None

    def _article_lease(self, row: Row, now: datetime) -> ArticleLease:
        feed = self._one(
            "SELECT feeds.name, feeds.site FROM items JOIN feeds ON feeds.id = items.feed WHERE items.id = ?",
            (row["item"],),
        )
        if feed is None:
            raise AssertionError("an article without an item")
        same = self._one(
            "SELECT text FROM articles WHERE link = ? AND read_at > ? AND item != ? AND state = 'read' LIMIT 1",
            (row["link"], to_ms(now - SAME_PAGE), row["item"]),
        )
        return ArticleLease(
            item=row["item"],
            token=row["lease_token"],
            link=row["link"],
            feed=feed["name"],
            site=feed["site"],
            attempts=row["attempts"],
            text=same["text"] if same else None,
        )


def _within(rows: Iterable[tuple[int, str, int]], per_host: int) -> Iterator[int]:
    """The keys of those (key, site, how many are in hand there) that leave no site with more than `per_host` in hand."""
    in_hand: dict[str, int] = {}
    for key, site, held in rows:
        taken = in_hand.get(site, held)
        if taken < per_host:
            in_hand[site] = taken + 1
            yield key


def _feed_lease(row: Row) -> FeedLease:
    return FeedLease(
        id=row["id"],
        token=row["lease_token"],
        url=row["url"],
        address=row["address"] or row["url"],
        name=row["name"],
        site=row["site"],
        validators=Validators(etag=row["etag"], last_modified=row["last_modified"], url=row["validators_url"]),
        body_hash=row["body_hash"],
        entries=row["entries"],
        partial_reads=row["partial_reads"],
        history=schedule.from_json(row["history"]),
    )
