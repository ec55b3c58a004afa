"""One visit to a feed and one reading of an article: the map of the whole way from the wire to an alert.

    fetch -> (worker: parse, fold, match) -> one transaction that stores items, alerts and the next due time

Nothing between the fetch and the transaction touches clock, network or disk, and no transaction waits for the
network. What a server does wrong is a reason in the visit; a visit that dies leaves its feed due again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, ParamSpec, Protocol, TypeVar, assert_never

import structlog
from xxhash import xxh3_128_digest

from aggregator import article, coverage, parse, reader, schedule, watch
from aggregator.fetch import Client, is_local
from aggregator.model import (
    ArticleLease,
    Document,
    Due,
    Failed,
    FeedLease,
    Fetched,
    Finding,
    Item,
    NotModified,
    Observation,
    Pace,
    ParsedFeed,
    Reading,
    Reason,
    Request,
    Validators,
    Visit,
    VisitReport,
)
from aggregator.settings import FeedSpec, Settings
from aggregator.store import Store
from aggregator.text import urls
from aggregator.workers import Crashed, Workers

FULL_READ_EACH = 20  # documents: all is parsed again, in case the cutting into slices ever went wrong
ARTICLE_RETRIES = (timedelta(minutes=2), timedelta(minutes=30), timedelta(hours=6), timedelta(hours=24))
PAGES_REST_S = 3_600.0  # after a 429 without a time; the feeds of that server go on
LASTING = frozenset({
    Reason.NOT_HTML, Reason.NO_TEXT, Reason.GONE, Reason.BLOCKED_ADDRESS, Reason.BLOCKED_PORT,
    Reason.BLOCKED_SCHEME, Reason.BAD_URL, Reason.PARSE_FAILED, Reason.PARSE_TIMEOUT,
})  # fmt: skip  # asking again would bring the same

log = structlog.get_logger()
P = ParamSpec("P")
T = TypeVar("T")


class Write(Protocol):
    """Runs a method of the store on the one writer thread."""

    async def __call__(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `method` returns or raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a unit of work needs; put together once, in `app.py`."""

    store: Store
    write: Write
    client: Client
    workers: Workers
    matcher: watch.Matcher
    feeds: Mapping[str, FeedSpec]  # by address
    langs: Mapping[str, str]  # that feeds.yaml declares, by the feed's name
    settings: Settings
    now: Callable[[], datetime]


# ---------------------------------------------------------------- a visit to a feed


async def ask(tools: Tools, lease: FeedLease, spec: FeedSpec) -> Visit:
    """The visit that one request makes: what its answer changes, nothing of which is stored yet."""
    accept: Literal["feed", "page"] = "page" if spec.type == "page" else "feed"
    bare = bool(lease.validators) and schedule.is_doubted(lease.history, tools.now())
    known = Validators() if bare else lease.validators
    # A feed that moved away takes no secret along.
    at_home = lease.address == lease.url or urls.origin(lease.address) == urls.origin(lease.url)
    headers = spec.headers if at_home else ()
    request = Request(url=lease.address, headers=headers, validators=known, accept=accept)
    outcome = await tools.client.get(request)
    seen = Observation(hints=outcome.hints, bare=bare)
    blank = _blank_visit(tools, lease, seen)
    match outcome:
        case Fetched():
            done = await _read(tools, blank, spec, outcome, seen)
        case NotModified():
            moved = outcome.moved_to  # to where a document came from: only of such are there validators
            blank = replace(blank, outcome="not_modified", validators=outcome.validators, moved_to=moved)
            done = _unchanged(tools, blank, replace(seen, not_modified=True))
        case Failed():
            done = failed(tools, blank, outcome, seen)
            if outcome.partial is not None:
                # Cut off: what came whole is kept, but the visit failed, so no validator can hide the rest.
                salvaged = await _read(tools, blank, spec, _whole_entries(outcome.partial), seen)
                done = replace(done, document=salvaged.document)
        case other:
            assert_never(other)
    return done


async def record(tools: Tools, done: Visit) -> VisitReport:
    """Store all that a visit changes in one transaction, and log what it came to.

    Raises:
        LeaseLost: Another worker took the feed over meanwhile.
        StoreError: The disk failed; the feed is due again when the lease runs out.
    """
    report = await tools.write(tools.store.record_visit, done, finder(tools))
    log.info(
        "visit", feed=report.feed, outcome=report.outcome, reason=report.reason, detail=done.detail or None,
        new=report.new, revised=report.revised, unchanged=report.unchanged, rejected=report.rejected,
        fallback=report.fallback and urls.server(report.fallback),  # without a login
    )  # fmt: skip
    return report


async def visit_broke(tools: Tools, lease: FeedLease) -> VisitReport:
    """Record that a visit broke down through a fault of ours, so that the feed is shown failing and tried again."""
    fault = Failed(reason=Reason.INTERNAL, detail="a fault of ours, see the log")
    broken = failed(tools, _blank_visit(tools, lease, Observation()), fault, Observation())
    return await tools.write(tools.store.record_visit, broken, finder(tools))


async def _read(tools: Tools, blank: Visit, spec: FeedSpec, fetched: Fetched, seen: Observation) -> Visit:
    """The visit that brought a document; what is known of it byte for byte is not parsed again."""
    lease = blank.lease
    blank = replace(blank, validators=fetched.validators, moved_to=fetched.moved_to)
    body_hash = xxh3_128_digest(fetched.body)
    if body_hash == lease.body_hash:
        return _unchanged(tools, blank, seen)
    slices = parse.slices.hashes(fetched.body) if spec.type != "page" else ()
    known = await tools.write(tools.store.known_slices, lease.id, slices) if slices else frozenset()
    all_known = bool(slices) and known.issuperset(slices)
    rechecked: frozenset[bytes | None] = frozenset()
    if lease.partial_reads >= FULL_READ_EACH:
        rechecked, known = known | {None} if all_known else known, frozenset()
    elif all_known:
        document = Document(
            findings=(), rejected=(), known=len(slices), facts=None, body_hash=body_hash, delta=fetched.delta
        )
        return replace(_unchanged(tools, blank, seen), document=document)
    policy = spec.full_text if spec.full_text != "auto" else tools.settings.full_text
    work = reader.Unread(
        body=fetched.body,
        charset=fetched.charset,
        url=fetched.url,
        known=known,
        source=watch.Source(feed=lease.name, site=lease.site, lang=spec.lang),
        policy=policy,
        address=spec.address,
    )
    answer = await tools.workers.run(reader.read_document, work)
    if isinstance(answer, Crashed):
        return failed(tools, blank, Failed(reason=answer.reason, detail=answer.detail), seen)
    parsed, findings = answer
    if refused := _no_document(parsed, fetched, lease):
        return failed(tools, blank, refused, seen)
    return replace(
        blank,
        document=Document(
            findings=findings, rejected=parsed.rejected, known=parsed.known,
            standing=known if parsed.known else frozenset(), rechecked=rechecked,
            facts=(said := replace(parsed, items=())),
            body_hash=body_hash, delta=fetched.delta,
        ),
        due=due(tools, lease, replace(
            seen, entries=0 if fetched.delta else parsed.entries, said=said,
            same_validators=_same(fetched.validators, lease.validators),
            published=tuple(item.published for item in parsed.items if item.published),
        )),
    )  # fmt: skip


def _whole_entries(part: Fetched) -> Fetched:
    """A document that was cut off, without the entry that the cut went through: half an item is another item."""
    closers = (b"</url>",) if b"<urlset" in part.body[:2000] else (b"</item>", b"</entry>")
    end = max(part.body.rfind(closer) + len(closer) for closer in closers)
    return replace(part, body=part.body[:end] if end > len(b"</entry>") else b"")


def _no_document(parsed: ParsedFeed, fetched: Fetched, lease: FeedLease) -> Failed | None:
    """Why what was read is no document of this feed, None when it is."""
    if not parsed.format:
        what = coverage.page(fetched.body) or ", ".join(parsed.flags)
        detail = f"{what} ({fetched.content_type or 'no content type'})"
        return Failed(reason=Reason.NOT_A_FEED, detail=detail)
    if not parsed.entries and lease.entries and not parsed.sitemaps and not fetched.delta:
        detail = f"no entry, where there were {lease.entries}"
        return Failed(reason=Reason.SUSPICIOUS_EMPTY, detail=detail)
    if not parsed.entries and parsed.format == "page":  # a selector that finds nothing would be silent for ever
        return Failed(reason=Reason.NOT_A_FEED, detail="no link on the page is selected")
    return None


def _same(one: Validators, other: Validators) -> bool:
    """Whether a server that gave `one` would say 304 to `other`; an ETag goes first (RFC 9110, 13.2.2)."""
    return (one.etag or one.last_modified) == (other.etag or other.last_modified)


def _blank_visit(tools: Tools, lease: FeedLease, seen: Observation) -> Visit:
    """A visit that went well and changed nothing yet."""
    now = tools.now()
    return Visit(
        lease=lease,
        at=now,
        outcome="fetched",
        due=due(tools, lease, seen),
        host_free_at=now + tools.settings.polling.host_gap,
    )


def _unchanged(tools: Tools, blank: Visit, seen: Observation) -> Visit:
    return replace(blank, due=due(tools, blank.lease, replace(seen, entries=blank.lease.entries)))


def failed(tools: Tools, blank: Visit, failure: Failed, seen: Observation) -> Visit:
    """The visit that brought nothing. Validators and items stay as they are."""
    # An empty feed is polled on at its own rhythm: it may be empty for a day, but is never taken for good health.
    reason = None if failure.reason is Reason.SUSPICIOUS_EMPTY else failure.reason
    return replace(
        blank, outcome="failed", reason=failure.reason, detail=failure.detail, validators=None, moved_to=None,
        due=due(tools, blank.lease, replace(seen, reason=reason)), pauses=_refuser(tools, blank.lease, failure),
    )  # fmt: skip


def _refuser(tools: Tools, lease: FeedLease, failure: Failed) -> str | None:
    """The server that will not be asked by us at all for a while; None when only this feed is meant."""
    url = failure.url or lease.address
    return urls.server(url) if _refused(failure) and _speaks_for_itself(tools, url) else None


def _refused(failure: Failed) -> bool:
    """Whether a server wants fewer requests, whatever they are for."""
    return failure.reason is Reason.TOO_MANY or (
        failure.reason is Reason.UNAVAILABLE and failure.hints.retry_after_s is not None
    )


def _speaks_for_itself(tools: Tools, url: str) -> bool:
    host = urls.site(url)
    return host not in tools.settings.polling.gateways and not is_local(host)


def spec_of(tools: Tools, lease: FeedLease) -> FeedSpec:
    """What feeds.yaml says of the feed; plain defaults for one that another process listed since we started."""
    return tools.feeds.get(lease.url) or FeedSpec(url=lease.url, name=lease.name)


def due(tools: Tools, lease: FeedLease, seen: Observation) -> Callable[[int], Due]:
    """When the feed is due again, given how many items turn out to be new."""
    spec, now = spec_of(tools, lease), tools.now()
    pace = Pace(polling=tools.settings.polling, every=spec.every, weight=spec.weight)
    return lambda new: schedule.next_due(lease.history, replace(seen, new=new), now, pace)


def finder(tools: Tools) -> Callable[[Item, str, watch.Source], Finding]:
    """What the store judges an item with that it has to judge again."""
    return partial(reader.finding, tools.matcher, tools.langs)


# ---------------------------------------------------------------- a reading of an article


async def read_article(tools: Tools, lease: ArticleLease) -> int:
    """Read a leased item's page and match the item again; how many alerts that made.

    Raises:
        LeaseLost: Another worker took the reading over meanwhile.
        StoreError: The disk failed; the page is due again when the lease runs out.
    """
    read = article.Extracted(text=lease.text, reason=None) if lease.text else await _page(tools, lease.link)
    return await _record_reading(tools, lease, read)


async def reading_broke(tools: Tools, lease: ArticleLease) -> None:
    """Record that a reading broke down through a fault of ours, so that it is tried again and not for ever."""
    await _record_reading(tools, lease, Failed(reason=Reason.INTERNAL))


async def _record_reading(tools: Tools, lease: ArticleLease, read: article.Extracted | Failed) -> int:
    now, text = tools.now(), None if isinstance(read, Failed) else read.text
    retry = text is None and read.reason not in LASTING and lease.attempts < len(ARTICLE_RETRIES)
    rests_until = None
    if isinstance(read, Failed) and _refused(read):
        rests_until = now + min(timedelta(seconds=read.hints.retry_after_s or PAGES_REST_S), ARTICLE_RETRIES[-1])
    reading = Reading(
        lease=lease,
        at=now,
        text=text,
        reason=read.reason,
        retry_at=max(now + ARTICLE_RETRIES[lease.attempts], rests_until or now) if retry else None,
        host_free_at=now + max(tools.settings.polling.host_gap, tools.client.crawl_delay(lease.link)),
        pages_rest_until=rests_until if _speaks_for_itself(tools, lease.link) else None,
    )
    alerts = await tools.write(tools.store.record_article, reading, finder(tools))
    log.info("article", item=lease.item, feed=lease.feed, reason=read.reason, characters=len(text) if text else 0)
    return alerts


async def _page(tools: Tools, link: str) -> article.Extracted | Failed:
    """The text of the page at `link`, or why there is none."""
    outcome = await tools.client.get(Request(url=link, accept="page"))
    match outcome:
        case Fetched():
            answer = await tools.workers.run(reader.read_page, outcome.body, outcome.charset, outcome.url)
            return Failed(reason=answer.reason) if isinstance(answer, Crashed) else answer
        case NotModified():
            return Failed(reason=Reason.UNEXPECTED_304)
        case Failed():
            return outcome
        case other:
            assert_never(other)
