"""All SQL. One SQLite file is the store, the queue and the outbox; one public method is one event, one transaction.

The main file stays plain: STRICT tables, no custom functions, no extensions, so that `sqlite3`, sqlite-utils and
Datasette read it. Search lives in a second file that can be thrown away (`search.py`).
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Self, TextIO

from sqlite_utils import Database, Migrations

from aggregator.errors import StoreError, StoreLocked
from aggregator.model import Route
from aggregator.store import dialect
from aggregator.store.archive import Archive, Archived, RuleVersion, Verdict
from aggregator.store.base import Recipients
from aggregator.store.dialect import make_private
from aggregator.store.feeds import Feeds
from aggregator.store.notices import StoredTrouble
from aggregator.store.outbox import Outbox
from aggregator.store.reading import Owed, StoredFeed, StoredItem, Tick, Totals
from aggregator.store.visits import Visits
from aggregator.text import urls

__all__ = [
    "Archived", "Owed", "Recipients", "RuleVersion", "Store", "StoredFeed", "StoredItem", "StoredTrouble", "Tick", "Totals", "Verdict", "daemon_lock",
    "is_made",
    "migrations",
]  # fmt: skip

migrations = Migrations("aggregator")


@migrations(name="0001_first")
def _first(db: Database) -> None:
    _run_script(db, "0001_first.sql")
    db.execute("INSERT INTO meta (key, value) VALUES ('instance', ?)", (secrets.token_hex(6),))


@migrations(name="0002_verdicts")
def _verdicts(db: Database) -> None:
    _run_script(db, "0002_verdicts.sql")


@migrations(name="0003_polling")
def _polling(db: Database) -> None:
    _run_script(db, "0003_polling.sql")
    for feed, url in db.execute("SELECT id, url FROM feeds").fetchall():
        db.execute("UPDATE feeds SET document = ? WHERE id = ?", (urls.document(url), feed))


@migrations(name="0004_notices")
def _notices(db: Database) -> None:
    _run_script(db, "0004_notices.sql")


@migrations(name="0005_addresses")
def _addresses(db: Database) -> None:
    _run_script(db, "0005_addresses.sql")


@migrations(name="0005_older_pages")
def _older_pages(db: Database) -> None:
    _run_script(db, "0005_older_pages.sql")


@migrations(name="0006_newest_items")
def _newest_items(db: Database) -> None:
    _run_script(db, "0006_newest_items.sql")


PROBES, PROBE_S = 10, 0.05  # how often a daemon tries to take its lock
_NAMES = {
    "0001_first",
    "0002_verdicts",
    "0003_polling",
    "0004_notices",
    "0005_addresses",
    "0005_older_pages",
    "0006_newest_items",
}


def _run_script(db: Database, name: str) -> None:
    """One statement at a time: `executescript` would commit behind the migration's back (measured)."""
    script = resources.files(__package__).joinpath("migrations", name).read_text(encoding="utf-8")
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if dialect.sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""


class Store(Feeds, Visits, Outbox, Archive):
    """The database. One thread at a time may use it; open another for another thread."""

    @classmethod
    def open(cls, path: Path, routes: Mapping[str, Route] | None = None, operators: Recipients = ()) -> Self:
        """The store at `path`, created (file 0600, new folder 0700) and migrated as needed.

        `routes` say whom each watchlist tells, `operators` who is told that something is wrong.

        Raises:
            StoreError: It cannot be opened, is no database, is damaged, or was made by a newer version.
        """
        make_private(path)
        conn = dialect.connect(path)
        try:
            with dialect.transaction(conn):
                _migrate(conn, path)
        except BaseException:
            conn.close()
            raise
        return cls(conn, routes or {}, operators)

    @classmethod
    def open_to_read(cls, path: Path) -> Self:
        """The store at `path` for reading only, beside whatever writes.

        Raises:
            StoreError: There is no database yet, or it cannot be opened.
        """
        if not is_made(path):
            raise StoreError(f"{path}: there is no database yet; `aggregator fetch` or `aggregator run` makes it")
        return cls(dialect.connect(path, read_only=True), {})

    def close(self) -> None:
        """Close the connection; what was committed stays."""
        self._conn.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def pending_migrations(self) -> list[str]:
        """Names of the migrations that `open` would apply."""
        return [migration.name for migration in migrations.pending(Database(self._conn))]

    def check(self) -> list[str]:
        """What is wrong with the file: SQLite's integrity check and the foreign keys; empty when all is well."""
        try:
            broken = [row[0] for row in self._all("PRAGMA integrity_check(20)") if row[0] != "ok"]
            dangling = self._all("PRAGMA foreign_key_check")
        except StoreError as error:
            return [str(error)]
        return broken + [f"{row[0]} row {row[1]}: refers to a missing row of {row[2]}" for row in dangling[:20]]

    def backup(self, target: Path) -> None:
        """A consistent copy at `target` (0600), made while others write.

        Raises:
            StoreError: The target exists or cannot be written.
        """
        if target.exists():
            raise StoreError(f"{target}: exists already; a backup never overwrites")
        partial = target.with_name(f"{target.name}.partial")
        partial.unlink(missing_ok=True)
        try:
            make_private(partial)
            self._conn.execute("PRAGMA query_only=OFF")  # it forbids writing any file, also this one
            self._conn.execute("VACUUM INTO ?", (str(partial),))
            partial.rename(target)
        except (OSError, dialect.sqlite3.Error) as error:
            partial.unlink(missing_ok=True)
            raise StoreError(f"{target}: {error}") from error

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the main file, without waiting for readers, and renew SQLite's statistics."""
        self._all("PRAGMA wal_checkpoint(PASSIVE)")
        self._all("PRAGMA optimize")


def _migrate(conn: dialect.Connection, path: Path) -> None:
    db = Database(conn)
    try:
        unknown = {migration.name for migration in migrations.applied(db)} - _NAMES
        if unknown:
            raise StoreError(f"{path}: made by a newer version of aggregator ({', '.join(sorted(unknown))})")
        if migrations.pending(db):
            migrations.apply(db)
    except dialect.sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: {error}") from error


def is_made(path: Path) -> bool:
    """Whether there is a database, not one that another process is making just now. One that is damaged counts."""
    if not path.exists():
        return False
    try:
        conn = dialect.connect(path, read_only=True)
        try:
            return conn.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is not None
        finally:
            conn.close()
    except (StoreError, dialect.sqlite3.Error):
        return True


@contextmanager
def daemon_lock(path: Path) -> Iterator[None]:
    """Hold the database as its one daemon. The kernel frees the lock however the process dies.

    Raises:
        StoreLocked: Another daemon holds it.
    """
    lock = _lock_path(path)
    make_private(lock)
    with lock.open("r+") as file:
        for _ in range(PROBES):
            if _locked(file):
                break
            time.sleep(PROBE_S)  # it may only be somebody who looks whether a daemon runs
        else:
            holder = file.read().strip() or "unknown"
            raise StoreLocked(f"{path}: another daemon (pid {holder}) holds this database")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def daemon_is_running(path: Path) -> bool:
    """Whether some daemon holds the database at `path`."""
    lock = _lock_path(path)
    if not lock.exists():
        return False
    with lock.open() as file:
        return not _locked(file)


def _lock_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.daemon")


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
