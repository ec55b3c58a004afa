"""Records as the core would make them, with as few words as a test needs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from aggregator import reader, stories, watch
from aggregator.model import Document, Due, History, Item, ParsedFeed, Reading, Rejected, Route, Visit
from aggregator.settings import Concept, FeedSpec, Watchlist

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

TALIBAN = Concept(name="taliban", terms=(("en", ("Taliban",)), ("fa", ("طالبان",))))
AMNESTY = Concept(name="amnesty", terms=(("en", ("general amnesty",)),))
RELOCATION = Concept(name="relocation", terms=(("en", ("relocation",)),))
RULE = Watchlist(name="amnesty-watch", label="Watch 1", rule="@taliban AND (@amnesty OR @relocation)")
WORDS = Watchlist(name="words", label="Watch 2", keywords=("Taliban", "amnesty", "relocation"), severity="high")

LONG = (
    "The authorities in the province said on Monday that the families who had left the valley after the floods would be "
    "able to return before winter, and that schools and clinics would open again as soon as the road was repaired."
)


def routes(*watchlists, recipients=(("screen", "screen"),)):
    return {
        watchlist.name: Route(label=watchlist.label, severity=watchlist.severity, recipients=recipients)
        for watchlist in watchlists
    }


def finder(*watchlists):
    """What the store judges items with."""
    return partial(reader.finding, watch.compile(watchlists, (TALIBAN, AMNESTY, RELOCATION)), {})


def feed(name="one", url=None):
    return FeedSpec(url=url or f"https://{name}.example.org/feed", name=name)


def item(title="A headline of some length", guid="1", link="https://one.example.org/1", **more):
    return Item(title=title, guid=guid, link=link, **more)


def visit(lease, items, find, at=NOW, **more):
    """The visit that brought these items, in the order of the document."""
    keys = stories.identities(items)
    findings = tuple(
        find(one, key, watch.Source(feed=lease.name, site=lease.site)) for one, key in zip(items, keys, strict=True)
    )
    articles = more.pop("articles", False)
    document = Document(
        findings=tuple(replace(one, wants_article=articles) for one in findings),
        rejected=tuple(Rejected(reason=reason, position=0) for reason in more.pop("rejected", ())),
        known=more.pop("known", 0), standing=more.pop("standing", frozenset()), facts=ParsedFeed(format="rss20", title="Feed"), body_hash=b"b" * 16,
    )  # fmt: skip
    return blank(lease, at, document=document, **more)


def blank(lease, at=NOW, **more):
    due = Due(at=at + 15 * MINUTE, why="floor", not_before=more.pop("not_before", None), history=History())
    return Visit(
        **{"lease": lease, "at": at, "outcome": "fetched", "due": lambda _new: due, "host_free_at": at, **more}
    )


def reading(lease, text, at=NOW, **more):
    return Reading(lease=lease, at=at, text=text, host_free_at=at, **more)
