# ruff: noqa: N802 - tests are named after the rows of the conformance table
"""Rows D of the conformance table and cases D02, D06, D08-D11: redirects, and what must not travel along."""

import pytest
from far_side import FEED, Far, moved, poll, reply

from aggregator.fetch import Client
from aggregator.model import Failed, Fetched, NotModified, Reason
from aggregator.settings import Network

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("status", ["301 Moved", "308 Moved"])
async def test_D1_a_permanent_redirect_is_followed_and_told(far, client, status):
    target = far.on("/new", reply())
    outcome = await poll(client, far.on("/old", moved("/new", status)))
    assert isinstance(outcome, Fetched)
    assert outcome.url == outcome.moved_to == target


@pytest.mark.parametrize("status", ["302 Found", "303 See", "307 Temporary"])
async def test_D2_a_temporary_redirect_is_followed_and_moves_nothing(far, client, status):
    target = far.on("/new", reply())
    outcome = await poll(client, far.on("/old", moved("/new", status)))
    assert outcome.url == target
    assert outcome.moved_to is None


async def test_D3_only_the_leading_permanent_redirects_move_a_feed(far, client):
    far.on("/1", moved("/2", "301 Moved"))
    far.on("/2", moved("/3", "308 Moved"))
    far.on("/3", moved("/4", "302 Found"))
    far.on("/4", moved("/5", "301 Moved"))
    far.on("/5", reply())
    outcome = await poll(client, far.url("/1"))
    assert (outcome.url, outcome.moved_to) == (far.url("/5"), far.url("/3"))


async def test_D1_a_move_is_told_on_a_304_too(far, client):
    url = far.on("/old", moved("/new", "301 Moved"))
    far.on("/new", reply("200 OK", FEED, 'ETag: "1"'), reply("304 Not Modified", b""))
    outcome = await poll(client, url, await poll(client, url))
    assert isinstance(outcome, NotModified)
    assert outcome.moved_to == far.url("/new")


async def test_D5_D08_a_loop_ends(far, client):
    far.on("/a", moved("/b"))
    far.on("/b", moved("/a"))
    outcome = await poll(client, far.url("/a"))
    assert outcome.reason is Reason.REDIRECT_LOOP
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
        ("", Reason.REDIRECT_BAD),
    ],
)
async def test_D5_D06_D9_bad_targets_are_refused(far, client, location, reason):
    outcome = await poll(client, far.on("/feed", moved(location)))
    assert isinstance(outcome, Failed)
    assert outcome.reason is reason


@pytest.mark.parametrize("status", ["300 Choices", "305 Proxy", "306 Unused"])
async def test_D9_other_redirects_are_faults(far, client, status):
    outcome = await poll(client, far.on("/feed", moved("/new", status)))
    assert outcome.reason is Reason.REDIRECT_BAD
    assert len(far.asked) == 1


async def test_D5_D11_https_never_becomes_http(names, authority, other):
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


async def test_D6_D09_D10_credentials_stay_at_the_configured_origin(far, other, client):
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
    assert not any(asked.one(name) for asked in (first, back, away) for name in ("Cookie", "Referer"))


async def test_D6_user_and_password_in_a_redirect_are_dropped(far, other, client):
    other.on("/feed", reply())
    url = far.on("/feed", moved(f"http://eve:trap@127.0.0.1:{other.port}/feed", "301 Moved"))
    outcome = await poll(client, url)
    assert other.asked[0].one("Authorization") is None
    assert "eve" not in outcome.url + outcome.moved_to


async def test_D02_a_redirect_to_loopback_is_blocked_at_its_hop(far, other, names):
    """The first hop is reached through a private-network exception made for it alone."""
    names.knows("public.test", ["127.0.0.1"])
    other.on("/feed", reply())
    url = far.on("/feed", moved("http://[::ffff:169.254.169.254]/latest"))
    open_client = Client(Network(allow_private_feeds=True, ports=None), host_gap_s=0, resolver=names)
    outcome = await poll(open_client, url)
    assert outcome.reason is Reason.BLOCKED_ADDRESS
    assert "cloud metadata" in outcome.detail


async def test_relative_and_unescaped_locations_are_understood(far, client):
    far.on("/a/feed", moved("../b/خبر?q=\u06a9"))
    far.on("/b/%D8%AE%D8%A8%D8%B1?q=%DA%A9", reply())
    assert isinstance(await poll(client, far.url("/a/feed")), Fetched)
