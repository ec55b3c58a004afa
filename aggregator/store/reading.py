"""What people and scripts look at: items, alerts, feeds and the state of the whole. Reads only, but for `ack`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aggregator.model import Alert, Item, StandIn
from aggregator.store.addresses import stand_in_of
from aggregator.store.base import item_of
from aggregator.store.dialect import Row, from_ms, from_ms_or_none, to_ms
from aggregator.store.feeds import ASKED
from aggregator.store.notices import Notices, StoredTrouble
from aggregator.store.outbox import ALERTS, alert_of

LATE_AFTER = timedelta(seconds=60)  # a tick that goes well is noted every 10 s


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """An item with what the store knows of it."""

    id: str
    feed: str
    item: Item
    first_seen: datetime
    changed_at: datetime
    revision: int
    story: str
    story_rule: str
    article_state: str | None  # pending, read, failed; None: not wanted
    article_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One delivery of an alert."""

    channel: str
    recipient: str
    state: str  # due, sent, dead, orphaned
    attempts: int
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFeed:
    """A feed with its state."""

    id: int
    name: str
    url: str
    title: str | None
    listed: bool
    outcome: str | None  # None: never visited
    reason: str | None
    detail: str | None
    failures: int
    visited_at: datetime | None
    read_at: datetime | None
    new_at: datetime | None
    due_at: datetime
    due_why: str
    moved_to: str | None  # its server says so, for good; not believed yet
    address: str | None  # where it is asked since it moved for good; None: at `url`
    twin_of: str | None  # the feed of the list that has the same document and is asked for both
    paused_until: datetime | None  # its server refused us; nothing of it is asked before
    items: int
    format: str | None
    flags: tuple[str, ...]
    stand_in: StandIn | None  # what it is read from while its own address brings nothing
    troubles: tuple[StoredTrouble, ...]  # the oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The last run of one of the daemon's ticks."""

    name: str
    every: timedelta
    started_at: datetime
    finished_at: datetime | None
    error: str | None

    def is_late(self, now: datetime) -> bool:
        """Whether it did not finish when it should have: the daemon hangs, or died."""
        return now - (self.finished_at or self.started_at) > max(LATE_AFTER, 5 * self.every)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The whole at a glance."""

    feeds_ok: int
    feeds_failing: int
    feeds_silent: int
    feeds_new: int  # never visited
    items: int
    alerts: int
    deliveries_due: int
    deliveries_dead: int
    deliveries_orphaned: int  # owed to whom feeds.yaml no longer names
    articles_pending: int


class Reading(Notices):
    """Read models."""

    def items(
        self, *, limit: int = 50, feed: str | None = None, since: datetime | None = None, ids: list[int] | None = None
    ) -> list[StoredItem]:
        """Items, newest first seen first; with `ids` these, in the given order."""
        picked = "SELECT value FROM json_each(:ids)"
        if ids is None:
            of_feed = " AND feed IN (SELECT id FROM feeds WHERE name = :feed)" if feed else ""
            recent = " AND first_seen >= :since" if since else ""
            picked = f"SELECT id FROM items WHERE 1{of_feed}{recent} ORDER BY first_seen DESC, id DESC LIMIT :limit"
        rows = self._all(
            "SELECT items.*, feeds.name AS feed_name, articles.text AS article_text, articles.state AS article_state,"
            " articles.reason AS article_reason FROM items JOIN feeds ON feeds.id = items.feed"
            f" LEFT JOIN articles ON articles.item = items.id WHERE items.id IN ({picked})"
            " ORDER BY items.first_seen DESC, items.id DESC",
            {
                "feed": feed, "since": to_ms(since) if since else None, "ids": json.dumps(ids), "limit": limit,
            },
        )  # fmt: skip
        found = [_stored_item(row) for row in rows]
        if ids is None:
            return found
        places = {str(item): place for place, item in enumerate(ids)}
        return sorted(found, key=lambda stored: places[stored.id])

    def last_change(self) -> int:
        """The number of the latest change of any item."""
        row = self._one("SELECT coalesce(max(change), 0) FROM items")
        return row[0] if row else 0

    def changed_since(self, change: int, limit: int) -> list[Row]:
        """What search needs of the items that changed after `change`, in the order of their changes."""
        return self._all(
            "SELECT items.id, items.feed, items.first_seen, items.change, items.title, items.summary, items.content,"
            " items.tags, articles.text AS article FROM items LEFT JOIN articles ON articles.item = items.id"
            " WHERE items.change > ? ORDER BY items.change LIMIT ?",
            (change, limit),
        )

    def revisions(self, item: int) -> list[dict[str, Any]]:
        """What the item said before, oldest first: revision, seen_at, title, summary, content, link."""
        rows = self._all(
            "SELECT revision, seen_at, title, summary, content, link FROM revisions WHERE item = ? ORDER BY revision",
            (item,),
        )
        return [dict(row) | {"seen_at": from_ms(row["seen_at"])} for row in rows]

    def alerts(
        self, *, limit: int = 50, feed: str | None = None, since: datetime | None = None,
        watchlist: str | None = None, alert: int | None = None, dead_only: bool = False,
        unseen_only: bool = False,
    ) -> list[tuple[Alert, list[Owed]]]:  # fmt: skip
        """Alerts with their deliveries, newest first."""
        rows = self._all(
            ALERTS + " WHERE (:feed IS NULL OR feeds.name = :feed) AND (:since IS NULL OR alerts.created_at >= :since)"
            " AND (:watchlist IS NULL OR alerts.watchlist = :watchlist) AND (:alert IS NULL OR alerts.id = :alert)"
            " AND (NOT :dead OR alerts.id IN (SELECT alert FROM deliveries WHERE state = 'dead'))"
            " AND (NOT :unseen OR alerts.acked_at IS NULL) ORDER BY alerts.id DESC LIMIT :limit",
            {
                "feed": feed, "since": to_ms(since) if since else None, "watchlist": watchlist, "alert": alert,
                "dead": dead_only, "unseen": unseen_only, "limit": limit,
            },
        )  # fmt: skip
        return [(alert_of(row), self._owed(row["id"])) for row in rows]

    def _owed(self, alert: int) -> list[Owed]:
        rows = self._all(
            "SELECT channel, recipient, state, attempts, last_error FROM deliveries WHERE alert = ? ORDER BY id",
            (alert,),
        )
        return [Owed(**dict(row)) for row in rows]

    def feeds(self, *, name: str | None = None, limit: int = -1) -> list[StoredFeed]:
        """The feeds of feeds.yaml with their state, in its order of first listing."""
        rows = self._all(
            "SELECT feeds.*, paused_until, (SELECT count(*) FROM items WHERE items.feed = feeds.id) AS items,"
            f" CASE WHEN {ASKED} THEN NULL ELSE (SELECT other.name FROM feeds AS other WHERE other.listed = 1"
            " AND other.document = feeds.document ORDER BY other.failures, other.id LIMIT 1) END AS twin_of"
            " FROM feeds LEFT JOIN sites ON sites.site = feeds.site"
            " WHERE listed = 1 AND (:name IS NULL OR name = :name) ORDER BY id LIMIT :limit",
            {"name": name, "limit": limit},
        )
        wrong: dict[str, list[StoredTrouble]] = {}
        for trouble in self.troubles():
            if trouble.feed is not None:
                wrong.setdefault(trouble.feed, []).append(trouble)
        stand_ins = {row["feed"]: stand_in_of(row) for row in self._all("SELECT * FROM stand_ins")}
        return [_stored_feed(row, stand_ins.get(row["id"]), tuple(wrong.get(row["name"], ()))) for row in rows]

    def totals(self) -> Totals:
        """Counts over everything."""
        feeds = self._one(
            f"""
            WITH silent AS (SELECT feed FROM troubles WHERE kind = 'silent' AND ended_at IS NULL)
            SELECT
              coalesce(sum(outcome = 'failed'), 0) AS failing,
              coalesce(sum(outcome IS NULL), 0) AS fresh,
              coalesce(sum(outcome != 'failed' AND id IN (SELECT feed FROM silent)), 0) AS silent,
              coalesce(sum(outcome != 'failed' AND id NOT IN (SELECT feed FROM silent)), 0) AS ok
            FROM feeds WHERE {ASKED}
            """
        )
        counts = self._one(
            """
            SELECT (SELECT count(*) FROM items) AS items, (SELECT count(*) FROM alerts) AS alerts,
              (SELECT count(*) FROM deliveries WHERE state = 'due') AS due,
              (SELECT count(*) FROM deliveries WHERE state = 'dead') AS dead,
              (SELECT count(*) FROM deliveries WHERE state = 'orphaned') AS orphaned,
              (SELECT count(*) FROM articles WHERE due_at IS NOT NULL) AS pending
            """
        )
        if feeds is None or counts is None:
            raise AssertionError("an aggregate without a row")
        return Totals(
            feeds_ok=feeds["ok"], feeds_failing=feeds["failing"], feeds_silent=feeds["silent"],
            feeds_new=feeds["fresh"], items=counts["items"], alerts=counts["alerts"],
            deliveries_due=counts["due"], deliveries_dead=counts["dead"], deliveries_orphaned=counts["orphaned"],
            articles_pending=counts["pending"],
        )  # fmt: skip

    def ticks(self) -> list[Tick]:
        """The last run of each tick, by name."""
        return [
            Tick(
                name=row["name"],
                every=timedelta(milliseconds=row["every_ms"]),
                started_at=from_ms(row["started_at"]),
                finished_at=from_ms_or_none(row["finished_at"]),
                error=row["error"],
            )
            for row in self._all("SELECT * FROM ticks ORDER BY name")
        ]

    def note_tick(self, name: str, every: timedelta, began: datetime, ended: datetime, error: str | None) -> None:
        """A tick has run, well or not."""
        with self._write():
            self._conn.execute(
                "INSERT INTO ticks (name, every_ms, started_at, finished_at, error) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET every_ms = excluded.every_ms, started_at = excluded.started_at,"
                " finished_at = excluded.finished_at, error = excluded.error",
                (name, every // timedelta(milliseconds=1), to_ms(began), to_ms(ended), error),
            )

    def forget_ticks(self) -> None:
        """The daemon stops as it should: no tick is late from now on."""
        with self._write():
            self._conn.execute("DELETE FROM ticks")

    def ack(self, alert: int, now: datetime) -> bool:
        """Mark an alert as seen by a person; False when there is none of that id."""
        with self._write():
            cursor = self._conn.execute(
                "UPDATE alerts SET acked_at = coalesce(acked_at, ?) WHERE id = ?", (to_ms(now), alert)
            )
            return bool(cursor.rowcount)


def _stored_item(row: Row) -> StoredItem:
    return StoredItem(
        id=str(row["id"]),
        feed=row["feed_name"],
        item=item_of(row, article=row["article_text"]),
        first_seen=from_ms(row["first_seen"]),
        changed_at=from_ms(row["changed_at"]),
        revision=row["revision"],
        story=str(row["story"]),
        story_rule=row["story_rule"],
        article_state=row["article_state"],
        article_reason=row["article_reason"],
    )


def _stored_feed(row: Row, stand_in: StandIn | None, troubles: tuple[StoredTrouble, ...]) -> StoredFeed:
    return StoredFeed(
        id=row["id"], name=row["name"], url=row["url"], title=row["title"], listed=bool(row["listed"]),
        outcome=row["outcome"], reason=row["reason"], detail=row["detail"], failures=row["failures"],
        visited_at=from_ms_or_none(row["visited_at"]), read_at=from_ms_or_none(row["read_at"]),
        new_at=from_ms_or_none(row["new_at"]), due_at=from_ms(row["due_at"]), due_why=row["due_why"],
        moved_to=row["moved_to"], address=row["address"], twin_of=row["twin_of"],
        paused_until=from_ms_or_none(row["paused_until"]), items=row["items"], format=row["format"],
        flags=tuple(json.loads(row["flags"])), stand_in=stand_in, troubles=troubles,
    )  # fmt: skip
