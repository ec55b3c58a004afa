"""Items, revisions and stories: what one feed document, or one article, makes of what is known.

Everything here runs inside the caller's transaction (`visits.py`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from aggregator import stories
from aggregator.model import Finding, Item, StoryMarks
from aggregator.store.base import Find, item_of, marks_of
from aggregator.store.dialect import Row, as_json, to_ms, to_ms_or_none
from aggregator.store.telling import Telling
from aggregator.text import urls
from aggregator.watch import Source

AT_ONCE = 1000  # hashes in one query; SQLite takes 32,766 parameters
REREAD_MS = 3_600_000  # of a page whose headline changed; edits come in runs, and a page is a guest's visit
CANDIDATES = 100  # items compared for one story; a link shared by more is a site's front page


@dataclass
class Counts:
    """What became of the entries, and how many alerts that made."""

    new: int = 0
    revised: int = 0
    unchanged: int = 0
    alerts: int = 0
    passed_over: int = 0  # new ones of a full reading that a partial one would not have seen
    stopped: dict[str, str] = field(default_factory=dict)  # watchlists whose rule cost too much, by name: the feed

    def add(self, more: Counts) -> None:
        """Count those of another document too."""
        self.new += more.new
        self.revised += more.revised
        self.unchanged += more.unchanged
        self.alerts += more.alerts
        self.passed_over += more.passed_over
        self.stopped |= more.stopped


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store knows of an item that is seen again."""

    id: int
    key: str
    story: int
    revision: int
    content_hash: bytes
    slice_hash: bytes | None
    marks: StoryMarks


class Recorder:
    """The items of one feed document, or one item with its article, inside the caller's transaction."""

    def __init__(self, telling: Telling, feed: int, now: datetime, find: Find) -> None:
        self._conn = telling.conn
        self._telling = telling
        self._feed = feed
        row = self._conn.execute("SELECT name, site FROM feeds WHERE id = ?", (feed,)).fetchone()
        self._source = Source(feed=row["name"], site=row["site"])
        self._now_ms = to_ms(now)
        self._find = find
        row = self._conn.execute("SELECT coalesce(max(id), 0), (SELECT coalesce(max(change), 0) FROM items) FROM items")
        self._last_id: int
        self._change: int
        self._last_id, self._change = row.fetchone()  # nobody else writes before we commit
        self.counts = Counts()

    def record(
        self,
        findings: tuple[Finding, ...],
        standing: frozenset[bytes],
        rechecked: frozenset[bytes | None] = frozenset(),
    ) -> Counts:
        """Every finding becomes new, revised or unchanged. Oldest first, as ids are time ordered and feeds are not.

        An item that another entry of the document is, parsed or `standing` there by its slice hash, is never revised.
        New items with a `rechecked` slice hash are counted: those had been taken for known.
        """
        known = self._known(findings)
        elsewhere = self._conn.execute("SELECT 1 FROM addresses WHERE feed = ? LIMIT 1", (self._feed,)).fetchone()
        taken = {item.id for item in known if item.slice_hash in standing}
        by_content = {item.content_hash: item for item in known}
        by_key: dict[str, list[_Known]] = {}
        for item in known:
            by_key.setdefault(item.key, []).append(item)
        for finding in reversed(findings):
            under_key = by_key.setdefault(finding.key, [])
            same = by_content.get(finding.content_hash)
            old = None if same else _revised(under_key, finding, taken)
            if not (same or under_key) and elsewhere:
                same, old = self._behind_link(finding, taken)
                under_key += [old] if old else []
            if same is not None:
                self.counts.unchanged += 1
                self._keep_slice(same, finding)
            elif old is not None:
                same = self._revise(old, finding)
                under_key[under_key.index(old)] = same
            else:
                same = self._insert(finding, len(under_key))
                self.counts.passed_over += finding.item.slice_hash in rechecked
                under_key.append(same)
            by_content[finding.content_hash] = same
            taken.add(same.id)
            self._note_stopped(finding)
        return self.counts

    def rematch(self, item_id: int, item: Item, row: Row) -> None:
        """Judge an item again now that its article is known; find out whether another story has the same text."""
        finding = self._find(item, row["key"], self._source)
        self._conn.execute(
            "UPDATE items SET article_hash = ?, change = ? WHERE id = ?",
            (finding.marks.article_hash, self._next_change(), item_id),
        )
        story: int = row["story"]
        twin = self._same_story(finding.marks, other_than=story)
        if twin is not None:
            story = self._unite(story, *twin)
        self._tell(item_id, row["revision"], story, finding)
        self._note_stopped(finding)

    def _known(self, findings: tuple[Finding, ...]) -> list[_Known]:
        """The feed's items that have the key or the words of one of the findings, oldest first."""
        found: dict[int, _Known] = {}
        for start in range(0, len(findings), AT_ONCE):
            some = findings[start : start + AT_ONCE]
            places = ", ".join("?" * len(some))
            for row in self._conn.execute(
                f"SELECT items.key, items.id, items.revision, items.content_hash, items.slice_hash, {_MARKS}"
                f" FROM items JOIN feeds ON feeds.id = items.feed WHERE items.feed = ?"
                f" AND (items.key IN ({places}) OR items.content_hash IN ({places}))",
                (self._feed, *(one.key for one in some), *(one.content_hash for one in some)),
            ):
                found[row["id"]] = _known_item(row)
        return [found[item] for item in sorted(found)]

    def _behind_link(self, finding: Finding, taken: set[int]) -> tuple[_Known | None, _Known | None]:
        """The feed's item behind the same link, where one of both is known by its link and says no more than a title.

        First the item of which the entry says nothing new, else the one that the entry says more of, under its key from
        now on. A sitemap or a page stands in for a feed, and has no ids but its links.
        """
        rows = self._conn.execute(
            f"SELECT items.*, {_MARKS} FROM items JOIN feeds ON feeds.id = items.feed"
            " WHERE items.url_key = ? AND +items.feed = ? LIMIT ?",  # by the index of links, never all items of a feed
            (finding.marks.url_key, self._feed, CANDIDATES),
        )
        item = finding.item
        for row in rows:
            if row["id"] in taken or (item.title and row["title"] and item.title != row["title"]):
                continue
            known = item_of(row)
            if _is_link(item) and (known.title or not item.title):
                return _known_item(row), None
            if _is_link(known) and (item.title or not known.title):
                self._conn.execute("UPDATE items SET key = ?, nth = 0 WHERE id = ?", (finding.key, row["id"]))
                return None, replace(_known_item(row), key=finding.key)
        return None, None

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
        return _Known(item, finding.key, story, 1, finding.content_hash, finding.item.slice_hash, finding.marks)

    def _revise(self, known: _Known, finding: Finding) -> _Known:
        """Keep what the item said before, store what it says now, and match that with the article we have."""
        self._conn.execute(
            "INSERT INTO revisions (item, revision, seen_at, title, summary, content, link, tags)"
            " SELECT id, revision, changed_at, title, summary, content, link, tags FROM items WHERE id = ?",
            (known.id,),
        )
        article = self._conn.execute("SELECT * FROM articles WHERE item = ?", (known.id,)).fetchone()
        if article is not None and article["text"] is not None:
            with_article = self._find(replace(finding.item, article=article["text"]), finding.key, self._source)
            finding = replace(
                finding, item=with_article.item, marks=with_article.marks, hits=with_article.hits,
                stopped=with_article.stopped,
            )  # fmt: skip
            self._note_stopped(finding)
        revision = known.revision + 1
        columns = _columns(finding)
        columns.update(id=known.id, revision=revision, changed_at=self._now_ms, change=self._next_change())
        self._conn.execute(_UPDATE, columns)
        self.counts.revised += 1
        if article is None or article["link"] != finding.item.link or self._outdated(article, known, finding):
            self._owe_article(known.id, finding)
        self._tell(known.id, revision, known.story, finding)
        return replace(
            known, revision=revision, content_hash=finding.content_hash, slice_hash=finding.item.slice_hash,
            marks=finding.marks,
        )  # fmt: skip

    def _outdated(self, article: Row, known: _Known, finding: Finding) -> bool:
        """Whether a page is read again: it failed before, or the headline changed and it was read an hour ago."""
        if article["state"] == "failed":
            return True
        retitled = known.marks.title_hash != finding.marks.title_hash
        return retitled and article["state"] == "read" and self._now_ms - article["read_at"] >= REREAD_MS

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
            (item, link, urls.server(link), self._now_ms),
        )

    def _same_story(self, marks: StoryMarks, other_than: int = 0) -> tuple[int, str] | None:
        shared = (marks.url_key, marks.full_hash, marks.text_hash, marks.article_hash, other_than)
        if not self._conn.execute(f"SELECT 1 FROM items WHERE {_SHARED} LIMIT 1", shared).fetchone():
            return None  # most items; asking this first costs a sixth of a sorted answer (measured)
        rows = self._conn.execute(
            f"SELECT {_MARKS} FROM items JOIN feeds ON feeds.id = items.feed WHERE {_SHARED}"
            " ORDER BY items.id DESC LIMIT ?6",
            (*shared, CANDIDATES),
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

    def _note_stopped(self, finding: Finding) -> None:
        self.counts.stopped.update(dict.fromkeys(finding.stopped, self._source.feed))

    def _next_change(self) -> int:
        self._change += 1
        return self._change


def _is_link(item: Item) -> bool:
    """Whether it is a link and perhaps its title, and nothing else: no id, no text."""
    return item.guid == item.link and not (item.summary or item.content or item.tags)


def _known_item(row: Row) -> _Known:
    return _Known(
        row["id"], row["key"], row["story"], row["revision"], row["content_hash"], row["slice_hash"], marks_of(row)
    )


def _revised(under_key: list[_Known], finding: Finding, taken: set[int]) -> _Known | None:
    """The item that the finding is a new text of, the newest first; None when it is a new item."""
    shared = len(under_key) > 1 or any(item.id in taken for item in under_key)
    for item in reversed(under_key):
        if item.id not in taken and stories.same_item(item.marks, finding.marks, shared_key=shared):
            return item
    return None


_MARKS = (
    "items.story, items.url_key, items.title_hash, items.full_hash, items.text_hash, items.article_hash, feeds.site"
)
_SHARED = (
    "(items.url_key = ?1 OR items.full_hash = ?2 OR items.text_hash IN (?3, ?4) OR items.article_hash IN (?3, ?4))"
    " AND items.story != ?5"
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
