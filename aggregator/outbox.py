"""Pay what is owed: claim, compose, send, record.

A delivery that a receiver took and that we could not record is sent again with the same id, and nothing else ever is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from aggregator.ingest import Write
from aggregator.model import Message, NotDelivered, Receipt
from aggregator.store import Store

# Svix's ladder and two days more, so that a long weekend's outage loses nothing: 75 h, then a dead letter.
LADDER = tuple(timedelta(seconds=seconds) for seconds in (0, 5, 300, 1800, 7200, 18000, 36000, 36000, 86400, 86400))
BUNDLE_OVER = 20  # alerts owed to one mail recipient at once

log = structlog.get_logger()


class Sender(Protocol):
    """One channel's far side."""

    async def send(self, message: Message) -> Receipt | NotDelivered:
        """Hand the message over once; what the far side does wrong is returned, not raised."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What sending needs; put together once, in `app.py`."""

    store: Store
    write: Write
    senders: Mapping[str, Sender]  # by channel
    now: Callable[[], datetime]


async def claim(post: Post, channel: str, limit: int, token: str, *, bundles: bool) -> tuple[Message, ...]:
    """Lease up to `limit` messages due on a channel; on one that `bundles`, crowds become one message."""
    return await post.write(
        post.store.claim_messages, channel, post.now(), limit, token, bundle_over=BUNDLE_OVER if bundles else None
    )


async def deliver(post: Post, message: Message) -> Receipt | NotDelivered:
    """Send a leased message and record what came of it.

    Raises:
        StoreError: The disk failed; the message is sent again, under the same id, when the lease runs out.
    """
    return await _record(post, message, await post.senders[message.channel].send(message))


async def delivery_broke(post: Post, message: Message) -> Receipt | NotDelivered:
    """Record that sending broke down through a fault of ours: it goes up the ladder like any failure."""
    return await _record(post, message, NotDelivered(code="internal", error="a fault of ours, see the log"))


async def _record(post: Post, message: Message, result: Receipt | NotDelivered) -> Receipt | NotDelivered:
    now = post.now()
    again = retry_at(message.attempts, result, now) if isinstance(result, NotDelivered) else None
    await post.write(post.store.record_receipt, message, result, now, again)
    log.info(
        "delivery", message=message.id, channel=message.channel, attempt=message.attempts + 1, code=result.code,
        sent=isinstance(result, Receipt), dead=isinstance(result, NotDelivered) and again is None,
    )  # fmt: skip
    return result


def retry_at(attempts: int, refused: NotDelivered, now: datetime) -> datetime | None:
    """When to try again after `attempts` earlier ones and this one; None makes it a dead letter."""
    if refused.final or attempts + 1 >= len(LADDER):
        return None
    asked = timedelta(seconds=refused.retry_after_s or 0)
    return now + max(LADDER[attempts + 1], asked)
