"""Items, revisions and stories: what a visit and the reading of an article change, each in ONE transaction.

Validators, items, revisions, stories, told terms, alerts, deliveries, article debts and the next due time commit
together or not at all, so a process that dies anywhere loses nothing and tells nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from aggregator import schedule, stories
from aggregator.model import Finding, Item, Reading, Rejected, StoryMarks, Visit, VisitReport
from aggregator.store.base import Base, Find, as_json, item_of, marks_of
from aggregator.store.dialect import Row, to_ms, to_ms_or_none
from aggregator.store.telling import Telling
from aggregator.text import urls

SLICES_AT_ONCE = 1000  # in one query; SQLite takes 32,766 parameters
CANDIDATES = 100  # items compared for one story; a link shared by more is a site's front page


@dataclass
class _Counts:
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    alerts: int = 0


class Items(Base):
    """Recording what was read."""

    def record_visit(self, visit: Visit, find: Find) -> VisitReport:
        """Store all that one visit changed and say what it came to.

        `find` judges a revised item again together with the article that was read before.

        Raises:
            LeaseLost: Another worker took the feed over; nothing is stored.
            StoreError: The disk failed; nothing is stored, and the lease runs out.
        """
        with self._write():
            self._hold("feeds", "id", visit.lease.id, visit.lease.token)
            counts = _Counts()
            rejected: tuple[Rejected, ...] = ()
            if visit.document is not None:
                counts = _Recorder(self, visit.lease.id, visit.at, find).record(visit.document.findings)
                counts.unchanged += visit.document.known
                rejected = visit.document.rejected
                self._store_rejections(visit, rejected)
            elif visit.outcome != "failed":
                counts.unchanged = visit.lease.entries
            self._store_feed_state(visit, counts.new)
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
        for start in range(0, len(hashes), SLICES_AT_ONCE):
            some = hashes[start : start + SLICES_AT_ONCE]
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
            self._hold("articles", "item", lease.item, lease.token)
            if lease.text is None:
                self._site_rests(urls.site(lease.link), reading.host_free_at)
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
            recorder = _Recorder(self, row["feed"], reading.at, find)
            recorder.rematch(lease.item, item_of(row, article=reading.text), row)
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

    def _store_feed_state(self, visit: Visit, new: int) -> None:
        due = visit.due(new)
        at = to_ms(visit.at)
        failed = visit.outcome == "failed"
        self._conn.execute(
            "UPDATE feeds SET due_at = ?, due_why = ?, not_before = ?, history = ?, failures = ?, visited_at = ?,"
            " read_at = coalesce(?, read_at), new_at = coalesce(?, new_at), outcome = ?, reason = ?, detail = ?,"
            " moved_to = ?, lease_token = NULL, lease_until = NULL WHERE id = ?",
            (
                to_ms(due.at), due.why, to_ms_or_none(visit.not_before), schedule.to_json(due.history),
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
            entries = len(document.findings) + len(document.rejected) + document.known
            self._conn.execute(
                "UPDATE feeds SET body_hash = ?, entries = ?, partial_reads = CASE WHEN ? THEN partial_reads + 1 ELSE 0 END"
                " WHERE id = ?",
                (document.body_hash, entries, document.known, visit.lease.id),
            )
            if facts := document.facts:
                self._conn.execute(
                    "UPDATE feeds SET title = ?, format = ?, flags = ? WHERE id = ?",
                    (facts.title, facts.format, as_json(facts.flags), visit.lease.id),
                )
        self._site_rests(urls.site(visit.lease.url), visit.host_free_at)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store knows of an item that is seen again."""

    id: int
    story: int
    revision: int
    content_hash: bytes
    marks: StoryMarks


class _Recorder:
    """The items of one feed document, or one item with its article, inside the caller's transaction."""

    def __init__(self, store: Items, feed: int, now: datetime, find: Find) -> None:
        self._conn = store._conn  # noqa: SLF001 - a part of the store
        self._telling = Telling(store._conn, store._routes)  # noqa: SLF001 - a part of the store
        self._feed = feed
        self._now_ms = to_ms(now)
        self._find = find
        row = self._conn.execute("SELECT coalesce(max(id), 0), (SELECT coalesce(max(change), 0) FROM items) FROM items")
        self._last_id: int
        self._change: int
        self._last_id, self._change = row.fetchone()  # nobody else writes before we commit
        self.counts = _Counts()

    def record(self, findings: tuple[Finding, ...]) -> _Counts:
        """Every finding becomes new, revised or unchanged. Oldest first, as ids are time ordered and feeds are not."""
        known = self._known([finding.key for finding in findings])
        for finding in reversed(findings):
            under_key = known.setdefault(finding.key, [])
            unchanged = next((item for item in under_key if item.content_hash == finding.content_hash), None)
            if unchanged is not None:
                self.counts.unchanged += 1
                self._keep_slice(unchanged, finding)
                continue
            same = next((item for item in reversed(under_key) if stories.same_item(item.marks, finding.marks)), None)
            if same is None:
                under_key.append(self._insert(finding, len(under_key)))
            else:
                under_key.remove(same)
                under_key.append(self._revise(same, finding))
        return self.counts

    def rematch(self, item_id: int, item: Item, row: Row) -> None:
        """Judge an item again now that its article is known; find out whether another story has the same text."""
        finding = self._find(item, row["key"], row["site"])
        self._conn.execute(
            "UPDATE items SET article_hash = ?, change = ? WHERE id = ?",
            (finding.marks.article_hash, self._next_change(), item_id),
        )
        story: int = row["story"]
        twin = self._same_story(finding.marks, other_than=story)
        if twin is not None:
            story = self._unite(story, *twin)
        self._tell(item_id, row["revision"], story, finding)

    def _known(self, keys: list[str]) -> dict[str, list[_Known]]:
        """The items that have these keys, oldest first."""
        known: dict[str, list[_Known]] = {}
        for row in self._conn.execute(
            f"SELECT items.key, items.id, items.revision, items.content_hash, {_MARKS}"
            " FROM items JOIN feeds ON feeds.id = items.feed"
            " WHERE items.feed = ? AND items.key IN (SELECT value FROM json_each(?)) ORDER BY items.id",
            (self._feed, as_json(keys)),
        ):
            item = _Known(row["id"], row["story"], row["revision"], row["content_hash"], marks_of(row))
            known.setdefault(row["key"], []).append(item)
        return known

    def _insert(self, finding: Finding, nth: int) -> _Known:
        self._last_id += 1
        item = self._last_id
        story, rule = self._same_story(finding.marks) or (item, "new")
        columns = _columns(finding)
        columns.update(
            id=item, feed=self._feed, key=finding.key, nth=nth, story=story, story_rule=rule,
            first_seen=self._now_ms, changed_at=self._now_ms, change=self._next_change(),
        )  # fmt: skip
        self._conn.execute(_INSERT, columns)
        self.counts.new += 1
        self._owe_article(item, finding)
        self._tell(item, 1, story, finding)
        return _Known(item, story, 1, finding.content_hash, finding.marks)

    def _revise(self, known: _Known, finding: Finding) -> _Known:
        """Keep what the item said before, store what it says now, and match that with the article we have."""
        self._conn.execute(
            "INSERT INTO revisions (item, revision, seen_at, title, summary, content, link, tags)"
            " SELECT id, revision, changed_at, title, summary, content, link, tags FROM items WHERE id = ?",
            (known.id,),
        )
        article = self._conn.execute("SELECT link, text FROM articles WHERE item = ?", (known.id,)).fetchone()
        if article is not None and article["text"] is not None:
            with_article = self._find(replace(finding.item, article=article["text"]), finding.key, finding.marks.site)
            finding = replace(finding, item=with_article.item, marks=with_article.marks, hits=with_article.hits)
        revision = known.revision + 1
        columns = _columns(finding)
        columns.update(id=known.id, revision=revision, changed_at=self._now_ms, change=self._next_change())
        self._conn.execute(_UPDATE, columns)
        self.counts.revised += 1
        if article is None or article["link"] != finding.item.link:
            self._owe_article(known.id, finding)
        self._tell(known.id, revision, known.story, finding)
        return _Known(known.id, known.story, revision, finding.content_hash, finding.marks)

    def _keep_slice(self, known: _Known, finding: Finding) -> None:
        """The same words in other bytes, a moved date say: the next document need not be parsed for them."""
        self._conn.execute(
            "UPDATE items SET slice_hash = ? WHERE id = ? AND slice_hash IS NOT ?",
            (finding.item.slice_hash, known.id, finding.item.slice_hash),
        )

    def _owe_article(self, item: int, finding: Finding) -> None:
        """The page is to be read; a page that moved is read again. Text that was read stays until then."""
        link = finding.item.link
        if not finding.wants_article or link is None:
            return
        self._conn.execute(
            "INSERT INTO articles (item, state, link, site, due_at) VALUES (?, 'pending', ?, ?, ?)"
            " ON CONFLICT (item) DO UPDATE SET state = 'pending', link = excluded.link, site = excluded.site,"
            " due_at = excluded.due_at, attempts = 0, lease_token = NULL, lease_until = NULL",
            (item, link, urls.site(link), self._now_ms),
        )

    def _same_story(self, marks: StoryMarks, other_than: int = 0) -> tuple[int, str] | None:
        rows = self._conn.execute(
            f"SELECT {_MARKS} FROM items JOIN feeds ON feeds.id = items.feed"
            " WHERE (items.url_key = ?1 OR items.full_hash = ?2 OR items.text_hash IN (?3, ?4)"
            " OR items.article_hash IN (?3, ?4)) AND items.story != ?5 ORDER BY items.id DESC LIMIT ?6",
            (marks.url_key, marks.full_hash, marks.text_hash, marks.article_hash, other_than, CANDIDATES),
        )
        return stories.same_story(marks, ((row["story"], marks_of(row)) for row in rows))

    def _unite(self, one: int, other: int, rule: str) -> int:
        """Two stories turned out to be one: the older one keeps all items, alerts and told terms."""
        kept, gone = min(one, other), max(one, other)
        self._conn.execute("UPDATE items SET story = ?, story_rule = ? WHERE story = ?", (kept, rule, gone))
        self._conn.execute("UPDATE alerts SET story = ? WHERE story = ?", (kept, gone))
        self._conn.execute("UPDATE OR IGNORE told SET story = ? WHERE story = ?", (kept, gone))
        self._conn.execute("DELETE FROM told WHERE story = ?", (gone,))
        return kept

    def _tell(self, item: int, revision: int, story: int, finding: Finding) -> None:
        if finding.hits:
            self.counts.alerts += self._telling.tell(item, revision, story, finding, self._now_ms)

    def _next_change(self) -> int:
        self._change += 1
        return self._change


_MARKS = (
    "items.story, items.url_key, items.title_hash, items.full_hash, items.text_hash, items.article_hash, feeds.site"
)
_READ = (
    "guid", "link", "url_key", "title", "summary", "content", "author", "lang", "tags", "enclosures", "published",
    "updated", "flags", "slice_hash", "content_hash", "title_hash", "full_hash", "text_hash", "article_hash", "changed_at", "change",
)  # fmt: skip
_PLACED = ("id", "feed", "key", "nth", "story", "story_rule", "first_seen")
_INSERT = (
    f"INSERT INTO items ({', '.join(_PLACED + _READ)}) VALUES ({', '.join(f':{name}' for name in _PLACED + _READ)})"
)
_UPDATE = f"UPDATE items SET revision = :revision, {', '.join(f'{name} = :{name}' for name in _READ)} WHERE id = :id"


def _columns(finding: Finding) -> dict[str, str | int | bytes | None]:
    """The columns of `items` that a reading of the feed decides."""
    item, marks = finding.item, finding.marks
    return {
        "guid": item.guid,
        "link": item.link,
        "url_key": marks.url_key,
        "title": item.title,
        "summary": item.summary,
        "content": item.content,
        "author": item.author,
        "lang": item.lang,
        "tags": as_json(item.tags),
        "enclosures": as_json([asdict(enclosure) for enclosure in item.enclosures]) if item.enclosures else "[]",
        "published": to_ms_or_none(item.published),
        "updated": to_ms_or_none(item.updated),
        "flags": as_json(item.flags),
        "slice_hash": item.slice_hash,
        "content_hash": finding.content_hash,
        "title_hash": marks.title_hash,
        "full_hash": marks.full_hash,
        "text_hash": marks.text_hash,
        "article_hash": marks.article_hash,
    }
