import asyncio
import io
import os
import re
from pathlib import Path

import pytest
from support.alerts import DARI, alert, message

from aggregator.deliver.console import ConsoleSender
from aggregator.model import NotDelivered, Receipt

HOSTILE = "\x1b]0;owned\x07\r\n\x9b31m\u202e[/x] طالبان"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def sent(stream, *alerts):
    async def run():
        sender = ConsoleSender(stream)
        result = await sender.send(message(*alerts))
        await sender.aclose()
        return result

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_each_alert_is_one_block_with_an_empty_line_after_it():
    stream = io.StringIO()
    assert sent(stream, alert(title=HOSTILE), alert(DARI)) == Receipt(code="written")
    blocks = stream.getvalue().split("\n\n")
    assert len(blocks) == 3
    assert blocks[2] == ""
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", stream.getvalue())


def test_colour_only_on_a_terminal_that_wants_it(monkeypatch):
    def coloured(stream):
        sent(stream)
        return "\x1b[" in stream.getvalue()

    assert coloured(Terminal())
    assert not coloured(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not coloured(Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured(Terminal())


def test_foreign_text_brings_no_control_of_its_own_into_a_coloured_block():
    stream = Terminal()
    sent(stream, alert(title=HOSTILE, feed=HOSTILE, label=HOSTILE, link=HOSTILE))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", re.sub("\x1b\\[[0-9;]*m", "", stream.getvalue()))


def test_a_terminal_of_another_character_set_loses_no_alert():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    assert sent(stream, alert(DARI)) == Receipt(code="written")
    assert b"\\u0639\\u0641\\u0648" in raw.getvalue()


def test_a_reader_that_went_away_is_a_failure_that_may_pass():
    read, write = os.pipe()
    os.close(read)
    stream = os.fdopen(write, "w")
    result = sent(stream)
    assert isinstance(result, NotDelivered)
    assert (result.code, result.final) == ("broken_pipe", False)
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_a_full_disk_is_a_failure_that_may_pass():
    stream = Path("/dev/full").open("w")  # noqa: SIM115  # closing it fails, and is meant to
    result = sent(stream)
    assert isinstance(result, NotDelivered)
    assert (result.code, result.final) == ("write", False)
    with pytest.raises(OSError, match="No space left"):
        stream.close()


def test_a_closed_stream_is_a_failure_that_may_pass():
    async def run():
        stream = io.StringIO()
        sender = ConsoleSender(stream)
        stream.close()
        return await sender.send(message())

    result = asyncio.run(run())
    assert isinstance(result, NotDelivered)
    assert (result.code, result.final) == ("write", False)


def test_a_reader_that_pauses_does_not_stop_the_loop():
    async def run():
        read, write = os.pipe()
        sender = ConsoleSender(os.fdopen(write, "w"))
        writing = asyncio.create_task(sender.send(message(*[alert(DARI)] * 200)))
        await asyncio.sleep(0.1)
        assert not writing.done(), "the pipe was meant to be full"
        with os.fdopen(read, "rb") as pipe:
            while not writing.done():
                await asyncio.to_thread(os.read, pipe.fileno(), 65536)
            sender._stream.close()
        return await writing

    assert asyncio.run(run()) == Receipt(code="written")
