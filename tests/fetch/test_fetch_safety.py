# ruff: noqa: N802 - tests are named after the rows of the conformance table
"""Rows X of the conformance table and cases D01-D05, D14-D20: what must not be reached, and what must end."""

import asyncio
import gzip
import socket
import ssl
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta

import brotli
import pytest
import trustme
from far_side import FEED, Far, moved, page, poll, reply
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator.fetch import Client, Fault, Limits, decoding, guard
from aggregator.model import Failed, Fetched, Reason, Request
from aggregator.settings import Network

pytestmark = pytest.mark.anyio

MB = 1 << 20
zstd = decoding._zstd()  # None where neither Python nor a package brings it: then it is not asked for


# ---------------------------------------------------------------- reach


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
async def test_X1_D01_D04_no_spelling_of_loopback_is_dialled(far, host):
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


async def test_X1_D03_a_name_that_leads_to_loopback_is_blocked(far, careful, names):
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


async def test_D05_metadata_stays_closed_to_private_networks_too(client):
    outcome = await poll(client, "http://169.254.169.254/latest/meta-data/")
    assert outcome.reason is Reason.BLOCKED_ADDRESS


async def test_D02_a_redirect_to_loopback_is_blocked(far, other, names):
    """`first.test` stands for a public host: the guard is told that its listener's address is public."""
    other.on("/feed", reply())
    far.on("/feed", moved(f"http://inner.test:{other.port}/feed"))
    names.knows("first.test", ["127.0.0.1"])
    names.knows("inner.test", ["127.0.0.1"])
    dials = []

    class FirstIsPublic(guard.Guard):
        def _judge(self, host, address):
            dials.append(host)
            if host != "first.test":
                super()._judge(host, address)

    made = Client(Network(ports=None), host_gap_s=0, resolver=names)
    made._transport._dial = FirstIsPublic(allow_private=False, ports=None, resolver=names).dial
    outcome = await poll(made, far.url(host="first.test"))
    assert outcome.reason is Reason.BLOCKED_ADDRESS
    assert dials == ["first.test", "inner.test"]
    assert (far.connections, other.connections) == (1, 0)


async def test_D14_a_private_page_and_its_robots_are_blocked(far, careful):
    outcome = await careful.get(page(far.on("/page", reply())))
    assert outcome.reason is Reason.BLOCKED_ADDRESS
    assert far.connections == 0


async def test_X10_only_listed_ports_are_reached(far, names):
    made = Client(Network(allow_private_feeds=True), host_gap_s=0, resolver=names)
    outcome = await poll(made, far.on("/feed", reply()))
    assert outcome.reason is Reason.BLOCKED_PORT
    assert far.connections == 0


async def test_webhooks_get_the_same_guard(far):
    barred = guard.transport(allow_private=False, ports=None)
    with pytest.raises(Fault) as caught:
        await barred.handle_async_request(_httpx_request("POST", far.url()))
    assert caught.value.reason is Reason.BLOCKED_ADDRESS
    assert far.connections == 0
    opened = guard.transport(allow_private=True, ports=None)
    far.on("/feed", moved("http://127.0.0.1/"))
    response = await opened.handle_async_request(_httpx_request("POST", far.url()))
    await response.aclose()
    assert response.status_code == 302


def _httpx_request(method, url):
    import httpx2  # noqa: PLC0415 - as delivery does

    return httpx2.Request(method, url, content=b"{}")


# ---------------------------------------------------------------- names and sockets that fail


@pytest.mark.parametrize("host", ["unknown.test", "a..b", "x" * 70 + ".test"])
async def test_R11_names_without_address_are_reasons(host):
    plain = Client(Network(), host_gap_s=0, resolver=None)
    outcome = await poll(plain, f"http://{host}/")
    await plain.aclose()
    assert outcome.reason is Reason.DNS


async def test_R11_a_closed_port_is_a_reason(client):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        outcome = await poll(client, f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert outcome.reason is Reason.CONNECT


async def test_the_next_address_is_tried_when_one_is_dead(far, client, names):
    names.knows("two.test", ["127.0.0.3", "127.0.0.1"])
    outcome = await poll(client, far.on("/feed", reply()).replace("127.0.0.1", "two.test"))
    assert isinstance(outcome, Fetched)


async def test_R11_a_connection_that_closes_or_resets_is_asked_once(far, client):
    async def shut(_reader, writer):
        writer.transport.abort()

    async def reset(_reader, writer):
        await _half_sent(writer)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    assert (await poll(client, far.on("/shut", shut))).reason is Reason.RESET
    assert (await poll(client, far.on("/reset", reset))).reason in {Reason.RESET, Reason.TRUNCATED}
    assert len(far.asked) == 2


async def _half_sent(writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()
    await asyncio.sleep(0.05)


@pytest.mark.parametrize("bad", ["expired", "wrong host", "self-signed"])
async def test_X7_D15_bad_certificates_are_refused(authority, names, bad):
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


@pytest.mark.parametrize(("greeting", "reason"), [(b"SSH-2.0-x\r\n", Reason.TLS), (b"", Reason.TIMEOUT)])
async def test_X4_X7_a_far_side_without_tls_is_a_reason(far, authority, names, greeting, reason):
    names.knows("feeds.test", ["127.0.0.1"])
    far.greeting = greeting
    made = Client(
        Network(allow_private_feeds=True, ports=None),
        host_gap_s=0,
        resolver=names,
        trust=authority.trust,
        limits=Limits(connect_s=0.2),
    )
    outcome = await poll(made, far.url(host="feeds.test", scheme="https"))
    assert outcome.reason is reason
    assert not far.asked


async def test_the_system_trust_reads_no_environment(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    assert guard.system_trust.__wrapped__().verify_mode is ssl.CERT_REQUIRED


# ---------------------------------------------------------------- time


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
async def test_X4_D17_D19_a_drip_ends_at_the_deadline(far, names, head, piece):
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


# ---------------------------------------------------------------- size


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
async def test_X4_X6_D18_what_never_ends_is_cut(far, client, head, piece, reason):
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


async def test_headers_of_64_kib_are_the_most(far, client):
    fine = [f"X-{number}: {'y' * 990}" for number in range(60)]
    assert isinstance(await poll(client, far.on("/fine", reply("200 OK", FEED, *fine))), Fetched)
    many = [f"X-{number}: {'y' * 990}" for number in range(70)]
    assert (await poll(client, far.on("/many", reply("200 OK", FEED, *many)))).reason is Reason.HEADERS_TOO_LARGE


def _bare_deflate(data):
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


CODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": _bare_deflate,
    "br": brotli.compress,
} | ({"zstd": zstd.compress} if zstd else {})


@pytest.mark.parametrize("coding", CODERS)
async def test_Q4_every_coding_that_we_ask_for_is_read(far, client, coding):
    body = FEED * 5000
    url = far.on("/feed", reply("200 OK", CODERS[coding](body), f"Content-Encoding: {coding}"))
    outcome = await poll(client, url)
    assert outcome.body == body
    assert coding.lower().removeprefix("x-").encode() in far.asked[0].one("Accept-Encoding")


@pytest.mark.parametrize("coding", CODERS)
async def test_a_coded_body_that_ends_early_is_cut(far, client, coding):
    coded = CODERS[coding](bytes(range(256)) * 500)
    outcome = await poll(client, far.on("/feed", reply("200 OK", coded[:-6], f"Content-Encoding: {coding}")))
    assert outcome.reason is Reason.TRUNCATED


@pytest.mark.parametrize("coding", sorted(CODERS.keys() - {"deflate", "Deflate", "x-gzip"}))
async def test_a_coded_body_that_is_no_such_thing_is_cut(far, client, coding):
    outcome = await poll(client, far.on("/feed", reply("200 OK", FEED * 99, f"Content-Encoding: {coding}")))
    assert outcome.reason is Reason.TRUNCATED


async def test_gzip_members_follow_each_other_and_padding_is_dropped(far, client):
    body = gzip.compress(FEED) + gzip.compress(FEED) + bytes(512)
    assert (await poll(client, far.on("/feed", reply("200 OK", body, "Content-Encoding: gzip")))).body == FEED * 2


async def test_an_empty_body_needs_no_coding(far, client):
    assert (await poll(client, far.on("/feed", reply("200 OK", b"", "Content-Encoding: gzip")))).body == b""


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


@pytest.mark.parametrize("coding", ["compress", "sdch", "\u00ff"])
async def test_codings_nobody_asked_for_are_refused(far, client, coding):
    url = far.on("/feed", reply("200 OK", FEED, b"Content-Encoding: " + coding.encode("latin-1")))
    assert (await poll(client, url)).reason is Reason.BAD_ENCODING


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
async def test_X5_D16_bombs_are_cut_in_bounded_memory(far, client, coding):
    url = far.on("/feed", reply("200 OK", _bomb(coding, 200 * MB), f"Content-Encoding: {coding}"))
    tracemalloc.start()
    outcome = await poll(client, url)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert outcome.reason is Reason.TOO_LARGE
    assert peak < 32 * MB


# ---------------------------------------------------------------- anything at all

PIECES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 ",
        b"200",
        b"304",
        b"302",
        b"\r\n",
        b"\n",
        b": ",
        b"Location",
        b"Content-Length",
        b"Content-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"ETag",
        b"\x00",
        b"\xff",
        b"5\r\n",
        b"-1",
        b"Location: http://\xd8\xb3:99/\r\n",
        b"Location: //[::1\r\n",
        b"Retry-After: 1e9\r\n",
        b"Cache-Control",
        b"0",
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES | st.binary(max_size=12), max_size=14))
def test_no_answer_whatever_raises(pieces):
    async def scenario():
        far = await Far().listen()
        made = Client(Network(allow_private_feeds=True, ports=None), host_gap_s=0, limits=Limits(total_s=2))
        url = far.on("/feed", b"HTTP/1.1 " + b"".join(pieces))
        outcome = await made.get(Request(url=url))
        await far.close()
        await made.aclose()
        assert isinstance(outcome, Fetched | Failed)

    asyncio.run(scenario())
