"""The bytes of an answer, and of an address: what can be read in two ways is refused, all else is bounded."""

import asyncio
import os
import ssl

import httpx2
import pytest
from far_side import FEED, Far, poll, reply
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fetch import Client, Fault
from aggregator.fetch.place import _PLAIN, Place
from aggregator.model import Failed, Fetched, NotModified, Reason
from aggregator.settings import Network

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        OK + b"Content-Length: 3, 4\r\n\r\nabcd",
        OK + b"Content-Length: -1\r\n\r\nabcd",
        OK + b"Content-Length: +4\r\n\r\nabcd",
        OK + b"Content-Length: 0x4\r\n\r\nabcd",
        OK + b"Content-Length: 4 4\r\n\r\nabcd",
        OK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Content-Length : 4\r\n\r\nabcd",
        OK + b"Content Length: 4\r\n\r\nabcd",
        OK + b": 4\r\n\r\nabcd",
        OK + b"no colon\r\n\r\nabcd",
        OK + b"X: a\rContent-Length: 4\r\n\r\nabcd",
        OK + b"X: a\x00b\r\n\r\nabcd",
        OK + b" X: folded into the status line\r\n\r\nabcd",
        b"HTTP/1.1 200\rOK\r\n\r\nabcd",
        b"HTTP/1.1 20 OK\r\n\r\nabcd",
        b"HTTP/1.1 2000 OK\r\n\r\nabcd",
        b"HTTP/11 200 OK\r\n\r\nabcd",
        b"http/1.1 200 OK\r\n\r\nabcd",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n" + OK + b"\r\nabcd",
        b"ICY 200 OK\r\n\r\nabcd",
        b"<rss/>\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello\r\n\r\n",
    ],
)
async def test_a_head_that_can_be_read_in_two_ways_is_refused(far, client, answer):
    outcome = await poll(client, far.on("/feed", answer))
    assert outcome.reason is Reason.PROTOCOL
    assert outcome.partial is None


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (CHUNKED + b"Content-Length: 2\r\n\r\n4\r\nabcd\r\n0\r\n\r\n", b"abcd"),  # RFC 9112 section 6.3
        (OK + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", b"abcd"),
        (OK + b"Content-Length: 4\r\n\r\nabcd" + OK + b"Content-Length: 4\r\n\r\nevil", b"abcd"),
        (CHUNKED + b"\r\n4;ext=1\r\nabcd\r\n0\r\nETag: late\r\n\r\nevil", b"abcd"),
        (OK.replace(b"\r\n", b"\n") + b"Content-Length: 4\n\nabcd", b"abcd"),  # line feeds alone: old servers
        (OK + b"X: one\r\n two\r\n\tETag: no header\r\nContent-Length: 4\r\n\r\nabcd", b"abcd"),  # folded lines
        (b"HTTP/1.0 200 OK\r\n\r\nabcd", b"abcd"),
        (b"HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nabcd", b"abcd"),
        (b"HTTP/1.1 103 Early\r\nETag: early\r\n\r\n" * 3 + OK + b"Content-Length: 4\r\n\r\nabcd", b"abcd"),
    ],
)
async def test_what_servers_really_send_is_read_once(far, client, answer, body):
    outcome = await poll(client, far.on("/feed", answer))
    assert isinstance(outcome, Fetched), outcome
    assert outcome.body == body
    assert not outcome.validators
    assert far.connections == 1


async def test_a_304_has_no_body_whatever_it_announces(far, client):
    known = await poll(client, far.on("/feed", reply("200 OK", FEED, 'ETag: "1"')))
    url = far.on("/again", reply("304 Not Modified", b"evil" * 9, 'ETag: "2"'))
    known = type(known)(url=url, body=b"", validators=type(known.validators)(etag='"1"', url=url))
    outcome = await asyncio.wait_for(poll(client, url, known), 2)
    assert isinstance(outcome, NotModified)
    assert outcome.validators.etag == '"2"'


@pytest.mark.parametrize("size", [b"FFFFFFFFFFFFFFFF", b"F" * 20, b"F" * 21, b"-4", b" 4", b"4 4", b""])
async def test_a_chunk_size_of_any_kind_is_bounded(far, client, size):
    outcome = await poll(client, far.on("/feed", CHUNKED + b"\r\n" + size + b"\r\nabcd\r\n0\r\n\r\n"))
    assert outcome.reason is Reason.TRUNCATED


async def test_trailers_without_end_are_cut(far, client):
    async def trail(_reader, writer):
        writer.write(CHUNKED + b"\r\n4\r\nabcd\r\n0\r\n")
        while True:
            writer.write(b"X: y\r\n" * 1000)
            await writer.drain()

    outcome = await asyncio.wait_for(poll(client, far.on("/feed", trail)), 4)
    assert isinstance(outcome, Failed)


# ---------------------------------------------------------------- under TLS


def secure_client(names, authority):
    names.knows("feeds.test", ["127.0.0.1"])
    return Client(Network(allow_private_feeds=True, ports=None), host_gap_s=0, resolver=names, trust=authority.trust)


@pytest.mark.parametrize("farewell", [True, False])
async def test_a_large_body_under_tls_arrives_whole_with_or_without_farewell(names, authority, farewell):
    body = os.urandom(3 << 20)

    async def send(_reader, writer):
        writer.write(OK + b"\r\n" + body)
        await writer.drain()
        if not farewell:
            await asyncio.sleep(0.2)  # until it is read: an abort throws away what is on the way
            writer.transport.abort()

    far = await Far().listen(certificate=authority.certificate)
    url = far.on("/feed", send).replace("http://127.0.0.1", "https://feeds.test")
    outcome = await poll(secure_client(names, authority), url)
    await far.close()
    assert isinstance(outcome, Fetched), outcome
    assert outcome.body == body


async def test_the_handshake_asks_for_http_1_1(names, authority):
    agreed = []

    async def look(_reader, writer):
        agreed.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        writer.write(reply())

    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.certificate.configure_cert(server)
    server.set_alpn_protocols(["h2", "http/1.1"])
    far = await Far().listen()
    listening = await asyncio.start_server(far._serve, "127.0.0.1", 0, ssl=server)
    far.on("/feed", look)
    port = listening.sockets[0].getsockname()[1]
    outcome = await poll(secure_client(names, authority), f"https://feeds.test:{port}/feed")
    listening.close()
    await far.close()
    assert isinstance(outcome, Fetched), outcome
    assert agreed == ["http/1.1"]


async def test_a_length_that_is_not_reached_under_tls_is_a_cut_body(names, authority):
    far = await Far().listen(certificate=authority.certificate)
    url = far.on("/feed", OK + b"Content-Length: 9\r\n\r\nabcd").replace("http://127.0.0.1", "https://feeds.test")
    outcome = await poll(secure_client(names, authority), url)
    await far.close()
    assert outcome.reason is Reason.TRUNCATED
    assert outcome.partial.body == b"abcd"


# ---------------------------------------------------------------- addresses


@given(text=st.from_regex(_PLAIN, fullmatch=True))
def test_the_short_way_reads_an_address_as_httpx2_does(text):
    try:
        url = httpx2.URL(text)
        long = Place._read(url)
    except (httpx2.InvalidURL, Fault):
        with pytest.raises(Fault):
            Place.of(text)
        return
    assert Place.of(text) == long
    assert long.authority.encode() == url.netloc


@pytest.mark.parametrize(
    "text",
    [
        "http://a.test/feed",
        "https://a-b.c9.test:8443/x/y.xml?z=1&q=a/b",
        "http://127.0.0.1:8000/",
        "https://a.test:443/x",
    ],
)
def test_plain_addresses_go_the_short_way_or_are_read_the_same(text):
    assert Place.of(text) == Place._read(httpx2.URL(text))


def test_the_short_way_is_the_common_one():
    assert _PLAIN.fullmatch("https://www.bbc.co.uk/pashto/index.xml")
    assert _PLAIN.fullmatch("http://127.3.0.1:45000/feed.xml")
    for odd in ("http://a.test/../x", "http://a.test/%41", "http://a.test", "http://1.2.3.400/", "http://me@a.test/"):
        assert not _PLAIN.fullmatch(odd)
