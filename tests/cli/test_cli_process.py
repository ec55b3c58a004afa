"""What only a real process shows: signals, pipes, locks, terminals."""

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from support import world as web
from support.newsroom import write_config

SAFE_ON_A_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[mKlhAG]|[\r\n]")
ACTIVE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e]")


def until(condition, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return found


def test_the_daemon_works_logs_json_and_stops_in_good_order(start, newsroom, records):
    daemon = start("run")
    until(lambda: {"/news", "/dari", "/broken"} <= {path for path, _ in newsroom.asked})
    (status,) = until(lambda: [one for one in records("status") if one["items"] == 4 and one["outbox"]["due"] == 0])
    assert status["daemon"] is True
    assert not any(tick["late"] for tick in status["ticks"].values())
    second = start("run")
    assert second.wait(20) == 6
    assert b"another daemon" in second.stderr.read()
    daemon.send_signal(signal.SIGTERM)
    out, err = daemon.communicate(timeout=15)
    assert daemon.returncode == 0
    friendly, *lines = err.decode().splitlines()
    assert friendly.startswith("Watching 3 feeds for 2 watchlists; alerts go to console")
    events = [json.loads(line) for line in lines]
    assert {"started", "visit", "delivery", "stopped"} <= {event["event"] for event in events}
    assert "HIGH" in out.decode()
    watched = ("taliban", "amnesty", "amnesty-watch", "rain", "طالبان")
    assert not any(word in line.casefold() for word in watched for line in (friendly, *lines))


def test_an_edit_of_feeds_yaml_is_taken_without_a_restart(start, here, newsroom, records):
    file, daemon = here / "feeds.yaml", start("run")
    until(lambda: newsroom.asked)  # until then it makes its database
    until(lambda: [one for one in records("status") if one["items"] == 4])
    usable = file.read_text()
    file.write_text(usable.replace("rule: '@taliban AND @amnesty'", "rule: '@taliban AND ('"))
    time.sleep(2.5)  # two looks: refused, and the daemon works on by the old rules
    assert daemon.poll() is None
    newsroom.pages["/late"] = web.rss(("1", "Snow on the Salang", newsroom.url("/9"), "It snowed."))
    late = f"feeds:\n  - {{url: '{newsroom.url('/late')}', name: Late}}\n"
    file.write_text(usable.replace("feeds:\n", late).replace("keywords: [rain]", "keywords: [rain, snow]"))
    (snow,) = until(lambda: [one for one in records("alerts", "list") if one["feed"] == "Late"])
    assert [term["term"] for term in snow["terms"]] == ["snow"]
    daemon.send_signal(signal.SIGHUP)  # nothing changed: nothing happens, and it lives
    time.sleep(0.5)
    daemon.send_signal(signal.SIGTERM)
    _, err = daemon.communicate(timeout=15)
    assert daemon.returncode == 0
    said = [json.loads(line) for line in err.decode().splitlines() if line.startswith("{")]
    assert [one["event"] for one in said if one["event"] in {"edit_refused", "edit_taken"}] == [
        "edit_refused",
        "edit_taken",
    ]
    (refused,) = [one for one in said if one["event"] == "edit_refused"]
    assert refused["problems"][0].startswith("feeds.yaml:")
    assert "Watching 4 feeds" in err.decode()


@pytest.mark.usefixtures("fetched")
def test_a_pipe_that_closes_ends_quietly():
    for command in (["items", "list"], ["items", "show", "1"], ["config", "schema"], ["feeds", "export"]):
        read_end, write_end = os.pipe()
        os.close(read_end)
        process = subprocess.Popen(
            [sys.executable, "-m", "aggregator", *command], stdout=write_end, stderr=subprocess.PIPE
        )
        os.close(write_end)
        _, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, b""), command


def test_ctrl_c_ends_a_round_with_130_and_the_next_one_goes_on(start, here, newsroom):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = (
            (here / "feeds.yaml")
            .read_text()
            .replace(newsroom.url("/broken"), f"http://127.0.0.1:{silent.getsockname()[1]}/")
        )
        (here / "feeds.yaml").write_text(config)
        process = start("fetch")
        silent.settimeout(20)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=15)
    assert (process.returncode, err.decode()) == (130, "Interrupted. What was read is kept; the next round goes on.\n")


def on_a_terminal(command, environ=None):
    """What a terminal gets to see of a command."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "aggregator", *command], stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", **(environ or {})},
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError), os.fdopen(ours, "rb", buffering=0) as terminal:
        while piece := terminal.read(4096):
            seen += piece
    process.wait(20)
    return seen.decode()


@pytest.mark.usefixtures("fetched")
@pytest.mark.parametrize(
    "command",
    [
        ["items", "list"],
        ["items", "show", "2"],
        ["alerts", "list"],
        ["alerts", "show", "1"],
        ["search", "unfriendly"],
        ["feeds", "list"],
        ["status"],
    ],
)
def test_a_terminal_sees_colour_and_no_control_of_a_title(command):
    seen = on_a_terminal(command)
    assert "\x1b[" in seen
    assert not ACTIVE.search(SAFE_ON_A_TERMINAL.sub("", seen))
    assert seen.count("\u2067") + seen.count("\u2066") == seen.count("\u2069"), "every isolate ends in its line"


@pytest.mark.usefixtures("fetched")
def test_right_to_left_titles_are_isolated_on_a_terminal_only(run):
    assert "\u2067طالبان عفو عمومی اعلام کرد\u2069" in on_a_terminal(["items", "list"])
    assert "\u2067" not in run("items", "list").stdout


@pytest.mark.usefixtures("fetched")
def test_a_narrow_terminal_cuts_titles_and_keeps_ids():
    lines = [
        line for line in SAFE_ON_A_TERMINAL.sub("\n", on_a_terminal(["items", "list"])).splitlines() if line.strip()
    ]
    assert all(len(line) <= 80 for line in lines)
    assert any(line.startswith("1 ") for line in lines)


@pytest.mark.usefixtures("fetched")
def test_no_color_is_honoured():
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", on_a_terminal(["alerts", "show", "1"], {"NO_COLOR": "1"}))


def test_a_long_round_shows_a_bar_on_a_terminal(here, newsroom):
    write_config(here, newsroom)
    more = "".join(f"  - {{url: '{newsroom.url(f'/news?{n}')}', name: Feed {n}}}\n" for n in range(25))
    config = (here / "feeds.yaml").read_text()
    (here / "feeds.yaml").write_text(config.replace("concepts:\n", more + "concepts:\n"))
    seen = on_a_terminal(["fetch"])
    assert "/28" in seen
    assert "28 feeds" not in seen
    assert not ACTIVE.search(SAFE_ON_A_TERMINAL.sub("", seen))
