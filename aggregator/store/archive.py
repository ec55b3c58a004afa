"""The whole archive in order, for judging it again, and what was once said of an item and a watchlist.

Of verdicts only hits are rows. A miss is the absence of one under the rule that was in force when the item was judged,
which `rules` remembers: a row for each item and each of 1,000 watchlists would be 1,000 rows an item (decisions.md).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from aggregator.model import Alert, Item
from aggregator.store.base import Find, item_of
from aggregator.store.dialect import as_json, from_ms, to_ms
from aggregator.store.outbox import ALERTS, alert_of
from aggregator.store.reading import Owed, Reading
from aggregator.watch import Source

BATCH = 256  # items read at once: about 1 MB
LEAP = timedelta(
    days=2
)  # ids follow the clock but for its corrections; so much earlier a reading of the archive begins
_DAY_MS = 86_400_000


class Archived(NamedTuple):
    """An item of the archive with its article, as the database holds it."""

    id: int
    first_seen: int  # epoch ms
    feed: str
    site: str
    title: str
    summary: str
    content: str
    article: str | None
    tags: str  # JSON
    lang: str | None
    author: str | None
    link: str | None
    guid: str | None

    @property
    def item(self) -> Item:
        """All of it that a rule can look at."""
        return Item(
            title=self.title,
            summary=self.summary,
            content=self.content,
            article=self.article,
            tags=() if self.tags == "[]" else tuple(json.loads(self.tags)),
            lang=self.lang,
            author=self.author,
            link=self.link,
            guid=self.guid,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVersion:
    """A watchlist as it once stood in feeds.yaml."""

    version: str
    definition: dict[str, Any]
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """When an item was last a hit, and by which version of the rule."""

    rule: RuleVersion
    revision: int
    at: datetime


class Archive(Reading):
    """Reads over everything, and the verdicts beside the alerts."""

    def archived(self, since: datetime | None = None, *, batch: int = BATCH) -> Iterator[list[Archived]]:
        """All items first seen at or after `since`, oldest first, in batches. No statement stays open between two."""
        since_ms = to_ms(since) if since else 0
        after = self._id_before(since) if since else 0
        while True:
            cursor = self._conn.cursor()
            cursor.row_factory = None  # plain tuples: a third of the cost of a row by name
            rows = cursor.execute(_ARCHIVED, (after, batch)).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            found = [Archived._make(row) for row in rows if row[1] >= since_ms]
            if found:
                yield found

    def archived_item(self, item: int) -> Archived | None:
        """One item of the archive."""
        cursor = self._conn.cursor()
        cursor.row_factory = None
        row = cursor.execute(_ARCHIVED, (item - 1, 1)).fetchone()
        return Archived._make(row) if row and row[0] == item else None

    def archived_ids(self, since: datetime | None = None) -> tuple[int, int]:
        """The bounds, first excluded, of the ids that `archived` goes through; to say how far it came."""
        row = self._one("SELECT coalesce(max(id), 0) FROM items")
        last = row[0] if row else 0
        return min(self._id_before(since) if since else 0, last), last

    def _id_before(self, since: datetime) -> int:
        """An id before all items first seen at or after `since`: ids are time ordered, so a few look-ups find it."""
        wanted = to_ms(since - LEAP)
        low, high = 0, (self._one("SELECT coalesce(max(id), 0) FROM items") or (0,))[0]
        while low < high:
            middle = (low + high) // 2
            row = self._one("SELECT id, first_seen FROM items WHERE id > ? ORDER BY id LIMIT 1", (middle,))
            if row is not None and row["first_seen"] < wanted:
                low = row["id"]
            else:
                high = middle
        return low

    # ------------------------------------------------------------ told again

    def tell_missed(self, items: Sequence[int], find: Find, now: datetime) -> int:
        """Judge these items again, as they stand now, and tell what was not told yet; how many alerts that made.

        One transaction, and the telling of live items: a term that was told of a story is not told again.
        """
        telling, alerts, now_ms = self._telling(), 0, to_ms(now)
        with self._write():
            for row in self._all(
                "SELECT items.*, items.id AS item_id, feeds.site, feeds.name AS feed_name, articles.text AS article_text FROM items"
                " JOIN feeds ON feeds.id = items.feed LEFT JOIN articles ON articles.item = items.id"
                " WHERE items.id IN (SELECT value FROM json_each(?)) ORDER BY items.id",
                (as_json(list(items)),),
            ):
                source = Source(feed=row["feed_name"], site=row["site"])
                finding = find(item_of(row, article=row["article_text"]), row["key"], source)
                if finding.hits:
                    alerts += telling.tell(row["item_id"], row["revision"], row["story"], finding, now_ms)
        return alerts

    # ------------------------------------------------------------ rules and verdicts

    def note_rules(self, definitions: Mapping[str, tuple[str, Mapping[str, Any]]], now: datetime) -> None:
        """Remember what each watchlist looks for from now on: (version, definition) by name. Unchanged ones cost a read."""
        with self._write():
            known = {
                row["watchlist"]: (row["id"], row["version"])
                for row in self._all(
                    "SELECT id, watchlist, version FROM rules WHERE id IN (SELECT max(id) FROM rules GROUP BY watchlist)"
                )
            }
            for name, (version, definition) in definitions.items():
                if name in known and known[name][1] == version:
                    continue
                cursor = self._conn.execute(
                    "INSERT INTO rules (watchlist, version, definition, since) VALUES (?, ?, ?, ?)",
                    (name, version, as_json(definition), to_ms(now)),
                )
                known[name] = (cursor.lastrowid, version)
                self._conn.execute(  # it is another rule from now on
                    "UPDATE troubles SET ended_at = ? WHERE watchlist = ? AND ended_at IS NULL", (to_ms(now), name)
                )
        self._rules = {name: known[name][0] for name in definitions}

    def verdict(self, item: int, watchlist: str) -> Verdict | None:
        """When the item was last a hit of the watchlist; None: never since verdicts are kept."""
        row = self._one(
            "SELECT rules.version, rules.definition, rules.since, verdicts.revision, verdicts.at FROM verdicts"
            " JOIN rules ON rules.id = verdicts.rule WHERE verdicts.item = ? AND rules.watchlist = ?"
            " ORDER BY verdicts.at DESC, rules.id DESC LIMIT 1",
            (item, watchlist),
        )
        return Verdict(rule=_version(row), revision=row["revision"], at=from_ms(row["at"])) if row else None

    def rule_at(self, watchlist: str, at: datetime) -> RuleVersion | None:
        """What the watchlist looked for at a time; None: it was not watched, or before rules were remembered."""
        row = self._one(
            "SELECT version, definition, since FROM rules WHERE watchlist = ? AND since <= ? ORDER BY id DESC LIMIT 1",
            (watchlist, to_ms(at)),
        )
        return _version(row) if row else None

    # ------------------------------------------------------------ alerts by watchlist

    def story_alerts(self, story: int, watchlist: str) -> list[tuple[Alert, list[Owed]]]:
        """What a watchlist told of a story, with the deliveries, oldest first."""
        rows = self._all(
            ALERTS + " WHERE alerts.story = ? AND alerts.watchlist = ? ORDER BY alerts.id", (story, watchlist)
        )
        return [(alert_of(row), self._owed(row["id"])) for row in rows]

    def stories_told(self, watchlist: str) -> dict[int, bool]:
        """The stories that a watchlist alerted on, and whether a person marked one of the alerts as seen."""
        rows = self._all(
            "SELECT story, count(acked_at) AS seen FROM alerts WHERE watchlist = ? GROUP BY story",
            (watchlist,),
        )
        return {row["story"]: bool(row["seen"]) for row in rows}

    def stories_of(self, items: Sequence[int]) -> dict[int, int]:
        """The story of each of these items."""
        rows = self._all(
            "SELECT id, story FROM items WHERE id IN (SELECT value FROM json_each(?))", (as_json(list(items)),)
        )
        return {row["id"]: row["story"] for row in rows}

    def alerts_by_day(self, first: date) -> dict[str, Counter[date]]:
        """How many alerts each watchlist raised on each day (UTC) from `first` on."""
        days: dict[str, Counter[date]] = {}
        for row in self._all(
            "SELECT watchlist, created_at / ? AS day, count(*) AS alerts FROM alerts WHERE created_at >= ?"
            " GROUP BY watchlist, day",
            (_DAY_MS, to_ms(datetime.combine(first, time.min, UTC))),
        ):
            day = datetime.fromtimestamp(row["day"] * _DAY_MS / 1000, UTC).date()
            days.setdefault(row["watchlist"], Counter())[day] = row["alerts"]
        return days


_ARCHIVED = (
    "SELECT items.id, items.first_seen, feeds.name, feeds.site, items.title, items.summary, items.content, articles.text,"
    " items.tags, items.lang, items.author, items.link, items.guid FROM items JOIN feeds ON feeds.id = items.feed"
    " LEFT JOIN articles ON articles.item = items.id WHERE items.id > ? ORDER BY items.id LIMIT ?"
)


def _version(row: Any) -> RuleVersion:
    return RuleVersion(version=row["version"], definition=json.loads(row["definition"]), since=from_ms(row["since"]))
