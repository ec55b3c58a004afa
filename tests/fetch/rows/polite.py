"""A polite world: scripted servers, a clock that is moved by hand, and the real program between them.

A simulated day costs what its visits cost. The wire, the store, the parser and the scheduler are those of the daemon;
fakes stand for the far side, the clock and the resolver, and no visit takes simulated time.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from itertools import count, pairwise

from far_side import NOW, Decided, Far, Names, reply
from support.inline import Inline
from support.world import rss

from aggregator import app, config, schedule
from aggregator.fetch import Client, Limits

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GAP = timedelta(seconds=2)  # between two requests to one host


def news(*titles, head=""):
    """A document of these items."""
    body = rss(*((title, title, f"https://news.example/{title}", "") for title in titles))
    return body.replace(b"<title>World</title>", f"<title>World</title>{head}".encode(), 1)


def http_date(when):
    return when.strftime("%a, %d %b %Y %H:%M:%S GMT")


def is_about(gap, asked):
    """Never sooner than asked, and at most a tenth later."""
    return asked <= gap <= 1.1 * asked


class World:
    """Feeds, their servers, and the days of the program."""

    def __init__(self, folder):
        self.now = NOW
        self.far = Far(clock=lambda: self.now)
        self.names = Names()
        self.visits = []  # reports, oldest first
        self.polling = {}
        self.full_text = "never"
        self.network = {"allow_private_feeds": True, "ports": "any"}
        self.limits = Limits(total_s=5)
        self.contact = None
        self._readings = count()
        self.file = folder / "feeds.yaml"
        self._feeds = []
        self._open = AsyncExitStack()
        self._app = None

    # ------------------------------------------------------------ before

    def feed(self, *replies, path="/feed", host="127.0.0.1", name=None, **more):
        """List a feed whose server gives these replies in turn; the last one repeats."""
        if host != "127.0.0.1":
            self.names.knows(host, ["127.0.0.1"])
        self.far.on(path, *replies)
        url = more.pop("url", self.far.url(path, host))
        self._feeds.append({"url": url, "name": name or f"{host}{path}", **more})
        return self._feeds[-1]["name"]

    def outlet(self, *headers, every=HOUR, path="/feed", **more):
        """List a feed of a publisher in good order: an item each `every`, 304 for whoever has the newest document."""

        def answer(asked):
            number = int((self.now - NOW) / every)
            etag = f'"{number}"'
            if asked.one("If-None-Match") == etag.encode():
                return reply("304 Not Modified", b"", f"ETag: {etag}", *headers)
            titles = [f"item {path} {nth}" for nth in range(max(0, number - 29), number + 1)]
            return reply("200 OK", news(*titles), f"ETag: {etag}", *headers)

        return self.feed(Decided(answer), path=path, **more)

    # ------------------------------------------------------------ running

    async def start(self):
        """The program as it starts, also for the second time."""
        await self.stop()
        self.file.write_text(json.dumps({
            "settings": {
                "full_text": self.full_text, "polling": self.polling,
                "network": self.network | {"contact": self.contact},
            },
            "feeds": self._feeds,
            "watchlists": [{"name": "all", "keywords": ["item"]}],
        }))  # fmt: skip
        self._app = await self._open.enter_async_context(self._opened())

    @asynccontextmanager
    async def beside(self):
        """The work of a second program on the same database."""
        async with self._opened() as second:
            yield second.work

    async def stop(self):
        self._app = None
        await self._open.aclose()

    async def close(self):
        await self.stop()
        await self.far.close()

    async def poll(self, times=1):
        """The next visits, each at the time that it is due; the last one's report."""
        for _ in range(times):
            await self._started()
            self.now = max(self.now, self.store.next_due())
            while not await self.tick():
                self.now += GAP
        return self.visits[-1]

    async def wait(self, span):
        """So much time passes, and what is due in it is done when it is due."""
        await self._started()
        until = self.now + span
        while (due := self.store.next_due()) and max(due, self.now) <= until:
            self.now = max(self.now, due)
            if not await self.tick():
                self.now += GAP
        self.now = max(self.now, until)

    async def days(self, number):
        await self.wait(number * DAY)

    async def tick(self):
        """What the daemon does each second; how many visits that were, all brought to their end."""
        await self._started()
        started = await self._app.work.top_up_feeds()
        while self._app.work.running:
            await asyncio.wait(self._app.work.running)
        return started

    async def read(self):
        """The readings of pages that are due; how many, all brought to their end."""
        started = await self._app.work.top_up_articles()
        while self._app.work.running:
            await asyncio.wait(self._app.work.running)
        return started

    async def _started(self):
        if self._app is None:
            await self.start()

    def _opened(self):
        loaded = config.load(self.file)
        client = Client(
            loaded.settings.network,
            host_gap_s=0,
            resolver=self.names,
            limits=self.limits,
            clock=self._clock,
        )
        return app.opened(loaded, now=self._clock, client=client, senders={}, watching=self._watch)

    def _clock(self):
        """No two readings are the same, as in life: chance is drawn from them."""
        return self.now + timedelta(microseconds=next(self._readings) % 1000)

    def _watch(self, _kind, report):
        self.visits.append(report)

    # ------------------------------------------------------------ what came of it

    @property
    def store(self):
        return self._app.store

    @property
    def titles(self):
        """Of all items that were stored."""
        return {stored.item.title for stored in self.store.items(limit=10_000)}

    def state(self, name=None):
        """What is known of a feed."""
        return self.store.feeds(name=name)[0]

    def troubles(self, name=None):
        """What the operator is told of."""
        return {trouble.kind for trouble in self.state(name).troubles}

    def doubts(self, name=None):
        """What is odd about the feed's server, for people to look at."""
        row = self.store._one("SELECT history FROM feeds WHERE ? IS NULL OR name = ?", (name, name))
        return schedule.doubts(schedule.from_json(row["history"]), self.now)

    def asked(self, path="/feed"):
        """The requests for one path, in their order."""
        return [asked for asked in self.far.asked if asked.path == path]

    def gaps(self, path="/feed"):
        """The time between two requests for one path."""
        times = [asked.at for asked in self.asked(path)]
        return [later - earlier for earlier, later in pairwise(times)]


def parses():
    """How many documents were given to the parser so far."""
    return Inline.runs
