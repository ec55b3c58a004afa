import io
import json
import logging
from contextlib import redirect_stderr

import pytest
import structlog

from aggregator.cli import logs


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def stream(request):
    return (Terminal if request.param == "terminal" else io.StringIO)()


both = pytest.mark.parametrize("stream", ["terminal", "file"], indirect=True)
file = pytest.mark.parametrize("stream", ["file"], indirect=True)


@both
@pytest.mark.parametrize("logger", [structlog.get_logger, logging.getLogger])
def test_an_event_is_one_line_whatever_it_holds(stream, logger):
    with redirect_stderr(stream):
        logs.to_stderr("info")
        logger().warning("one\r\ntwo\x1b[2Jthree\u2028four\u202e")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\u202e" not in stream.getvalue()
    assert "\r" not in stream.getvalue()
    assert "[2J" not in stream.getvalue().replace("\\x1b[2J", "").replace("\\u001b[2J", "")


@file
def test_a_file_gets_json_with_time_and_level(stream):
    with redirect_stderr(stream):
        logs.to_stderr("info")
        structlog.get_logger().info("visit", feed="News", reason=None)
    event = json.loads(stream.getvalue())
    assert event.keys() == {"event", "level", "timestamp", "feed", "reason"}
    assert (event["event"], event["level"]) == ("visit", "info")


@file
@pytest.mark.parametrize(("level", "seen"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_decides(stream, level, seen):
    with redirect_stderr(stream):
        logs.to_stderr(level)
        log = structlog.get_logger()
        for said in (log.debug, log.info, log.warning, log.error):
            said("event")
    assert stream.getvalue().count("\n") == seen


@both
def test_a_traceback_shows_no_variable(stream):
    watched_term = "amnesty" + "-secret"
    with redirect_stderr(stream):
        logs.to_stderr("info")
        try:
            int(f"{len(watched_term)} letters\x1b[2J")
        except ValueError:
            structlog.get_logger().exception("unit_failed")
    assert "ValueError" in stream.getvalue()
    assert "amnesty-secret" not in stream.getvalue()
    assert "\x1b[2J" not in stream.getvalue()


@file
def test_other_libraries_speak_the_same_form(stream):
    with redirect_stderr(stream):
        logs.to_stderr("info")
        logging.getLogger("apscheduler").warning("a tick\nwas late")
        logging.getLogger("apscheduler").info("not for us")
    event = json.loads(stream.getvalue())
    assert (event["event"], event["level"]) == ("a tick\nwas late", "warning")
