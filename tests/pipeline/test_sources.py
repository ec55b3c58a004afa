"""Outlets without a dependable feed: sitemaps, listing pages, and what stands in for a feed that fails."""

import asyncio

import pytest
from support.world import page, rss

from aggregator import app, config

SETTINGS = """settings:
  database: data/aggregator.db
  full_text: {full_text}
  network: {{allow_private_feeds: true, allow_private_webhooks: true, ports: any}}
  polling: {{floor: 1s, cap: 1h, host_gap: 0s, per_host: 64}}
watchlists:
  - {{name: words, keywords: [Taliban, general amnesty, relocation]}}
channels:
  hook: {{type: webhook, url: '{hook}', secret: whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz}}
feeds:
"""


class Monitor:
    """The real program over the loopback world."""

    def __init__(self, folder, world):
        self.path, self.world = folder / "feeds.yaml", world

    def watch(self, *feeds, full_text="never"):
        text = SETTINGS.format(full_text=full_text, hook=self.world.url("/hook"))
        self.path.write_text(text + "".join(f"  - {feed}\n" for feed in feeds), encoding="utf-8")

    def round(self, now=app.utc_now):
        async def main():
            loaded = config.load(self.path)
            async with app.opened(loaded, now=now) as opened:
                return await opened.work.round([feed.name for feed in loaded.feeds])

        return asyncio.run(main())

    def items(self):
        with self.store() as store:
            return [stored.item for stored in reversed(store.items(limit=1000))]

    def feed(self):
        with self.store() as store:
            return store.feeds()[0]

    def store(self):
        return app.Store.open_to_read(config.load(self.path).settings.database)

    def asked(self):
        """The paths asked since the last call."""
        paths = [path for path, _ in self.world.asked]
        self.world.asked.clear()
        return paths

    def told(self):
        return sorted(
            tuple(sorted({term["term"] for term in body["data"]["terms"]})) for _, body in self.world.received
        )


@pytest.fixture
def monitor(folder, world):
    return Monitor(folder, world)


def sitemap(*entries):
    """A sitemap of (link, title, date) entries; in the plain form where there is no title."""
    return (
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">'
        + "".join(
            f"<url><loc>{link}</loc>"
            + (f"<lastmod>{date}</lastmod>" if title is None else f"<news:news><news:publication_date>{date}</news:publication_date><news:title>{title}</news:title></news:news>")
            + "</url>"
            for link, title, date in entries
        )
        + "</urlset>"
    ).encode()  # fmt: skip


def listing(*links):
    return ("<html><body><main>" + "".join(f"<h2><a href='{href}'>{words}</a></h2>" for href, words in links) + "</main></body></html>").encode()  # fmt: skip


# ---------------------------------------------------------------- sitemaps


def test_a_news_sitemap_brings_items_and_alerts(monitor, world):
    world.pages["/map.xml"] = sitemap((world.url("/1"), "Taliban announce general amnesty", "2026-11-24T08:00:00Z"))
    monitor.watch(f"{{url: '{world.url('/map.xml')}', name: Map, type: sitemap}}")
    tally = monitor.round()
    assert [(visit.outcome, visit.new, visit.alerts) for visit in tally.visits] == [("fetched", 1, 1)]
    assert monitor.told() == [("general amnesty", "taliban")]
    assert [item.title for item in monitor.items()] == ["Taliban announce general amnesty"]


def test_of_a_plain_sitemap_the_articles_say_what_happened(monitor, world):
    world.pages["/map.xml"] = sitemap((world.url("/1"), None, "2026-11-24"), (world.url("/2"), None, "2026-11-24"))
    world.pages |= {"/1": page("The Taliban promise a general amnesty."), "/2": page("Rain in Herat.")}
    monitor.watch(f"{{url: '{world.url('/map.xml')}', name: Map, type: sitemap}}", full_text="auto")
    monitor.round()
    assert monitor.told() == [("general amnesty", "taliban")]


def test_what_a_sitemap_said_before_is_not_read_again(monitor, world):
    first = [(world.url(f"/{n}"), f"Headline number {n} of many", "2026-11-24") for n in range(5)]
    world.pages["/map.xml"] = sitemap(*first)
    monitor.watch(f"{{url: '{world.url('/map.xml')}', name: Map, type: sitemap}}")
    monitor.round()
    world.pages["/map.xml"] = sitemap((world.url("/9"), "Taliban", "2026-11-25"), *first)
    (visit,) = monitor.round().visits
    assert (visit.new, visit.unchanged, visit.revised) == (1, 5, 0)


@pytest.mark.parametrize(("kind", "flags"), [("feed", '["type-is-sitemap"]'), ("sitemap", "[]")])
def test_a_sitemap_is_read_as_one_wherever_it_stands_and_flagged_at_a_feed(monitor, world, kind, flags):
    world.pages["/map.xml"] = sitemap((world.url("/1"), "Taliban", "2026-11-24"))
    monitor.watch(f"{{url: '{world.url('/map.xml')}', name: Map, type: {kind}}}")
    assert monitor.round().visits[0].new == 1
    with monitor.store() as store:
        assert store._one("SELECT flags, format FROM feeds")["flags"] == flags


def test_a_feed_at_the_address_of_a_sitemap_is_read_as_one(monitor, world):
    world.pages["/map.xml"] = rss(("1", "Taliban", world.url("/1"), ""))
    monitor.watch(f"{{url: '{world.url('/map.xml')}', name: Map, type: sitemap}}")
    assert monitor.round().visits[0].new == 1
    with monitor.store() as store:
        assert store._one("SELECT flags FROM feeds")["flags"] == '["type-is-feed"]'


# ---------------------------------------------------------------- listing pages


def test_links_of_a_page_become_items_once(monitor, world):
    world.pages["/news"] = listing(("/1", "Taliban speak of a general amnesty"), ("/2", "Rain again in the north"))
    monitor.watch(f"{{url: '{world.url('/news')}', name: Page, type: page}}")
    assert [(visit.outcome, visit.new) for visit in monitor.round().visits] == [("fetched", 2)]
    world.pages["/news"] = listing(
        ("/3", "Relocation of families goes on"), ("/1", "Taliban speak of a general amnesty")
    )
    assert [(visit.new, visit.unchanged) for visit in monitor.round().visits] == [(1, 1)]
    assert [item.title for item in monitor.items()] == [
        "Rain again in the north", "Taliban speak of a general amnesty", "Relocation of families goes on",
    ]  # fmt: skip
    assert monitor.told() == [("general amnesty", "taliban"), ("relocation",)]


def test_a_selector_that_matches_nothing_is_a_failure_first_and_later(monitor, world):
    pytest.importorskip("cssselect")
    world.pages["/news"] = b"<html><body><main><p>Nothing here</p></main></body></html>"
    monitor.watch(f"{{url: '{world.url('/news')}', name: Page, type: page, select: 'h2 > a'}}")
    assert [(visit.outcome, visit.reason) for visit in monitor.round().visits] == [("failed", "not_a_feed")]
    world.pages["/news"] = listing(("/1", "Taliban speak"))
    assert [(visit.outcome, visit.new) for visit in monitor.round().visits] == [("fetched", 1)]
    world.pages["/news"] = b"<html><body><main><p><a href='/2'>A new layout of the page</a></p></main></body></html>"
    assert [(visit.outcome, visit.reason) for visit in monitor.round().visits] == [("failed", "suspicious_empty")]


def test_a_page_that_robots_txt_closes_is_not_read_while_a_sitemap_is(monitor, world):
    world.pages["/robots.txt"] = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /")
    world.pages["/news"] = listing(("/1", "Taliban speak of a general amnesty"))
    world.pages["/map.xml"] = sitemap((world.url("/1"), "Taliban", "2026-11-24"))
    monitor.watch(
        f"{{url: '{world.url('/news')}', name: Page, type: page}}",
        f"{{url: '{world.url('/map.xml')}', name: Map, type: sitemap}}",
    )
    visits = {visit.feed: (visit.outcome, visit.reason) for visit in monitor.round().visits}
    assert visits == {"Page": ("failed", "robots"), "Map": ("fetched", None)}
    assert sorted(monitor.asked()) == ["/map.xml", "/robots.txt"]
