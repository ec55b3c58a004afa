"""The demo is a test of the whole: promises kept by the real daemon, and a judge that would see them broken."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import smtplib
import time
import unicodedata
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from standardwebhooks import Webhook

from aggregator import demo, parse
from aggregator.demo import receivers, shown
from aggregator.demo.http import Asked
from aggregator.demo.newsroom import Newsroom
from aggregator.demo.receivers import Arrival, Hook, mail_server
from aggregator.demo.script import Ledger
from aggregator.demo.stories import OUTLETS, PROMISES

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
BASE = "http://127.0.0.1:1"
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


def get(path, **headers):
    return Asked(method="GET", path=path, headers=headers, body=b"")


def kept_promises():
    return [
        Arrival(
            channel=channel,
            watchlist=promise.watchlist,
            link=BASE + promise.pages[-1],
            terms=promise.terms,
            update=promise.update,
            shown="",
        )
        for promise in PROMISES
        for channel in promise.channels
    ]


def test_the_demo_keeps_every_promise_in_time():
    told = io.StringIO()
    began = time.monotonic()
    code = demo.run(Console(file=told, width=120))
    assert code == 0, told.getvalue()
    assert time.monotonic() - began < 30
    for words in (
        "Subject: [amnesty-and-relocation, high] Taliban spokesman meets reporters",
        "webhook-signature: v1,",
        "Ghost Gazette (demo): no feed there (not_a_feed)",
        "Every promised alert arrived exactly once.",
    ):
        assert words in told.getvalue()


ANSI = re.compile("\x1b\\[([0-9;]*)m")
COLOURED = re.compile("\x1b\\[1;33m(.*?)\x1b\\[0m", re.DOTALL)


@pytest.fixture(scope="module", params=[80, 120])
def seen(request):
    """The demo on a terminal of so many columns: its lines, colours and all."""
    told = io.StringIO()
    console = Console(
        file=told, width=request.param, force_terminal=True, color_system="standard", legacy_windows=False, _environ={}
    )
    assert demo.run(console) == 0
    return request.param, told.getvalue().splitlines()


def part(lines, heading):
    """What stands under a heading, up to the next one."""
    plain = [ANSI.sub("", line) for line in lines]
    start = next(n for n, line in enumerate(plain) if heading in line)
    end = next(n for n, line in enumerate(plain[start + 1 :], start + 1) if line.startswith("──"))
    return lines[start + 1 : end]


@pytest.mark.parametrize(
    ("heading", "found"),
    [
        ("The mail, as text", ["Taliban", "general amnesty", "relocation"]),
        ("The same in Dari", ["طالبان", "عفو عمومي", "اسکان مجدد"]),
        ("The same in Pashto", ["طالبانو", "عمومي بښنه"]),
    ],
)
def test_a_terminal_shows_in_colour_exactly_what_was_found(seen, heading, found):
    """In Dari and Pashto the inflected word with Arabic letters, as it stood, and no letter beside it."""
    _, lines = seen
    assert COLOURED.findall("\n".join(part(lines, heading))) == found


def test_no_line_of_a_terminal_is_too_long_or_reorders_what_stands_beside_it(seen):
    columns, lines = seen
    for line in (ANSI.sub("", line) for line in lines if "http" not in line):
        assert cell_len(line) <= columns, line
        depth = 0
        for letter in line:
            depth += (letter in "\u2066\u2067\u2068") - (letter == "\u2069")
            assert depth in (0, 1)
            assert depth or unicodedata.bidirectional(letter) not in ("R", "AL"), line
        assert depth == 0


def test_a_pipe_gets_the_asterisks_of_the_mail():
    shown_to_a_pipe = [line.plain for line in shown.lines("  \u2067کمیسیون *طالبان* نشست\u2069", 80, colour=False)]
    assert shown_to_a_pipe == ["  \u2067کمیسیون *طالبان* نشست\u2069"]


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (lambda arrived: arrived, True),
        (lambda arrived: arrived[1:], False),
        (lambda arrived: [*arrived, arrived[3]], False),
        (lambda arrived: [replace(arrived[0], terms=frozenset({"taliban"})), *arrived[1:]], False),
        (lambda arrived: [replace(arrived[0], update=True), *arrived[1:]], False),
        (lambda arrived: [replace(arrived[0], link=BASE + "/courier/other"), *arrived[1:]], False),
        (lambda arrived: [*arrived, replace(arrived[0], watchlist="other")], False),
        (lambda arrived: [*arrived, replace(arrived[6], link=BASE + "/pamir/bridge")], False),
    ],
    ids=["kept", "missing", "doubled", "wrong terms", "no update", "wrong page", "unpromised", "told again by a copy"],
)
def test_the_ledger_sees_a_broken_promise(change, kept):
    ledger = Ledger()
    ledger.arrived += change(kept_promises())
    assert ledger.kept() is kept


@pytest.mark.parametrize("outlet", OUTLETS, ids=lambda outlet: outlet.slug)
def test_every_outlet_serves_what_it_is_said_to(outlet):
    newsroom = Newsroom(NOW)
    newsroom.bases = dict.fromkeys((one.slug for one in OUTLETS), BASE)
    answer = newsroom.answer(get(outlet.path))
    parsed = parse.feed(answer.body)
    expected = {"truncated": "rss20", "error page": ""}.get(outlet.format, outlet.format)
    assert parsed.format == expected
    assert [item.title for item in parsed.items][: len(outlet.stories)] == [story.title for story in outlet.stories]
    if outlet.format not in {"truncated", "error page"}:
        assert [item.summary or item.content for item in parsed.items] == [story.summary for story in outlet.stories]
    assert newsroom.answer(get(outlet.path, **{"if-none-match": answer.headers["ETag"]})).status == 304
    newsroom.second_edition = True
    changed = newsroom.answer(get(outlet.path, **{"if-none-match": answer.headers["ETag"]}))
    assert changed.status == (200 if outlet.edits else 304)


def signed(body, *, at=None, key=SECRET, name="7.1"):
    at = at or datetime.now(UTC)
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(key).sign(name, at, body.decode()),
    }
    return Asked(method="POST", path="/", headers=headers, body=body)


EVENT = (
    b'{"type":"alert.created","timestamp":"2026-11-24T09:00:00Z","data":'
    b'{"id":"7","label":"floods","link":"http://x/y","terms":[{"term":"flood"}]}}'
)


def test_a_post_that_the_reference_library_signed_is_taken():
    arrived = []
    assert Hook(SECRET, arrived.append).answer(signed(EVENT)).status == 204
    assert [(one.channel, one.watchlist, one.terms, one.update) for one in arrived] == [
        ("webhook", "floods", frozenset({"flood"}), False)
    ]


@pytest.mark.parametrize(
    "post",
    [
        replace(signed(EVENT), body=EVENT.replace(b"flood", b"blood")),
        replace(signed(EVENT), headers=signed(EVENT).headers | {"webhook-id": "8.1"}),
        replace(signed(EVENT), headers={}),
        signed(EVENT, at=NOW.replace(year=2020)),
        signed(EVENT, key="whsec_" + base64.b64encode(b"another key, as long ...").decode()),
    ],
    ids=["body", "id", "unsigned", "old", "key"],
)
def test_a_post_whose_signature_does_not_hold_is_refused(post):
    hook = Hook(SECRET, lambda _arrival: pytest.fail("taken"))
    assert hook.answer(post).status == 401
    assert hook.refused == 1


def test_the_mail_server_takes_letters_as_they_were_sent():
    letter = (
        "Subject: Update: [floods] A title\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        "Found: flood (“flooded”)\r\nFound: *evacuation*\r\n.\r\n..dots\r\nWatchlist:  floods (normal)\r\nLink:       http://x/y\r\n"
    )

    def send(port):
        with smtplib.SMTP("127.0.0.1", port) as session:
            session.sendmail("a@demo.invalid", ["b@demo.invalid"], letter.encode())
            session.sendmail("a@demo.invalid", ["c@demo.invalid"], letter.encode())

    async def scenario():
        arrived = []
        async with AsyncExitStack() as stack:
            port = await stack.enter_async_context(mail_server(arrived.append))
            await asyncio.to_thread(send, port)
        return arrived

    first, second = asyncio.run(scenario())
    assert first == second
    assert (first.channel, first.watchlist, first.link, first.update) == ("mail", "floods", "http://x/y", True)
    assert first.terms == {"flood", "evacuation"}
    assert "\n.\n..dots\n" in first.shown


def test_receivers_share_no_code_with_what_sends():
    source = Path(receivers.__file__).read_text(encoding="utf-8")
    assert {line for line in source.splitlines() if "import" in line and "aggregator" in line} == {
        "from aggregator.demo.http import Answer, Asked"
    }
