"""What every part of the store shares: the connection, the routes, and the way a transaction begins."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any

from aggregator.errors import LeaseLost
from aggregator.model import Enclosure, Finding, Item, Route, StoryMarks
from aggregator.store import dialect
from aggregator.store.dialect import Connection, Row
from aggregator.store.telling import Telling
from aggregator.watch import Source

Recipients = tuple[tuple[str, str], ...]  # (channel, recipient)
Find = Callable[[Item, str, Source], Finding]  # (item, key, whose it is) -> all the pure core can say of it


class Base:
    """A connection that one thread at a time uses. Every public method of the store is one transaction, or part of one."""

    def __init__(self, conn: Connection, routes: Mapping[str, Route], operators: Recipients = ()) -> None:
        self._conn = conn
        self._routes = routes
        self._operators = operators
        self._sharing = False  # a commit
        self._rules: Mapping[str, int] = {}  # ids of the rules that this process judges by, by watchlist

    def _telling(self) -> Telling:
        """What tells of hits, for one transaction."""
        return Telling(self._conn, self._routes, self._rules)

    @contextmanager
    def together(self) -> Iterator[None]:
        """One commit for all events in the block: they are kept together or not at all.

        Raises:
            StoreError: The disk failed; nothing of the block is kept.
        """
        with dialect.transaction(self._conn):
            self._sharing = True
            try:
                yield
            finally:
                self._sharing = False

    def _write(self) -> AbstractContextManager[None]:
        return nullcontext() if self._sharing else dialect.transaction(self._conn)

    def _all(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        with dialect.reading():
            return self._conn.execute(sql, parameters).fetchall()

    def _one(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
        with dialect.reading():
            return self._conn.execute(sql, parameters).fetchone()  # type: ignore[no-any-return]  # a Row or None

    def _held(self, table: str, column: str, key: int, token: str) -> Row:
        """The row, as long as it is leased under `token`.

        Raises:
            LeaseLost: It is not.
        """
        row = self._one(f"SELECT * FROM {table} WHERE {column} = ? AND lease_token = ?", (key, token))
        if row is None:
            raise LeaseLost
        return row

    def _site_rests(self, site: str, free_at: datetime) -> None:
        self._conn.execute(
            "INSERT INTO sites (site, free_at) VALUES (?, ?)"
            " ON CONFLICT (site) DO UPDATE SET free_at = max(free_at, excluded.free_at)",
            (site, dialect.to_ms(free_at)),
        )

    def _site_pauses(self, site: str, until: datetime) -> None:
        self._conn.execute(
            "INSERT INTO sites (site, free_at, paused_until) VALUES (?1, 0, ?2)"
            " ON CONFLICT (site) DO UPDATE SET paused_until = max(coalesce(paused_until, 0), excluded.paused_until)",
            (site, dialect.to_ms(until)),
        )


def item_of(row: Row, *, article: str | None = None) -> Item:
    """The item that a row of `items` holds."""
    return Item(
        title=row["title"],
        summary=row["summary"],
        content=row["content"],
        article=article,
        tags=_strings(row["tags"]),
        guid=row["guid"],
        link=row["link"],
        author=row["author"],
        lang=row["lang"],
        published=dialect.from_ms_or_none(row["published"]),
        updated=dialect.from_ms_or_none(row["updated"]),
        enclosures=()
        if row["enclosures"] == "[]"
        else tuple(Enclosure(**one) for one in json.loads(row["enclosures"])),
        flags=_strings(row["flags"]),
    )


def _strings(stored: str) -> tuple[str, ...]:
    return () if stored == "[]" else tuple(json.loads(stored))


def marks_of(row: Row) -> StoryMarks:
    """The story marks that a row of `items` joined with its feed's `site` holds."""
    return StoryMarks(
        site=row["site"],
        url_key=row["url_key"],
        title_hash=row["title_hash"],
        full_hash=row["full_hash"],
        text_hash=row["text_hash"],
        article_hash=row["article_hash"],
    )
