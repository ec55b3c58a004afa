import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from aggregator import __version__
from aggregator.cli import COMMANDS, app, load

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
HEAVY = {
    "apscheduler", "feedparser", "httpx2", "lxml", "numpy", "pebble", "pydantic", "selectolax",
    "sqlite_utils", "structlog", "trafilatura", "yaml",
}  # fmt: skip


def leaves():
    for name in COMMANDS:
        command = load(name)
        if not isinstance(command, TyperGroup):
            yield (name,), command
        else:
            yield from (((name, inner), one) for inner, one in command.commands.items())


LEAVES = dict(leaves())


def test_help_names_every_command(run):
    shown = run("--help")
    assert shown.exit_code == 0
    for name, entry in COMMANDS.items():
        assert name in shown.stdout
        assert entry.help.split()[0] in shown.stdout


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_has_help_that_shows_its_options(run, words):
    shown = run(*words, "--help")
    assert shown.exit_code == 0
    for option in LEAVES[words].params:
        assert any(name in shown.stdout for name in (*option.opts, option.metavar or "")), option.opts
    assert "<bool>" not in shown.stdout


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_and_option_is_documented_with_an_example(words):
    text = DOCS.read_text(encoding="utf-8")
    assert f"\naggregator {' '.join(words)}" in text, "no example"
    for option in LEAVES[words].params:
        for name in option.opts:
            assert not name.startswith("--") or f"`{name}" in text, name


@pytest.mark.parametrize("args", [["--version"], ["status", "--version"], ["items", "list", "--version"]])
def test_version_may_stand_anywhere(run, args):
    result = run(*args)
    assert (result.exit_code, result.stdout) == (0, f"aggregator {__version__}\n")


@pytest.mark.usefixtures("newsroom")
def test_a_search_for_version_is_no_question_for_the_version(run):
    assert run("search", "--", "--version").exit_code == 0


@pytest.mark.usefixtures("newsroom")
def test_config_may_stand_before_and_after(run, here):
    (here / "feeds.yaml").rename(here / "other.yaml")
    assert run("--config", "other.yaml", "config", "check").exit_code == 0
    assert run("config", "check", "--config", "other.yaml").exit_code == 0
    assert run("--config", "missing.yaml", "config", "check", "--config", "other.yaml").exit_code == 0
    assert run("config", "check").exit_code == 3


def test_usage_errors_exit_2_and_guess(run):
    for args, guess in ((["statsu"], "status"), (["items", "lst"], "list"), (["items", "list", "--jsno"], "--json")):
        result = run(*args)
        assert result.exit_code == 2
        assert guess in result.stderr


def test_help_imports_nothing_heavy():
    shown = subprocess.run(
        [sys.executable, "-c", "import sys; from aggregator.cli import main\ntry: main()\nexcept SystemExit: pass\nprint(*sys.modules)", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Watch news feeds" in shown.stdout
    assert not HEAVY & {name.partition(".")[0] for name in shown.stdout.rpartition("\n")[0].rpartition("\n")[2].split()}


def test_nothing_to_do_shows_help(run):
    for args in ([], ["items"], ["db"]):
        assert "Usage: aggregator" in run(*args).output


def test_the_table_of_commands_is_what_there_is():
    assert isinstance(typer.main.get_command(app), TyperGroup)
    assert set(COMMANDS) == {
        "init", "demo", "run", "fetch", "status", "feeds", "parse", "items", "search", "watch", "alerts", "channel",
        "db", "config",
    }  # fmt: skip
