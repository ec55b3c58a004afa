# ruff: noqa: N802 - tests are named after the hostile cases
"""Hostile cases D01 to D20 against the whole program. A blocked target counts no connection; a feed that fails says
why, keeps its items and its validators, and costs the others nothing.

D07 stands in tests/core/test_config_load.py, D12 and D13 in tests/deliver/test_webhook.py, D47 to D49 in
test_polling_core.py and test_rows_r.py.
"""

import asyncio
import subprocess
import sys
import zlib

import pytest
import trustme
from far_side import Far, moved, poll, reply
from polite import news

from aggregator.fetch import Client, Limits, guard
from aggregator.model import Reason
from aggregator.settings import Network

pytestmark = pytest.mark.anyio

MB = 1 << 20
GOOD = reply("200 OK", news("item 1", "item 2"), 'ETag: "good"')
NOT_MODIFIED = reply("304 Not Modified", b"")


async def fails_alone(world, hostile, reason):
    """A feed that was well meets `hostile`; its state afterwards. Its neighbour is polled beside it."""
    name = world.feed(GOOD, hostile, NOT_MODIFIED, host="hostile.test")
    world.feed(reply("200 OK", news("item of the neighbour")), path="/neighbour", host="neighbour.test")
    while len(world.asked()) < 2:
        await world.poll()
    state = world.state(name)
    assert (state.outcome, state.reason) == ("failed", reason)
    assert state.detail
    assert {"item 1", "item 2", "item of the neighbour"} <= world.titles
    while len(world.asked()) < 3:
        await world.poll()
    assert world.asked()[2].one("If-None-Match") == b'"good"'
    assert {one.reason for one in world.visits if one.feed.startswith("neighbour")} == {None}
    return state


async def blocked(world, url, far):
    """A feed at `url`, with the rules as they are without a word in feeds.yaml, but any port."""
    world.network = {"ports": "any"}
    name = world.feed(url=url)
    await world.poll()
    state = world.state(name)
    assert (state.outcome, state.reason) == ("failed", "blocked_address")
    assert far.connections == 0
    return state.detail


# ---------------------------------------------------------------- A: reach and credentials


async def test_D01_a_feed_on_loopback_needs_the_switch(world):
    world.far.on("/feed", GOOD)
    assert await blocked(world, world.far.url(), world.far) == "127.0.0.1: loopback address 127.0.0.1"
    world.network = {"ports": "any", "allow_private_feeds": True}
    await world.start()
    assert (await world.poll()).new == 2


async def test_D03_a_name_that_leads_to_loopback_is_blocked(world):
    world.names.knows("public.test", ["127.0.0.1"])
    assert (
        await blocked(world, world.far.url(host="public.test"), world.far) == "public.test: loopback address 127.0.0.1"
    )


async def test_D04_a_feed_on_ipv6_loopback_is_blocked(world):
    six = await Far().listen("::1")
    await blocked(world, f"http://[::1]:{six.port}/feed", six)
    await six.close()


async def test_D05_cloud_metadata_is_blocked_with_the_switch_too(world, monkeypatch):
    dialled = []
    monkeypatch.setattr(guard, "connect_any", lambda addresses, *_: dialled.append(addresses))
    name = world.feed(url="http://169.254.169.254/latest/meta-data/")
    await world.poll()
    assert world.state(name).reason == "blocked_address"
    assert not dialled


async def test_D06_a_redirect_to_a_file_opens_none(world, tmp_path):
    secret = tmp_path / "secret.xml"
    secret.write_bytes(news("item from the disk"))
    opened = []
    path = str(secret)  # the hook stays for good, so it keeps nothing else
    sys.addaudithook(lambda event, args: opened.append(path) if event == "open" and args[0] == path else None)
    await fails_alone(world, moved(f"file://{secret}"), "blocked_scheme")
    assert not opened
    assert "item from the disk" not in world.titles


async def test_D08_a_redirect_loop_ends_after_five_hops_at_most(world):
    world.far.on("/b", moved("/feed"))
    await fails_alone(world, moved("/b"), "redirect_loop")
    assert len(world.asked("/b")) <= 5


@pytest.mark.parametrize(
    ("case", "header", "value"),
    [("D09", "Authorization", "Bearer secret"), ("D09", "Cookie", "id=secret"), ("D10", "X-Api-Key", "secret")],
)
async def test_D09_D10_a_secret_header_stays_with_its_feed(world, case, header, value):
    other = await Far().listen()
    other.on("/away", reply("200 OK", news(f"item {case}")))
    world.feed(moved(other.url("/away")), headers={header: value})
    assert (await world.poll()).new == 1
    await other.close()
    assert world.asked()[0].one(header) == value.encode()
    assert other.asked[0].one(header) is None


async def test_D11_a_password_never_travels_in_clear(names, authority):
    names.knows("feeds.test", ["127.0.0.1"])
    secure, clear = await Far().listen(certificate=authority.certificate), await Far().listen()
    secure.on("/feed", moved(clear.url(host="feeds.test")))
    made = Client(Network(allow_private_feeds=True, ports=None), host_gap_s=0, resolver=names, trust=authority.trust)
    outcome = await poll(made, f"https://me:secret@feeds.test:{secure.port}/feed")
    await secure.close()
    await clear.close()
    assert outcome.reason is Reason.REDIRECT_DOWNGRADE
    assert secure.asked[0].one("Authorization")
    assert clear.connections == 0


@pytest.mark.parametrize("bad", ["else.test", "self-signed"])
async def test_D15_a_bad_certificate_fails_the_feed_and_nothing_is_asked(world, authority, bad):
    issuer = trustme.CA() if bad == "self-signed" else authority.ca
    secure = await Far().listen(certificate=issuer.issue_cert("feeds.test" if bad == "self-signed" else bad))
    world.trust = authority.trust
    world.names.knows("feeds.test", ["127.0.0.1"])
    name = world.feed(url=secure.url(host="feeds.test", scheme="https"))
    await world.poll()
    await secure.close()
    assert world.state(name).reason == "tls"
    assert not secure.asked


# ---------------------------------------------------------------- B: exhaustion

CHILD = """
import asyncio, sys
from aggregator.fetch import Client
from aggregator.model import Request
from aggregator.settings import Network
client = Client(Network(allow_private_feeds=True, ports=None), host_gap_s=0)
def peak_kb():  # not getrusage: that remembers the process that started this one
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
async def main():
    await client.get(Request(url=sys.argv[1] + "/warm"))
    before = peak_kb()
    outcome = await client.get(Request(url=sys.argv[1] + "/bomb"))
    print(outcome.reason, peak_kb() - before)
asyncio.run(main())
"""


def bomb(size):
    """`size` zero bytes in gzip, made without ever being held."""
    deflate = zlib.compressobj(9, wbits=31)
    return b"".join([deflate.compress(bytes(MB)) for _ in range(size // MB)] + [deflate.flush()])


async def test_D16_a_bomb_is_cut_in_bounded_memory(world):
    coded = bomb(300 * MB)
    assert len(coded) < 320_000
    await fails_alone(world, reply("200 OK", coded, "Content-Encoding: gzip", 'ETag: "evil"'), "too_large")
    world.far.on("/warm", reply("200 OK", bomb(MB), "Content-Encoding: gzip"))
    world.far.on("/bomb", reply("200 OK", coded, "Content-Encoding: gzip"))
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", CHILD, world.far.url("")], capture_output=True, text=True, check=True
    )
    reason, grown_kb = done.stdout.split()
    assert reason == "too_large"
    assert int(grown_kb) < 32 << 10


def dripping(head, piece, pause_s=0.02):
    async def drip(_reader, writer):
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return drip


async def test_D17_a_body_that_drips_ends_at_the_deadline(world):
    world.limits = Limits(total_s=0.5)
    head = b'HTTP/1.1 200 OK\r\nETag: "evil"\r\n\r\n<rss><channel>'
    await fails_alone(world, dripping(head, b" "), "timeout")


async def test_D18_a_body_without_end_is_cut(world):
    await fails_alone(world, dripping(b'HTTP/1.1 200 OK\r\nETag: "evil"\r\n\r\n', b"x" * MB, 0), "too_large")


async def test_D19_headers_without_end_end_at_the_deadline_and_others_are_on_time(world):
    world.limits = Limits(total_s=1)
    world.feed(dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), host="hostile.test")
    world.feed(GOOD, path="/neighbour", host="neighbour.test")
    await world.start()
    assert await world._app.work.top_up_feeds() == 2
    await asyncio.sleep(0.5)
    assert [one.feed for one in world.visits] == ["neighbour.test/neighbour"]
    await asyncio.wait(world._app.work.running)
    assert world.state("hostile.test/feed").reason == "timeout"


async def test_D20_a_cut_document_gives_what_came_and_is_asked_for_whole(world):
    body = news("item 1", "item 2")
    short = reply(
        "200 OK", body[: body.rfind(b"<item>") + 9], 'ETag: "cut"', f"Content-Length: {len(body)}", length=False
    )
    name = world.feed(short, reply("200 OK", body, 'ETag: "whole"'))
    await world.poll()
    assert (world.state(name).reason, world.titles) == ("truncated", {"item 1"})
    await world.poll()
    assert world.titles == {"item 1", "item 2"}
    assert world.asked()[1].conditions == (None, None)
