"""robots.txt (RFC 9309), asked before article pages are read. Feeds are polled because a person asked for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from protego import Protego

from aggregator.model import Failed, Fetched, Hints, NotModified, Outcome, Reason, Request

AGENT = "aggregator"
KEPT = timedelta(hours=24)
RETRY = timedelta(hours=1)  # after a server error; until then nothing of the site is read (RFC 9309 section 2.3.1.4)
CRAWL_DELAY_CAP_S = 60.0  # who asks for more between two pages means crawlers of whole sites
MAX_BYTES = 512 << 10
_ABSENT = frozenset({Reason.UNAUTHORIZED, Reason.NOT_FOUND, Reason.GONE, Reason.CLIENT_ERROR})
_NEVER_ASKED = frozenset({Reason.BLOCKED_ADDRESS, Reason.BLOCKED_PORT, Reason.BLOCKED_SCHEME, Reason.BAD_URL})
_MAX_ORIGINS = 10_000


@dataclass(frozen=True, slots=True)
class _Answer:
    rules: Protego | None  # None: everything is allowed
    failure: Failed | None  # why nothing may be read for now
    until: datetime


class Robots:
    """The answers of origins, kept in memory for a day."""

    def __init__(self, get: Callable[[Request], Awaitable[Outcome]], clock: Callable[[], datetime]) -> None:
        self._get = get
        self._clock = clock
        self._answers: dict[str, _Answer] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def refusal(self, url: str) -> Failed | None:
        """Why the page at `url` must not be read; None when it may be."""
        answer = await self._answer(_origin(url))
        if answer.failure is not None:
            return answer.failure
        if answer.rules is None or answer.rules.can_fetch(url, AGENT):
            return None
        return Failed(reason=Reason.ROBOTS, detail="robots.txt disallows this page")

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """The sitemaps that the site of `url` names in its robots.txt, as written."""
        answer = await self._answer(_origin(url))
        return tuple(answer.rules.sitemaps) if answer.rules else ()

    def crawl_delay_s(self, url: str) -> float:
        """The least pause between two pages of the site of `url`, as its robots.txt said when it was asked last."""
        known = self._answers.get(_origin(url))
        said = known.rules.crawl_delay(AGENT) if known and known.rules else None
        return min(said, CRAWL_DELAY_CAP_S) if said and said > 0 else 0.0

    async def _answer(self, origin: str) -> _Answer:
        async with self._asking.setdefault(origin, asyncio.Lock()):  # asked once, however many pages wait
            known = self._answers.get(origin)
            if known is None or known.until <= self._clock():
                known = await self._ask(origin)
                self._answers.pop(origin, None)
                self._answers[origin] = known
                self._forget_oldest()
        return known

    async def _ask(self, origin: str) -> _Answer:
        outcome = await self._get(Request(url=f"{origin}/robots.txt", accept="text"))
        now = self._clock()
        match outcome:
            case Fetched(body=body):
                return _Answer(Protego.parse(body[:MAX_BYTES].decode("utf-8", "replace")), None, now + KEPT)
            case Failed(reason=reason) if reason in _ABSENT:
                return _Answer(None, None, now + KEPT)
            case Failed(reason=reason) if reason in _NEVER_ASKED:
                return _Answer(None, outcome, now + RETRY)
            case Failed() | NotModified():
                wait_s = max(RETRY.total_seconds(), outcome.hints.retry_after_s or 0.0)
                why = outcome.detail if isinstance(outcome, Failed) else "304"
                failure = Failed(
                    reason=Reason.ROBOTS, detail=f"robots.txt cannot be read: {why}", hints=Hints(retry_after_s=wait_s)
                )
                return _Answer(None, failure, now + timedelta(seconds=wait_s))

    def _forget_oldest(self) -> None:
        while len(self._answers) > _MAX_ORIGINS:
            oldest = next(iter(self._answers))
            del self._answers[oldest]
            self._asking.pop(oldest, None)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
