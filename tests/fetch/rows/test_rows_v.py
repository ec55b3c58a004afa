# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
"""Rows V: what a server says of its document goes back to it, byte for byte, and never hides an item."""

import asyncio
import json
import shutil
import sys
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from far_side import FEED, Decided, moved, poll, reply
from polite import DAY, HOUR, MINUTE, news, parses
from support import killable
from support import world as web

from aggregator.model import Doubt, Trouble
from aggregator.store import Store

pytestmark = pytest.mark.anyio
NOT_MODIFIED = reply("304 Not Modified", b"")


async def test_V1_both_validators_go_back_byte_for_byte(world):
    date = "Sat, 01 Nov 2025 10:00:00 GMT"
    world.feed(reply("200 OK", news("item"), 'ETag: "abc"', f"Last-Modified: {date}"), NOT_MODIFIED)
    await world.poll(3)
    assert [asked.conditions for asked in world.asked()] == [(None, None), *[(b'"abc"', date.encode())] * 2]


@pytest.mark.parametrize(
    "etag", [b'W/"a"', b"bare", b'"with spaces"', '"گزارش"'.encode(), b'"' + b"x" * 1024 + b'"', b"x\xe9\xff"]
)
async def test_V2_odd_etags_go_back_unaltered(world, etag):
    world.feed(reply("200 OK", news("item"), b"ETag: " + etag))
    await world.poll(2)
    assert world.asked()[1].one("If-None-Match") == etag


@pytest.mark.parametrize(
    "date",
    [
        b"Saturday, 01-Nov-25 10:00:00 GMT",
        b"sat, 01 nov 2025 10:00:00 gmt",
        b"Thu, 31 Dec 2041 23:59:59 GMT",
        b"Thu, 01 Jan 1970 00:00:00 GMT",
        b"yesterday",
    ],
)
async def test_V3_odd_dates_go_back_unaltered(world, date):
    world.feed(reply("200 OK", news("item"), b"Last-Modified: " + date))
    await world.poll(2)
    assert world.asked()[1].one("If-Modified-Since") == date


async def test_V4_only_what_the_newest_document_gave_is_sent(world):
    world.feed(
        reply("200 OK", news("item 1"), 'ETag: "1"', "Last-Modified: A"),
        reply("200 OK", news("item 2"), 'ETag: "2"'),
        reply("200 OK", news("item 3"), "Last-Modified: B"),
        NOT_MODIFIED,
    )
    await world.poll(4)
    assert [asked.conditions for asked in world.asked()[1:]] == [(b'"1"', b"A"), (b'"2"', None), (None, b"B")]


async def test_V5_a_document_without_validators_clears_them(world):
    world.feed(reply("200 OK", news("item 1"), 'ETag: "1"', "Last-Modified: A"), reply("200 OK", news("item 2")))
    await world.poll(3)
    assert world.asked()[2].conditions == (None, None)


async def test_V6_one_validator_that_changes_is_taken_with_the_one_that_stays(world):
    world.feed(
        reply("200 OK", news("item 1"), 'ETag: "1"', "Last-Modified: A"),
        reply("200 OK", news("item 2"), 'ETag: "2"', "Last-Modified: A"),
        reply("200 OK", news("item 3"), 'ETag: "2"', "Last-Modified: B"),
    )
    await world.poll(4)
    assert [asked.conditions for asked in world.asked()[2:]] == [(b'"2"', b"A"), (b'"2"', b"B")]


async def test_V7_the_same_body_under_new_validators_renews_them_and_is_not_parsed(world):
    world.feed(*(reply("200 OK", news("item"), f'ETag: "{number}"') for number in range(3)))
    await world.poll()
    parsed = parses()
    await world.poll(2)
    assert [asked.one("If-None-Match") for asked in world.asked()] == [None, b'"0"', b'"1"']
    assert parses() == parsed
    assert len(world.store.alerts()) == 1


async def test_V8_a_304_replaces_what_it_names_and_keeps_the_rest(world):
    world.feed(
        reply("200 OK", news("item"), 'ETag: "1"', "Last-Modified: A"),
        reply("304 Not Modified", b"", 'ETag: "2"'),
        reply("304 Not Modified", b"", "Last-Modified: B"),
        NOT_MODIFIED,
    )
    await world.poll(5)
    expected = [(b'"1"', b"A"), (b'"2"', b"A"), (b'"2"', b"B"), (b'"2"', b"B")]
    assert [asked.conditions for asked in world.asked()[1:]] == expected


async def test_V9_a_304_that_nobody_asked_for_is_an_error_and_changes_nothing(world):
    world.feed(reply("304 Not Modified", b"", 'ETag: "trap"'), reply("200 OK", news("item")))
    first = await world.poll()
    assert (first.outcome, first.reason, len(world.asked())) == ("failed", "unexpected_304", 1)
    await world.poll()
    assert world.asked()[1].conditions == (None, None)
    assert world.titles == {"item"}


async def _reset(_reader, writer):
    writer.write(b'HTTP/1.1 200 OK\r\nETag: "bad"\r\nContent-Length: 999999\r\n\r\n' + news("item lost")[:200])
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.transport.abort()


@pytest.mark.parametrize(
    "bad",
    [
        reply("200 OK", news("item lost")[:-40], 'ETag: "bad"', "Content-Length: 99999", length=False),
        reply("200 OK", b"<html>log in</html>", 'ETag: "bad"'),
        reply("200 OK", b"", 'ETag: "bad"'),
        reply("200 OK", news("item lost"), 'ETag: "bad"', "Content-Length: 99999999", length=False),
        reply("200 OK", b"not gzip", 'ETag: "bad"', "Content-Encoding: gzip"),
        _reset,
    ],
    ids=["truncated", "html", "empty", "too large", "bad coding", "reset"],
)
async def test_V10_a_document_that_was_not_read_whole_leaves_no_validator(world, bad):
    world.feed(reply("200 OK", news("item 1"), 'ETag: "good"'), bad, reply("200 OK", news("item 1", "item lost")))
    await world.poll(3)
    assert world.visits[1].outcome == "failed"
    assert world.asked()[2].one("If-None-Match") == b'"good"', "the validator of what could not be read hides it"
    assert world.titles == {"item 1", "item lost"}


async def test_V12_validators_belong_to_the_address_that_gave_them(world):
    world.feed(reply("200 OK", news("item 1"), 'ETag: "old"'), moved("/new"))
    world.far.on("/new", reply("200 OK", news("item 2"), 'ETag: "new"'), NOT_MODIFIED)
    await world.poll(3)
    assert [asked.one("If-None-Match") for asked in world.asked()] == [None, b'"old"', None]
    assert [asked.one("If-None-Match") for asked in world.asked("/new")] == [None, b'"new"']


async def test_V13_the_etag_of_a_coded_answer_goes_back_with_its_suffix(world):
    world.feed(reply("200 OK", news("item"), 'ETag: "abc-gzip"'))
    await world.poll(2)
    assert world.asked()[1].one("If-None-Match") == b'"abc-gzip"'


async def test_V14_a_304_that_hides_news_is_found_out_within_days_and_flagged(world):
    name = world.outlet(every=3 * HOUR)
    await world.days(20)
    honest = len(world.asked())

    def lie(asked):
        titles = [f"item hidden {number}" for number in range((world.now - begun) // (3 * HOUR))][-30:]
        return NOT_MODIFIED if any(asked.conditions) else reply("200 OK", news("item old", *titles), 'ETag: "159"')

    begun = world.now
    world.far.now_on("/feed", Decided(lie))
    await world.days(30)
    bare = [asked.at for asked in world.asked()[honest:] if asked.conditions == (None, None)]
    assert 20 <= len(bare) <= 31
    assert min(later - earlier for earlier, later in pairwise(bare)) >= DAY
    hidden = {title for title in world.titles if "hidden" in title}
    assert len(hidden) >= 28 * 8
    assert world.doubts(name) == (Doubt.FALSE_304,)
    assert Trouble.UNCHANGING in world.troubles(name)


@pytest.mark.parametrize("every", [3 * HOUR, 5 * DAY], ids=["busy", "quiet"])
async def test_V15_one_unconditional_request_in_thirty_days(world, every):
    world.outlet(every=every)
    await world.days(30)
    requests = world.asked()
    assert len(requests) > 100
    assert sum(asked.conditions == (None, None) for asked in requests) == 1
    assert len(world.titles) == (requests[-1].at - requests[0].at) // every + 1, "an item was missed"


async def test_V16_twenty_restarts_in_an_hour_ask_nothing_more(world):
    world.outlet("Cache-Control: max-age=3600")
    await world.poll()
    for _ in range(20):
        await world.start()
        await world.wait(2 * MINUTE)
    assert len(world.asked()) == 1
    await world.poll()
    assert world.asked()[1].one("If-None-Match") == b'"0"'


async def run(world, *arguments):
    """A command of the real program, in a process of its own."""
    command = [sys.executable, "-m", "aggregator", *arguments, "--json", "--config", str(world.file)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    return [json.loads(line) for line in (await process.communicate())[0].splitlines()]


async def test_V17_a_fetch_by_hand_keeps_the_spacing_and_when_forced_the_validators(world):
    world.now = datetime.now(UTC)  # the other process has a clock of its own
    world.feed(reply("200 OK", news("item"), 'ETag: "1"'), NOT_MODIFIED)
    await world.poll()
    await world.stop()
    by_itself, _ = await run(world, "fetch")
    assert (by_itself["outcome"], len(world.asked())) == ("not_due", 1)
    forced, _ = await run(world, "fetch", "--all")
    assert (forced["outcome"], len(world.asked())) == ("not_modified", 2)
    assert world.asked()[1].one("If-None-Match") == b'"1"'


@pytest.fixture
def press():
    """A server in a thread: the process that asks it will be killed."""
    made = web.World()
    stop = web.start(made)
    yield made
    stop()


def test_V11_killed_between_body_and_commit_the_items_are_fetched_again(press, tmp_path):
    press.pages["/feed"] = (200, {"ETag": '"1"'}, news("item 1", "item 2"))
    network = {"allow_private_feeds": True, "ports": "any"}
    feeds = [{"url": press.url("/feed"), "name": "News"}]
    file = tmp_path / "feeds.yaml"
    file.write_text(json.dumps({"settings": {"full_text": "never", "network": network}, "feeds": feeds}))
    validators_seen = set()
    with killable.started() as order:
        statements = order(file)["statements"]
        for at in range(statements, 0, -statements // 15):
            shutil.rmtree(tmp_path / "data")
            press.asked.clear()
            order(file, at_statement=at)
            order(file, minutes=10)
            with Store.open(tmp_path / "data" / "aggregator.db") as store:
                assert {stored.item.title for stored in store.items()} == {"item 1", "item 2"}, f"statement {at}"
            validators_seen |= {headers.get("If-None-Match") for _, headers in press.asked[1:]}
    assert validators_seen == {None, '"1"'}, "the kills fell on one side of the commit only"


async def test_V12_a_fragment_or_password_does_not_part_validators_from_their_address(far, client):
    far.on("/feed", reply("200 OK", FEED, 'ETag: "1"'))
    url = f"http://me:secret@127.0.0.1:{far.port}/feed#top"
    first = await poll(client, url)
    await poll(client, url, first)
    assert far.asked[1].one("If-None-Match") == b'"1"'
    assert "secret" not in first.url + first.validators.url


async def test_V18_a_partial_answer_is_merged_and_asked_for_with_an_etag_only(world):
    partial = reply("226 IM Used", news("item 3"), 'ETag: "2"', "IM: feed")
    world.feed(reply("200 OK", news("item 1", "item 2"), 'ETag: "1"'), partial, NOT_MODIFIED)
    await world.poll(3)
    assert world.titles == {"item 1", "item 2", "item 3"}
    assert [asked.one("A-IM") for asked in world.asked()] == [None, b"feed", b"feed"]
    assert [asked.one("If-None-Match") for asked in world.asked()] == [None, b'"1"', b'"2"']
    assert not world.troubles(), "what a partial answer leaves out is not lost"
