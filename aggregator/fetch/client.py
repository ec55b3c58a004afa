"""One polite, bounded, guarded GET at a time. Whatever the network does comes back as an Outcome."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aggregator import __version__
from aggregator.fetch import caching, guard
from aggregator.fetch.decoding import Body, accepted
from aggregator.fetch.dns import Dns, Resolver, System
from aggregator.fetch.exchange import Answer
from aggregator.fetch.hosts import Hosts, Visitor
from aggregator.fetch.line import Fault, Limits
from aggregator.fetch.robots import Robots
from aggregator.fetch.trip import PERMANENT, Trip
from aggregator.model import Failed, Fetched, Hints, NotModified, Outcome, Reason, Request, Validators
from aggregator.settings import Network

ACCEPT = {
    "feed": "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, "
    "application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1",
    "page": "text/html, application/xhtml+xml, */*;q=0.1",
    "text": "text/plain, */*;q=0.1",
}
_REDIRECTS = PERMANENT | {302, 303, 307}
_REASONS = {
    300: Reason.REDIRECT_BAD,
    305: Reason.REDIRECT_BAD,
    306: Reason.REDIRECT_BAD,
    401: Reason.UNAUTHORIZED,
    402: Reason.UNAUTHORIZED,
    403: Reason.UNAUTHORIZED,
    404: Reason.NOT_FOUND,
    410: Reason.GONE,
    429: Reason.TOO_MANY,
    451: Reason.UNAUTHORIZED,
    503: Reason.UNAVAILABLE,
}
_DELTA = 226  # IM Used (RFC 3229)
_REASON_OF_CLASS = {4: Reason.CLIENT_ERROR, 5: Reason.SERVER_ERROR}


class Client:
    """The one way to read from the web: feeds, pages and robots.txt."""

    def __init__(
        self,
        network: Network,
        *,
        per_host: int = 1,
        host_gap_s: float = 2.0,
        resolver: Resolver | None = None,
        limits: Limits | None = None,
        trust: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._limits = limits or Limits()
        self._clock = clock
        self._hosts = Hosts(per_host, host_gap_s)
        self._robots = Robots(self.get, clock)
        self._dns = Dns(resolver or System(), clock)
        self._ask = guard.ask(network, resolver=self._dns, limits=self._limits, trust=trust)
        self._agent = f"aggregator/{__version__}" + (f" (+{network.contact})" if network.contact else "")

    async def get(self, request: Request) -> Outcome:
        """What `request.url` answers. Raises nothing for what the network does.

        Waits for the host's turn, follows up to five redirects, sends validators only to the address that gave
        them, and credentials only to the origin that was configured. A page is read only if robots.txt allows it.
        """
        try:
            trip = Trip(request=request, left_s=self._limits.total_s, turn_left_s=self._limits.turn_s)
        except Fault as fault:
            return Failed(reason=fault.reason, detail=fault.detail)
        try:
            async with self._hosts.visitor() as visitor:
                outcome = await self._travel(trip, visitor)
        except Fault as fault:
            outcome = Failed(reason=fault.reason, detail=fault.detail)
        return trip.with_longest_wait(outcome)

    async def robots(self, url: str) -> Failed | None:
        """Why the page at `url` must not be read, None when it may be. `get` asks this itself for every page."""
        return await self._robots.refusal(url)

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """The sitemaps that the site of `url` names in its robots.txt, as written."""
        return await self._robots.sitemaps(url)

    def crawl_delay(self, url: str) -> timedelta:
        """The least pause between two pages of the site of `url`, as far as its robots.txt is known."""
        return timedelta(seconds=self._robots.crawl_delay_s(url))

    async def aclose(self) -> None:
        """Drop the questions in hand; there are no connections between requests."""
        self._dns.close()

    async def _travel(self, trip: Trip, visitor: Visitor) -> Outcome:
        while True:
            if trip.request.accept == "page":
                visitor.leave()  # robots.txt needs a turn of its own
                if refusal := await self._robots.refusal(trip.address):
                    return refusal
            if busy := await self._turn(trip, visitor):
                return busy
            if outcome := await self._in_time(trip):
                return outcome

    async def _turn(self, trip: Trip, visitor: Visitor) -> Failed | None:
        """Come to the host of `trip`; why not, when too many of ours wait there."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(trip.turn_left_s):
                await visitor.at(trip.host)
        except TimeoutError:
            return Failed(reason=Reason.BUSY, detail=f"no turn at {trip.host}: many feeds or pages lead there")
        trip.turn_left_s -= loop.time() - begun
        return None

    async def _in_time(self, trip: Trip) -> Outcome | None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(trip.left_s):
                return await self._exchange(trip)
        except TimeoutError:
            return Failed(reason=Reason.TIMEOUT, detail=f"no full answer within {self._limits.total_s:g} s")
        finally:
            trip.left_s -= loop.time() - begun

    async def _exchange(self, trip: Trip) -> Outcome | None:
        """One request and its answer; None when `trip` was sent on to another address."""
        async with aclosing(await self._ask(trip.place, self._headers(trip))) as answer:
            headers, status = answer.headers, answer.status
            hints = caching.hints(headers, self._clock())
            if status in {200, 203} or (status == _DELTA and _may_be_delta(trip) and _is_delta(headers)):
                return await self._document(trip, answer, hints)
            if status in _REDIRECTS:
                trip.waits.append(hints)
                kept = hints.max_age_s != 0
                trip.redirect(status, caching.value(headers, b"location"), self._limits.redirects, kept=kept)
                return None
            if status == 304:  # noqa: PLR2004 - Not Modified
                return _unchanged(trip, headers, hints)
            reason = _REASONS.get(status) or _REASON_OF_CLASS.get(status // 100, Reason.PROTOCOL)
            return Failed(reason=reason, status=status, detail=f"HTTP {status}", url=trip.address, hints=hints)

    async def _document(self, trip: Trip, answer: Answer, hints: Hints) -> Outcome:
        headers = answer.headers
        body = Body(caching.values(headers, b"content-encoding"), self._limits.decoded_bytes)
        if (caching.whole(caching.value(headers, b"content-length")) or 0) > self._limits.wire_bytes:
            raise Fault(Reason.TOO_LARGE, f"more than {self._limits.wire_bytes} bytes announced")
        broken: Fault | None = None
        try:
            async with aclosing(answer.chunks()) as chunks:
                async for chunk in chunks:
                    body.feed(chunk)
            body.end()
        except Fault as fault:
            if fault.reason is not Reason.TRUNCATED:
                raise
            broken = fault
        content_type, charset = _content_type(caching.value(headers, b"content-type"))
        document = Fetched(
            url=trip.address,
            body=body.plain(),
            charset=charset,
            content_type=content_type,
            validators=caching.validators(headers, trip.address),
            delta=answer.status == _DELTA,
            hints=hints,
            moved_to=trip.moved_to,
        )
        if broken is None:
            return document
        partial = replace(document, validators=Validators())
        return Failed(reason=broken.reason, status=200, detail=broken.detail, hints=hints, partial=partial)

    def _headers(self, trip: Trip) -> list[tuple[bytes, bytes]]:
        ours = {"User-Agent": self._agent, "Accept": ACCEPT[trip.request.accept]}
        theirs = trip.secrets() if trip.at_home else {}
        told = {name.lower() for name in theirs}
        named = {name: value for name, value in ours.items() if name.lower() not in told} | theirs
        named |= {"Accept-Encoding": accepted(), "Connection": "close"}
        plain = [(name.encode(), value.encode()) for name, value in named.items()]
        conditions = caching.conditions(trip.request.validators, trip.address)
        if _may_be_delta(trip):
            conditions.append((b"A-IM", b"feed"))
        return plain + conditions


def _may_be_delta(trip: Trip) -> bool:
    """Whether only the new entries may be asked for: of a feed, and with the ETag that they are new against."""
    known = caching.conditions(trip.request.validators, trip.address)
    return trip.request.accept == "feed" and any(name == b"If-None-Match" for name, _ in known)


def _is_delta(headers: caching.Headers) -> bool:
    """Whether a 226 holds the new entries of a feed and nothing else was done to it."""
    return [value.strip().lower() for value in caching.values(headers, b"im")] == ["feed"]


def _unchanged(trip: Trip, headers: caching.Headers, hints: Hints) -> Outcome:
    known = trip.request.validators
    if not caching.conditions(known, trip.address):
        return Failed(
            reason=Reason.UNEXPECTED_304, status=304, detail="304 to a request without validators", hints=hints
        )
    return NotModified(validators=caching.renewed(known, headers), hints=hints, moved_to=trip.moved_to)


def _content_type(text: str | None) -> tuple[str | None, str | None]:
    """Type without parameters, and charset, both lower case."""
    if not text:
        return None, None
    kind, *parameters = text.split(";")
    named = (parameter.partition("=") for parameter in parameters)
    charsets = (value.strip().strip("\"'").lower() for name, _, value in named if name.strip().lower() == "charset")
    return kind.strip().lower() or None, next(filter(None, charsets), None)
