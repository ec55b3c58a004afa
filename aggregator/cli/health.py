"""How a feed is doing, in words and as a record."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from aggregator.cli import show
from aggregator.model import Trouble
from aggregator.settings import Config, FeedSpec
from aggregator.store import StoredFeed, StoredTrouble

NEW, OK, SILENT, FAILING, TWIN = "new", "ok", "silent", "failing", "twin"

_LOGIN = re.compile(r"(?<=:)//[^/?#]*@")

WHY = {
    "new": "never read yet",
    "rate": "its own rhythm of news",
    "floor": "settings.polling.floor, the shortest interval",
    "cap": "settings.polling.cap, the longest interval",
    "every": "`every` in feeds.yaml",
    "window": "its document fills up: later, items could slip out unseen",
    "max_age": "its server says that nothing changes before",
    "ttl": "the feed asks for this interval",
    "skip": "the feed asks not to be read in the hours before (skipHours, skipDays)",
    "retry_after": "its server asked for a pause (Retry-After)",
    "network": "hardly any host could be reached: no feed is to blame, and all are tried again when some answer",
    "backoff": "it failed; each failure doubles the wait, up to a day",
    "gone": "its server says it is gone for good (410); asked again each 30 days",
}


def state(feed: StoredFeed | None) -> str:
    """`new`: never visited. `failing`: the last visit failed. `silent`: nothing new, against its own rhythm.

    `twin`: another feed of the list has the same document and is read for both.
    """
    if feed and feed.twin_of:
        return TWIN
    if feed is None or feed.outcome is None:
        return NEW
    if feed.outcome == "failed":
        return FAILING
    return SILENT if any(trouble.kind == Trouble.SILENT for trouble in feed.troubles) else OK


def why(feed: StoredFeed) -> str:
    """The reason of the last failure with what is known of it; "" when the last visit went well."""
    if feed.outcome != "failed":
        return ""
    return f"{feed.reason}: {feed.detail}" if feed.detail else f"{feed.reason}"


def wrong(feed: StoredFeed) -> str:
    """What is wrong with it: its troubles, then the last failure or what stands in; "" when all is well."""
    said = [
        trouble.kind if feed.outcome == "failed" else f"{trouble.kind}: {trouble.detail}"
        for trouble in feed.troubles
        if trouble.kind != Trouble.FALLBACK  # said with its time below
    ]
    return "; ".join([*said, *filter(None, [why(feed) or by_fallback(feed)])])


def trouble(one: StoredTrouble) -> dict[str, Any]:
    """The JSON fields of a trouble."""
    return {"kind": one.kind, "since": one.since, "detail": one.detail, "told": one.told}


def subject(one: StoredTrouble) -> str:
    """What is in trouble."""
    return one.feed or (f"watchlist {one.watchlist}" if one.watchlist else "the network")


def by_fallback(feed: StoredFeed) -> str:
    """Which address stands in for the feed's own, since when and why; "" when none has to."""
    if feed.stand_in is None:
        return ""
    own = feed.stand_in
    why_not = f"{own.reason}: {own.detail}" if own.detail else own.reason
    return f"by fallback {address(own.url)} since {show.utc(own.since)} UTC ({why_not})"


def address(url: str) -> str:
    """`url` as it may be shown: without a login."""
    return _LOGIN.sub("//***@", url)


def listed(config: Config, stored: Iterable[StoredFeed]) -> list[tuple[FeedSpec, StoredFeed | None]]:
    """Each feed of feeds.yaml with its state, None when the database does not know it yet."""
    by_url = {feed.url: feed for feed in stored}
    return [(spec, by_url.get(spec.url)) for spec in config.feeds]


def record(spec: FeedSpec, feed: StoredFeed | None) -> dict[str, Any]:
    """The JSON fields of a feed."""
    known: dict[str, Any] = {
        "feed": spec.name, "url": address(spec.url), "lang": spec.lang, "tags": spec.tags, "state": state(feed),
    }  # fmt: skip
    if feed is None:
        return known | dict.fromkeys(
            ("title", "reason", "detail", "visited", "read", "new", "next", "why", "moved_to", "address", "twin_of",
             "format", "fallback")
        ) | {"failures": 0, "items": 0, "flags": (), "troubles": ()}  # fmt: skip
    failed = feed.outcome == "failed"
    return known | {
        "title": feed.title, "reason": feed.reason if failed else None, "detail": feed.detail if failed else None,
        "failures": feed.failures, "visited": feed.visited_at, "read": feed.read_at, "new": feed.new_at,
        "next": feed.due_at, "why": feed.due_why, "moved_to": feed.moved_to and address(feed.moved_to),
        "address": feed.address and address(feed.address), "twin_of": feed.twin_of, "items": feed.items,
        "format": feed.format, "flags": feed.flags, "fallback": fallback(feed),
        "troubles": [trouble(one) for one in feed.troubles],
    }  # fmt: skip


def fallback(feed: StoredFeed) -> dict[str, Any] | None:
    """The JSON fields of what stands in for a feed's own address."""
    if feed.stand_in is None:
        return None
    own = feed.stand_in
    return {
        "url": address(own.url), "since": own.since, "reason": own.reason, "detail": own.detail, "failures": own.failures,
        "next_own": own.retry_at,
    }  # fmt: skip
