"""From bytes on the wire to an alert in somebody's hands, through the real program."""

import asyncio
import json
from dataclasses import replace

import pytest
from support.world import page, rss

from aggregator import app, config


def run_round(path, names=None):
    async def main():
        settings = config.load(path)
        async with app.opened(settings) as opened:
            return await opened.work.round(names or [feed.name for feed in settings.feeds])

    return asyncio.run(main())


def told(world):
    return sorted(
        (body["data"]["watchlist"], body["type"], tuple(sorted({term["term"] for term in body["data"]["terms"]})))
        for _, body in world.received
    )


def test_the_guiding_case_a_headline_says_taliban_and_the_article_says_the_rest(world, write_config):
    link = world.url("/article")
    world.pages["/feed"] = rss(("1", "Taliban issue a decree", link, "Short."))
    world.pages["/article"] = page("It promises a general amnesty and speaks of relocation for families.")
    tally = run_round(write_config({"one": "/feed"}, full_text="auto"))
    assert told(world) == [
        ("any", "alert.created", ("taliban",)),
        ("any", "alert.updated", ("general amnesty", "relocation")),
        ("guiding", "alert.created", ("amnesty", "relocation", "taliban")),
    ]
    assert (tally.alerts, tally.sent, tally.undelivered) == (3, 3, 0)


def test_a_second_round_asks_with_validators_and_tells_nothing_again(world, write_config):
    world.pages["/feed"] = (200, {"ETag": '"v1"'}, rss(("1", "Taliban and a general amnesty", world.url("/1"), "")))
    path = write_config({"one": "/feed"})
    run_round(path)
    before = len(world.received)
    tally = run_round(path)
    assert [visit.outcome for visit in tally.visits] == ["not_modified"]
    assert world.asked[-1][1]["If-None-Match"] == '"v1"'
    assert len(world.received) == before


def test_one_broken_feed_costs_the_others_nothing(world, write_config):
    good = rss(("1", "Taliban and a general amnesty", world.url("/1"), ""))
    world.pages |= {"/good": good, "/html": b"<html><body>Please log in</body></html>", "/500": (500, {}, b"")}
    tally = run_round(write_config({"html": "/html", "error": "/500", "missing": "/none", "good": "/good"}))
    outcomes = {visit.feed: (visit.outcome, visit.reason) for visit in tally.visits}
    assert outcomes == {
        "html": ("failed", "not_a_feed"),
        "error": ("failed", "server_error"),
        "missing": ("failed", "not_found"),
        "good": ("fetched", None),
    }
    assert len(world.received) == 2


def test_validators_of_a_document_that_cannot_be_read_are_not_kept(world, write_config):
    world.pages["/feed"] = (200, {"ETag": '"bad"'}, b"<html>maintenance</html>")
    path = write_config({"one": "/feed"})
    run_round(path)
    world.pages["/feed"] = (200, {"ETag": '"bad"'}, rss(("1", "Taliban", world.url("/1"), "")))
    tally = run_round(path)
    assert tally.visits[0].new == 1


def test_a_feed_that_turns_empty_is_suspicious_and_its_items_stay(world, write_config):
    world.pages["/feed"] = rss(("1", "Taliban", world.url("/1"), ""))
    path = write_config({"one": "/feed"})
    run_round(path)
    world.pages["/feed"] = rss()
    tally = run_round(path)
    assert (tally.visits[0].outcome, tally.visits[0].reason) == ("failed", "suspicious_empty")


def test_robots_txt_keeps_us_from_the_page_and_the_feed_text_stays(world, write_config):
    world.pages["/robots.txt"] = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /private/")
    world.pages["/feed"] = rss(("1", "Taliban decree", world.url("/private/1"), "Short."))
    world.pages["/private/1"] = page("general amnesty")
    path = write_config({"one": "/feed"}, full_text="always")
    run_round(path)
    assert "/private/1" not in [asked for asked, _ in world.asked]
    with app.Store.open_to_read(config.load(path).settings.database) as store:
        (stored,) = store.items()
        assert (stored.article_reason, stored.item.title) == ("robots", "Taliban decree")


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
def test_a_refused_delivery_is_owed_again_and_keeps_its_id(world, write_config, status):
    world.receives = lambda _name, _body: status
    world.pages["/feed"] = rss(("1", "Taliban", world.url("/1"), ""))
    path = write_config({"one": "/feed"})
    tally = run_round(path)
    assert (tally.sent, tally.undelivered) == (0, 1)
    with app.Store.open_to_read(config.load(path).settings.database) as store:
        ((_, (owed,)),) = store.alerts()
        assert (owed.state, owed.attempts) == ("due", 1)


def test_an_entry_that_a_cut_went_through_comes_once_and_whole(world, write_config):
    whole = rss(
        ("1", "Taliban meet elders", world.url("/1"), ""), ("2", "Taliban execute two men", world.url("/2"), "text")
    )
    at = whole.index(b"Taliban execute two") + len(b"Taliban execute two")
    world.pages["/feed"] = (200, {"Content-Length": str(len(whole) + 500)}, whole[:at])
    path = write_config({"one": "/feed"})
    tally = run_round(path)
    assert [(visit.outcome, visit.reason, visit.new) for visit in tally.visits] == [("failed", "truncated", 1)]
    world.pages["/feed"] = whole
    assert run_round(path).visits[0].new == 1
    assert len(told(world)) == 2


def test_half_a_surrogate_pair_costs_its_own_entry_alone(world, write_config):
    entries = [{"id": "1", "title": "Taliban one"}, {"id": "\ud800", "title": "Taliban two"}]
    world.pages["/feed"] = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": entries}).encode()
    report = run_round(write_config({"one": "/feed"})).visits[0]
    assert report.outcome == "fetched"
    assert report.new + report.rejected == 2
    assert ("any", "alert.created", ("taliban",)) in told(world)


def test_a_feed_that_only_the_store_knows_is_read_with_plain_settings(world, write_config):
    """Another process listed it since this one read feeds.yaml."""
    world.pages["/feed"] = rss(("1", "Taliban", world.url("/1"), ""))
    path = write_config({"new name": "/feed"})

    async def main():
        settings = config.load(path)
        async with app.opened(replace(settings, feeds=())) as opened:
            opened.store.sync_feeds(settings.feeds, opened.now())
            return await opened.work.round(["new name"])

    assert asyncio.run(main()).visits[0].new == 1
