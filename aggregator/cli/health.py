"""How a feed is doing, in words and as a record."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from aggregator.cli import show
from aggregator.settings import Config, FeedSpec
from aggregator.store import StoredFeed
from aggregator.store.reading import SILENT_AFTER

NEW, OK, SILENT, FAILING = "new", "ok", "silent", "failing"

_LOGIN = re.compile(r"(?<=:)//[^/?#]*@")

WHY = {
    "new": "never read yet",
    "rate": "its own rhythm of news",
    "floor": "settings.polling.floor, the shortest interval",
    "cap": "settings.polling.cap, the longest interval",
    "every": "`every` in feeds.yaml",
    "max_age": "its server says that nothing changes before",
    "ttl": "the feed asks for this interval",
    "skip": "the feed asks not to be read in the hours before (skipHours, skipDays)",
    "retry_after": "its server asked for a pause (Retry-After)",
    "backoff": "it failed; each failure doubles the wait, up to a day",
    "gone": "its server says it is gone for good (410); asked again each 30 days",
}


def state(feed: StoredFeed | None, now: datetime) -> str:
    """`new`: never visited. `failing`: the last visit failed. `silent`: read well, no new item for two weeks."""
    if feed is None or feed.outcome is None:
        return NEW
    if feed.outcome == "failed":
        return FAILING
    return OK if feed.new_at and now - feed.new_at <= SILENT_AFTER else SILENT


def why(feed: StoredFeed) -> str:
    """The reason of the last failure with what is known of it; "" when all is well."""
    if feed.outcome != "failed":
        return ""
    return f"{feed.reason}: {feed.detail}" if feed.detail else f"{feed.reason}"


def address(url: str) -> str:
    """`url` as it may be shown: without a login."""
    return _LOGIN.sub("//***@", url)


def listed(config: Config, stored: Iterable[StoredFeed]) -> list[tuple[FeedSpec, StoredFeed | None]]:
    """Each feed of feeds.yaml with its state, None when the database does not know it yet."""
    by_url = {feed.url: feed for feed in stored}
    return [(spec, by_url.get(spec.url)) for spec in config.feeds]


def record(spec: FeedSpec, feed: StoredFeed | None, now: datetime) -> dict[str, Any]:
    """The JSON fields of a feed."""
    known: dict[str, Any] = {
        "feed": spec.name, "url": address(spec.url), "lang": spec.lang, "tags": spec.tags, "state": state(feed, now),
    }  # fmt: skip
    if feed is None:
        return known | dict.fromkeys(
            ("title", "reason", "detail", "visited", "read", "new", "next", "why", "moved_to")
        ) | {"failures": 0, "items": 0}  # fmt: skip
    failed = feed.outcome == "failed"
    return known | {
        "title": feed.title, "reason": feed.reason if failed else None, "detail": feed.detail if failed else None,
        "failures": feed.failures, "visited": feed.visited_at, "read": feed.read_at, "new": feed.new_at,
        "next": feed.due_at, "why": feed.due_why, "moved_to": feed.moved_to, "items": feed.items,
    }  # fmt: skip


def history(feed: StoredFeed) -> tuple[tuple[str, object], ...]:
    """What people are told of a feed beyond its entry in feeds.yaml, in pairs of name and value."""
    then = WHY.get(feed.due_why)
    return (
        ("Title", feed.title),
        ("Last visit", feed.visited_at and f"{show.utc(feed.visited_at)} UTC: {why(feed) or feed.outcome}"),
        ("Failures", f"{feed.failures} in a row" if feed.failures else None),
        ("Last read", f"{show.utc(feed.read_at, 'never')}{' UTC' if feed.read_at else ''}"),
        ("Last new item", feed.new_at and f"{show.utc(feed.new_at)} UTC"),
        ("Next visit", f"{show.utc(feed.due_at)} UTC ({feed.due_why}{f': {then}' if then else ''})"),
        ("Moved to", feed.moved_to and f"{feed.moved_to} (its server says for good: change feeds.yaml)"),
        ("Items", f"{feed.items:,}"),
    )
