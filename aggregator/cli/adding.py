"""A feed to be added: its address is read, and when it is a site's, so are the feeds that the site names.

Apart from `feeds`, whose other commands shall not wait for lxml and the network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import typer

from aggregator import parse, subscriptions
from aggregator.cli import show
from aggregator.errors import AggregatorError, UsageError
from aggregator.fetch import Client
from aggregator.model import Failed, Fetched, ParsedFeed, Request
from aggregator.parse import sitemap
from aggregator.settings import Config, SourceType
from aggregator.subscriptions import FoundFeed
from aggregator.text import urls


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A feed that was read and may be added."""

    url: str
    feed: ParsedFeed

    @property
    def type(self) -> SourceType:
        """What feeds.yaml calls it."""
        return "sitemap" if sitemap.is_format(self.feed.format) else "feed"


Choose = Callable[[Sequence[FoundFeed]], FoundFeed]


def candidate(config: Config, url: str, choose: Choose) -> Candidate:
    """The feed at `url`, or the one that `choose` takes of those that the site at `url` names.

    Raises:
        AggregatorError: There is none, or it cannot be read; says why.
    """
    return asyncio.run(_candidate(config, url if "://" in url else f"https://{url}", choose))


async def _candidate(config: Config, url: str, choose: Choose) -> Candidate:
    polling = config.settings.polling
    client = Client(config.settings.network, host_gap_s=polling.host_gap.total_seconds())
    try:
        page = await _document(client, url)
        if (feed := _feed(page)).format:
            return Candidate(url=page.moved_to or url, feed=feed)
        found = subscriptions.discover(page.body, page.url) or await _sitemaps(client, page.url)
        if not found:
            raise AggregatorError(
                f"{url}: this is no feed, and it names none, nor a sitemap; type: page in feeds.yaml reads a page that lists news"
            )
        chosen = choose(found)
        document = await _document(client, chosen.url)
        if not (feed := _feed(document)).format:
            raise AggregatorError(f"{chosen.url}: the site names this as its feed, but it is none")
        return Candidate(url=document.moved_to or chosen.url, feed=feed)
    finally:
        await client.aclose()


async def _sitemaps(client: Client, url: str) -> tuple[FoundFeed, ...]:
    """The sitemaps that a site without feeds names in robots.txt, those for news first."""
    named = filter(None, map(urls.clean, await client.sitemaps(url)))
    found = (FoundFeed(url=address, title="", type="sitemap") for address in dict.fromkeys(named))
    return tuple(sorted(found, key=lambda one: "news" not in one.url.lower()))


async def _document(client: Client, url: str) -> Fetched:
    outcome = await client.get(Request(url=url))
    match outcome:
        case Fetched():
            return outcome
        case Failed(reason=reason, detail=detail):
            raise AggregatorError(f"{url}: {reason}{f' ({detail})' if detail else ''}; nothing was added")
    raise AggregatorError(f"{url}: no document; nothing was added")


def _feed(document: Fetched) -> ParsedFeed:
    return parse.feed(document.body, charset=document.charset, url=document.url)


def chosen(found: Sequence[FoundFeed], pick: int | None, *, asks: bool) -> FoundFeed:
    """The feed to add of those that a site names, which are shown."""
    for number, one in enumerate(found, 1):
        show.note(f"{number:>3}. {one.url}{f'  {one.title}' if one.title else ''}")
    if pick is None:
        pick = typer.prompt("Which one?", default=1, type=int, err=True) if asks and len(found) > 1 else 1
    if not 0 < pick <= len(found):
        raise UsageError(f"there is no number {pick}: the site names {show.number(len(found), 'feed')}")
    if len(found) > 1:
        show.note(f"Taking number {pick}; --pick N takes another.")
    return found[pick - 1]
