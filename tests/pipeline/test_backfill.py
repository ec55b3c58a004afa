"""The past of a feed (RFC 5005): gaps are filled, archives are read once, old news tells nobody."""

import asyncio
from datetime import timedelta
from email.utils import format_datetime

import pytest
from support.world import rss

from aggregator import app, config
from aggregator.errors import StoreError
from aggregator.store import Store


def document(*entries, rel=None, href=None, at=None):
    """A feed with a link into its past; `at` is when its entries were published."""
    body = rss(*entries)
    if href:
        body = body.replace(b"<title>World</title>", f"<title>World</title><a:link xmlns:a='http://www.w3.org/2005/Atom' rel='{rel}' href='{href}'/>".encode())  # fmt: skip
    if at:
        body = body.replace(b"<description>", f"<pubDate>{format_datetime(at)}</pubDate><description>".encode())
    return body


def entry(n, words="Story number {} of many"):
    return (f"g{n}", words.format(n), f"/{n}", "")


@pytest.fixture
def outlet(monitor, world):
    monitor.watch(f"{{url: '{world.url('/feed')}', name: Outlet}}")
    return monitor


def backfill(monitor, clock, most=50):
    async def main():
        async with app.opened(config.load(monitor.path), now=clock) as opened:
            said = []
            walk = await opened.work.backfill("Outlet", most, said.append)
            await opened.work.round(())
            return walk, [page.url for page in said]

    return asyncio.run(main())


def titles(monitor):
    return sorted(item.title for item in monitor.items())


# ---------------------------------------------------------------- gaps


@pytest.mark.parametrize("rel", ["next", "prev-archive"])
def test_what_slipped_out_between_two_visits_is_found_in_the_pages_and_tells(outlet, world, clock, rel):
    world.pages["/feed"] = document(entry(1), entry(0), rel=rel, href="/p2")
    outlet.round(clock)
    world.pages |= {
        "/feed": document(entry(6), entry(5), rel=rel, href="/p2"),
        "/p2": document(entry(4, "Taliban and number {}"), entry(3), rel=rel, href="/p3"),
        "/p3": document(entry(2), entry(1), rel=rel, href="/p4"),
        "/p4": document(entry(1), entry(0), rel=rel, href="/p5"),
    }
    outlet.asked()
    (visit,) = outlet.round(clock).visits
    assert outlet.asked() == ["/feed", "/p2", "/p3"], "what is behind the known is older than our list"
    assert visit.new == 2
    assert len(titles(outlet)) == 7
    assert outlet.told() == [("taliban",)]
    assert outlet.feed().troubles == ()


def test_without_a_gap_no_page_is_asked(outlet, world, clock):
    world.pages["/feed"] = document(entry(1), entry(0), rel="next", href="/p2")
    outlet.round(clock)
    world.pages["/feed"] = document(entry(2), entry(1), rel="next", href="/p2")
    outlet.round(clock)
    assert outlet.asked() == ["/feed", "/feed"]


def test_a_first_visit_walks_nowhere(outlet, world, clock):
    world.pages |= {"/feed": document(entry(1), rel="next", href="/p2"), "/p2": document(entry(0))}
    outlet.round(clock)
    assert outlet.asked() == ["/feed"]


def test_a_gap_that_cannot_be_filled_is_told(outlet, world, clock):
    world.pages["/feed"] = document(entry(1), entry(0), rel="next", href="/p2")
    outlet.round(clock)
    world.pages["/feed"] = document(entry(6), entry(5), rel="next", href="/p2")
    outlet.round(clock)
    assert [trouble.kind for trouble in outlet.feed().troubles] == ["overflow"]


def test_a_walk_over_a_gap_is_bounded_and_stays_on_the_site(outlet, world, clock):
    world.pages["/feed"] = document(entry(1), entry(0), rel="next", href="/p1")
    outlet.round(clock)
    world.pages["/feed"] = document(entry(900), entry(901), rel="next", href="/p1")
    for n in range(1, 30):
        world.pages[f"/p{n}"] = document(entry(100 + n), rel="next", href=f"/p{n + 1}")
    outlet.asked()
    outlet.round(clock)
    assert outlet.asked() == ["/feed", *(f"/p{n}" for n in range(1, 11))]
    world.pages["/feed"] = document(entry(902), entry(903), rel="next", href="http://elsewhere.example/p1")
    outlet.round(clock)
    assert outlet.asked() == ["/feed"]


def test_an_archive_document_that_was_read_is_never_asked_again(outlet, world, clock):
    world.pages |= {
        "/feed": document(entry(3), rel="prev-archive", href="/a2"),
        "/a2": document(entry(2), rel="prev-archive", href="/a1"),
        "/a1": document(entry(1)),
    }
    outlet.round(clock)
    backfill(outlet, clock)
    world.pages["/feed"] = document(entry(5), entry(4), rel="prev-archive", href="/a2")
    outlet.asked()
    outlet.round(clock)
    assert outlet.asked() == ["/feed"]
    assert outlet.feed().troubles == ()


def test_a_walk_that_dies_leaves_the_feed_due_and_what_it_stored(outlet, world, clock, monkeypatch):
    world.pages["/feed"] = document(entry(1), entry(0), rel="next", href="/p2")
    outlet.round(clock)
    world.pages |= {
        "/feed": document(entry(6), entry(5), rel="next", href="/p2"),
        "/p2": document(entry(4), entry(3), rel="next", href="/p3"),
        "/p3": document(entry(2), entry(1)),
    }

    def dies(*_):
        raise StoreError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "record_visit", dies)
        outlet.round(clock)
    assert len(titles(outlet)) == 5
    clock.on(minutes=5)
    outlet.round(clock)
    assert len(titles(outlet)) == 7


# ---------------------------------------------------------------- all of the past


@pytest.fixture
def archive(outlet, world, clock):
    """A feed with five archive documents behind it, from months ago."""
    long_ago = clock.at - timedelta(days=90)
    world.pages["/feed"] = document(entry(6), rel="prev-archive", href="/a5", at=clock.at)
    for n in range(5, 0, -1):
        href = f"/a{n - 1}" if n > 1 else None
        world.pages[f"/a{n}"] = document(entry(n, "Taliban and number {}"), rel="prev-archive", href=href, at=long_ago)
    outlet.round(clock)
    outlet.asked()
    return outlet


def test_a_backfill_reads_all_documents_once_and_goes_on_where_it_ended(archive, clock, world):
    walk, said = backfill(archive, clock, most=2)
    assert (walk.pages, walk.new, walk.reason, walk.next) == (2, 2, "limit", world.url("/a3"))
    assert said == [world.url("/a5"), world.url("/a4")]
    walk, _ = backfill(archive, clock, most=10)
    assert (walk.pages, walk.new, walk.reason, walk.next) == (3, 3, None, None)
    assert archive.asked() == ["/a5", "/a4", "/a3", "/a2", "/a1"]
    walk, _ = backfill(archive, clock)
    assert (walk.pages, archive.asked()) == (0, [])


def test_old_news_is_kept_and_judged_and_tells_nobody(archive, clock):
    walk, _ = backfill(archive, clock)
    assert (walk.new, walk.alerts, archive.told()) == (5, 0, [])
    with archive.store() as store:
        assert store._one("SELECT count(*) AS n FROM verdicts")["n"] == 5
        assert store._one("SELECT count(*) AS n FROM told")["n"] == 0


def test_news_of_the_last_week_tells_also_from_an_archive(archive, clock, world):
    world.pages["/a5"] = document(entry(5, "Taliban and number {}"), at=clock.at - timedelta(days=6))
    walk, _ = backfill(archive, clock)
    assert (walk.new, walk.alerts, archive.told()) == (1, 1, [("taliban",)])


def test_pages_behind_old_news_are_not_read(archive, clock):
    archive.path.write_text(archive.path.read_text().replace("full_text: never", "full_text: always"))
    backfill(archive, clock)
    assert archive.asked() == ["/a5", "/a4", "/a3", "/a2", "/a1"]


def test_pages_that_move_on_are_walked_anew_once_the_end_was_reached(outlet, world, clock):
    world.pages |= {
        "/feed": document(entry(3), rel="next", href="/p2"),
        "/p2": document(entry(2), rel="next", href="/p3"),
        "/p3": document(entry(1)),
    }
    outlet.round(clock)
    outlet.asked()
    assert backfill(outlet, clock, most=1)[0].reason == "limit"
    assert backfill(outlet, clock)[0].reason is None
    assert outlet.asked() == ["/p2", "/p3"]
    assert backfill(outlet, clock)[0].pages == 2


def test_an_archive_that_bites_its_tail_ends(outlet, world, clock):
    world.pages |= {
        "/feed": document(entry(3), rel="prev-archive", href="/a2"),
        "/a2": document(entry(2), rel="prev-archive", href="/a1"),
        "/a1": document(entry(1), rel="prev-archive", href="/a2"),
    }
    outlet.round(clock)
    walk, _ = backfill(outlet, clock)
    assert (walk.pages, walk.reason) == (2, "loop")


@pytest.mark.parametrize(
    ("href", "reason"), [(None, "no_archive"), ("http://elsewhere.example/a", "other_site"), ("/none", "not_found")]
)
def test_why_a_walk_ended_is_told(outlet, world, clock, href, reason):
    world.pages["/feed"] = document(entry(1), rel="prev-archive", href=href)
    outlet.round(clock)
    assert backfill(outlet, clock)[0].reason == reason


def test_the_schedule_of_the_feed_stays_as_it_was(archive, clock):
    before = archive.feed()
    backfill(archive, clock)
    after = archive.feed()
    assert (after.due_at, after.visited_at, after.outcome) == (before.due_at, before.visited_at, before.outcome)
    with archive.store() as store:
        assert store._one("SELECT lease_token FROM feeds")["lease_token"] is None


def test_the_pages_behind_a_feed_that_stands_in_for_a_page_are_read_as_feeds(monitor, world, clock):
    monitor.watch(f"{{url: '{world.url('/listing')}', name: Outlet, type: page, fallback: ['{world.url('/feed')}']}}")
    world.pages["/feed"] = document(entry(1), entry(0), rel="next", href="/p2")
    monitor.round(clock)
    world.pages |= {
        "/feed": document(entry(5), entry(4), rel="next", href="/p2"),
        "/p2": document(entry(3), entry(1), rel="next", href="/p3"),
    }
    monitor.round(clock)
    assert titles(monitor) == sorted(f"Story number {n} of many" for n in (0, 1, 3, 4, 5))


def test_a_corrected_address_has_a_past_of_its_own(archive, world, clock):
    world.pages["/new"] = document(entry(6))
    archive.path.write_text(archive.path.read_text().replace("/feed'", "/new'"))
    archive.round(clock)
    assert backfill(archive, clock)[0].reason == "no_archive"
