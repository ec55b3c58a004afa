# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
"""Row V18: a server may send only what is new (RFC 3229, "feed"), and what it leaves out still stands."""

import pytest
from far_side import reply
from polite import DAY, news

pytestmark = pytest.mark.anyio
NOT_MODIFIED = reply("304 Not Modified", b"")


def delta(*titles, etag='"2"', im="IM: feed"):
    return reply("226 IM Used", news(*titles), f"ETag: {etag}", im)


async def test_V18_a_partial_document_adds_to_what_is_known_and_is_no_gap(world):
    whole = [f"item {number}" for number in range(20)]
    world.feed(
        reply("200 OK", news(*whole), 'ETag: "1"'),
        delta(*[f"late item {number}" for number in range(25)]),
        delta(etag='"3"'),
        NOT_MODIFIED,
    )
    reports = [await world.poll() for _ in range(4)]
    assert [one.new for one in reports] == [20, 25, 0, 0]
    assert [one.reason for one in reports] == [None] * 4
    assert [asked.one("If-None-Match") for asked in world.asked()] == [None, b'"1"', b'"2"', b'"3"']
    assert [asked.one("A-IM") for asked in world.asked()] == [None, b"feed", b"feed", b"feed"]
    assert world.state().troubles == ()
    assert len(world.titles) == 45


async def test_V18_a_partial_document_is_no_measure_of_the_window(world):
    whole = [f"item {number}" for number in range(20)]
    world.feed(reply("200 OK", news(*whole), 'ETag: "1"'), delta(*[f"late item {number}" for number in range(25)]))
    await world.poll(2)
    (lease,) = world.store.claim_feeds(world.now + 9 * DAY, 1, "look")
    assert (lease.history.losses, lease.entries) == (0, 20)  # of the last whole document


async def test_V18_a_whole_document_is_as_welcome(world):
    world.feed(reply("200 OK", news("item 1"), 'ETag: "1"'), reply("200 OK", news("item 2", "item 1"), 'ETag: "2"'))
    await world.poll()
    assert (await world.poll()).new == 1


@pytest.mark.parametrize("im", ["IM: vcdiff", "IM: feed, gzip", "IM: range", "X: no word"])
async def test_V18_what_was_done_otherwise_to_a_document_is_refused(world, im):
    world.feed(reply("200 OK", news("item 1"), 'ETag: "1"'), delta("item 2", im=im))
    await world.poll()
    assert (await world.poll()).reason == "protocol"
    await world.poll()
    assert world.asked()[-1].one("If-None-Match") == b'"1"'


async def test_V18_without_an_etag_nobody_asks_for_a_part_nor_takes_one(world):
    world.feed(reply("200 OK", news("item 1"), "Last-Modified: A"), delta("item 2"))
    await world.poll()
    assert (await world.poll()).reason == "protocol"
    assert [asked.one("A-IM") for asked in world.asked()] == [None, None]
