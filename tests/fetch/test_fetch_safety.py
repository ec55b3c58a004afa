# ruff: noqa: N802 - some tests are named after cases of attack
"""What must not be reached, and what must end, beside the rows of `rows/`."""

import asyncio
import gzip
import ssl

import pytest
from codings import CODERS
from far_side import FEED, Far, moved, page, poll, reply
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator.fetch import Client, Fault, Limits, guard
from aggregator.model import Fetched, Reason, Request
from aggregator.settings import Network

pytestmark = pytest.mark.anyio

MB = 1 << 20


# ---------------------------------------------------------------- reach


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
    made._ask._dial = FirstIsPublic(allow_private=False, ports=None, resolver=names).dial
    outcome = await poll(made, far.url(host="first.test"))
    assert outcome.reason is Reason.BLOCKED_ADDRESS
    assert dials == ["first.test", "inner.test"]
    assert (far.connections, other.connections) == (1, 0)


async def test_D02_a_redirect_to_loopback_is_blocked_at_its_hop(far, other, names):
    """The first hop is reached through a private-network exception made for it alone."""
    names.knows("public.test", ["127.0.0.1"])
    other.on("/feed", reply())
    url = far.on("/feed", moved("http://[::ffff:169.254.169.254]/latest"))
    open_client = Client(Network(allow_private_feeds=True, ports=None), host_gap_s=0, resolver=names)
    outcome = await poll(open_client, url)
    assert outcome.reason is Reason.BLOCKED_ADDRESS
    assert "cloud metadata" in outcome.detail


async def test_D14_a_private_page_and_its_robots_are_blocked(far, careful):
    outcome = await careful.get(page(far.on("/page", reply())))
    assert outcome.reason is Reason.BLOCKED_ADDRESS
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


async def test_the_next_address_is_tried_when_one_is_dead(far, client, names):
    names.knows("two.test", ["127.0.0.3", "127.0.0.1"])
    outcome = await poll(client, far.on("/feed", reply()).replace("127.0.0.1", "two.test"))
    assert isinstance(outcome, Fetched)


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


# ---------------------------------------------------------------- size


async def test_headers_of_64_kib_are_the_most(far, client):
    fine = [f"X-{number}: {'y' * 990}" for number in range(60)]
    assert isinstance(await poll(client, far.on("/fine", reply("200 OK", FEED, *fine))), Fetched)
    many = [f"X-{number}: {'y' * 990}" for number in range(70)]
    assert (await poll(client, far.on("/many", reply("200 OK", FEED, *many)))).reason is Reason.HEADERS_TOO_LARGE


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


@pytest.mark.parametrize("coding", ["compress", "sdch", "\u00ff"])
async def test_codings_nobody_asked_for_are_refused(far, client, coding):
    url = far.on("/feed", reply("200 OK", FEED, b"Content-Encoding: " + coding.encode("latin-1")))
    assert (await poll(client, url)).reason is Reason.BAD_ENCODING


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
@given(
    begin=st.sampled_from(
        [b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b""]
    ),
    pieces=st.lists(PIECES | st.binary(max_size=12), max_size=14),
    cut=st.integers(0, 60),
)
def test_no_answer_whatever_raises(begin, pieces, cut):
    answer = begin + b"".join(pieces)

    async def lie(_reader, writer):
        for part in (answer[:cut], answer[cut:]):
            writer.write(part)
            await asyncio.sleep(0)

    async def scenario():
        far = await Far().listen()
        made = Client(Network(allow_private_feeds=True, ports=None), host_gap_s=0, limits=Limits(total_s=2))
        url = far.on("/feed", lie)
        outcome = await made.get(Request(url=url))
        await far.close()
        await made.aclose()
        assert isinstance(outcome, Fetched) or outcome.reason in Reason

    asyncio.run(scenario())
