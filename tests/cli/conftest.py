import json
import logging
import os
import shutil
import signal
import subprocess
import sys

import pytest
import structlog
from support import world as web
from support.newsroom import publish, write_config
from typer.testing import CliRunner

from aggregator.cli import app


@pytest.fixture(autouse=True)
def logs_as_before():
    """Commands set logging up for their process; the next test shall not notice."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to stand in, with no configuration anywhere else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))
    for name in [name for name in os.environ if name.startswith("AGGREGATOR_")]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def run(here):  # noqa: ARG001 - commands look round in the working folder
    """Run a command in this process: `run("items", "list")` -> exit_code, stdout, stderr."""

    def run(*args, stdin=None):
        return CliRunner().invoke(app, list(map(str, args)), input=stdin, catch_exceptions=False)

    return run


@pytest.fixture
def records(run):
    """Run a command with --json and read its lines."""

    def records(*args, exit_code=0, stdin=None):
        result = run(*args, "--json", stdin=stdin)
        assert result.exit_code == exit_code, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    return records


def hear_ctrl_c():
    """As on a terminal: a shell that runs tests in the background has its children ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(here):
    """Start a command in a process of its own."""
    started = []

    def start(*args, **more):
        process = subprocess.Popen(
            [sys.executable, "-m", "aggregator", *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=here, preexec_fn=hear_ctrl_c,  # noqa: PLW1509 - it only sets a signal
            **more,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def server():
    made = web.World()
    stop = web.start(made)
    yield made
    stop()


@pytest.fixture
def world(server):
    """The loopback web as if new; its port stays."""
    server.pages, server.asked, server.received, server.receives = {}, [], [], None
    return server


@pytest.fixture
def newsroom(here, world):
    """A feeds.yaml for three feeds on loopback: good news, Persian news, and one that fails."""
    publish(world)
    write_config(here, world)
    return world


@pytest.fixture
def fetched(newsroom, here, after_a_round):
    """The newsroom after one round."""
    shutil.copytree(after_a_round, here / "data")
    return newsroom


@pytest.fixture(scope="session")
def after_a_round(server, tmp_path_factory):
    """The data folder that one round over the newsroom leaves; made once, for a round takes a second."""
    folder = tmp_path_factory.mktemp("round")
    publish(server)
    write_config(folder, server)
    made = CliRunner().invoke(app, ["fetch", "--config", str(folder / "feeds.yaml")], catch_exceptions=False)
    assert made.exit_code == 4, made.output
    return folder / "data"
