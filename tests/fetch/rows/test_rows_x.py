# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
"""Rows X: what must not be reached, and what must end."""

import asyncio
import gzip
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta

import brotli
import pytest
import trustme
from codings import CODERS, zstd
from far_side import FEED, Far, moved, poll, reply
from polite import news

from aggregator.fetch import Client, Limits, guard
from aggregator.model import Fetched, Reason
from aggregator.settings import Network, Secret

pytestmark = pytest.mark.anyio

MB = 1 << 20


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("::1", "loopback"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("fd12::1", "private"),
        ("100.64.0.1", "shared"),
        ("169.254.169.254", "cloud metadata"),
        ("fd00:ec2::254", "cloud metadata"),
        ("100.100.100.200", "cloud metadata"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fec0::1", "link-local"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.250", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("240.0.0.1", "reserved"),
        ("192.0.0.8", "reserved"),
        ("192.88.99.1", "reserved"),
        ("198.18.0.1", "reserved"),
        ("203.0.113.7", "documentation"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("2001::1", "teredo"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:10.0.0.1", "private"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b::a9fe:a9fe", "cloud metadata"),
        ("64:ff9b:1::a00:1", "reserved"),
        ("2002:7f00:1::", "loopback"),
        ("2002:a00:1::", "private"),
        ("::127.0.0.1", "reserved"),
        ("5f00::1", "reserved"),
        ("100::1", "reserved"),
        ("8.8.8.8", None),
        ("2606:4700::1111", None),
        ("64:ff9b::808:808", None),
        ("::ffff:8.8.8.8", None),
    ],
)
def test_X1_every_address_has_its_rule(address, rule):
    assert guard.forbidden(address, allow_private=False) == rule
    allowed = rule in {None, "loopback", "private", "shared"}
    assert (guard.forbidden(address, allow_private=True) is None) == allowed


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0177.1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0",
        "localhost",
        "127。0。0。1",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ],
)
async def test_X1_no_spelling_of_loopback_is_dialled(far, host):
    plain = Client(Network(ports=None), host_gap_s=0)  # the system's own resolver: it reads all these as numbers
    outcome = await poll(plain, far.on("/feed", reply()).replace("127.0.0.1", host))
    await plain.aclose()
    assert outcome.reason is Reason.BLOCKED_ADDRESS
    assert "loopback" in outcome.detail or "unspecified" in outcome.detail
    assert far.connections == 0


@pytest.mark.parametrize("host", ["0177.0.0.1", "１２７.0.0.1", "127.0.0.01", "127.0.0.1%00.test"])
async def test_X1_spellings_that_are_no_host_are_not_even_resolved(far, careful, names, host):
    outcome = await poll(careful, far.on("/feed", reply()).replace("127.0.0.1", host))
    assert outcome.reason is Reason.BAD_URL
    assert not names.asked
    assert far.connections == 0


async def test_X1_a_name_that_leads_to_loopback_is_blocked(far, careful, names):
    names.knows("public.test", ["127.0.0.1"])
    outcome = await poll(careful, far.on("/feed", reply()).replace("127.0.0.1", "public.test"))
    assert outcome.reason is Reason.BLOCKED_ADDRESS
    assert outcome.detail == "public.test: loopback address 127.0.0.1"
    assert far.connections == 0


async def test_X2_the_checked_address_is_the_dialled_one(names, client):
    """A rebinding resolver gives another address each time; only its first answer may be used."""
    checked = await Far().listen("127.0.0.2")
    names.knows("rebind.test", ["127.0.0.2"], ["127.0.0.1"])
    url = checked.on("/feed", reply()).replace("127.0.0.1", "rebind.test")
    outcome = await poll(client, url)
    await checked.close()
    assert isinstance(outcome, Fetched)
    assert names.asked == ["rebind.test"]


@pytest.mark.parametrize("answer", [["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["2606:4700::1", "::1"]])
async def test_X3_a_mixed_answer_is_refused_whole(far, careful, names, answer):
    names.knows("mixed.test", answer)
    outcome = await poll(careful, far.on("/feed", reply()).replace("127.0.0.1", "mixed.test"))
    assert outcome.reason is Reason.BLOCKED_ADDRESS
    assert far.connections == 0


async def _drip(writer, head, piece):
    writer.write(head)
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b""),
    ],
)
async def test_X4_a_drip_ends_at_the_deadline(far, names, head, piece):
    made = Client(
        Network(allow_private_feeds=True, ports=None), host_gap_s=0, resolver=names, limits=Limits(total_s=0.3)
    )
    begun = asyncio.get_running_loop().time()
    outcome = await poll(made, far.on("/feed", lambda _reader, writer: _drip(writer, head, piece)))
    assert outcome.reason is Reason.TIMEOUT
    assert asyncio.get_running_loop().time() - begun < 1


async def test_X4_the_deadline_holds_over_all_redirects(far, names):
    made = Client(
        Network(allow_private_feeds=True, ports=None), host_gap_s=0, resolver=names, limits=Limits(total_s=0.5)
    )

    def slowly(answer):
        async def send(_reader, writer):
            await asyncio.sleep(0.2)
            writer.write(answer)

        return send

    for number in range(5):
        far.on(f"/{number}", slowly(moved(f"/{number + 1}")))
    assert (await poll(made, far.url("/0"))).reason is Reason.TIMEOUT
    assert len(far.asked) == 3


async def test_X4_a_resolver_that_hangs_is_inside_the_deadline():
    async def hang(_host):
        await asyncio.sleep(60)

    made = Client(Network(), host_gap_s=0, resolver=hang, limits=Limits(total_s=0.2))
    assert (await poll(made, "http://feeds.test/")).reason is Reason.TIMEOUT


def _bomb(coding, size):
    """`size` zero bytes, coded without ever being held."""
    if coding == "gzip, gzip":
        return gzip.compress(_bomb("gzip", size))
    if coding == "zstd":
        compressor = zstd.ZstdCompressor()
        pieces = [compressor.compress(bytes(MB)) for _ in range(size // MB)]
        return b"".join([*pieces, compressor.flush()])
    if coding == "br":
        encoder = brotli.Compressor(quality=1)
        return b"".join([encoder.process(bytes(MB)) for _ in range(size // MB)] + [encoder.finish()])
    deflate = zlib.compressobj(wbits=31)
    return b"".join([deflate.compress(bytes(MB)) for _ in range(size // MB)] + [deflate.flush()])


@pytest.mark.parametrize("coding", ["gzip, gzip", *sorted(CODERS.keys() - {"deflate", "Deflate", "x-gzip"})])
async def test_X5_bombs_are_cut_in_bounded_memory(far, client, coding):
    url = far.on("/feed", reply("200 OK", _bomb(coding, 200 * MB), f"Content-Encoding: {coding}"))
    tracemalloc.start()
    outcome = await poll(client, url)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert outcome.reason is Reason.TOO_LARGE
    assert peak < 32 * MB


async def test_X5_two_codings_are_undone_and_three_refused(far, client):
    twice = gzip.compress(brotli.compress(FEED))
    outcome = await poll(
        client, far.on("/two", reply("200 OK", twice, "Content-Encoding: br", "Content-Encoding: gzip"))
    )
    assert outcome.body == FEED
    outcome = await poll(
        client, far.on("/3", reply("200 OK", gzip.compress(twice), "Content-Encoding: br, gzip, gzip"))
    )
    assert outcome.reason is Reason.BAD_ENCODING


async def _endless(writer, head, piece):
    writer.write(head)
    while True:
        writer.write(piece)
        await writer.drain()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "piece", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536, Reason.TOO_LARGE),
        (CHUNKED, b"4000\r\n" + b"x" * 0x4000 + b"\r\n", Reason.TOO_LARGE),
        (CHUNKED, b"1;" + b"e" * 5000 + b"\r\nx\r\n", Reason.TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 500 + b"\r\n", Reason.HEADERS_TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 500, Reason.HEADERS_TOO_LARGE),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100, Reason.HEADERS_TOO_LARGE),
    ],
)
async def test_X6_what_never_ends_is_cut(far, client, head, piece, reason):
    outcome = await poll(client, far.on("/feed", lambda _reader, writer: _endless(writer, head, piece)))
    assert outcome.reason is reason


async def test_X6_an_announced_excess_is_not_read(far, client):
    url = far.on("/feed", reply("200 OK", FEED, f"Content-Length: {100 * MB}", length=False))
    assert (await poll(client, url)).reason is Reason.TOO_LARGE


async def test_X6_lengths_that_lie(far, client):
    longer = reply("200 OK", FEED, f"Content-Length: {len(FEED) - 9}", length=False)
    assert (await poll(client, far.on("/longer", longer))).body == FEED[:-9]
    shorter = reply("200 OK", FEED, f"Content-Length: {len(FEED) + 9}", length=False)
    assert (await poll(client, far.on("/shorter", shorter))).reason is Reason.TRUNCATED
    two = reply("200 OK", FEED, "Content-Length: 1", "Content-Length: 2", length=False)
    assert (await poll(client, far.on("/two", two))).reason is Reason.PROTOCOL
    none = reply("200 OK", FEED, length=False)
    assert (await poll(client, far.on("/none", none))).body == FEED


@pytest.mark.parametrize(
    "tail", [b"", b"5\r\nab", b"zz\r\n", b"3\r\nabcdef\r\n0\r\n\r\n"], ids=["none", "short", "no number", "overrun"]
)
async def test_X6_broken_chunks_are_a_cut_body(far, client, tail):
    outcome = await poll(client, far.on("/feed", CHUNKED + b"4\r\n<rss\r\n" + tail))
    assert outcome.reason is Reason.TRUNCATED
    assert outcome.partial.body.startswith(b"<rss")


@pytest.mark.parametrize("bad", ["expired", "wrong host", "self-signed"])
async def test_X7_bad_certificates_are_refused(authority, names, bad):
    names.knows("feeds.test", ["127.0.0.1"])
    past = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = {
        "expired": lambda: authority.ca.issue_cert("feeds.test", not_before=past, not_after=past + timedelta(days=1)),
        "wrong host": lambda: authority.ca.issue_cert("else.test"),
        "self-signed": lambda: trustme.CA().issue_cert("feeds.test"),
    }[bad]()
    far = await Far().listen(certificate=certificate)
    made = Client(Network(allow_private_feeds=True, ports=None), host_gap_s=0, resolver=names, trust=authority.trust)
    outcome = await poll(made, far.on("/feed", reply()).replace("http://127.0.0.1", "https://feeds.test"))
    await far.close()
    assert outcome.reason is Reason.TLS
    assert not far.asked


async def test_X10_only_listed_ports_are_reached(far, names):
    made = Client(Network(allow_private_feeds=True), host_gap_s=0, resolver=names)
    outcome = await poll(made, far.on("/feed", reply()))
    assert outcome.reason is Reason.BLOCKED_PORT
    assert far.connections == 0


ENTITIES = "".join(
    f'<!ENTITY x{level} "{10 * entity}">' for level, entity in enumerate((f"&x{n};" for n in range(11)), 1)
)


@pytest.mark.parametrize(
    "doctype",
    [
        f'<!DOCTYPE rss [<!ENTITY x0 "boom">{ENTITIES}]>',
        '<!DOCTYPE rss [<!ENTITY x11 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss [<!ENTITY x11 SYSTEM "{far}">]>',
        '<!DOCTYPE rss SYSTEM "{far}" [<!ENTITY x11 "inner">]>',
    ],
    ids=["bomb", "file", "web", "dtd"],
)
async def test_X8_entities_are_neither_blown_up_nor_fetched(world, doctype):
    doctype = doctype.replace("{far}", world.far.url("/secret"))
    body = news("item 1", "item 2").replace(b"<rss", doctype.encode() + b"<rss", 1)
    world.feed(reply(), reply("200 OK", body.replace(b"<title>item 1<", b"<title>item 1 &x11;<")))
    await world.poll()  # the first document brings up tables that stay
    tracemalloc.start()
    await world.poll()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 * MB
    assert "item 2" in world.titles
    assert not any("root:" in title or len(title) > 100 for title in world.titles)
    assert {asked.path for asked in world.far.asked} == {"/feed"}


async def test_X9_dead_hosts_leave_healthy_ones_on_time(names):
    async def silent(_reader, _writer):
        await asyncio.sleep(60)

    healthy = await Far().listen()
    dead = await Far().listen()
    made = Client(
        Network(allow_private_feeds=True, ports=None), host_gap_s=0.05, resolver=names, limits=Limits(total_s=0.5)
    )
    for number in range(20):
        names.knows(f"dead-{number}.test", ["127.0.0.1"])
        names.knows(f"live-{number}.test", ["127.0.0.1"])
    healthy.on("/feed", reply())
    dead.on("/feed", silent)
    waiting = [asyncio.create_task(poll(made, dead.url(host=f"dead-{number}.test"))) for number in range(20)]
    live = await asyncio.wait_for(
        asyncio.gather(*(poll(made, healthy.url(host=f"live-{number}.test")) for number in range(20))), 0.4
    )
    assert all(isinstance(outcome, Fetched) for outcome in live)
    assert {outcome.reason for outcome in await asyncio.gather(*waiting)} == {Reason.TIMEOUT}
    await healthy.close()
    await dead.close()


def behind(far, names, user=""):
    proxy = Secret(f"http://{user}127.0.0.1:{far.port}")
    return Client(Network(ports=None, proxy=proxy), host_gap_s=0, resolver=names, limits=Limits(total_s=2))


async def test_X11_the_proxy_resolves(far, names):
    far.on("http://public.test/feed", reply())
    outcome = await poll(behind(far, names, "me:p%40ss@"), "http://public.test/feed")
    assert isinstance(outcome, Fetched), outcome
    assert not names.asked
    assert far.asked[0].one("Host") == b"public.test"
    assert far.asked[0].one("Proxy-Authorization") == b"Basic bWU6cEBzcw=="


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "10.0.0.1",
        "169.254.169.254",
        "2130706433",
        "0x7f.1",
        "127.1",
        "[::ffff:127.0.0.1]",
        "localhost",
        "printer.local",
        "db.internal",
        "intranet",
        "a.localhost.",
    ],
)
async def test_X11_local_hosts_are_refused_as_written(far, names, host):
    outcome = await poll(behind(far, names), f"http://{host}/feed")
    assert outcome.reason is Reason.BLOCKED_ADDRESS
    assert far.connections == 0


async def test_X11_https_goes_through_a_tunnel_that_may_be_refused(far, names):
    far.on("public.test:443", reply("407 Proxy Authentication Required", b""))
    outcome = await poll(behind(far, names), "https://public.test/feed")
    assert outcome.reason is Reason.CONNECT
    assert far.asked[0].line == "CONNECT public.test:443 HTTP/1.1"
