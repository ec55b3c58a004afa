"""A visit to a feed wherever it is read: at its own address, in the parts of a sitemap index, where something stands in.

Each address is asked by `ingest.ask`, with what is known of it; all that the answers change is stored as one visit.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from aggregator import backfill, ingest
from aggregator.ingest import Tools
from aggregator.model import Due, Failed, FeedLease, Observation, Reason, StandIn, Validators, Visit, VisitReport
from aggregator.settings import Address, FeedSpec
from aggregator.text import urls

PARTS: Final = 3  # of a sitemap index, the newest: one holds the last two days, or the last 50,000 pages
PATIENCE: Final = 3  # failing visits in a row after which any reason lets something stand in
AT_ONCE: Final = frozenset({
    Reason.NOT_A_FEED, Reason.GONE, Reason.UNAUTHORIZED, Reason.NOT_FOUND, Reason.SUSPICIOUS_EMPTY, Reason.ROBOTS,
})  # fmt: skip  # a second try in a quarter of an hour would hardly say otherwise
PAUSED: Final = frozenset({Reason.TOO_MANY, Reason.UNAVAILABLE})  # its server wants no requests at all


async def visit(tools: Tools, lease: FeedLease) -> VisitReport:
    """Read a leased feed, and store all that this changes in one transaction.

    Raises:
        LeaseLost: Another worker took the feed over meanwhile.
        StoreError: The disk failed; the feed is due again when the lease runs out.
    """
    spec = ingest.spec_of(tools, lease)
    done = await _with_fallback(tools, lease, spec) if spec.fallback else await _read(tools, lease, spec)
    return await ingest.record(tools, await backfill.fill_gap(tools, done, spec))


async def _read(tools: Tools, lease: FeedLease, spec: FeedSpec) -> Visit:
    """The visit to one address, with the parts that it names when it is a sitemap index."""
    done = await ingest.ask(tools, lease, spec)
    facts = done.document.facts if done.document else None
    return await _with_parts(tools, done, spec, facts.sitemaps) if facts and facts.sitemaps else done


# ---------------------------------------------------------------- a sitemap index


async def _with_parts(tools: Tools, index: Visit, spec: FeedSpec, sitemaps: tuple[str, ...]) -> Visit:
    """The visit that an index and its newest parts make. The index itself is read anew each time: it is short, and may lag."""
    lease = index.lease
    parts = []
    for url in [url for url in sitemaps if urls.same_site(url, lease.address)][:PARTS]:
        there = await tools.write(tools.store.lease_elsewhere, lease, url, tools.now())
        parts.append(await ingest.ask(tools, there, _at(spec, Address(url=url, type="sitemap"))))
    good = [part for part in parts if part.outcome != "failed"]
    lost = [f"{part.lease.address}: {part.reason}" for part in parts if part.outcome == "failed"]
    if not good:
        reason = parts[0].reason if parts else Reason.NOT_A_FEED
        detail = f"an index without a part that can be read: {', '.join(lost) or 'none is of its site'}"
        return ingest.failed(
            tools,
            replace(index, document=None, parts=tuple(parts)),
            Failed(reason=reason or Reason.NOT_A_FEED, detail=detail),
            Observation(),
        )
    entries = sum(part.document.entries if part.document else part.lease.entries for part in good)
    items = [found.item for part in good if part.document for found in part.document.findings]
    seen = Observation(entries=entries, published=tuple(item.published for item in items if item.published))
    return replace(
        index,
        parts=tuple(parts),
        detail=", ".join(lost),
        validators=Validators(),
        document=replace(index.document, body_hash=b"") if index.document else None,
        due=ingest.due(tools, lease, seen),
    )


# ---------------------------------------------------------------- what stands in


async def _with_fallback(tools: Tools, lease: FeedLease, spec: FeedSpec) -> Visit:
    """The visit to the feed's own address, or while that brings nothing to the first other one that brings something.

    Its own is asked at the rhythm of a failing feed, and taken back when it answers.
    """
    known = await tools.write(tools.store.stand_in, lease.id)
    own = None
    if known is None or known.retry_at <= tools.now():
        failures = known.failures if known else lease.history.failures
        own = await _read(tools, replace(lease, history=replace(lease.history, failures=failures)), spec)
        if own.outcome != "failed" or not (known or own.reason in AT_ONCE or failures + 1 >= PATIENCE):
            return own
        known = _absent(own, known)
    tried = [own] if own else []
    for address in _in_turn(spec, known):
        if own and own.reason in PAUSED and urls.server(address.url) == urls.server(own.lease.address):
            continue
        there = await tools.write(tools.store.lease_elsewhere, lease, address.url, tools.now())
        done = await _read(tools, there, _at(spec, address))
        if done.outcome != "failed":
            since = known.since if known.url == address.url else done.at
            stand_in = replace(known, url=address.url, since=since)
            return replace(done, parts=(*done.parts, *tried), stand_in=stand_in)
        tried.append(done)
    if own:
        return replace(own, parts=(*own.parts, *tried[1:]))
    return replace(tried[-1], parts=tuple(tried[:-1]), stand_in=known, due=partial(_no_later, tried[-1], known))


def _absent(own: Visit, known: StandIn | None) -> StandIn:
    """Why the feed's own address gives way, as its visit just showed; which one stands in is not known yet."""
    due = own.due(0)
    return StandIn(
        url=known.url if known else "",
        since=known.since if known else own.at,
        reason=own.reason or Reason.INTERNAL,
        detail=own.detail,
        failures=due.history.failures,
        retry_at=due.at,
    )


def _in_turn(spec: FeedSpec, known: StandIn) -> list[Address]:
    """The other addresses, the one in use first."""
    return sorted(spec.fallback, key=lambda address: address.url != known.url)


def _at(spec: FeedSpec, address: Address) -> FeedSpec:
    """The feed as it is read at another address."""
    return replace(spec, url=address.url, type=address.type, select=address.select)


def _no_later(done: Visit, known: StandIn, new: int) -> Due:
    """When the feed is due; at the latest when its own address is to be asked again."""
    due = done.due(new)
    return replace(due, at=min(due.at, known.retry_at))
