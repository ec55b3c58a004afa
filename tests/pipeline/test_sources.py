"""Outlets without a dependable feed: sitemaps, listing pages, and what stands in for a feed that fails."""

import logging

import pytest
import structlog
from support.world import page, rss


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


def index(*parts):
    return (
        "<sitemapindex>" + "".join(f"<sitemap><loc>{loc}</loc><lastmod>{date}</lastmod></sitemap>" for loc, date in parts) + "</sitemapindex>"
    ).encode()  # fmt: skip


def test_of_a_sitemap_index_the_newest_parts_of_its_site_are_read_and_the_others_never(monitor, world):
    for n in range(1, 6):
        world.pages[f"/{n}.xml"] = (200, {"ETag": f'"{n}"'}, sitemap((world.url(f"/a{n}"), f"Story number {n} of many", "2026-11-24")))  # fmt: skip
    parts = [(world.url(f"/{n}.xml"), f"2026-11-0{n}") for n in range(1, 6)]
    world.pages["/map.xml"] = index(*parts, ("http://elsewhere.example/9.xml", "2026-11-20"))
    monitor.watch(f"{{url: '{world.url('/map.xml')}', name: Map, type: sitemap}}")
    (visit,) = monitor.round().visits
    assert (visit.outcome, visit.new, visit.unchanged) == ("fetched", 3, 0)
    assert monitor.asked() == ["/map.xml", "/5.xml", "/4.xml", "/3.xml"]


def test_a_part_that_changed_under_an_index_that_did_not_is_seen_and_the_others_say_304(monitor, world):
    first = (world.url("/a1"), "Story number one of many", "2026-11-24")
    world.pages["/1.xml"] = (200, {"ETag": '"1"'}, sitemap(first))
    world.pages["/2.xml"] = (
        200,
        {"ETag": '"2"'},
        sitemap((world.url("/a2"), "Story number two of many", "2026-11-24")),
    )
    world.pages["/map.xml"] = (200, {"ETag": '"same"'}, index((world.url("/1.xml"), "2026-11-01"), (world.url("/2.xml"), "2026-11-02")))  # fmt: skip
    monitor.watch(f"{{url: '{world.url('/map.xml')}', name: Map, type: sitemap}}")
    monitor.round()
    world.pages["/1.xml"] = (200, {"ETag": '"1b"'}, sitemap((world.url("/a3"), "Taliban", "2026-11-25"), first))
    world.asked.clear()
    (visit,) = monitor.round().visits
    assert (visit.outcome, visit.new, visit.unchanged) == ("fetched", 1, 2)
    sent = {path: headers.get("If-None-Match") for path, headers in world.asked}
    assert sent == {"/map.xml": None, "/1.xml": '"1"', "/2.xml": '"2"'}


def test_a_lost_part_costs_the_others_nothing_and_without_any_the_feed_fails(monitor, world):
    world.pages["/1.xml"] = sitemap((world.url("/a1"), "Taliban", "2026-11-24"))
    world.pages["/map.xml"] = index((world.url("/1.xml"), "2026-11-01"), (world.url("/gone.xml"), "2026-11-02"))
    monitor.watch(f"{{url: '{world.url('/map.xml')}', name: Map, type: sitemap}}")
    assert [(visit.outcome, visit.new) for visit in monitor.round().visits] == [("fetched", 1)]
    assert "/gone.xml: not_found" in monitor.feed().detail
    del world.pages["/1.xml"]
    assert [(visit.outcome, visit.reason) for visit in monitor.round().visits] == [("failed", "not_found")]
    world.pages["/map.xml"] = index(("http://elsewhere.example/9.xml", "2026-11-20"))
    assert [(visit.outcome, visit.reason) for visit in monitor.round().visits] == [("failed", "not_a_feed")]
    assert "none is of its site" in monitor.feed().detail


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


# ---------------------------------------------------------------- what stands in


def watched(monitor, world, *fallback):
    others = ", ".join(f"'{world.url(one)}'" if one.startswith("/") else one for one in fallback)
    monitor.watch(f"{{url: '{world.url('/feed')}', name: Outlet, fallback: [{others}]}}")


NEWS = [("1", "Taliban speak of a general amnesty", "/1", "")]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, {}, b""), "not_found"),
        ((410, {}, b""), "gone"),
        ((403, {}, b""), "unauthorized"),
        (b"<html>Please solve the puzzle</html>", "not_a_feed"),
    ],
    ids=["404", "410", "403", "captcha"],
)
def test_while_its_own_address_brings_nothing_another_stands_in_at_once_and_it_is_told(
    monitor, world, clock, answer, reason
):
    world.pages |= {"/feed": answer, "/other": rss(*NEWS)}
    watched(monitor, world, "/none", "/other")
    (visit,) = monitor.round(clock).visits
    assert (visit.outcome, visit.new, visit.fallback) == ("fetched", 1, world.url("/other"))
    assert monitor.asked()[:3] == ["/feed", "/none", "/other"]
    assert monitor.told() == [("general amnesty", "taliban")]
    stand_in = monitor.feed().stand_in
    assert (stand_in.url, stand_in.reason, stand_in.since, stand_in.failures) == (
        world.url("/other"),
        reason,
        clock.at,
        1,
    )


def test_an_empty_feed_gives_way_too(monitor, world, clock):
    world.pages |= {"/feed": rss(*NEWS), "/other": rss(("2", "Relocation goes on", "/2", ""))}
    watched(monitor, world, "/other")
    monitor.round(clock)
    world.pages["/feed"] = rss()
    (visit,) = monitor.round(clock).visits
    assert (visit.new, visit.fallback, monitor.feed().stand_in.reason) == (1, world.url("/other"), "suspicious_empty")


def test_a_server_in_trouble_is_given_patience_first(monitor, world, clock):
    world.pages |= {"/feed": (500, {}, b""), "/other": rss(*NEWS)}
    watched(monitor, world, "/other")
    seen = [monitor.round(clock).visits[0].fallback for _ in range(3)]
    assert seen == [None, None, world.url("/other")]
    assert monitor.asked().count("/other") == 1


def test_a_feed_that_gives_way_is_asked_again_at_its_own_backoff_and_taken_back(monitor, world, clock):
    world.pages |= {"/feed": (404, {}, b""), "/other": rss(*NEWS)}
    watched(monitor, world, "/other")
    monitor.round(clock)
    since = monitor.feed().stand_in.since
    monitor.asked()
    monitor.round(clock)
    assert monitor.asked() == ["/other"]
    clock.on(seconds=3)
    monitor.round(clock)
    assert monitor.asked() == ["/feed", "/other"]
    stand_in = monitor.feed().stand_in
    assert (stand_in.failures, stand_in.since) == (2, since)
    clock.on(hours=1)
    world.pages["/feed"] = rss(*NEWS, ("2", "Relocation goes on", "/2", ""))
    (visit,) = monitor.round(clock).visits
    assert monitor.asked() == ["/feed"]
    assert (visit.fallback, visit.new, monitor.feed().stand_in) == (None, 1, None)


def test_each_address_has_validators_of_its_own(monitor, world, clock):
    world.pages |= {"/feed": (200, {"ETag": '"own"'}, rss(*NEWS)), "/other": (200, {"ETag": '"other"'}, rss(*NEWS))}
    watched(monitor, world, "/other")
    monitor.round(clock)
    good = world.pages["/feed"]
    world.pages["/feed"] = (404, {}, b"")
    monitor.round(clock)
    monitor.round(clock)
    world.pages["/feed"] = good
    clock.on(hours=1)
    monitor.round(clock)
    sent = [(path, headers.get("If-None-Match")) for path, headers in world.asked]
    assert sent == [("/feed", None), ("/feed", '"own"'), ("/other", None), ("/other", '"other"'), ("/feed", '"own"')]


def test_when_nothing_stands_in_the_feed_fails_for_its_own_reason(monitor, world, clock):
    world.pages["/feed"] = (404, {}, b"")
    watched(monitor, world, "/none", f"{{url: '{world.url('/page')}', type: page}}")
    (visit,) = monitor.round(clock).visits
    assert (visit.outcome, visit.reason, visit.fallback) == ("failed", "not_found", None)
    assert monitor.feed().stand_in is None


def test_when_what_stood_in_fails_too_its_own_address_is_asked_in_time(monitor, world, clock):
    world.pages |= {"/feed": (404, {}, b""), "/other": rss(*NEWS)}
    watched(monitor, world, "/other")
    monitor.round(clock)
    retry_at = monitor.feed().stand_in.retry_at
    world.pages["/other"] = (410, {}, b"")
    (visit,) = monitor.round(clock).visits
    assert (visit.outcome, visit.reason, visit.fallback) == ("failed", "gone", None)
    assert monitor.feed().due_at <= retry_at


def test_a_story_told_from_the_feed_is_not_told_again_from_what_stands_in(monitor, world, clock):
    link = world.url("/1")
    world.pages |= {
        "/feed": rss(("guid-1", "Taliban speak of a general amnesty", link, "Short.")),
        "/map.xml": sitemap((link, "Taliban speak of a general amnesty", "2026-11-24")),
        "/page": listing((link, "Taliban speak of a general amnesty")),
    }
    watched(
        monitor,
        world,
        f"{{url: '{world.url('/map.xml')}', type: sitemap}}",
        f"{{url: '{world.url('/page')}', type: page}}",
    )
    monitor.round(clock)
    world.pages["/feed"] = (410, {}, b"")
    assert monitor.round(clock).visits[0].fallback == world.url("/map.xml")
    world.pages["/map.xml"] = (404, {}, b"")
    assert monitor.round(clock).visits[0].fallback == world.url("/page")
    assert monitor.told() == [("general amnesty", "taliban")]


def test_a_server_that_asks_for_a_pause_is_not_asked_by_another_address(monitor, world, clock):
    world.pages |= {"/feed": (404, {}, b""), "/other": rss(*NEWS)}
    watched(monitor, world, "/other")
    monitor.round(clock)
    world.pages["/feed"] = (429, {}, b"")
    clock.on(hours=1)
    monitor.asked()
    (visit,) = monitor.round(clock).visits
    assert (monitor.asked(), visit.outcome, visit.reason) == (["/feed"], "failed", "too_many")


def test_a_login_is_for_the_origin_it_was_given_for(monitor, world, clock):
    world.pages |= {"/feed": (404, {}, b""), "/other": (404, {}, b""), "/far": rss(*NEWS)}
    far = world.url("/far", host="localhost")
    monitor.watch(
        f"{{url: '{world.url('/feed')}', name: Outlet, headers: {{Authorization: secret}}, fallback: ['{world.url('/other')}', '{far}']}}"
    )
    assert monitor.round(clock).visits[0].fallback == far
    sent = {path: headers.get("Authorization") for path, headers in world.asked}
    assert sent == {"/feed": "secret", "/other": "secret", "/far": None}


def test_a_corrected_address_needs_nothing_that_stands_in(monitor, world, clock):
    world.pages |= {"/feed": (404, {}, b""), "/other": rss(*NEWS), "/new": rss(*NEWS)}
    watched(monitor, world, "/other")
    monitor.round(clock)
    monitor.path.write_text(monitor.path.read_text().replace("/feed'", "/new'"))
    monitor.asked()
    assert monitor.round(clock).visits[0].fallback is None
    assert monitor.asked() == ["/new"]


LONG = "The families have waited in the camp since the summer for an answer to their letters. " * 20


@pytest.mark.parametrize("words", ["Short.", LONG], ids=["article read", "text in the feed"])
@pytest.mark.parametrize("kind", ["sitemap", "page", "news"])
def test_what_stands_in_says_less_of_an_item_and_tells_nothing_twice(monitor, world, clock, words, kind):
    link, title = world.url("/2026/amnesty-for-all"), "Taliban speak of a general amnesty"
    world.pages |= {
        "/feed": rss(("https://one.example/?p=1", title, link, words)),
        "/2026/amnesty-for-all": page("The Taliban promise a general amnesty."),
        "/sitemap": sitemap((link, None, "2026-11-24")),
        "/news": sitemap((link, title, "2026-11-24")),
        "/page": listing((link, title)),
    }
    kinds = {"sitemap": "sitemap", "page": "page", "news": "sitemap"}
    monitor.watch(
        f"{{url: '{world.url('/feed')}', name: Outlet, fallback: [{{url: '{world.url('/' + kind)}', type: {kinds[kind]}}}]}}",
        full_text="auto",
    )
    monitor.round(clock)
    assert monitor.told() == [("general amnesty", "taliban")]
    world.pages["/feed"] = (410, {}, b"")
    clock.on(hours=1)
    (visit,) = monitor.round(clock).visits
    assert visit.fallback == world.url(f"/{kind}")
    assert monitor.told() == [("general amnesty", "taliban")]
    assert [item.title for item in monitor.items()] == [title]


@pytest.mark.parametrize("kind", ["sitemap", "page", "news"])
def test_when_its_own_address_comes_back_it_says_more_of_the_same_items(monitor, world, clock, kind):
    link, title = world.url("/2026/amnesty-for-all"), "Taliban speak of a general amnesty"
    world.pages |= {
        "/feed": (404, {}, b""),
        "/2026/amnesty-for-all": page("The Taliban promise a general amnesty."),
        "/sitemap": sitemap((link, None, "2026-11-24")),
        "/news": sitemap((link, title, "2026-11-24")),
        "/page": listing((link, title)),
    }
    kinds = {"sitemap": "sitemap", "page": "page", "news": "sitemap"}
    monitor.watch(
        f"{{url: '{world.url('/feed')}', name: Outlet, fallback: [{{url: '{world.url('/' + kind)}', type: {kinds[kind]}}}]}}",
        full_text="auto",
    )
    monitor.round(clock)
    assert monitor.told() == [("general amnesty", "taliban")]
    for words in ("A teaser.", "A teaser that speaks of relocation."):
        world.pages["/feed"] = rss(("https://one.example/?p=1", title, link, words))
        clock.on(hours=1)
        (visit,) = monitor.round(clock).visits
        assert (visit.fallback, visit.new, visit.revised) == (None, 0, 1)
    assert [(item.title, item.summary) for item in monitor.items()] == [(title, words)]
    assert monitor.told() == [("general amnesty", "taliban"), ("relocation",)]


def test_no_login_of_a_fallback_is_logged(monitor, world, clock):
    world.pages |= {"/feed": (404, {}, b""), "/other": rss(*NEWS)}
    watched(monitor, world, f"'{world.url('/other', host='u:hunter2@127.0.0.1')}'")
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with structlog.testing.capture_logs() as logged:
        monitor.round(clock)
    structlog.configure(**before)
    assert [line["fallback"] for line in logged if line["event"] == "visit"] == [f"127.0.0.1:{world.port}"]
    assert "hunter2" not in str(logged)
