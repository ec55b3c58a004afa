# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
"""Rows S: nobody is asked before the time that was agreed, however that was said."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from far_side import NOW, reply
from polite import DAY, GAP, HOUR, MINUTE, http_date, is_about, news

from aggregator.model import Doubt, History, Observation, Pace
from aggregator.schedule import next_due
from aggregator.settings import Polling

pytestmark = pytest.mark.anyio
OURS = 15 * MINUTE  # how often these feeds are asked when their server says nothing


async def first_gap(world, *headers, status="200 OK"):
    """How long a feed with `every: 15m` is left alone after an answer with these headers."""
    world.feed(reply(status, news("item"), *headers), every="15m")
    await world.poll(2)
    return world.gaps()[0]


async def test_S1_max_age_is_waited_out_also_over_a_restart(world):
    world.outlet("Cache-Control: max-age=43200", every=MINUTE)
    await world.poll()
    await world.start()
    await world.days(5)
    assert len(world.gaps()) >= 9
    assert all(12 * HOUR <= gap <= 12.5 * HOUR for gap in world.gaps())


@pytest.mark.parametrize(
    ("lines", "asked_s"),
    [
        (["s-maxage=60, max-age=7200"], 7200),
        (["s-maxage=7200"], None),
        (['public , MAX-AGE="7200"'], 7200),
        (["max-age=7200, max-age=60"], 7200),
        (["public", "max-age = 7200"], 7200),
        (['private="set-cookie, max-age=5", max-age=7200'], 7200),
        (["max-age=soon"], None),
        (["max-age=-7200"], None),
        (["max-age=7200.5"], None),
        (["xmax-age=7200"], None),
    ],
)
async def test_S2_cache_control_is_read_in_every_spelling(world, lines, asked_s):
    gap = await first_gap(world, *(f"Cache-Control: {line}" for line in lines))
    assert is_about(gap, timedelta(seconds=asked_s) if asked_s else OURS)


@pytest.mark.parametrize(("age", "asked_s"), [("600", 6600), ("9000", None), ("old", 7200)])
async def test_S3_age_is_taken_off(world, age, asked_s):
    gap = await first_gap(world, "Cache-Control: max-age=7200", f"Age: {age}")
    assert is_about(gap, timedelta(seconds=asked_s) if asked_s else OURS)


@pytest.mark.parametrize(
    ("expires", "date", "asked"),
    [
        (http_date(NOW + 2 * HOUR), http_date(NOW), 2 * HOUR),
        (http_date(NOW + 5 * HOUR), http_date(NOW + 3 * HOUR), 2 * HOUR),  # by the server's own clock
        ("0", http_date(NOW), OURS),
        (http_date(NOW - HOUR), http_date(NOW), OURS),
        ("soon", http_date(NOW), OURS),
    ],
)
async def test_S4_expires_is_read_against_date(world, expires, date, asked):
    assert is_about(await first_gap(world, f"Expires: {expires}", f"Date: {date}"), asked)


@pytest.mark.parametrize("said", ["no-store", "no-cache", "max-age=0", "no-cache, max-age=60"])
async def test_S5_what_is_not_cacheable_is_asked_no_sooner_than_our_floor(world, said):
    world.polling = {"cost": 1}  # a poll is worth next to nothing: only the floor holds us back
    world.outlet(f"Cache-Control: {said}", every=MINUTE)
    await world.wait(3 * HOUR)
    assert len(world.gaps()) > 9
    assert all(is_about(gap, OURS) for gap in world.gaps())


async def test_S6_a_year_of_freshness_is_a_day(world):
    assert await first_gap(world, "Cache-Control: max-age=31536000") == DAY
    assert world.state().due_why == "max_age"
    assert world.doubts() == (Doubt.MAX_AGE_CAPPED,)


async def test_S7_a_304_may_say_another_max_age(world):
    world.feed(
        reply("200 OK", news("item"), 'ETag: "1"'), reply("304 Not Modified", b"", "Cache-Control: max-age=7200"),
        reply("304 Not Modified", b"", "Cache-Control: max-age=14400"), every="15m",
    )  # fmt: skip
    await world.poll(4)
    assert all(is_about(gap, asked) for gap, asked in zip(world.gaps(), (OURS, 2 * HOUR, 4 * HOUR), strict=True))


SY = '<sy:{0} xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">{1}</sy:{0}>'


@pytest.mark.parametrize(
    ("head", "asked"),
    [
        ("<ttl>240</ttl>", 4 * HOUR),
        ("<ttl>5</ttl>", OURS),
        ("<ttl>soon</ttl>", OURS),
        (SY.format("updatePeriod", "daily") + SY.format("updateFrequency", "4"), 6 * HOUR),
        (SY.format("updatePeriod", "hourly") + SY.format("updateFrequency", "60"), OURS),
    ],
)
async def test_S8_a_document_may_ask_for_a_slower_pace(world, head, asked):
    world.feed(reply("200 OK", news("item", head=head)), every="15m")
    await world.poll(3)
    assert all(is_about(gap, asked) for gap in world.gaps())


async def test_S8_a_ttl_of_a_month_is_a_day(world):
    world.feed(reply("200 OK", news("item", head="<ttl>43200</ttl>")), every="15m")
    await world.poll(2)
    assert world.gaps() == [DAY]
    assert world.doubts() == (Doubt.TTL_CAPPED,)


@pytest.mark.parametrize(
    ("head", "hours", "days"),
    [
        (
            "<skipHours>" + "".join(f"<hour>{hour}</hour>" for hour in (22, 23, 0, 1, 2)) + "</skipHours>",
            range(3, 22),
            range(7),
        ),
        ("<skipDays><day>Sunday</day></skipDays>", range(24), range(6)),
    ],
    ids=["hours", "days"],
)
async def test_S8_hours_and_days_to_skip_are_skipped_in_gmt(world, head, hours, days):
    world.feed(reply("200 OK", news("item", head=head), 'ETag: "1"'), reply("304 Not Modified", b""), every="1h")
    await world.days(14)
    times = [asked.at for asked in world.asked()]
    assert {at.hour for at in times} == set(hours)
    assert {at.weekday() for at in times} == set(days)


async def seconds(world, number):
    """The daemon's ticks of so many seconds."""
    for _ in range(number):
        await world.tick()
        world.now += timedelta(seconds=1)


async def test_S9_a_thousand_due_feeds_are_no_burst(world):
    hosts = [f"site-{number}.test" for number in range(200)]
    for number in range(1000):
        world.feed(reply("200 OK", news(f"item {number}")), path=f"/{number}", host=hosts[number // 5])
    await world.start()
    world.now += 30 * DAY
    await seconds(world, 30)
    assert len(world.far.asked) == 1000
    assert max(Counter(asked.at for asked in world.far.asked).values()) <= Polling().concurrency
    for host in hosts:
        times = [asked.at for asked in world.far.asked if asked.one("Host").startswith(f"{host}:".encode())]
        assert all(later - earlier >= GAP for earlier, later in pairwise(times)), host


@pytest.mark.parametrize("every", [None, HOUR])
def test_S10_equal_feeds_do_not_march_in_step(every):
    """A thousand feeds, all visited in one second: a day later no minute has far more than its share."""
    minutes, pace = Counter(), Pace(polling=Polling(), every=every)
    for number in range(1000):
        now, history = NOW + timedelta(milliseconds=number), History()
        while now < NOW + 2 * DAY:
            due = next_due(history, Observation(entries=10), now, pace)
            history, now = due.history, due.at
            if now > NOW + DAY:
                minutes[now.minute] += 1
    mean = sum(minutes.values()) / 60
    assert max(minutes.values()) < 2 * mean
    assert minutes[0] < 1.5 * mean


@pytest.mark.parametrize("jump", [-HOUR, -3 * DAY, -400 * DAY, DAY], ids=str)
async def test_S11_a_clock_that_jumps_makes_no_storm_and_no_silence(world, jump):
    for number in range(20):
        world.outlet(path=f"/{number}", host=f"site-{number}.test", every=20 * MINUTE)
    await world.wait(5 * HOUR)
    before = len(world.far.asked)
    world.now += jump
    await world.start()
    await seconds(world, 5)
    assert len(world.far.asked) - before <= 20, "a storm"
    world.far.asked.clear()
    await world.wait(6 * HOUR)
    assert all(len(world.asked(f"/{number}")) >= 3 for number in range(20)), "silence"
    assert all(gap >= OURS for number in range(20) for gap in world.gaps(f"/{number}"))


async def test_S12_twenty_feeds_of_one_host_go_one_at_a_time_and_hold_up_no_other(world):
    for number in range(20):
        world.feed(reply("200 OK", news(f"item {number}")), path=f"/{number}", host="crowded.test")
    world.feed(reply("200 OK", news("item")), path="/quiet", host="quiet.test")
    await world.start()
    await seconds(world, 60)
    times = [asked.at for asked in world.far.asked if asked.path != "/quiet"]
    assert len(times) == 20
    assert all(later - earlier >= GAP for earlier, later in pairwise(times))
    assert [asked.at for asked in world.asked("/quiet")] == [NOW]


async def test_S13_twins_of_one_feed_are_fetched_once(world):
    world.names.knows("site.test", ["127.0.0.1"])
    for number, url in enumerate(
        ("http://site.test:{0}/feed", "http://site.test:{0}/feed/", "https://site.test:{0}/feed")
    ):
        world.feed(url=url.format(world.far.port), name=f"twin {number}", every="1h")
    world.far.now_on("/feed", reply("200 OK", news("item")))
    await world.days(1)
    assert 20 <= len(world.asked()) == len(world.far.asked) <= 25
    assert len(world.store.alerts()) == 1


async def test_S14_a_failing_feed_is_asked_ever_more_rarely_by_chance_and_at_least_daily(world):
    for number in range(20):
        world.feed(reply("500 Oops", b""), path=f"/{number}", host=f"site-{number}.test")
    await world.days(6)
    for number in range(20):
        gaps = world.gaps(f"/{number}")
        assert all(OURS * 2**nth <= gap <= 2.2 * OURS * 2**nth for nth, gap in enumerate(gaps[:5]))
        assert max(gaps) <= DAY
    second = {world.asked(f"/{number}")[1].at.replace(second=0, microsecond=0) for number in range(20)}
    assert len(second) >= 8, "feeds that fell together rise together"
