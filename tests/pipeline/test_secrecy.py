"""What others may learn of the watchlists from watching us: nothing."""

import asyncio
import io
import logging

import pytest
import structlog
from support.world import page, rss

from aggregator import app, config

WATCHED = ("amnesty", "relocation", "Taliban", "طالبان", "guiding")  # terms, and the name of a watchlist


@pytest.fixture
def log():
    """Everything that is logged, at every level."""
    written = io.StringIO()
    before = structlog.get_config()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.PrintLoggerFactory(written),
    )
    handler, root = logging.StreamHandler(written), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)
    structlog.configure(**before)


def run_round(path):
    async def main():
        loaded = config.load(path)
        async with app.opened(loaded) as opened:
            return await opened.work.round([feed.name for feed in loaded.feeds])

    return asyncio.run(main())


def test_no_watched_word_is_in_a_request_or_a_log(world, write_config, log):
    world.receives = lambda _name, _body: 500 if len(world.received) == 1 else 200
    world.pages["/feed"] = rss(
        ("1", "Taliban issue a decree", world.url("/p1"), "Short."), ("2", "طالبان در کابل", world.url("/p2"), "")
    )
    world.pages["/p1"] = page("It promises a general amnesty and speaks of relocation for families.")
    world.pages["/broken"] = b"<rss><channel><item><title>Taliban &#xD800; general amnesty"
    tally = run_round(write_config({"one": "/feed", "two": "/broken", "three": "/none"}, full_text="always"))
    assert tally.alerts >= 4, "nothing was found, so nothing could leak"
    requests = "\n".join(f"{path} {headers}" for path, headers in world.asked)
    told = log.getvalue()
    assert [event for event in ("visit", "article", "delivery") if f'"event": "{event}"' not in told] == []
    for word in WATCHED:
        assert word.casefold() not in requests.casefold()
        assert word.casefold() not in told.casefold()
    assert "Referer" not in requests


@pytest.mark.parametrize(
    ("full_text", "asked"), [("always", {"/hit", "/miss"}), ("never", set()), ("auto", {"/hit", "/miss"})]
)
def test_pages_are_asked_for_whether_or_not_an_item_is_of_interest(world, write_config, full_text, asked):
    world.pages["/feed"] = rss(
        ("1", "Taliban", world.url("/hit"), "Short."), ("2", "Rain", world.url("/miss"), "Short.")
    )
    world.pages |= {"/hit": page("A decree."), "/miss": page("It rained.")}
    tally = run_round(write_config({"one": "/feed"}, full_text=full_text))
    assert tally.alerts == 1
    assert {path for path, _ in world.asked} & {"/hit", "/miss"} == asked
