import sqlite3
import stat

import pytest


@pytest.mark.usefixtures("fetched")
def test_a_backup_is_whole_private_and_overwrites_nothing(run, records, here):
    (said,) = records("db", "backup", "copy.db")
    assert (said["target"], said["bytes"]) == ("copy.db", (here / "copy.db").stat().st_size)
    assert stat.S_IMODE((here / "copy.db").stat().st_mode) == 0o600
    assert sqlite3.connect(here / "copy.db").execute("SELECT count(*) FROM items").fetchone() == (4,)
    again = run("db", "backup", "copy.db")
    assert again.exit_code == 1
    assert "never overwrites" in again.stderr


@pytest.mark.usefixtures("fetched")
def test_a_sound_database_is_ok_and_a_damaged_one_is_not(run, records, here):
    assert records("db", "check") == [{"ok": True, "problems": []}]
    path = here / "data" / "aggregator.db"
    content = bytearray(path.read_bytes())
    content[8192:12288] = b"\xff" * 4096
    path.write_bytes(content)
    result = run("db", "check")
    assert result.exit_code == 1
    assert result.stdout or result.stderr


@pytest.mark.usefixtures("newsroom")
def test_a_file_that_is_no_database_is_told_in_one_line(run, here):
    (here / "data").mkdir()
    (here / "data" / "aggregator.db").write_text("this is no database " * 1000)
    for command in (
        ["items", "list"],
        ["status"],
        ["fetch"],
        ["db", "check"],
        ["db", "migrate"],
        ["search", "x"],
        ["alerts", "ack", "1"],
    ):
        result = run(*command)
        assert result.exit_code == 1, command
        assert result.output.count("\n") <= 2, command


@pytest.mark.usefixtures("newsroom")
def test_migrate_makes_and_renews(run, records):
    assert records("db", "migrate")[0].keys() == {"applied"}
    assert "Nothing to do" in run("db", "migrate").stdout


@pytest.mark.usefixtures("newsroom")
def test_without_a_database_commands_that_need_one_say_so(run):
    for command in (["db", "check"], ["db", "backup", "x.db"], ["items", "show", "1"], ["alerts", "show", "1"]):
        result = run(*command)
        assert result.exit_code == 1
        assert "aggregator fetch" in result.stderr
