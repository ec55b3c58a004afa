"""Full-text search in a file of its own, filled behind the main file and rebuilt at will.

The index holds folded text, the same folding that the watchlists use, so a query finds every spelling that an alert
would (FTS5's own tokenizers miss Arabic kaf and yeh, tatweel, hamza and Persian digits: measured, decisions.md).
It is contentless: originals stay in the main file and nothing is stored twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from aggregator.errors import StoreError
from aggregator.store import Store, dialect
from aggregator.store.dialect import make_private, to_ms
from aggregator.text.fold import folded

VERSION = "1"  # of folding and layout: another one means a rebuild
BATCH = 500

_SCHEMA = (
    "CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE entries (item INTEGER PRIMARY KEY, feed INTEGER NOT NULL, first_seen INTEGER NOT NULL) STRICT",
    """CREATE VIRTUAL TABLE words USING fts5 (
      title, body, tags, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 0"
    )""",
)


class Search:
    """The index beside a store."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._conn = _ready(path)

    @classmethod
    def open(cls, database: Path) -> Self:
        """The index of the store at `database`, made anew when it is missing, of another version, or damaged.

        Raises:
            StoreError: It is locked, or the disk failed; what it holds stays.
        """
        path = database.with_name(f"{database.stem}-search.db")
        try:
            return cls(path)
        except StoreError as error:
            if not _is_damage(error):
                raise
            _remove(path)
            return cls(path)

    def close(self) -> None:
        """Close the connection."""
        self._conn.close()

    def catch_up(self, store: Store, going: Callable[[], bool] = lambda: True) -> int:
        """Index what changed since the last time, while `going`; how many items that were.

        An index that is damaged, or of another store (a restored backup, say), is begun anew.

        Raises:
            StoreError: The disk failed; the next time goes on where this one stopped.
        """
        try:
            return self._follow(store, going)
        except StoreError as error:
            if not _is_damage(error):
                raise
            self._conn.close()
            _remove(self._path)
            self._conn = _ready(self._path)
            return self._follow(store, going)

    def _follow(self, store: Store, going: Callable[[], bool]) -> int:
        if self._state("instance") != store.instance() or self._watermark() > store.last_change():
            self._begin_anew(store.instance())
        done = 0
        while going() and (rows := store.changed_since(self._watermark(), BATCH)):
            with dialect.transaction(self._conn):
                for row in rows:
                    self._index(row)
                self._conn.execute("UPDATE state SET value = ? WHERE key = 'change'", (str(rows[-1]["change"]),))
            done += len(rows)
        return done

    def _begin_anew(self, instance: str) -> None:
        with dialect.transaction(self._conn):
            self._conn.execute("INSERT INTO words (words) VALUES ('delete-all')")
            self._conn.execute("DELETE FROM entries")
            self._conn.executemany(
                "INSERT OR REPLACE INTO state VALUES (?, ?)", [("change", "0"), ("instance", instance)]
            )

    def find(self, query: str, *, limit: int = 50, feed: int | None = None, since: datetime | None = None) -> list[int]:
        """Ids of the items that hold all words and "phrases" of the query, newest first. Every query is valid."""
        expression = literal(query)
        if not expression:
            return []
        rows = self._all(
            "SELECT item FROM words JOIN entries ON entries.item = words.rowid WHERE words MATCH ?"
            " AND (? IS NULL OR feed = ?) AND first_seen >= ? ORDER BY words.rowid DESC LIMIT ?",
            (expression, feed, feed, to_ms(since) if since else 0, limit),
        )
        return [row[0] for row in rows]

    def _watermark(self) -> int:
        return int(self._state("change"))

    def _state(self, key: str) -> str:
        rows = self._all("SELECT value FROM state WHERE key = ?", (key,))
        return rows[0]["value"] if rows else ""

    def _all(self, sql: str, parameters: tuple[object, ...]) -> list[dialect.Row]:
        with dialect.reading():
            return self._conn.execute(sql, parameters).fetchall()

    def _index(self, row: dialect.Row) -> None:
        body = "\n".join((row["summary"], row["content"], row["article"] or ""))
        tags = "\n".join(json.loads(row["tags"]))
        self._conn.execute("DELETE FROM words WHERE rowid = ?", (row["id"],))
        self._conn.execute(
            "INSERT INTO words (rowid, title, body, tags) VALUES (?, ?, ?, ?)",
            (row["id"], folded(row["title"]), folded(body), folded(tags)),
        )
        self._conn.execute(
            "INSERT OR REPLACE INTO entries (item, feed, first_seen) VALUES (?, ?, ?)",
            (row["id"], row["feed"], row["first_seen"]),
        )


def literal(query: str) -> str:
    """An FTS5 expression for the words and quoted phrases of what a person typed; "" when nothing is left of it."""
    parts: Sequence[str] = query.split('"')
    phrases = [folded(part) for part in parts[1::2]]
    words = [word for part in parts[0::2] for word in folded(part).split()]
    return " ".join(f'"{term}"' for term in [*words, *phrases] if term)


def _is_damage(error: StoreError) -> bool:
    """Whether only a new index helps; a lock or a full disk passes."""
    return any(sign in str(error) for sign in ("malformed", "not a database", "no such table", "index is of version"))


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _ready(path: Path) -> dialect.Connection:
    """A connection to the index, created when it is not there."""
    make_private(path)
    conn = dialect.connect(path)
    try:
        # Losing the last commits of an index costs a moment of re-indexing, never an item.
        conn.execute("PRAGMA synchronous=NORMAL")
        with dialect.transaction(conn):
            if not conn.execute("SELECT 1 FROM sqlite_schema WHERE name = 'state'").fetchone():
                for statement in _SCHEMA:
                    conn.execute(statement)
                conn.executemany("INSERT INTO state VALUES (?, ?)", [("version", VERSION), ("change", "0")])
            _require_version(conn)
    except BaseException:
        conn.close()
        raise
    return conn


def _require_version(conn: dialect.Connection) -> None:
    found = conn.execute("SELECT value FROM state WHERE key = 'version'").fetchone()[0]
    if found != VERSION:
        raise StoreError(f"the search index is of version {found}, not {VERSION}")
