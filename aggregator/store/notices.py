"""Troubles as they stand, and the notices that tell the operator of them, in the outbox that alerts use.

A trouble begins or ends in the transaction of the visit that showed it, and so does the notice: it cannot be lost, nor
told and not kept. Notices that arise together wait a few minutes for each other and go out as one message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aggregator import coverage, schedule
from aggregator.coverage import Sight
from aggregator.model import Doubt, Due, Notice, Reason, StandIn, Trouble, Visit
from aggregator.store.addresses import Addresses
from aggregator.store.dialect import Row, from_ms, from_ms_or_none, to_ms, to_ms_or_none
from aggregator.store.items import Counts
from aggregator.store.network import LATELY, UNREACHED, Network
from aggregator.store.telling import URGENCY

AGAIN = timedelta(hours=6)  # a trouble that ends and begins again is told once in this time
GATHER = timedelta(minutes=5)  # a network that fell takes all feeds with it: one message
APART = timedelta(hours=1)  # between two messages of notices
LOOKS = 500  # feeds looked at in one transaction
_OWED = "((told = 0 AND ended_at IS NULL) OR (told = 1 AND ended_at IS NOT NULL))"  # as in the index troubles_owed
_OFFLINE = "feed IS NULL AND watchlist IS NULL AND ended_at IS NULL"  # the one trouble that is the network's
NOTICES = (
    "SELECT notices.id, notices.kind, notices.feed, notices.watchlist, notices.name, notices.label, notices.detail,"
    " notices.since, notices.created_at, notices.is_over FROM notices"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrouble:
    """A trouble that goes on."""

    kind: str
    feed: str | None  # its name; None: a watchlist's
    watchlist: str | None
    since: datetime
    detail: str
    told: bool  # whether a notice of it was made


class Notices(Addresses, Network):
    """What is wrong, and who is told."""

    # ------------------------------------------------------------ feeds

    def _watch_over(self, visit: Visit, before: Row, due: Due, counts: Counts) -> None:
        """Judge what a visit showed of its feed, inside the transaction that records it."""
        if visit.reason in UNREACHED and (down := self.network_down_since()) is not None:
            self._blame_network(visit.lease.id, before, down)
            return
        sight = _sight(visit, before, due, counts)
        already = self._already(visit.lease.id)
        standing = coverage.after(coverage.from_json(before["coverage"]), sight, due.history)
        held = coverage.troubles(standing, sight, already)
        changed = self._settle(visit.lease.id, held, already, to_ms(visit.at))
        look_at = coverage.next_look(standing, sight, due, _seen_last(held, already, visit.at))
        self._conn.execute(
            "UPDATE feeds SET coverage = ?, look_at = ? WHERE id = ?",
            (coverage.to_json(standing), to_ms_or_none(look_at), visit.lease.id),
        )
        if changed:
            self._tell_operators(to_ms(visit.at))

    def _blame_network(self, feed: int, before: Row, down: datetime) -> None:
        """A visit that the network cost shows nothing of its feed; nor did one just before that was known."""
        standing = coverage.from_json(before["coverage"])
        if standing.failing_since is not None and standing.failing_since > down - LATELY:
            forgiven = coverage.to_json(replace(standing, failing_since=None))
            self._conn.execute("UPDATE feeds SET coverage = ?, look_at = NULL WHERE id = ?", (forgiven, feed))

    def look_over(self, now: datetime) -> int:
        """Judge the network, and the feeds with which something may be wrong, or over, though no visit is due.

        How many troubles began or ended. Costs a few look-ups in an index when there is nothing to do.
        """
        at, down = to_ms(now), self.network_down_since()
        looks = "listed = 1 AND look_at <= :now AND due_at > :now AND coalesce(lease_until, 0) <= :now AND NOT :down"
        passed = "watchlist IS NOT NULL AND ended_at IS NULL AND seen_at <= :passed"
        owed = _OWED if self._operators else "0"
        long_down = down is not None and now - down >= coverage.OFFLINE_AFTER
        parameters = {
            "now": at, "down": down is not None, "passed": to_ms(now - coverage.LINGERS[Trouble.WATCHLIST_STOPPED]),
        }  # fmt: skip
        idle = self._one(
            f"SELECT 1 WHERE EXISTS (SELECT 1 FROM feeds WHERE {looks})"
            f" OR EXISTS (SELECT 1 FROM troubles WHERE {passed}) OR EXISTS (SELECT 1 FROM troubles WHERE {owed})"
            f" OR EXISTS (SELECT 1 FROM troubles WHERE {_OFFLINE}) != :long_down",
            parameters | {"long_down": long_down},
        )
        if idle is None:
            return 0
        with self._write():
            rows = self._all(f"SELECT * FROM feeds WHERE {looks} ORDER BY look_at LIMIT {LOOKS}", parameters)
            changed = sum(self._look_at(row, now) for row in rows)
            ended = self._conn.execute(f"UPDATE troubles SET ended_at = :now WHERE {passed}", parameters).rowcount
            offline = self._settle_network(at, since=down if long_down else None)
            self._tell_operators(at)
            return changed + ended + offline

    def _settle_network(self, at: int, *, since: datetime | None) -> int:
        """Begin or end the trouble that is the network's; how many that changed."""
        if since is None:
            return self._conn.execute(f"UPDATE troubles SET ended_at = ? WHERE {_OFFLINE}", (at,)).rowcount
        if self._one(f"SELECT 1 FROM troubles WHERE {_OFFLINE}"):
            return 0
        known = self._conn.execute(
            "UPDATE troubles SET since = ?, seen_at = ?, ended_at = NULL WHERE kind = 'offline'", (to_ms(since), at)
        )
        if not known.rowcount:
            self._conn.execute(
                "INSERT INTO troubles (kind, detail, since, seen_at, told) VALUES ('offline', ?, ?, ?, 0)",
                ("hardly any host can be reached", to_ms(since), at),
            )
        return 1

    def _look_at(self, row: Row, now: datetime) -> int:
        looked, planned = from_ms_or_none(row["visited_at"]), from_ms(row["due_at"])
        failed = row["outcome"] == "failed"
        due = Due(at=planned, why=row["due_why"], history=schedule.from_json(row["history"]))
        sight = Sight(
            at=now, history=due.history, looked=looked, planned=planned, last_new=from_ms_or_none(row["new_at"]),
            reason=Reason(row["reason"]) if failed else None, detail=row["detail"] or "",
            unmodified=row["outcome"] == "not_modified", paused=_pause(due, looked),
            lying=Doubt.FALSE_304 in schedule.doubts(due.history, now), fallback=_fallback(self.stand_in(row["id"])),
        )  # fmt: skip
        already = self._already(row["id"])
        standing = coverage.between(coverage.from_json(row["coverage"]), sight)
        held = coverage.troubles(standing, sight, already)
        changed = self._settle(row["id"], held, already, to_ms(now))
        look_at = coverage.next_look(standing, sight, due, _seen_last(held, already, now))
        self._conn.execute("UPDATE feeds SET look_at = ? WHERE id = ?", (to_ms_or_none(look_at), row["id"]))
        return changed

    def _already(self, feed: int) -> dict[Trouble, datetime]:
        rows = self._all("SELECT kind, seen_at FROM troubles WHERE feed = ? AND ended_at IS NULL", (feed,))
        return {Trouble(row["kind"]): from_ms(row["seen_at"]) for row in rows}

    def _settle(self, feed: int, held: Mapping[Trouble, str | None], already: Mapping[Trouble, object], at: int) -> int:
        """Make the troubles of a feed those that are held; how many began or ended."""
        for kind, detail in held.items():
            if detail is not None:
                self._begin("feed", feed, kind, detail, at)
        ended = [kind for kind in already if kind not in held]
        self._conn.executemany(
            "UPDATE troubles SET ended_at = ? WHERE feed = ? AND kind = ?", [(at, feed, kind) for kind in ended]
        )
        return len(ended) + len(held.keys() - already.keys())

    def _begin(self, of: str, subject: int | str, kind: Trouble, detail: str, at: int) -> None:
        """A trouble begins, or is seen again."""
        self._conn.execute(
            f"INSERT INTO troubles ({of}, kind, detail, since, seen_at, told) VALUES (?, ?, ?, ?, ?, 0)"
            f" ON CONFLICT ({of}, kind) DO UPDATE SET detail = excluded.detail, seen_at = excluded.seen_at,"
            " since = CASE WHEN ended_at IS NULL THEN since ELSE excluded.since END, ended_at = NULL",
            (subject, kind, detail, at, at),
        )

    # ------------------------------------------------------------ watchlists

    def _watchlists_stopped(self, stopped: Mapping[str, str], at: int) -> None:
        """Some rules cost too much for an item, by watchlist the feed that brought it."""
        for watchlist, feed in stopped.items():
            detail = f"its rule cost too much for an item of {feed}, which it did not judge"
            self._begin("watchlist", watchlist, Trouble.WATCHLIST_STOPPED, detail, at)
        if stopped:
            self._tell_operators(at)

    # ------------------------------------------------------------ who is told

    def _tell_operators(self, at: int) -> None:
        """Owe the operators a notice of each trouble that began or ended and was not told so."""
        if not self._operators:
            return
        rows = self._all(
            "SELECT troubles.*, coalesce(feeds.name, watchlist, 'the network') AS name FROM troubles LEFT JOIN feeds ON feeds.id = feed"
            f" WHERE {_OWED} AND (ended_at IS NOT NULL OR coalesce(told_at, 0) <= ?) AND coalesce(feeds.listed, 1) = 1",
            (at - AGAIN // timedelta(milliseconds=1),),
        )
        if not rows:
            return
        due_at = self._gathered_at(at)
        for row in rows:
            over = row["ended_at"] is not None
            self._owe_notice(row, at, due_at, over=over)
            of = "feed" if row["feed"] is not None else "watchlist" if row["watchlist"] is not None else None
            self._conn.execute(  # by an index: ten thousand feeds may be told of at once
                f"UPDATE troubles SET told = ?, told_at = ? WHERE kind = ? AND {f'{of} = ?' if of else '? IS NULL'}",
                (int(not over), row["told_at"] if over else at, row["kind"], row[of] if of else None),
            )

    def _owe_notice(self, row: Row, at: int, due_at: int, *, over: bool) -> None:
        route = self._routes.get(row["watchlist"])
        cursor = self._conn.execute(
            "INSERT INTO notices (feed, watchlist, kind, name, label, detail, since, is_over, created_at, due_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row["feed"], row["watchlist"], row["kind"], row["name"], route.label if route else None, row["detail"],
                row["since"], int(over), at, due_at,
            ),
        )  # fmt: skip
        self._conn.executemany(
            "INSERT INTO deliveries (notice, channel, recipient, state, urgency, due_at) VALUES (?, ?, ?, 'due', ?, ?)",
            [(cursor.lastrowid, channel, to, URGENCY["normal"], due_at) for channel, to in self._operators],
        )

    def _gathered_at(self, at: int) -> int:
        """When a notice that arises now goes out: with those that wait already, and not soon after the last ones."""
        gather, apart = (span // timedelta(milliseconds=1) for span in (GATHER, APART))
        row = self._one("SELECT due_at FROM notices ORDER BY id DESC LIMIT 1")
        last = row["due_at"] if row else 0
        if at < last <= at + apart:
            return int(last)
        return int(max(at + gather, last + apart)) if last <= at else at + gather

    def hasten_notices(self, now: datetime) -> None:
        """Let the notices that wait for others go out: a round ends, and nobody may come back soon."""
        with self._write():
            self._conn.execute(
                "UPDATE deliveries SET due_at = ? WHERE notice IS NOT NULL AND message IS NULL AND due_at > ?",
                (to_ms(now), to_ms(now)),
            )

    # ------------------------------------------------------------ reading

    def troubles(self) -> list[StoredTrouble]:
        """What is wrong now, the oldest first."""
        rows = self._all(
            "SELECT troubles.*, feeds.name FROM troubles LEFT JOIN feeds ON feeds.id = troubles.feed"
            " WHERE ended_at IS NULL AND coalesce(feeds.listed, 1) = 1 ORDER BY since, kind, troubles.feed"
        )
        return [
            StoredTrouble(
                kind=row["kind"], feed=row["name"], watchlist=row["watchlist"], since=from_ms(row["since"]),
                detail=row["detail"], told=bool(row["told"]),
            )
            for row in rows
        ]  # fmt: skip


def _sight(visit: Visit, before: Row, due: Due, counts: Counts) -> Sight:
    documents = [part.document for part in (visit, *visit.parts) if part.document]
    failed, elsewhere = visit.outcome == "failed", bool(visit.lease.elsewhere and not visit.lease.entries)
    return Sight(
        at=visit.at,
        history=visit.lease.history,
        looked=from_ms_or_none(before["visited_at"]),
        planned=from_ms(before["due_at"]),
        last_new=from_ms_or_none(before["new_at"]),
        new=counts.new,
        entries=0 if elsewhere or visit.filled else sum(one.entries for one in documents),  # all new, and none lost
        delta=any(one.delta for one in documents),
        reason=visit.reason if failed else None,
        detail=visit.detail,
        repeated=failed and before["outcome"] == "failed" and before["reason"] == visit.reason,
        unmodified=visit.outcome == "not_modified",
        paused=_pause(due, visit.at),
        unreadable=tuple(entry.reason for one in documents for entry in one.rejected),
        passed_over=counts.passed_over,
        fallback=_fallback(visit.stand_in),
        lying=Doubt.FALSE_304 in schedule.doubts(due.history, visit.at),
    )


def _fallback(stand_in: StandIn | None) -> str:
    if stand_in is None:
        return ""
    why = f"{stand_in.reason}: {stand_in.detail}" if stand_in.detail else stand_in.reason
    return f"its own address brings nothing ({why}), and a fallback stands in"


def _pause(due: Due, since: datetime | None) -> tuple[datetime, datetime] | None:
    return (since, due.at) if since is not None and due.why == "retry_after" else None


def _seen_last(
    held: Mapping[Trouble, str | None], already: Mapping[Trouble, datetime], now: datetime
) -> dict[Trouble, datetime]:
    return {kind: now if detail is not None else already[kind] for kind, detail in held.items()}


def notice_of(row: Row) -> Notice:
    """The notice that a row of `notices` holds."""
    return Notice(
        id=str(row["id"]),
        kind=Trouble(row["kind"]),
        feed=None if row["feed"] is None else row["name"],
        watchlist=row["watchlist"],
        label=row["label"],
        detail=row["detail"],
        since=from_ms(row["since"]),
        created=from_ms(row["created_at"]),
        over=bool(row["is_over"]),
    )
