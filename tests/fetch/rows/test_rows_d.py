# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
"""Rows D: where a feed moved to is believed slowly, and nothing secret travels along."""

import pytest
from far_side import FEED, Decided, Far, moved, poll, reply
from polite import DAY, HOUR, news

from aggregator.fetch import Client
from aggregator.model import Failed, Fetched, Reason
from aggregator.settings import Network

pytestmark = pytest.mark.anyio


async def old_address_asked(world, *headers, status="301 Moved", days=4):
    """How often the old address was asked in the first day, and how often in the last of so many."""
    world.far.on("/new", reply("200 OK", news("item")))
    world.feed(moved("/new", status, *headers), every="2h")
    await world.days(days)
    begun, times = world.asked()[0].at, [asked.at for asked in world.asked()]
    return sum(at < begun + DAY for at in times), sum(at >= begun + (days - 1) * DAY for at in times)


@pytest.mark.parametrize("status", ["301 Moved", "308 Moved"])
async def test_D1_a_feed_that_moved_for_good_is_asked_at_its_new_address_after_a_day(world, status):
    first_day, last_day = await old_address_asked(world, status=status)
    assert first_day >= 10, "the move was believed too soon"
    assert last_day == 0, "the old address is still asked"
    assert world.asked("/new")[-1].at > world.now - 3 * HOUR
    assert world.titles == {"item"}


@pytest.mark.parametrize("status", ["302 Found", "303 See", "307 Temporary"])
async def test_D2_a_feed_that_is_elsewhere_for_now_is_asked_at_its_own_address(world, status):
    first_day, last_day = await old_address_asked(world, status=status)
    assert abs(first_day - last_day) <= 1
    assert len(world.asked()) == len(world.asked("/new"))


async def test_D3_only_the_leading_permanent_redirects_move_a_feed(world):
    world.far.on("/2", moved("/3", "308 Moved"))
    world.far.on("/3", moved("/4", "302 Found"))
    world.far.on("/4", moved("/5", "301 Moved"))
    world.far.on("/5", reply("200 OK", news("item")))
    world.feed(moved("/2", "301 Moved"), every="2h")
    await world.days(4)
    world.far.asked.clear()
    await world.poll()
    assert [asked.path for asked in world.far.asked] == ["/3", "/4", "/5"]


async def test_D4_a_portal_that_sends_everybody_to_its_login_moves_nothing(world):
    hosts = [f"site-{number}.test" for number in range(5)]
    portal = Decided(lambda _: moved(world.far.url("/login", "portal.test"), "301 Moved"))
    good = reply("200 OK", news("item"))
    world.names.knows("portal.test", ["127.0.0.1"])
    world.far.on("/login", reply("200 OK", b"<html><form>Room number</form></html>"))
    for host in hosts:
        world.feed(good, path=f"/{host}", host=host)
    await world.days(1)
    for host in hosts:
        world.far.now_on(f"/{host}", portal)
    await world.days(4)
    for host in hosts:
        world.far.now_on(f"/{host}", good)
    world.far.asked.clear()
    await world.days(1.2)
    assert {asked.path for asked in world.far.asked} == {f"/{host}" for host in hosts}
    assert all(feed.outcome == "fetched" for feed in world.store.feeds())


async def test_D5_a_loop_ends(far, client):
    far.on("/a", moved("/b"))
    far.on("/b", moved("/a"))
    assert (await poll(client, far.url("/a"))).reason is Reason.REDIRECT_LOOP
    assert len(far.asked) == 2


async def test_D5_five_redirects_are_followed_and_six_are_not(far, client):
    for number in range(6):
        far.on(f"/{number}", moved(f"/{number + 1}"))
    far.on("/6", reply())
    assert isinstance(await poll(client, far.url("/1")), Fetched)
    assert (await poll(client, far.url("/0"))).reason is Reason.REDIRECT_LOOP


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("file:///etc/passwd", Reason.BLOCKED_SCHEME),
        ("gopher://127.0.0.1/", Reason.BLOCKED_SCHEME),
        ("data:text/xml,<rss/>", Reason.BLOCKED_SCHEME),
        ("javascript:alert(1)", Reason.BLOCKED_SCHEME),
        ("http://feeds.test:99999/", Reason.BAD_URL),
        ("http://[half", Reason.BAD_URL),
        ("http://1.2.3.400/", Reason.REDIRECT_BAD),
    ],
)
async def test_D5_targets_that_are_no_web_address_are_refused(far, client, location, reason):
    outcome = await poll(client, far.on("/feed", moved(location)))
    assert isinstance(outcome, Failed)
    assert outcome.reason is reason


async def test_D5_https_never_becomes_http(names, authority, other):
    secure = await Far().listen(certificate=authority.certificate)
    names.knows("feeds.test", ["127.0.0.1"])
    other.on("/feed", reply())
    url = secure.on("/feed", moved(other.url(host="feeds.test"))).replace("http://127.0.0.1", "https://feeds.test")
    trusting = Client(
        Network(allow_private_feeds=True, ports=None), host_gap_s=0, resolver=names, trust=authority.trust
    )
    outcome = await poll(trusting, url, Authorization="Bearer secret")
    await secure.close()
    assert outcome.reason is Reason.REDIRECT_DOWNGRADE
    assert other.connections == 0


async def test_D6_credentials_stay_at_the_configured_origin(far, other, client):
    far.on("/feed", moved(other.url("/away"), "302 Found", "Set-Cookie: session=1"))
    other.on("/away", moved(far.url("/back")))
    far.on("/back", reply())
    url = f"http://me:pass%40word@127.0.0.1:{far.port}/feed"
    await poll(client, url, X_Api_Key="key")
    first, back = far.asked
    (away,) = other.asked
    for asked in (first, back):
        assert asked.one("Authorization") == b"Basic bWU6cGFzc0B3b3Jk"
        assert asked.one("X-Api-Key") == b"key"
    assert away.one("Authorization") is None
    assert away.one("X-Api-Key") is None


async def test_D6_user_and_password_in_a_redirect_are_dropped(far, other, client):
    other.on("/feed", reply())
    url = far.on("/feed", moved(f"http://eve:trap@127.0.0.1:{other.port}/feed", "301 Moved"))
    outcome = await poll(client, url)
    assert other.asked[0].one("Authorization") is None
    assert "eve" not in outcome.url + outcome.moved_to


async def test_D7_two_feeds_that_move_to_one_address_become_one(world):
    world.far.on("/new", reply("200 OK", news("item new")))
    for path in ("/a", "/b"):
        world.feed(reply("200 OK", news(f"item {path}")), moved("/new", "301 Moved"), path=path, every="2h")
    await world.days(4)
    world.far.asked.clear()
    await world.days(1)
    assert {asked.path for asked in world.far.asked} == {"/new"}
    assert len(world.far.asked) <= 12, "the one address is asked for each of two feeds"
    assert world.titles == {"item /a", "item /b", "item new"}
    assert len(world.store.alerts()) == 3, "a story was told twice"


async def test_D8_a_redirect_that_must_not_be_kept_moves_nothing(world):
    first_day, last_day = await old_address_asked(world, "Cache-Control: no-store")
    assert abs(first_day - last_day) <= 1


@pytest.mark.parametrize("status", ["300 Choices", "305 Proxy", "306 Unused"])
async def test_D9_other_redirects_are_errors(world, status):
    world.feed(moved("/new", status))
    assert (await world.poll()).reason == "redirect_bad"
    assert len(world.far.asked) == 1


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Moved"])
async def test_D9_a_redirect_without_an_address_is_an_error(world, status):
    world.feed(reply(status, FEED))
    assert (await world.poll()).reason == "redirect_bad"


@pytest.mark.parametrize(
    "head",
    [
        '<itunes:new-feed-url xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">{new}</itunes:new-feed-url>',
        '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="self" href="{new}"/>',
    ],
)
async def test_D10_what_a_document_says_of_its_address_moves_nothing(world, head):
    world.far.on("/new", reply("200 OK", news("item other")))
    world.feed(reply("200 OK", news("item", head=head.format(new=world.far.url("/new")))), every="2h")
    await world.days(3)
    assert world.asked("/new") == []
    assert world.titles == {"item"}
