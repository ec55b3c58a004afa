"""The outbox: deliveries that are owed, claimed as messages, and what came of them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from aggregator.model import Alert, Excerpt, Hit, Message, NotDelivered, Receipt
from aggregator.store.base import Base, Recipients
from aggregator.store.dialect import Row, as_json, from_ms, from_ms_or_none, to_ms, to_ms_or_none
from aggregator.store.notices import NOTICES, notice_of

LEASE = timedelta(minutes=5)  # eight messages behind each other on one connection, 30 s each

BUNDLE_MOST = 250  # alerts in one mail; 20,000 made 30 MB, which mail servers refuse for good
ALERTS = """
    SELECT alerts.*, feeds.name AS feed, items.link, items.lang, items.published, items.first_seen
    FROM alerts JOIN items ON items.id = alerts.item JOIN feeds ON feeds.id = items.feed
"""


class Outbox(Base):
    """Claiming and recording deliveries."""

    def claim_messages(
        self, channel: str, now: datetime, limit: int, token: str, *, bundle_over: int | None = None
    ) -> tuple[Message, ...]:
        """Lease up to `limit` messages due on one channel, the most severe and oldest first.

        More than `bundle_over` alerts owed to one recipient and never claimed before become one message, and notices
        do however few they are. The message of a delivery is stored here, before anything is sent, so that a repeat
        after a crash is the same.
        """
        at = to_ms(now)
        with self._write():
            self._name_messages(channel, at, bundle_over)
            rows = self._all(
                "SELECT message FROM deliveries WHERE channel = ? AND state = 'due' AND due_at <= ?"
                " AND (lease_until IS NULL OR lease_until <= ?)"
                " GROUP BY message ORDER BY min(urgency), min(id) LIMIT ?",
                (channel, at, at, limit),
            )
            return tuple(self._lease(row["message"], token, to_ms(now + LEASE)) for row in rows)

    def _name_messages(self, channel: str, at: int, bundle_over: int | None) -> None:
        instance = self.instance()
        self._gather_notices(instance, channel, at)
        if bundle_over is not None:
            crowded = self._all(
                "SELECT recipient FROM deliveries WHERE channel = ? AND state = 'due' AND due_at <= ?"
                " AND message IS NULL GROUP BY recipient HAVING count(*) > ?",
                (channel, at, bundle_over),
            )
            for row in crowded:
                self._bundle(instance, channel, row["recipient"], at)
        self._conn.execute(
            "UPDATE deliveries SET message = ? || '.' || id WHERE channel = ? AND state = 'due' AND due_at <= ?"
            " AND message IS NULL",
            (instance, channel, at),
        )

    def _gather_notices(self, instance: str, channel: str, at: int) -> None:
        """Give all notices owed to one recipient one message."""
        waiting = "notice IS NOT NULL AND message IS NULL AND channel = ? AND state = 'due' AND due_at <= ?"
        for row in self._all(
            f"SELECT recipient, min(id) AS first FROM deliveries WHERE {waiting} GROUP BY recipient", (channel, at)
        ):
            self._conn.execute(
                f"UPDATE deliveries SET message = ? WHERE {waiting} AND recipient = ?",
                (f"{instance}.{row['first']}", channel, at, row["recipient"]),
            )

    def _bundle(self, instance: str, channel: str, recipient: str, at: int) -> None:
        """Give the crowd owed to one recipient one message, or several when it is too many for one mail."""
        ids = [
            row["id"]
            for row in self._all(
                "SELECT id FROM deliveries WHERE channel = ? AND recipient = ? AND state = 'due' AND due_at <= ?"
                " AND message IS NULL ORDER BY urgency, id",
                (channel, recipient, at),
            )
        ]
        for start in range(0, len(ids), BUNDLE_MOST):
            some = ids[start : start + BUNDLE_MOST]
            self._conn.executemany(
                "UPDATE deliveries SET message = ? WHERE id = ?", [(f"{instance}.{min(some)}", one) for one in some]
            )

    def _lease(self, message: str, token: str, until: int) -> Message:
        rows = self._all(
            "UPDATE deliveries SET lease_token = ?, lease_until = ? WHERE message = ? AND state = 'due'"
            " RETURNING channel, recipient, attempts",
            (token, until, message),
        )
        alerts = self._all(
            ALERTS + " WHERE alerts.id IN (SELECT alert FROM deliveries WHERE message = ?) ORDER BY alerts.id",
            (message,),
        )
        notices = self._all(
            NOTICES + " WHERE id IN (SELECT notice FROM deliveries WHERE message = ?) ORDER BY id", (message,)
        )
        return Message(
            id=message,
            token=token,
            channel=rows[0]["channel"],
            recipient=rows[0]["recipient"],
            attempts=rows[0]["attempts"],
            alerts=tuple(alert_of(row) for row in alerts),
            notices=tuple(notice_of(row) for row in notices),
        )

    def record_receipt(
        self, message: Message, result: Receipt | NotDelivered, now: datetime, retry_at: datetime | None
    ) -> None:
        """Store what came of sending. A refusal without `retry_at` makes the deliveries dead letters, kept and shown.

        A receipt is recorded even when the lease ran out meanwhile: the far side has the message.
        """
        with self._write():
            match result:
                case Receipt(code=code):
                    self._conn.execute(
                        "UPDATE deliveries SET state = 'sent', sent_at = ?, attempts = attempts + 1, last_code = ?,"
                        " last_error = NULL, lease_token = NULL, lease_until = NULL"
                        " WHERE message = ? AND state IN ('due', 'dead')",
                        (to_ms(now), code, message.id),
                    )
                case NotDelivered(code=code, error=error):
                    self._conn.execute(
                        "UPDATE deliveries SET state = ?, due_at = coalesce(?, due_at), attempts = attempts + 1,"
                        " last_code = ?, last_error = ?, lease_token = NULL, lease_until = NULL"
                        " WHERE message = ? AND state = 'due' AND lease_token = ?",
                        (
                            "dead" if retry_at is None else "due", to_ms_or_none(retry_at), code, error,
                            message.id, message.token,
                        ),
                    )  # fmt: skip

    def owe_again(self, alert: int | None, now: datetime) -> int:
        """Owe the dead letters of an alert, or all of them, once more and from the first step on; how many there were.

        They stay the messages that they were, so that a far side that did take one can tell the repeat.
        """
        with self._write():
            cursor = self._conn.execute(
                "UPDATE deliveries SET state = 'due', attempts = 0, due_at = :now WHERE state = 'dead'"
                " AND (:alert IS NULL OR alert = :alert)",
                {"now": to_ms(now), "alert": alert},
            )
            owed: int = cursor.rowcount
            return owed

    def own_recipients(self, recipients: Recipients) -> None:
        """Set aside what is owed to others than `recipients`, and owe again what was set aside and is one of theirs."""
        theirs = (
            "SELECT 1 FROM json_each(:pairs) WHERE json_extract(value, '$[0]') = channel"
            " AND json_extract(value, '$[1]') = recipient"
        )
        pairs = {"pairs": as_json(recipients)}
        with self._write():
            for was, becomes, which in (("due", "orphaned", "NOT EXISTS"), ("orphaned", "due", "EXISTS")):
                self._conn.execute(
                    f"UPDATE deliveries SET state = '{becomes}' WHERE state = '{was}' AND {which} ({theirs})", pairs
                )

    def instance(self) -> str:
        """The random name of this database, so that message ids are unique among all that ever send."""
        row = self._one("SELECT value FROM meta WHERE key = 'instance'")
        if row is None:
            raise AssertionError("a database without a name")
        name: str = row["value"]
        return name


def alert_of(row: Row) -> Alert:
    """The alert that a row of `alerts`, joined with its item and feed, holds."""
    return Alert(
        id=str(row["id"]),
        watchlist=row["watchlist"],
        label=row["label"],
        severity=row["severity"],
        item=str(row["item"]),
        story=str(row["story"]),
        feed=row["feed"],
        title=row["title"],
        link=row["link"],
        lang=row["lang"],
        published=from_ms_or_none(row["published"]),
        first_seen=from_ms(row["first_seen"]),
        created=from_ms(row["created_at"]),
        update=bool(row["is_update"]),
        terms=tuple(Hit(**hit) for hit in json.loads(row["terms"])),
        excerpts=tuple(_excerpt(excerpt) for excerpt in json.loads(row["excerpts"])),
        acked=from_ms_or_none(row["acked_at"]),
    )


def _excerpt(stored: dict[str, object]) -> Excerpt:
    marks = tuple((start, end) for start, end in stored["marks"])  # type: ignore[attr-defined]  # JSON made by us
    return Excerpt(field=stored["field"], text=stored["text"], marks=marks)  # type: ignore[arg-type]  # same
