# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
"""Rows R: a server that refuses is left alone for as long as it says, and no feed is given up in silence."""

import socket

import pytest
from far_side import NOW, reply
from polite import DAY, HOUR, MINUTE, http_date, is_about, news

from aggregator.model import Doubt, Trouble

pytestmark = pytest.mark.anyio
GOOD = reply("200 OK", news("item"), 'ETag: "1"')


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("3600", 4 * HOUR, 4.5 * HOUR),  # our own ladder asks for more
        ("36000", 10 * HOUR, 10.5 * HOUR),
        (http_date(NOW + 10 * HOUR), 10 * HOUR, 10.5 * HOUR),
        (http_date(NOW - HOUR), 4 * HOUR, 4.5 * HOUR),
        ("soon", 4 * HOUR, 4.5 * HOUR),
        ("-36000", 4 * HOUR, 4.5 * HOUR),
        ("1000000000000", 7 * DAY, 7 * DAY),
    ],
)
async def test_R1_a_429_is_left_alone_as_long_as_it_says(world, said, least, most):
    world.feed(reply("429 Too Many Requests", b"", f"Retry-After: {said}"), GOOD)
    await world.poll()
    assert world.doubts() == ((Doubt.LONG_PAUSE,) if most > DAY else ())
    assert world.troubles() == ({Trouble.PAUSED} if most > DAY else set())
    await world.poll()
    assert least <= world.gaps()[0] <= most


async def test_R2_a_429_without_a_time_waits_four_hours_and_doubles(world):
    world.feed(reply("429 Too Many Requests", b""))
    await world.poll(5)
    assert all(is_about(gap, hours * HOUR) for gap, hours in zip(world.gaps(), (4, 8, 16, 24), strict=True))


async def test_R3_a_503_is_left_alone_as_long_as_it_says(world):
    world.feed(reply("503 Service Unavailable", b"", "Retry-After: 7200"), GOOD)
    await world.poll(2)
    assert is_about(world.gaps()[0], 2 * HOUR)


@pytest.mark.parametrize("status", ["200 OK", "301 Moved", "403 Forbidden"])
async def test_R4_retry_after_is_heard_on_every_answer(world, status):
    world.far.on("/new", GOOD)
    world.feed(reply(status, news("item"), "Retry-After: 36000", "Location: /new"))
    await world.poll(2)
    assert is_about(world.gaps()[0], 10 * HOUR)


async def test_R5_one_refusal_pauses_all_feeds_of_a_public_host(world):
    world.feed(GOOD, reply("429 Too Many Requests", b"", "Retry-After: 36000"), path="/a", host="public.example")
    for number in range(9):
        world.outlet(path=f"/{number}", host="public.example", every=MINUTE)
    world.outlet(path="/other", host="other.example", every=MINUTE)
    await world.poll(12)
    while len(world.asked("/a")) < 2:
        await world.poll()
    refused = world.now
    world.far.asked.clear()
    await world.wait(10 * HOUR)
    assert {asked.path for asked in world.far.asked} == {"/other"}
    await world.wait(3 * HOUR)
    assert {f"/{number}" for number in range(9)} <= {asked.path for asked in world.far.asked}
    assert all(asked.at >= refused + 10 * HOUR for asked in world.far.asked if asked.path != "/other")


@pytest.mark.parametrize("status", [401, 402, 403, 451])
async def test_R6_no_entry_is_tried_after_four_hours_then_daily_as_ourselves(world, status):
    world.feed(reply(f"{status} No", b"no"))
    await world.poll(4)
    assert is_about(world.gaps()[0], 4 * HOUR)
    assert world.gaps()[1:] == [DAY, DAY]
    assert len({asked.headers for asked in world.asked()}) == 1, "another face was tried on"
    assert world.troubles() == {Trouble.REFUSED}


async def test_R7_a_404_is_tried_ever_more_rarely_and_for_ever(world):
    world.feed(GOOD, reply("404 Not Found", b""))
    await world.days(6)
    assert Trouble.NOT_FOUND not in world.troubles()
    await world.days(24)
    assert all(gap <= 1.1 * DAY for gap in world.gaps())
    assert len(world.gaps()) < 45
    assert Trouble.NOT_FOUND in world.troubles()
    world.far.now_on("/feed", reply("200 OK", news("item", "item back")))
    await world.days(1.1)
    assert world.titles == {"item", "item back"}


async def test_R8_a_feed_that_is_gone_is_asked_once_in_thirty_days(world):
    world.feed(GOOD, reply("410 Gone", b""))
    await world.days(70)
    assert len(world.asked()) == 4
    assert min(world.gaps()[1:]) >= 30 * DAY
    assert world.titles == {"item"}
    assert Trouble.GONE in world.troubles()


@pytest.mark.parametrize(
    "bad",
    [
        reply("500 Oops", b""),
        reply("502 Gate", b""),
        reply("504 Late", b""),
        reply("200 OK", b"<html><body>error</body></html>", 'ETag: "bad"'),
        reply("200 OK", b"", 'ETag: "bad"'),
        reply("200 OK", news(), 'ETag: "bad"'),
        reply("200 OK", b"<!DOCTYPE html><title>Hotel Wi-Fi: log in</title>", 'ETag: "bad"', "Content-Type: text/xml"),
    ],
    ids=["500", "502", "504", "html", "empty", "no item", "portal"],
)
async def test_R9_an_error_deletes_nothing_and_keeps_the_validators(world, bad):
    world.feed(GOOD, bad, bad, reply("304 Not Modified", b""))
    await world.poll(4)
    assert [visit.outcome for visit in world.visits] == ["fetched", "failed", "failed", "not_modified"]
    assert {asked.conditions for asked in world.asked()[1:]} == {(b'"1"', None)}
    assert world.titles == {"item"}


async def test_R10_a_pause_survives_a_restart(world):
    world.feed(reply("429 Too Many Requests", b"", "Retry-After: 36000"), GOOD)
    await world.poll()
    for _ in range(9):
        await world.start()
        await world.wait(HOUR)
    assert len(world.asked()) == 1
    await world.wait(2 * HOUR)
    assert len(world.asked()) == 2


async def _shut(_reader, writer):
    writer.transport.abort()


async def _reset(_reader, writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


@pytest.mark.parametrize("end", [_shut, _reset])
async def test_R11_a_connection_that_ends_is_no_reason_to_ask_again_at_once(world, end):
    world.feed(end)
    await world.poll(2)
    assert world.gaps()[0] >= 15 * MINUTE
    assert world.state().reason == "reset"


@pytest.mark.parametrize(
    ("url", "reason"),
    [("http://unknown.test/", "dns"), ("http://127.0.0.1:9/", "connect"), ("https://127.0.0.1:{port}/", "tls")],
)
async def test_R11_a_feed_that_cannot_be_reached_backs_off(world, url, reason):
    world.far.greeting = b"no TLS here\r\n"
    world.feed(url=url.format(port=world.far.port))
    first = await world.poll()
    begun = world.now
    await world.poll()
    assert first.reason == reason
    assert world.now - begun >= 15 * MINUTE
