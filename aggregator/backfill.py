"""The past of a feed (RFC 5005): to fill a gap between two visits, or to read all of it because a person asks.

A feed's document may lead to archive documents (`rel=prev-archive`), which never change and are read once, or to pages
(`rel=next`), which move on as new entries come. Each document is stored in a transaction of its own, so a walk that is
cut short goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, NamedTuple

import structlog

from aggregator import ingest
from aggregator.ingest import Tools
from aggregator.model import Document, FeedLease, Finding, Older, Validators, Visit, VisitReport
from aggregator.settings import FeedSpec
from aggregator.text import urls

GAP_PAGES: Final = 10  # of 15 entries or more: a feed that was away for a day or two
OLD: Final = timedelta(days=7)  # an alert tells news: older items are kept and judged, and nobody is told

log = structlog.get_logger()


class Page(NamedTuple):
    """A document with older entries, as it was stored."""

    url: str
    report: VisitReport
    older: Older | None  # where it leads


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfilled:
    """What a walk into a feed's past came to."""

    feed: str
    pages: int = 0
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    rejected: int = 0
    alerts: int = 0
    reason: str | None = None  # why it ended before the end of the archive
    next: str | None = None  # where the next walk goes on

    def with_page(self, page: VisitReport) -> Backfilled:
        """One more page."""
        return replace(
            self, pages=self.pages + 1, new=self.new + page.new, revised=self.revised + page.revised,
            unchanged=self.unchanged + page.unchanged, rejected=self.rejected + page.rejected,
            alerts=self.alerts + page.alerts,
        )  # fmt: skip


# ---------------------------------------------------------------- between two visits


async def fill_gap(tools: Tools, done: Visit, spec: FeedSpec) -> Visit:
    """The visit as it is; when all that it brought is new, what slipped out of the document before is stored first.

    The walk ends at the first document that shows something known (what is older may be from before the feed was listed),
    at the end of the archive, or after ten.
    """
    facts = done.document.facts if done.document else None
    if facts is None or facts.older is None or not await _is_gap(tools, done):
        return done
    older: Older | None = facts.older
    seen = {done.lease.address}
    for _ in range(GAP_PAGES):
        if older is None or await _is_read_for_ever(tools, done.lease, older):
            return replace(done, filled=True)
        if not _leads_on(older, done.lease, seen):
            break
        page = await _read(tools, done.lease, spec, older)
        if page.report.outcome == "failed":
            break
        if page.report.unchanged or page.report.revised:
            return replace(done, filled=True)
        older = page.older
    return done


async def _is_gap(tools: Tools, done: Visit) -> bool:
    """Whether a feed that had entries shows none of them."""
    document, lease = done.document, done.lease
    if document is None or done.outcome != "fetched" or not lease.entries or not document.findings:
        return False
    if document.known or document.delta:
        return False
    return not await tools.write(tools.store.knows_any, lease.id, document.findings)


async def _is_read_for_ever(tools: Tools, lease: FeedLease, older: Older) -> bool:
    """Whether it is an archive document that was read: it never changes."""
    return older.fixed and await tools.write(tools.store.older_page, lease.id, older.url) is not None


# ---------------------------------------------------------------- all of it


async def backfill(
    tools: Tools, lease: FeedLease, most: int, said: Callable[[Page], object] = lambda _page: None
) -> Backfilled:
    """Read up to `most` documents of the feed's past that were not read yet; `said` is told of each.

    Raises:
        LeaseLost: Another worker took the feed over meanwhile; what was read is kept.
        StoreError: The disk failed; what was read before is kept.
    """
    spec, done, seen = ingest.spec_of(tools, lease), Backfilled(feed=lease.name), {lease.address}
    head = await tools.write(tools.store.older_page, lease.id)
    older = head.older if head else None
    if older is None:
        return replace(done, reason="no_archive")
    while older is not None:
        if not _leads_on(older, lease, seen):
            return replace(done, reason="loop" if older.url in seen else "other_site", next=older.url)
        known = await tools.write(tools.store.older_page, lease.id, older.url)
        if known is not None:
            older = known.older
            continue
        if done.pages == most:
            return replace(done, reason="limit", next=older.url)
        page = await _read(tools, lease, spec, older, lambda found: _quieted(tools, found))
        if page.report.outcome == "failed":
            return replace(done, reason=page.report.reason, next=older.url)
        done = done.with_page(page.report)
        said(page)
        older = page.older
    await tools.write(tools.store.forget_moving_pages, lease.id)
    return done


def _quieted(tools: Tools, document: Document) -> Document:
    """The document with its old items marked: they are kept and judged, nobody is told, and no page is read for them."""
    before = tools.now() - OLD

    def judged(finding: Finding) -> Finding:
        at = finding.item.published or finding.item.updated
        return replace(finding, quiet=True, wants_article=False) if at and at < before else finding

    return replace(document, findings=tuple(map(judged, document.findings)))


# ---------------------------------------------------------------- one document


async def _read(
    tools: Tools,
    lease: FeedLease,
    spec: FeedSpec,
    older: Older,
    marked: Callable[[Document], Document] = lambda one: one,
) -> Page:
    """One document with older entries, read whole and stored; the lease is held anew for it."""
    await tools.write(tools.store.hold, lease, tools.now())
    there = replace(
        lease, address=older.url, elsewhere=True, validators=Validators(), body_hash=None, entries=0,
        partial_reads=ingest.FULL_READ_EACH,
    )  # fmt: skip
    page = await ingest.ask(tools, there, replace(spec, url=older.url, type="feed"))
    leads = page.document.facts.older if page.document and page.document.facts else None
    if page.document is not None:
        page = replace(page, document=marked(page.document))
    report = await tools.write(tools.store.record_page, page, leads, ingest.finder(tools))
    log.info(
        "older", feed=report.feed, url=older.url, outcome=report.outcome, reason=report.reason, new=report.new,
        revised=report.revised, unchanged=report.unchanged, rejected=report.rejected,
    )  # fmt: skip
    return Page(older.url, report, leads)


def _leads_on(older: Older, lease: FeedLease, seen: set[str]) -> bool:
    """Whether to go there: on the feed's own site, and not there already."""
    if older.url in seen or not urls.same_site(older.url, lease.address):
        return False
    seen.add(older.url)
    return True
