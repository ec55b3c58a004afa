# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
"""Cases of the polling core beside its rows: hosts that refuse, feeds that moved or stand twice in the list."""

import json
from datetime import timedelta
from itertools import pairwise

import pytest
from far_side import Decided, moved, reply
from polite import DAY, HOUR, news
from support.world import rss

pytestmark = pytest.mark.anyio
GOOD = reply("200 OK", news("item"))
BUSY = reply("429 Too Many Requests", b"", "Retry-After: 36000")


def of_one_host(world, first, *, host="papers.test", number=10):
    """Ten feeds of one host, the first of which answers so."""
    world.feed(first, GOOD, path="/0", host=host, name="0")
    for nth in range(1, number):
        world.feed(GOOD, path=f"/{nth}", host=host, name=f"{nth}")


@pytest.mark.parametrize(
    "refusal",
    [BUSY, reply("503 Busy", b"", "Retry-After: 36000"), moved("/busy", "302 Found")],
    ids=["429", "503", "sent on"],
)
async def test_R5_a_refusal_rests_every_feed_of_a_public_host_over_restarts_and_forced_fetches(world, refusal):
    world.far.on("/busy", BUSY)
    of_one_host(world, refusal)
    world.feed(GOOD, path="/other", host="other.test", name="other")
    await world.start()
    await world.tick()
    begun, asked = world.now, len(world.far.asked)
    await world.start()
    await world.wait(9 * HOUR)
    assert {request.path for request in world.far.asked[asked:]} == {"/other"}
    async with world.beside() as work:
        tally = await work.round([str(number) for number in range(10)])
    assert {(visit.outcome, visit.reason) for visit in tally.visits} == {("not_due", "not_before")}
    await world.wait(begun + 11 * HOUR - world.now)
    assert {request.path for request in world.far.asked[asked:]} >= {f"/{number}" for number in range(1, 10)}


async def test_R5_a_429_without_a_time_rests_the_host_four_hours(world):
    of_one_host(world, reply("429 Too Many Requests", b""))
    await world.start()
    await world.tick()
    await world.wait(4 * HOUR)
    assert len(world.far.asked) == 1
    await world.wait(HOUR)
    assert len(world.far.asked) >= 10


@pytest.mark.parametrize(
    ("host", "gateways"),
    [("127.0.0.1", []), ("rss", []), ("hub.test", ["www.HUB.test"])],
    ids=["loopback", "local", "gateway"],
)
async def test_R5_of_a_private_host_or_a_gateway_only_the_refused_feed_waits(world, host, gateways):
    world.polling = {"gateways": gateways}
    of_one_host(world, BUSY, host=host)
    await world.wait(HOUR)
    assert {request.path for request in world.far.asked} == {f"/{number}" for number in range(10)}
    assert len(world.asked("/0")) == 1


async def test_R5_a_503_without_a_time_is_a_fault_of_one_feed(world):
    of_one_host(world, reply("503 Busy", b""))
    await world.wait(HOUR)
    assert len({request.path for request in world.far.asked}) == 10


async def test_S13_two_addresses_of_one_document_are_fetched_once(world):
    world.outlet(name="one")
    world.feed(GOOD, path="/feed/", name="two")
    await world.days(2)
    assert {request.path for request in world.far.asked} == {"/feed"}
    assert (world.state("two").twin_of, world.state("one").twin_of) == ("one", None)
    async with world.beside() as work:
        tally = await work.round(["two"])
    assert [(visit.outcome, visit.reason) for visit in tally.visits] == [("not_due", "twin")]


async def test_S13_when_one_address_fails_the_other_stands_in_for_it_without_hurry(world):
    world.feed(reply("403 No", b""), name="one", every="15m")
    world.feed(GOOD, path="/feed/", name="two", every="15m")
    await world.days(1)
    times = [request.at for request in world.far.asked]
    assert [request.path for request in world.far.asked[:3]] == ["/feed", "/feed/", "/feed/"]
    assert times[1] - times[0] >= 4 * HOUR, "what the first address was told holds for the second"
    assert world.titles == {"item"}


async def test_D1_a_move_that_changes_its_mind_is_counted_anew(world):
    world.far.on("/a", GOOD)
    world.far.on("/b", GOOD)
    flips = Decided(lambda _: moved("/a" if world.now.hour % 4 < 2 else "/b", "301 Moved"))
    world.feed(flips, every="2h")
    await world.days(4)
    assert world.state().address is None


async def test_D1_two_polls_a_day_apart_are_not_enough(world):
    world.far.on("/new", GOOD)
    world.feed(moved("/new", "301 Moved"), every="25h")
    await world.days(1.2)
    assert world.state().address is None
    await world.days(2)
    assert world.state().address == world.far.url("/new")


async def test_D1_a_new_address_that_dies_is_given_up_for_the_listed_one(world):
    world.far.on("/new", GOOD)
    world.feed(moved("/new", "301 Moved"), every="2h")
    await world.days(3)
    world.far.now_on("/new", reply("404 Not Found", b""))
    world.far.now_on("/feed", reply("200 OK", news("item", "item at home")))
    world.far.asked.clear()
    await world.days(5)
    assert world.far.asked[-1].path == "/feed"
    assert world.titles == {"item", "item at home"}


async def test_D1_a_restart_with_another_list_forgets_no_move(world):
    world.far.on("/new", GOOD)
    world.feed(moved("/new", "301 Moved"), every="2h", name="one")
    await world.days(3)
    listed = world.file.read_text()
    world.feed(GOOD, path="/two", name="two")
    await world.start()
    world.far.asked.clear()
    await world.days(1)
    assert {request.path for request in world.far.asked} == {"/new", "/two"}
    assert json.loads(listed)["feeds"][0]["url"] == world.far.url(), "feeds.yaml is the operator's"


@pytest.mark.parametrize("away", [True, False])
async def test_D6_a_feed_that_moved_to_another_origin_takes_no_secret_along(world, away):
    world.names.knows("away.test", ["127.0.0.1"])
    world.far.on("/new", GOOD)
    target = world.far.url("/new", "away.test" if away else "127.0.0.1")
    world.feed(moved(target, "301 Moved"), every="2h", headers={"X-Key": "secret"})
    await world.days(3)
    assert world.state().address == target
    assert world.asked("/new")[-1].one("X-Key") == (None if away else b"secret")


async def test_D6_a_feed_with_a_login_in_its_address_stays_where_it_is_listed(world):
    world.far.on("/new", GOOD)
    world.feed(moved("/new", "301 Moved"), every="2h", url=f"http://me:secret@127.0.0.1:{world.far.port}/feed")
    await world.days(3)
    assert world.state().address is None
    assert {asked.one("Authorization") for asked in world.asked("/new")} == {b"Basic bWU6c2VjcmV0"}


async def test_V14_D47_a_server_that_hides_its_news_is_found_out(world):
    """It publishes each hour; from the third day on whoever sends validators gets a 304."""
    begun = world.now

    def answer(asked):
        hours = (world.now - begun) // HOUR
        known, etag = asked.one("If-None-Match"), f'"{min(hours, 72)}"'
        if known and (hours > 72 or known == etag.encode()):
            return reply("304 Not Modified", b"")
        return reply("200 OK", news(*(f"item {nth}" for nth in range(hours + 1))), f"ETag: {etag}")

    world.feed(Decided(answer))
    await world.days(10)
    bare = [asked.at for asked in world.asked() if asked.conditions == (None, None)]
    assert DAY <= bare[1] - begun - 3 * DAY <= 1.5 * DAY
    assert all(DAY <= later - earlier <= DAY + 7 * HOUR for earlier, later in pairwise(bare[1:]))
    assert len(world.titles) >= (world.now - begun - 1.5 * DAY) // HOUR


def spread(world, number, every="15m"):
    """Feeds of as many hosts."""
    for nth in range(number):
        world.feed(GOOD, path=f"/{nth}", host=f"site-{nth}.test", name=f"{nth}", every=every)


async def test_S14_when_the_network_is_down_no_feed_is_penalised(world):
    spread(world, 20)
    await world.wait(2 * HOUR)
    known = dict(world.names.known)
    world.names.known.clear()
    await world.wait(5 * HOUR)
    assert world.store.network_down_since() < world.now - 4 * HOUR
    assert {(feed.failures, feed.due_why) for feed in world.store.feeds()} == {(0, "network")}
    tries = len(world.names.asked)
    await world.wait(HOUR)
    assert len(world.names.asked) - tries <= 3 * 20, "an outage is no reason to try without end"
    world.names.known.update(known)
    world.far.asked.clear()
    await world.wait(timedelta(minutes=45))
    assert world.store.network_down_since() is None
    assert len({asked.path for asked in world.far.asked}) == 20
    first, last = world.far.asked[0].at, max(world.asked(f"/{nth}")[0].at for nth in range(20))
    assert last - first <= timedelta(minutes=5), "feeds wait although hosts answer again"


async def test_S14_what_failed_before_the_outage_keeps_its_wait(world):
    spread(world, 10, every="1h")
    world.feed(GOOD, url="http://dead.test/", name="dead")
    await world.days(3)
    before = world.state("dead")
    world.names.known.clear()
    await world.days(1.5)
    dead = world.state("dead")
    assert before.failures == dead.failures > 5
    assert dead.due_at - dead.visited_at >= 11 * HOUR


async def test_S14_dead_hosts_among_living_ones_are_penalised(world):
    spread(world, 20)
    for nth in range(60):
        world.feed(GOOD, url=f"http://dead-{nth}.test/", name=f"dead-{nth}")
    await world.wait(5 * HOUR)
    assert world.store.network_down_since() is None
    assert min(feed.failures for feed in world.store.feeds() if feed.name.startswith("dead")) >= 2


async def test_S14_four_hosts_prove_nothing(world):
    for nth in range(4):
        world.feed(GOOD, url=f"http://dead-{nth}.test/", name=f"dead-{nth}")
    await world.wait(5 * HOUR)
    assert world.store.network_down_since() is None


async def test_S14_a_host_of_the_own_network_that_answers_does_not_end_an_outage(world):
    spread(world, 20)
    world.feed(GOOD, path="/local", name="local", every="15m")
    await world.wait(HOUR)
    for name in list(world.names.known):
        del world.names.known[name]
    await world.wait(3 * HOUR)
    assert world.store.network_down_since() is not None
    assert world.state("local").outcome == "fetched"


async def test_S14_an_outage_of_days_is_no_trouble_of_any_feed(world):
    spread(world, 8, every="1h")
    await world.wait(2 * HOUR)
    known = dict(world.names.known)
    world.names.known.clear()
    await world.days(2)
    assert world.store.network_down_since() is not None
    assert world.store.troubles() == []
    world.names.known.update(known)
    await world.wait(2 * HOUR)
    assert (world.store.troubles(), world.store.network_down_since()) == ([], None)


async def test_S14_an_outage_is_known_after_a_restart(world):
    spread(world, 8)
    await world.wait(HOUR)
    world.names.known.clear()
    await world.wait(HOUR)
    since = world.store.network_down_since()
    await world.start()
    assert world.store.network_down_since() == since is not None


@pytest.mark.parametrize(("host", "asked"), [("papers.test", 2), ("127.0.0.1", 20)])
async def test_R5_a_refused_page_rests_the_other_pages_of_its_host_and_no_feed(world, host, asked):
    """The second page is refused: of a public host the other eighteen wait, and the feed is read on."""
    if host != "127.0.0.1":
        world.names.knows(host, ["127.0.0.1"])
    page = reply(
        "200 OK",
        b"<html><body><article>" + b"<p>It was read to the end by all of us.</p>" * 30,
        "Content-Type: text/html",
    )
    links = [world.far.on(f"/page/{nth}", BUSY if nth == 1 else page).replace("127.0.0.1", host) for nth in range(20)]
    document = rss(*((f"{nth}", f"item {nth}", link, "") for nth, link in enumerate(links)))
    world.polling = {"host_gap": "0s"}
    world.feed(reply("200 OK", document), host=host, full_text="always", every="1h")
    await world.poll()
    for _ in range(60):
        while await world.read():
            pass
        world.now += timedelta(minutes=5)
        await world.tick()
    assert len([request for request in world.far.asked if request.path.startswith("/page/")]) == asked
    assert len(world.asked("/feed")) >= 4
    world.far.now_on("/page/1", page)
    world.now += 6 * HOUR
    while await world.read():
        pass
    assert {stored.article_state for stored in world.store.items()} == {"read"}
