"""The composition root: a `Config` becomes a store, a client, workers and channels. Nothing else constructs them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, assert_never

from aggregator import backtest, reader, watch
from aggregator.deliver.console import ConsoleSender
from aggregator.deliver.email import EmailSender
from aggregator.deliver.webhook import WebhookSender
from aggregator.fetch import Client, guard
from aggregator.ingest import Tools
from aggregator.model import Route
from aggregator.outbox import Post, Sender
from aggregator.settings import Channel, Config, ConsoleChannel, EmailChannel, WebhookChannel
from aggregator.store import Recipients, Store
from aggregator.store.search import Search
from aggregator.store.writer import Writer
from aggregator.work import Work
from aggregator.workers import Workers

PROCESSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Everything, put together and open."""

    config: Config
    store: Store
    write: Writer
    work: Work
    now: Callable[[], datetime]

    def index(self, going: Callable[[], bool] = lambda: True) -> int:
        """Bring the search index up to date, on the calling thread and with connections of its own, while `going`."""
        return index(self.config, going)


def routes(config: Config) -> dict[str, Route]:
    """Whom each watchlist tells."""
    channels = {channel.name: channel for channel in config.channels}
    return {
        watchlist.name: Route(
            label=watchlist.label,
            severity=watchlist.severity,
            recipients=tuple(
                (name, recipient) for name in watchlist.notify for recipient in _recipients(channels[name])
            ),
        )
        for watchlist in config.watchlists
    }


def operators(config: Config) -> Recipients:
    """Who is told that something is wrong with a feed or a watchlist."""
    channels = {channel.name: channel for channel in config.channels}
    return tuple((name, to) for name in config.settings.notify_operator for to in _recipients(channels[name]))


def _recipients(channel: Channel) -> tuple[str, ...]:
    return channel.to if isinstance(channel, EmailChannel) else (channel.name,)


def open_store(config: Config, now: datetime) -> Store:
    """The store of this configuration, with its feeds made known to it.

    Raises:
        StoreError: The database cannot be used.
    """
    store = Store.open(config.settings.database, routes(config), operators(config))
    store.mend_times(now)
    store.sync_feeds(config.feeds, now)
    store.own_recipients(tuple((channel.name, to) for channel in config.channels for to in _recipients(channel)))
    store.note_rules(backtest.definitions(config.watchlists, config.concepts), now)
    return store


def index(config: Config, going: Callable[[], bool]) -> int:
    """Bring the search index up to date while `going`; how many items were added."""
    search = Search.open(config.settings.database)
    try:
        with Store.open_to_read(config.settings.database) as store:
            return search.catch_up(store, going)
    finally:
        search.close()


def utc_now() -> datetime:
    """The wall clock; everything below takes the time as an argument."""
    return datetime.now(UTC)


@asynccontextmanager
async def opened(
    config: Config,
    *,
    now: Callable[[], datetime] = utc_now,
    client: Client | None = None,
    senders: Mapping[str, Sender] | None = None,
    watching: Callable[[str, Any], None] = lambda _kind, _result: None,
) -> AsyncIterator[App]:
    """All of it, for as long as the block lasts.

    Raises:
        StoreError: The database cannot be used.
    """
    settings = config.settings
    async with AsyncExitStack() as stack:
        write = Writer()
        stack.push_async_callback(write.close)
        store = await write.alone(open_store, config, now())
        stack.push_async_callback(write.alone, store.close)  # in turn, behind what it is writing
        client = client or Client(
            settings.network,
            per_host=settings.polling.per_host,
            host_gap_s=settings.polling.host_gap.total_seconds(),
        )
        stack.push_async_callback(client.aclose)
        workers = Workers(PROCESSES, initializer=reader.prepare, initargs=(config.watchlists, config.concepts))
        stack.callback(workers.close)
        if senders is None:
            senders = {channel.name: sender(channel, config, store.instance()) for channel in config.channels}
        for far_side in senders.values():
            stack.push_async_callback(far_side.aclose)
        tools = Tools(
            store=store,
            write=write,
            client=client,
            workers=workers,
            matcher=watch.compile(config.watchlists, config.concepts),
            feeds={feed.url: feed for feed in config.feeds},
            langs={feed.name: feed.lang for feed in config.feeds if feed.lang},
            settings=settings,
            now=now,
        )
        post = Post(store=store, write=write, senders=senders, now=now)
        bundling = [channel.name for channel in config.channels if isinstance(channel, EmailChannel)]
        yield App(config=config, store=store, write=write, work=Work(tools, post, bundling, watching), now=now)


def sender(channel: Channel, config: Config, instance: str) -> Sender:
    """The far side of a channel."""
    match channel:
        case EmailChannel():
            return EmailSender(config.settings.smtp, instance)
        case WebhookChannel():
            network = config.settings.network
            transport = guard.transport(allow_private=network.allow_private_webhooks, ports=network.ports)
            return WebhookSender(channel, transport)
        case ConsoleChannel():
            return ConsoleSender()
        case other:
            assert_never(other)
