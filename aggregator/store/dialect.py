"""The one SQLite library of this process, and what differs from other databases.

Two SQLite libraries on one file in one process break POSIX locks (sqlite.org/howtocorrupt.html, 2.2.1), so every
connection is opened here. Versions before 3.51.3 can corrupt a WAL database when two connections write and
checkpoint at the same time (fixed 2026-03-13, sqlite.org/wal.html), so they are refused.
"""

from __future__ import annotations

import json
import os
import sqlite3 as stdlib_sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from aggregator.errors import StoreError

try:
    import pysqlite3.dbapi2 as _pysqlite3
except ImportError:  # no wheel for this platform: the standard library's, if it is new enough
    _pysqlite3 = None

sqlite3: ModuleType = _pysqlite3 or stdlib_sqlite3
Connection = stdlib_sqlite3.Connection  # for annotations; both libraries have the same interface
Row = stdlib_sqlite3.Row

OLDEST = (3, 51, 3)
BUSY_MS = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def connect(path: Path, *, read_only: bool = False) -> Connection:
    """A connection in autocommit mode with our pragmas; threads may share it only one after the other.

    Raises:
        StoreError: SQLite is too old, or the file cannot be opened or is no database.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise StoreError(f"SQLite {sqlite3.sqlite_version} may corrupt the database; {wanted} or newer is needed")
    try:
        target = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        conn = sqlite3.connect(target, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
        conn.row_factory = sqlite3.Row
        for pragma in _pragmas(read_only=read_only):
            conn.execute(f"PRAGMA {pragma}")
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from error
    return conn  # type: ignore[no-any-return]  # the module is chosen at run time


def _pragmas(*, read_only: bool) -> tuple[str, ...]:
    common = (f"busy_timeout={BUSY_MS}", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-32768")
    if read_only:
        return (*common, "query_only=ON")
    # FULL: a commit survives a power cut; it costs about 1 ms, and a visit commits once (decisions.md).
    return (*common, "journal_mode=WAL", "synchronous=FULL", "journal_size_limit=67108864", "wal_autocheckpoint=4000")


def make_private(path: Path) -> None:
    """Create the file 0600, and its folder 0700 when it is not there: watchlists name people at risk."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error


@contextmanager
def transaction(conn: Connection) -> Iterator[None]:
    """One write transaction, all or nothing. IMMEDIATE: a deferred one that reads first fails when it must upgrade.

    Raises:
        StoreError: The disk is full, read-only or broken, or the database is locked; nothing was changed.
    """
    try:
        conn.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            raise
        conn.execute("COMMIT")
    except sqlite3.Error as error:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise StoreError(str(error)) from error


@contextmanager
def reading() -> Iterator[None]:
    """What SQLite raises while reading, as our own.

    Raises:
        StoreError: The file is damaged, locked or gone.
    """
    try:
        yield
    except sqlite3.Error as error:
        older = str(error).startswith(("no such table", "no such column"))
        hint = "; the database is of an older version: `aggregator db migrate` brings it up to date" if older else ""
        raise StoreError(f"{error}{hint}") from error


def to_ms(moment: datetime) -> int:
    """Epoch milliseconds; floats would lose them, so integer arithmetic."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def to_ms_or_none(moment: datetime | None) -> int | None:
    """Epoch milliseconds, None for unknown."""
    return None if moment is None else to_ms(moment)


def from_ms(ms: int) -> datetime:
    """An aware UTC datetime."""
    return _EPOCH + timedelta(milliseconds=ms)


def from_ms_or_none(ms: int | None) -> datetime | None:
    """An aware UTC datetime, None for unknown."""
    return None if ms is None else from_ms(ms)


def as_json(value: Any) -> str:
    """Compact JSON with letters as they are, for people who read the file with other tools."""
    if value == ():
        return "[]"  # most lists are empty, and three are written with each item
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
