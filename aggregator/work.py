"""Bounded sets of running units of work: what a tick tops up, and what a one-off round drains.

A crew never waits for its slowest unit before it takes the next one, so a dead host delays nobody else.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from aggregator import backfill, ingest, outbox, sources
from aggregator.errors import LeaseLost, StoreError
from aggregator.ingest import Tools
from aggregator.model import ArticleLease, FeedLease, Message, NotDelivered, Receipt, VisitReport
from aggregator.outbox import Post

PER_CHANNEL = 8  # messages in hand at once; one hanging receiver cannot take another channel's place
STEP_S = 0.2  # how often a round looks whether a resting host is free again

log = structlog.get_logger()
Unit = Callable[[], Awaitable[object]]


@dataclass
class Tally:
    """What all units came to."""

    visits: list[VisitReport] = field(default_factory=list)
    alerts: int = 0
    sent: int = 0
    undelivered: int = 0


class Crew:
    """Up to `limit` units at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.running: set[asyncio.Task[None]] = set()

    @property
    def free(self) -> int:
        """How many more units may start; 0 until a quarter is free, so that claims come in batches."""
        free = self._limit - len(self.running)
        return free if free >= max(1, self._limit // 4) else 0

    def start(self, name: str, unit: Unit, broke: Unit) -> None:
        """Run one unit in the background; `broke` records what no unit should do, raise."""
        task = asyncio.create_task(_guarded(name, unit, broke))
        self.running.add(task)
        task.add_done_callback(self.running.discard)


async def _guarded(name: str, unit: Unit, broke: Unit) -> None:
    """The one place that catches everything: a unit that raises is logged, recorded as failed, and tried again.

    When not even that can be stored, its lease runs out and it is due again.
    """
    try:
        try:
            await unit()
        except (LeaseLost, StoreError):
            raise
        except Exception:
            log.exception("unit_failed", unit=name)
            await broke()
    except LeaseLost:
        log.warning("lease_lost", unit=name)
    except StoreError as error:
        log.error("unit_not_stored", unit=name, error=str(error))  # noqa: TRY400 - the store's own words say it all


class Work:
    """Visits, readings and deliveries in hand. Every unit is leased from the store, so several may run side by side."""

    def __init__(self, tools: Tools, post: Post, bundling: Iterable[str], watch: Callable[[str, Any], None]) -> None:
        polling = tools.settings.polling
        self._tools = tools
        self._post = post
        self._bundling = frozenset(bundling)  # channels where a crowd of alerts becomes one message
        self._watch = watch  # told of each unit that ended, for a progress bar
        self._feeds = Crew(polling.concurrency)
        self._articles = Crew(polling.concurrency)
        self._in_hand: set[str] = set()  # messages
        self._channels = {channel: Crew(PER_CHANNEL) for channel in post.senders}
        self.tally = Tally()

    @property
    def running(self) -> set[asyncio.Task[None]]:
        """All units in hand."""
        crews = (self._feeds, self._articles, *self._channels.values())
        return set().union(*(crew.running for crew in crews))

    async def top_up_feeds(self) -> int:
        """Start visits to due feeds while there is room; how many."""
        if not self._feeds.free:
            return 0
        leases = await self._tools.write(
            self._tools.store.claim_feeds, self._tools.now(), self._feeds.free, _token(),
            per_host=self._tools.settings.polling.per_host,
        )  # fmt: skip
        return self._start_visits(leases)

    async def top_up_named(self, names: Iterable[str]) -> set[str]:
        """Start visits to these feeds, due or not, while there is room; which were started."""
        if not self._feeds.free:
            return set()
        leases = await self._tools.write(
            self._tools.store.claim_named, self._tools.now(), list(names), self._feeds.free, _token(),
            per_host=self._tools.settings.polling.per_host,
        )  # fmt: skip
        self._start_visits(leases)
        return {lease.name for lease in leases}

    def _start_visits(self, leases: Iterable[FeedLease]) -> int:
        started = 0
        for lease in leases:
            self._feeds.start(f"visit {lease.name}", partial(self._visit, lease), partial(self._visit_broke, lease))
            started += 1
        return started

    async def top_up_articles(self) -> int:
        """Start readings of due pages while there is room; how many."""
        if not self._articles.free:
            return 0
        leases = await self._tools.write(
            self._tools.store.claim_articles, self._tools.now(), self._articles.free, _token(),
            per_host=self._tools.settings.polling.per_host,
        )  # fmt: skip
        for lease in leases:
            broke = partial(ingest.reading_broke, self._tools, lease)
            self._articles.start(f"article {lease.item}", partial(self._read, lease), broke)
        return len(leases)

    async def top_up_messages(self) -> int:
        """Start sending what is due on each channel while that channel has room; how many."""
        started = 0
        for channel, crew in self._channels.items():
            if not crew.free:
                continue
            bundles = channel in self._bundling
            for message in await outbox.claim(self._post, channel, crew.free, _token(), bundles=bundles):
                if message.id in self._in_hand:
                    continue  # still being sent: the claim only renewed its lease
                self._in_hand.add(message.id)
                broke = partial(self._send_broke, message)
                crew.start(f"message {message.id}", partial(self._send, message), broke)
                started += 1
        return started

    async def round(self, names: Iterable[str]) -> Tally:
        """Visit these feeds once, read the articles and make the deliveries that are due, then come to rest.

        A feed that another process has in hand, or whose server asked for a pause, is reported as not due.
        """
        left = list(dict.fromkeys(names))
        began = self._tools.now()
        while True:
            if left:
                started = await self.top_up_named(left)
                left = [name for name in left if name not in started]
                refused = await self._tools.write(self._tools.store.not_claimable, left, self._tools.now(), began)
                self.tally.visits += [VisitReport(feed=name, outcome="not_due", reason=why) for name, why in refused]
                left = [name for name in left if name not in {name for name, _ in refused}]
            await self.top_up_articles()
            await self.top_up_messages()
            if self.running:
                await asyncio.wait(self.running, timeout=STEP_S, return_when=asyncio.FIRST_COMPLETED)
                continue
            articles_open = await self._tools.write(self._tools.store.articles_open, self._tools.now())
            if left or articles_open:
                await asyncio.sleep(STEP_S)  # hosts rest between two requests
            else:
                await self.look_over()
                await self._post.write(self._post.store.hasten_notices, self._tools.now())
                if not await self.top_up_messages():
                    return self.tally

    async def look_over(self) -> int:
        """Judge feeds that no visit will judge in time; how many troubles began or ended."""
        return await self._tools.write(self._tools.store.look_over, self._tools.now())

    async def backfill(self, name: str, most: int, said: Callable[[backfill.Page], object]) -> backfill.Backfilled:
        """Walk into a feed's past for up to `most` documents; `said` is told of each. What was read stays read.

        A feed that another process has in hand, or whose server asked for a pause, is left alone.
        """
        store, began = self._tools.store, self._tools.now()
        while not (leases := await self._tools.write(
            store.claim_named, self._tools.now(), [name], 1, _token(), per_host=self._tools.settings.polling.per_host
        )):  # fmt: skip
            refused = await self._tools.write(store.not_claimable, [name], self._tools.now(), began)
            if refused:
                return backfill.Backfilled(feed=name, reason=refused[0][1])
            await asyncio.sleep(STEP_S)  # its host rests between two requests
        try:
            return await backfill.backfill(self._tools, leases[0], most, said)
        finally:
            await self._tools.write(store.release, leases[0])

    async def settle(self, timeout_s: float) -> int:
        """Let units in hand finish for so long, end the rest (their leases run out); how many were ended."""
        running = self.running
        if not running:
            return 0
        _, late = await asyncio.wait(running, timeout=timeout_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)

    async def _visit(self, lease: FeedLease) -> None:
        self._visited(await sources.visit(self._tools, lease))

    async def _visit_broke(self, lease: FeedLease) -> None:
        self._visited(await ingest.visit_broke(self._tools, lease))

    def _visited(self, report: VisitReport) -> None:
        self.tally.visits.append(report)
        self.tally.alerts += report.alerts
        self._watch("visit", report)

    async def _read(self, lease: ArticleLease) -> None:
        alerts = await ingest.read_article(self._tools, lease)
        self.tally.alerts += alerts  # not in one line: `+=` reads before it waits, and readings overlap
        self._watch("article", lease)

    async def _send(self, message: Message) -> None:
        try:
            result = await outbox.deliver(self._post, message)
        finally:
            self._in_hand.discard(message.id)
        self._sent(message, result)

    async def _send_broke(self, message: Message) -> None:
        self._sent(message, await outbox.delivery_broke(self._post, message))

    def _sent(self, message: Message, result: Receipt | NotDelivered) -> None:
        if isinstance(result, Receipt):
            self.tally.sent += message.deliveries
        else:
            self.tally.undelivered += message.deliveries
        self._watch("message", result)


def _token() -> str:
    return secrets.token_hex(8)
