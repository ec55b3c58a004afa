"""A fault in our own code costs one unit of work, is shown, and is tried again: never in silence, never for ever."""

import asyncio

import pytest
from support.world import page, rss

from aggregator import app, config, ingest, sources


@pytest.fixture
def broken(monkeypatch):
    """Make one function of the program raise for what concerns one feed, item or message."""

    def breaks(owner, name, when):
        real = getattr(owner, name)

        async def raising(tools, unit):
            if when(unit):
                raise ZeroDivisionError
            return await real(tools, unit)

        monkeypatch.setattr(owner, name, raising)

    return breaks


def run_round(path):
    async def main():
        settings = config.load(path)
        async with app.opened(settings) as opened:
            tally = await opened.work.round([feed.name for feed in settings.feeds])
            feeds = {feed.name: feed for feed in opened.store.feeds()}
            return tally, feeds, opened.store.items(), opened.store.alerts()

    return asyncio.run(main())


def test_a_visit_that_breaks_down_is_a_failing_feed_and_its_neighbour_is_read(world, write_config, broken):
    world.pages |= {"/bad": rss(), "/good": rss(("1", "Taliban", world.url("/1"), ""))}
    broken(sources, "visit", lambda lease: lease.name == "bad")
    tally, feeds, _, _ = run_round(write_config({"bad": "/bad", "good": "/good"}))
    assert {visit.feed: visit.outcome for visit in tally.visits} == {"bad": "failed", "good": "fetched"}
    assert (feeds["bad"].reason, feeds["bad"].failures) == ("internal", 1)
    assert feeds["bad"].due_at > feeds["bad"].visited_at


def test_a_reading_that_breaks_down_is_tried_again_later(world, write_config, broken):
    world.pages |= {"/feed": rss(("1", "Taliban", world.url("/1"), "")), "/1": page("text")}
    broken(ingest, "read_article", lambda _lease: True)
    _, _, (stored,), _ = run_round(write_config({"one": "/feed"}, full_text="always"))
    assert (stored.article_state, stored.article_reason) == ("pending", "internal")


def test_a_delivery_that_breaks_down_goes_up_the_ladder(world, write_config, monkeypatch):
    class Raising:
        async def send(self, _message):
            raise ZeroDivisionError

        async def aclose(self):
            pass

    world.pages["/feed"] = rss(("1", "Taliban", world.url("/1"), ""))
    monkeypatch.setattr(app, "sender", lambda *_: Raising())
    tally, _, _, ((_, (owed,)),) = run_round(write_config({"one": "/feed"}))
    assert (tally.undelivered, owed.state, owed.attempts, owed.last_error) == (
        1,
        "due",
        1,
        "a fault of ours, see the log",
    )
