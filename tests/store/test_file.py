"""The file itself: private, plain, one daemon, whole copies, clear refusals."""

import os
import stat
import subprocess
import sys

import pytest
from sqlite_utils import Database
from support.making import NOW, WORDS, feed, item, routes

from aggregator import store as store_module
from aggregator.errors import StoreError, StoreLocked
from aggregator.store import Store, dialect
from aggregator.store.search import Search


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_and_every_file_are_private(bench):
    bench.says(item(title="Taliban"))
    Search.open(bench.path).close()
    assert mode(bench.path.parent) == 0o700
    assert {path.name: mode(path) for path in bench.path.parent.iterdir()} == {
        path.name: 0o600 for path in bench.path.parent.iterdir()
    }


def test_the_standard_sqlite_reads_the_main_file(bench):
    """In a process of its own: two SQLite libraries must never meet in one (dialect.py)."""
    bench.says(item(title="طالبان و عفو عمومی"))
    bench.store.checkpoint()
    code = (
        "import sqlite3, sys; conn = sqlite3.connect(sys.argv[1]);"
        "print(conn.execute('SELECT title FROM items').fetchone()[0]);"
        "print(conn.execute('PRAGMA integrity_check').fetchone()[0])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, bench.path], capture_output=True, check=True, env={"PYTHONIOENCODING": "utf-8"}
    )
    assert out.stdout.decode().splitlines() == ["طالبان و عفو عمومی", "ok"]


def test_sqlite_utils_and_its_command_line_read_the_main_file(bench):
    bench.says(item(title="Taliban"))
    db = Database(dialect.connect(bench.path, read_only=True))
    assert [row["title"] for row in db["items"].rows] == ["Taliban"]
    assert db["items"].strict
    db.close()


def test_datasette_serves_the_main_file(bench):
    bench.says(item(title="Taliban"))
    bench.store.checkpoint()
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "datasette", "--get", f"/{bench.path.stem}/items.json?_shape=array", bench.path],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert b'"title": "Taliban"' in out.stdout


def test_every_table_is_strict(bench):
    rows = bench.store._conn.execute(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
    )
    ours = {row["name"]: row["strict"] for row in rows if not row["name"].startswith(("sqlite_", "_sqlite"))}
    assert set(ours.values()) == {1}


def test_a_commit_survives_a_power_cut(bench):
    """WAL with synchronous=FULL (2), foreign keys on."""
    pragma = {name: bench.store._conn.execute(f"PRAGMA {name}").fetchone()[0] for name in
              ("journal_mode", "synchronous", "foreign_keys")}  # fmt: skip
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_one_daemon_holds_the_database(tmp_path):
    path = tmp_path / "a.db"
    with store_module.daemon_lock(path):
        assert store_module.daemon_is_running(path)
        with pytest.raises(StoreLocked, match=str(os.getpid())):
            store_module.daemon_lock(path).__enter__()
    assert not store_module.daemon_is_running(path)


def test_a_backup_is_whole_private_and_never_overwrites(bench, tmp_path):
    bench.says(item(title="Taliban"))
    target = tmp_path / "copy.db"
    bench.store.backup(target)
    assert mode(target) == 0o600
    with Store.open(target) as copy:
        assert [stored.item.title for stored in copy.items()] == ["Taliban"]
        assert copy.check() == []
    with pytest.raises(StoreError, match="never overwrites"):
        bench.store.backup(target)


def test_a_foreign_file_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(b"this is no database " * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(path)
    assert path.read_bytes().startswith(b"this is no database")


def test_a_newer_database_is_refused(bench):
    bench.store._conn.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('aggregator', '9999_later', 'x')"
    )
    with pytest.raises(StoreError, match="newer version"):
        Store.open(bench.path)


def test_a_damaged_page_is_found(bench):
    for n in range(200):
        bench.says(item(title=f"Taliban {n} " * 20, guid=str(n), link=f"https://one.example.org/{n}"))
    bench.store.checkpoint()
    bench.store.close()
    with bench.path.open("r+b") as file:
        file.seek(bench.path.stat().st_size // 4096 // 2 * 4096)
        file.write(b"\xff" * 4096)
    with Store.open_to_read(bench.path) as store:
        assert store.check()


def test_a_full_disk_is_an_error_that_changes_nothing(bench):
    bench.says(item(title="Taliban"))
    pages = bench.store._conn.execute("PRAGMA page_count").fetchone()[0]
    bench.store._conn.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError, match="full"):
        bench.says(
            *(item(title="x" * 5000, guid=str(n), link=f"https://one.example.org/{n}") for n in range(50)), at=NOW
        )
    bench.store._conn.execute("PRAGMA max_page_count=1000000")
    assert len(bench.store.items()) == 1
    assert bench.store.check() == []


def test_reading_a_database_that_is_not_there_says_what_makes_it(tmp_path):
    with pytest.raises(StoreError, match="aggregator fetch"):
        Store.open_to_read(tmp_path / "none.db")


def test_an_unwritable_folder_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match=r"a[.]db: "):
        Store.open(tmp_path / "file" / "a.db", routes(WORDS))


def test_feeds_of_an_older_database_are_known_by_their_document(tmp_path):
    path = tmp_path / "a.db"
    conn = dialect.connect(path)
    store_module.migrations.apply(Database(conn), stop_before="0003_polling")
    conn.execute(
        "INSERT INTO feeds (url, name, site, listed, due_at, due_why) VALUES ('https://a.example/feed/', 'a', 'a.example', 1, 0, 'new')"
    )
    conn.close()
    with Store.open(path) as store:
        store.sync_feeds((feed("a", "https://a.example/feed/"), feed("b", "http://a.example/feed")), NOW)
        assert [row.twin_of for row in store.feeds()] == [None, "a"]


def test_a_database_that_is_being_made_is_not_there_yet(tmp_path):
    path = tmp_path / "a.db"
    assert not store_module.is_made(path)
    making = dialect.connect(path)
    making.execute("BEGIN IMMEDIATE")
    making.execute("CREATE TABLE feeds (id INTEGER)")
    assert not store_module.is_made(path)
    with pytest.raises(StoreError, match="there is no database yet"):
        Store.open_to_read(path)
    making.execute("ROLLBACK")
    making.close()
    Store.open(path).close()
    assert store_module.is_made(path)
    path.write_bytes(b"no database " * 1000)
    assert store_module.is_made(path), "what is wrong with it is told by whoever opens it"
