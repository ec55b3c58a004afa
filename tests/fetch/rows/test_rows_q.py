# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
"""Rows Q: the shape of what we send."""

import asyncio
import re
from datetime import timedelta
from itertools import pairwise

import pytest
from codings import CODERS, zstd
from far_side import FEED, NOW, Far, moved, page, poll, reply
from polite import HOUR, news
from support.world import rss

from aggregator import __version__
from aggregator.fetch import Client
from aggregator.model import Fetched, Reason
from aggregator.settings import Network

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sent(world):
    """All requests of a day among servers of every mood."""
    good = reply("200 OK", news("item"), 'ETag: "1"', "Last-Modified: A", "Set-Cookie: id=1; Path=/")
    for path, *replies in (
        ("/calm", good, reply("304 Not Modified", b"", "Set-Cookie: id=2")),
        ("/busy", good, reply("503 Busy", b""), good),
        ("/moved", moved("/calm", "302 Found", "Set-Cookie: id=3")),
        ("/shut", reply("403 Forbidden", b"", "Set-Cookie: id=4")),
        ("/lost", reply("404 Not Found", b"")),
        ("/html", reply("200 OK", b"<html><link rel='alternate' type='application/rss+xml' href='/guess'></html>")),
        ("/cut", reply("200 OK", news("item"), "Content-Length: 9999", length=False)),
    ):
        world.feed(*replies, path=path)
    await world.days(1)
    assert len(world.far.asked) > 30
    return world.far.asked


def all_of(sent, name):
    return {value for asked in sent for value in asked.all(name)}


async def test_Q1_every_request_is_a_whole_get(sent):
    assert {asked.line.split()[0] for asked in sent} == {"GET"}
    assert not all_of(sent, "Range")


async def test_Q2_one_honest_user_agent(sent):
    assert all_of(sent, "User-Agent") == {f"aggregator/{__version__}".encode()}
    assert all(len(asked.all("User-Agent")) == 1 for asked in sent)


async def test_Q3_accept_names_every_kind_of_feed_and_anything_else_last(sent):
    (accept,) = all_of(sent, "Accept")
    kinds = dict(re.findall(r"([\w/+*-]+)(?:;q=([\d.]+))?", accept.decode()))
    for kind in ("atom+xml", "rss+xml", "rdf+xml", "feed+json", "xml"):
        assert f"application/{kind}" in kinds
    assert float(kinds["*/*"]) < min(float(weight or 1) for kind, weight in kinds.items() if kind != "*/*")


@pytest.mark.parametrize("coding", [*CODERS, "identity"])
async def test_Q4_every_coding_that_we_ask_for_is_read(world, coding):
    titles = {f"item {number}" for number in range(500)}
    world.feed(reply("200 OK", CODERS.get(coding, bytes)(news(*titles)), f"Content-Encoding: {coding}"))
    await world.poll()
    assert world.titles == titles
    asked_for = {part.strip() for part in world.asked()[0].one("Accept-Encoding").decode().split(",")}
    assert asked_for == {"gzip", "deflate", "br"} | ({"zstd"} if zstd else set())


async def test_Q5_no_cookie_goes_back(sent):
    assert not all_of(sent, "Cookie")


async def test_Q6_nothing_says_where_we_come_from_or_who_we_are(world):
    world.far.on("/feed?a=1&b=%20x", reply("200 OK", news("item")))
    world.feed(url=world.far.url("/feed?a=1&b=%20x") + "#part")
    await world.poll(2)
    for asked in world.far.asked:
        assert asked.path == "/feed?a=1&b=%20x"
        assert {name.lower() for name, _ in asked.headers} == {
            "host", "user-agent", "accept", "accept-encoding", "connection",
        }  # fmt: skip


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


async def test_Q7_nothing_is_asked_but_what_was_configured(sent):
    assert {asked.path for asked in sent} == {"/calm", "/busy", "/moved", "/shut", "/lost", "/html", "/cut"}


@pytest.mark.parametrize("path", ["/feed", "/a//b/", "/%7Euser/x.xml?x=%2F&y", "/?", "/caf%C3%A9"])
async def test_Q7_the_address_is_sent_as_configured(far, client, path):
    assert isinstance(await poll(client, far.on(path, reply())), Fetched)
    assert [asked.path for asked in far.asked] == [path]


async def test_Q8_a_due_feed_is_asked_once_however_many_look(world):
    async def slowly(_reader, writer):
        await asyncio.sleep(0.05)
        writer.write(reply("200 OK", news("item")))

    world.polling = {"per_host": 64}  # the host may be asked at the same time: what holds back is the feed's lease
    world.feed(slowly)
    await world.start()
    async with world.beside() as other:
        await asyncio.gather(world.tick(), other.top_up_feeds(), world.tick(), other.top_up_feeds())
        while other.running:
            await asyncio.wait(other.running)
    assert len(world.asked()) == 1
    assert world.titles == {"item"}


async def test_Q9_no_request_asks_caches_to_be_passed_over(sent):
    assert not all_of(sent, "Cache-Control")
    assert not all_of(sent, "Pragma")


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


async def test_Q11_a_contact_stands_in_the_agent_when_the_operator_gave_one(world):
    world.contact = "https://desk.example/bot"
    world.feed(reply("200 OK", news("item")))
    await world.poll()
    assert world.asked()[0].one("User-Agent") == f"aggregator/{__version__} (+https://desk.example/bot)".encode()
    assert world.asked()[0].one("From") is None


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
    assert [asked.path for asked in far.asked] == ["/private/feed", "/robots.txt", "/page"]


async def test_Q12_a_redirect_to_another_site_asks_that_site(far, other, client):
    other.on("/robots.txt", reply("200 OK", ROBOTS))
    far.on("/page", moved(other.url("/private/page")))
    outcome = await client.get(page(far.url("/page")))
    assert outcome.reason is Reason.ROBOTS
    assert [asked.path for asked in other.asked] == ["/robots.txt"]


async def test_Q12_robots_is_asked_once_a_day(far, names):
    now = [NOW]
    made = Client(Network(allow_private_feeds=True, ports=None), host_gap_s=0, resolver=names, clock=lambda: now[0])
    far.on("/robots.txt", reply("200 OK", b""))
    far.on("/page", reply())
    for hour in range(30):
        now[0] = NOW + hour * HOUR
        await made.get(page(far.url("/page")))
    assert sum(asked.path == "/robots.txt" for asked in far.asked) == 2


@pytest.mark.parametrize(
    ("said", "kept_s"),
    [("5", 5), ("0.5", 0.5), ("86400", 60), ("9" * 12, 60), ("-3", 0), ("nan", 0), ("soon", 0), ("", 0)],
)
async def test_Q12_crawl_delay_is_bounded(far, client, said, kept_s):
    far.on("/robots.txt", reply("200 OK", f"User-agent: *\nCrawl-delay: {said}\n".encode()))
    url = far.on("/page", reply())
    assert client.crawl_delay(url) == timedelta(0)
    await client.get(page(url))
    assert client.crawl_delay(url) == timedelta(seconds=kept_s)


async def test_Q12_pages_of_one_host_keep_its_crawl_delay(world):
    links = [world.far.on(f"/page/{number}", reply("200 OK", b"<p>text</p>")) for number in range(3)]
    world.far.on("/robots.txt", reply("200 OK", b"User-agent: *\nCrawl-delay: 20\n"))
    world.feed(reply("200 OK", rss(*((f"item {link}", link, link, "") for link in links))))
    world.full_text = "always"
    await world.poll()
    for _ in range(90):
        await world._app.work.top_up_articles()
        while world._app.work.running:
            await asyncio.wait(world._app.work.running)
        world.now += timedelta(seconds=1)
    times = sorted(asked.at for asked in world.far.asked if asked.path.startswith("/page"))
    assert [later - earlier for earlier, later in pairwise(times)] == [timedelta(seconds=20)] * 2
