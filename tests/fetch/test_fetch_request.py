# ruff: noqa: N802 - tests are named after the rows of the conformance table
"""Rows Q of the conformance table: the shape of what we send."""

import pytest
from far_side import FEED, NOW, Far, moved, page, poll, reply

from aggregator import __version__
from aggregator.fetch import Client
from aggregator.model import Failed, Fetched, Reason, Request
from aggregator.settings import Network

pytestmark = pytest.mark.anyio


async def test_Q1_Q2_Q3_Q4_Q5_Q6_Q9_one_plain_get(far, client):
    url = far.on("/feed?a=1&b=%20x", reply("200 OK", FEED, "Set-Cookie: id=1"))
    await poll(client, url + "#part")
    await poll(client, url)
    for asked in far.asked:
        assert asked.line == "GET /feed?a=1&b=%20x HTTP/1.1"
        names = {name.lower() for name, _ in asked.headers}
        assert names == {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert asked.one("User-Agent") == f"aggregator/{__version__}".encode()
        assert asked.one("Host") == f"127.0.0.1:{far.port}".encode()
        for kind in (b"application/atom+xml", b"application/rss+xml", b"application/rdf+xml", b"feed+json", b"*/*;q=0"):
            assert kind in asked.one("Accept")
    assert len(far.asked) == 2


async def test_Q2_a_contact_stands_in_the_agent_when_set(far, names):
    made = Client(Network(allow_private_feeds=True, ports=None, contact="https://desk.example/bot"), resolver=names)
    await poll(made, far.on("/feed", reply()))
    assert far.asked[0].one("User-Agent") == f"aggregator/{__version__} (+https://desk.example/bot)".encode()


async def test_Q6_configured_headers_are_sent_and_ours_stay_ours(far, client):
    url = far.on("/feed", reply("200 OK", FEED, 'ETag: "1"'))
    known = await poll(client, url)
    await poll(client, url, known, X_Key=" k\n", Accept="text/xml", If_None_Match="mine", Host="evil", Range="bytes=0-")
    asked = far.asked[1]
    assert asked.one("X-Key") == b"k"
    assert asked.one("Accept") == b"text/xml"
    assert asked.one("If-None-Match") == b'"1"'
    assert asked.one("Host") != b"evil"
    assert asked.one("Range") is None


async def test_a_header_that_cannot_be_sent_is_a_reason_without_its_value(far, client):
    outcome = await poll(client, far.on("/feed", reply()), X_Key="top\r\nsecret: 1")
    assert outcome.reason is Reason.PROTOCOL
    assert "secret" not in outcome.detail


@pytest.mark.parametrize("path", ["/feed", "/a//b/", "/%7Euser/x.xml?x=%2F&y", "/?", "/caf%C3%A9"])
async def test_Q7_the_address_is_sent_as_configured(far, client, path):
    assert isinstance(await poll(client, far.on(path, reply())), Fetched)
    assert [asked.line.split()[1] for asked in far.asked] == [path]


async def test_Q10_host_and_sni_name_the_site_in_its_wire_form(names, authority):
    site = "اخبار.test"
    wire = "xn--mgbacxr.test"
    far = await Far().listen(certificate=authority.ca.issue_cert(wire))
    names.knows(wire, ["127.0.0.1"])
    made = Client(Network(allow_private_feeds=True, ports=None), host_gap_s=0, resolver=names, trust=authority.trust)
    far.on("/feed", reply())
    outcome = await poll(made, far.url(host=site, scheme="https"))
    await far.close()
    assert isinstance(outcome, Fetched), outcome
    assert far.asked[0].one("Host") == f"{wire}:{far.port}".encode()
    assert far.asked[0].sni == wire


async def test_Q10_ipv6_literals_work(client):
    far = await Far().listen("::1")
    outcome = await poll(client, far.on("/feed", reply()).replace("127.0.0.1", "[::1]"))
    await far.close()
    assert isinstance(outcome, Fetched), outcome
    assert far.asked[0].one("Host") == f"[::1]:{far.port}".encode()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", Reason.BLOCKED_SCHEME),
        ("feeds.test/rss", Reason.BLOCKED_SCHEME),
        ("file:///etc/passwd", Reason.BLOCKED_SCHEME),
        ("ftp://feeds.test/", Reason.BLOCKED_SCHEME),
        ("http:///feed", Reason.BAD_URL),
        ("http://feeds.test:0/", Reason.BAD_URL),
        ("http://feeds.test:66000/", Reason.BAD_URL),
        ("http://feeds.test:port/", Reason.BAD_URL),
        ("http://a b/", Reason.BAD_URL),
        ("http://feeds.test/\x00", Reason.BAD_URL),
        ("http://" + "a" * 70_000, Reason.BAD_URL),
        ("http://300.1.1.1/", Reason.BAD_URL),
        ("http://１２７．0.0.1x/", Reason.BAD_URL),
    ],
)
async def test_unusable_addresses_are_reasons(client, names, url, reason):
    outcome = await poll(client, url)
    assert isinstance(outcome, Failed)
    assert outcome.reason is reason
    assert not names.asked


# ---------------------------------------------------------------- Q12: robots.txt


ROBOTS = b"User-agent: aggregator\nDisallow: /private\n\nUser-agent: *\nDisallow: /\n"


async def test_Q12_pages_obey_robots_and_feeds_do_not_ask(far, client):
    far.on("/robots.txt", reply("200 OK", ROBOTS))
    far.on("/private/feed", reply())
    far.on("/private/page", reply())
    far.on("/page", reply())
    assert isinstance(await poll(client, far.url("/private/feed")), Fetched)
    refused = await client.get(page(far.url("/private/page")))
    read = await client.get(page(far.url("/page")))
    assert refused.reason is Reason.ROBOTS
    assert isinstance(read, Fetched)
    assert [asked.line.split()[1] for asked in far.asked] == ["/private/feed", "/robots.txt", "/page"]


async def test_Q12_a_redirect_to_another_site_asks_that_site(far, other, client):
    other.on("/robots.txt", reply("200 OK", ROBOTS))
    far.on("/page", moved(other.url("/private/page")))
    outcome = await client.get(page(far.url("/page")))
    assert outcome.reason is Reason.ROBOTS
    assert [asked.line.split()[1] for asked in other.asked] == ["/robots.txt"]


@pytest.mark.parametrize(
    ("answer", "readable"),
    [
        (reply("404 Not Found", b""), True),
        (reply("403 Forbidden", b""), True),
        (reply("200 OK", b"\xff\xfe\x00 nonsense"), True),
        (reply("200 OK", b"User-agent: *\nDisallow: /\n"), False),
        (reply("500 Oops", b""), False),
        (reply("503 Busy", b""), False),
        (reply("429 Slow", b""), False),
        (b"", False),
    ],
)
async def test_Q12_what_robots_answers_decides(far, client, answer, readable):
    far.on("/robots.txt", answer)
    far.on("/page", reply())
    outcome = await client.get(page(far.url("/page")))
    assert isinstance(outcome, Fetched) == readable
    assert readable or outcome.reason is Reason.ROBOTS


async def test_Q12_robots_is_asked_once_a_day(far, names):
    now = [NOW.timestamp()]
    made = Client(
        Network(allow_private_feeds=True, ports=None),
        host_gap_s=0,
        resolver=names,
        clock=lambda: NOW.fromtimestamp(now[0], NOW.tzinfo),
    )
    far.on("/robots.txt", reply("200 OK", b""))
    far.on("/page", reply())
    for hour in range(30):
        now[0] = NOW.timestamp() + hour * 3600
        await made.get(page(far.url("/page")))
    assert sum("/robots.txt" in asked.line for asked in far.asked) == 2


async def test_Q12_only_the_first_half_megabyte_of_robots_counts(far, client):
    far.on("/robots.txt", reply("200 OK", b"#" * (600 << 10) + b"\nUser-agent: *\nDisallow: /\n"))
    far.on("/page", reply())
    assert isinstance(await client.get(page(far.url("/page"))), Fetched)


async def test_pages_ask_for_html(far, client):
    await client.get(page(far.on("/page", reply())))
    assert far.asked[-1].one("Accept").startswith(b"text/html")


async def test_the_content_type_is_told(far, client):
    url = far.on("/feed", reply("200 OK", FEED, 'Content-Type: Text/XML ; foo=1; CharSet="UTF-8"'))
    outcome = await client.get(Request(url=url))
    assert (outcome.content_type, outcome.charset) == ("text/xml", "utf-8")
