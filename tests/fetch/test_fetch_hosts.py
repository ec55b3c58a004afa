# ruff: noqa: N802 - tests are named after the rows of the conformance table
"""Rows S9, S12 and X9 of the conformance table: a host is visited by one at a time, with a pause, and none starves."""

import asyncio

import pytest
from far_side import moved, page, poll, reply

from aggregator.fetch import Client, Limits
from aggregator.fetch.hosts import Hosts
from aggregator.model import Fetched, Reason, Request
from aggregator.settings import Network

pytestmark = pytest.mark.anyio
GAP_S = 0.05


class Crowd:
    """A far side that notes who is inside and when each one came and went."""

    def __init__(self, stay_s=0.02):
        self.inside = self.most = 0
        self.spans = []
        self._stay_s = stay_s

    async def __call__(self, _reader, writer):
        loop = asyncio.get_running_loop()
        came = loop.time()
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.sleep(self._stay_s)
        self.inside -= 1
        self.spans.append((came, loop.time()))
        writer.write(reply())


def polite(names, per_host=1, gap_s=GAP_S, total_s=5.0, turn_s=30.0):
    return Client(
        Network(allow_private_feeds=True, ports=None),
        per_host=per_host,
        host_gap_s=gap_s,
        resolver=names,
        limits=Limits(total_s=total_s, turn_s=turn_s),
    )


async def test_S9_S12_one_in_flight_and_a_pause_between(far, names):
    crowd = Crowd()
    made = polite(names)
    urls = [far.on(f"/{number}", crowd) for number in range(6)]
    outcomes = await asyncio.gather(*(poll(made, url) for url in urls))
    assert all(isinstance(outcome, Fetched) for outcome in outcomes)
    assert crowd.most == 1
    pauses = [later[0] - earlier[1] for earlier, later in zip(crowd.spans, crowd.spans[1:], strict=False)]
    assert min(pauses) >= GAP_S - 0.005


async def test_S12_a_crowded_host_delays_no_other(far, names):
    made = polite(names, gap_s=10)
    names.knows("quiet.test", ["127.0.0.1"])
    crowded = [asyncio.create_task(poll(made, far.on(f"/{number}", reply()))) for number in range(5)]
    await asyncio.sleep(0.05)
    outcome = await asyncio.wait_for(poll(made, far.url("/0", host="quiet.test")), 1)
    for task in crowded:
        task.cancel()
    await asyncio.gather(*crowded, return_exceptions=True)
    assert isinstance(outcome, Fetched)


async def test_waiting_for_a_turn_is_not_counted_against_the_deadline(far, names):
    made = polite(names, gap_s=0.2, total_s=0.3)
    outcomes = await asyncio.gather(*(poll(made, far.on(f"/{number}", reply())) for number in range(5)))
    assert all(isinstance(outcome, Fetched) for outcome in outcomes)


async def test_64_feeds_that_lead_to_one_host_all_end_in_time_and_hold_up_no_other(far, other, names):
    """Each waits for its turn with a lease and a place in hand; without a bound the last waits for minutes."""
    crowd = Crowd(stay_s=0)
    other.on("/end", crowd)
    for number in range(64):
        names.knows(f"{number}.test", ["127.0.0.1"])
        far.on(f"/{number}", moved(other.url("/end")))
    names.knows("quiet.test", ["127.0.0.1"])
    far.on("/quiet", reply())
    made = polite(names, gap_s=0.1, turn_s=1)
    began = asyncio.get_running_loop().time()
    led = [asyncio.create_task(poll(made, far.url(f"/{number}", f"{number}.test"))) for number in range(64)]
    assert isinstance(await poll(made, far.url("/quiet", "quiet.test")), Fetched)
    outcomes = await asyncio.gather(*led)
    assert asyncio.get_running_loop().time() - began < 4
    read = [outcome for outcome in outcomes if isinstance(outcome, Fetched)]
    assert 5 <= len(read) <= 12
    assert {outcome.reason for outcome in outcomes if outcome not in read} == {Reason.BUSY}
    assert len(other.asked) == len(read)  # who gave up asked nothing
    assert crowd.most == 1
    assert isinstance(await poll(made, other.url("/end")), Fetched)  # and left its place to the next


async def test_more_in_flight_when_the_operator_says_so(far, names):
    crowd = Crowd(0.05)
    made = polite(names, per_host=3, gap_s=0)
    await asyncio.gather(*(poll(made, far.on(f"/{number}", crowd)) for number in range(9)))
    assert crowd.most == 3


async def test_with_and_without_www_are_one_host(far, names):
    crowd = Crowd()
    names.knows("site.test", ["127.0.0.1"])
    names.knows("www.site.test", ["127.0.0.1"])
    made = polite(names)
    far.on("/feed", crowd)
    await asyncio.gather(*(poll(made, far.url(host=host)) for host in ("site.test", "www.site.test")))
    assert crowd.most == 1


async def test_redirects_across_two_hosts_do_not_block_each_other(far, other, names):
    names.knows("a.test", ["127.0.0.1"])
    names.knows("b.test", ["127.0.0.1"])
    far.on("/from-a", moved(f"http://b.test:{other.port}/end"))
    other.on("/from-b", moved(f"http://a.test:{far.port}/end"))
    far.on("/end", reply())
    other.on("/end", reply())
    made = polite(names)
    outcomes = await asyncio.wait_for(
        asyncio.gather(poll(made, far.url("/from-a", "a.test")), poll(made, other.url("/from-b", "b.test"))), 3
    )
    assert all(isinstance(outcome, Fetched) for outcome in outcomes)


async def test_pages_and_robots_share_the_host_with_feeds(far, names):
    crowd = Crowd()
    made = polite(names)
    for path in ("/robots.txt", "/page", "/feed"):
        far.on(path, crowd)
    await asyncio.gather(made.get(page(far.url("/page"))), made.get(Request(url=far.url("/feed"))))
    assert crowd.most == 1
    assert len(crowd.spans) == 3


async def test_a_redirect_within_a_host_is_one_visit(far, names):
    far.on("/old", moved("/new"))
    far.on("/new", reply())
    outcome = await asyncio.wait_for(poll(polite(names, gap_s=10), far.url("/old")), 2)
    assert isinstance(outcome, Fetched)


async def test_giving_up_in_the_pause_gives_the_turn_back():
    hosts = Hosts(per_host=1, gap_s=0.1)
    await hosts.enter("a.test")
    hosts.leave("a.test")
    pausing = asyncio.create_task(hosts.enter("a.test"))
    await asyncio.sleep(0.01)
    pausing.cancel()
    await asyncio.gather(pausing, return_exceptions=True)
    await asyncio.wait_for(hosts.enter("a.test"), 1)


async def test_a_visitor_who_gives_up_leaves_no_trace():
    hosts = Hosts(per_host=1, gap_s=0.01)
    await hosts.enter("a.test")
    late = asyncio.create_task(hosts.enter("a.test"))
    await asyncio.sleep(0)
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    hosts.leave("a.test")
    await asyncio.wait_for(hosts.enter("a.test"), 1)
    hosts.leave("a.test")


async def test_hosts_are_forgotten_when_nobody_waits():
    hosts = Hosts(per_host=1, gap_s=0)
    for number in range(5000):
        async with hosts.visitor() as visitor:
            await visitor.at(f"{number}.test")
    assert len(hosts._doors) < 2000
