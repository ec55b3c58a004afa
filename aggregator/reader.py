"""What runs in a worker: a document or a page read, and each item judged. Pure, on bytes that nobody can trust."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from aggregator import article, parse, stories, watch
from aggregator.model import Finding, Item, ParsedFeed, Rejected
from aggregator.settings import Address, Concept, FullText, Watchlist

THIN_TEXT = 1200  # characters; excerpts in Afghan outlets' feeds measured 276 to 480, articles are longer

_prepared: dict[str, watch.Matcher] = {}  # of this worker process


def prepare(watchlists: Iterable[Watchlist], concepts: Iterable[Concept]) -> None:
    """Compile the watchlists once in each worker process."""
    _prepared["matcher"] = watch.compile(watchlists, concepts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A feed document on its way to a worker."""

    body: bytes
    charset: str | None
    url: str
    known: frozenset[bytes]  # slice hashes of entries that need not be read
    source: watch.Source
    policy: FullText
    address: Address


def read_document(work: Unread) -> tuple[ParsedFeed, tuple[Finding, ...]]:
    """A feed document read and matched: its facts, and a finding for each of its items in document order."""
    parsed = _parsed(work)
    if any(not _storable(item) for item in parsed.items):
        parsed = _without_unstorable(parsed)
    keys = stories.identities(parsed.items)
    findings = tuple(
        replace(
            finding(_prepared["matcher"], {}, item, key, work.source), wants_article=_wants_article(item, work.policy)
        )
        for item, key in zip(parsed.items, keys, strict=True)
    )
    return parsed, findings


def _parsed(work: Unread) -> ParsedFeed:
    if work.address.type == "page":
        return parse.page(work.body, select=work.address.select, charset=work.charset, url=work.url)
    parsed = parse.feed(work.body, charset=work.charset, url=work.url, known=work.known)
    is_sitemap = parse.sitemap.is_format(parsed.format)
    if parsed.format and is_sitemap != (work.address.type == "sitemap"):
        found = "sitemap" if is_sitemap else "feed"  # it is read as what it is
        return replace(parsed, flags=(*parsed.flags, f"type-is-{found}"))
    return parsed


def _storable(item: Item) -> bool:
    """Whether every text of the item is text: half a surrogate pair cannot be stored, and would cost its neighbours."""
    enclosures = [text for one in item.enclosures for text in (one.url, one.type)]
    texts = (item.title, item.summary, item.content, *item.tags, item.guid, item.link, item.author, item.lang)
    try:
        "".join(filter(None, (*texts, *enclosures, *item.flags))).encode()
    except UnicodeEncodeError:
        return False
    return True


def _without_unstorable(parsed: ParsedFeed) -> ParsedFeed:
    bad = tuple(
        Rejected(reason="not-text", position=place) for place, item in enumerate(parsed.items) if not _storable(item)
    )
    kept = tuple(item for item in parsed.items if _storable(item))
    return replace(parsed, items=kept, rejected=(*parsed.rejected, *bad))


def finding(matcher: watch.Matcher, langs: Mapping[str, str], item: Item, key: str, source: watch.Source) -> Finding:
    """All that the pure core can say of an item: its marks and its hits, folded once for both.

    `langs` are the languages that feeds.yaml declares, by the feed's name.
    """
    folds = stories.folded_fields(item)
    verdict = matcher.verdict(item, folds, replace(source, lang=source.lang or langs.get(source.feed)))
    return Finding(
        item=item,
        key=key,
        content_hash=stories.content_hash(item),
        marks=stories.marks(item, source.site, folds),
        hits=verdict.hits,
        stopped=tuple(one.watchlist for one in verdict.stopped),
    )


def _wants_article(item: Item, policy: FullText) -> bool:
    if policy == "auto":
        return len(item.summary) < THIN_TEXT and len(item.content) < THIN_TEXT
    return policy == "always"


def read_page(body: bytes, charset: str | None, url: str) -> article.Extracted:
    """The text of an article's page, or why there is none."""
    return article.extract(body, charset=charset, url=url)
