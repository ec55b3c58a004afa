# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
"""Leases: never two of one host, never one unit in two hands, however many claim at once."""

import threading
from datetime import timedelta

import pytest
from support.making import MINUTE, NOW, WORDS, blank, feed, finder, item, routes, visit

from aggregator.model import Due, History
from aggregator.store import Store

FINDER = finder(WORDS)


def open_store(path, count=3, hosts=None):
    store = Store.open(path, routes(WORDS))
    hosts = hosts or count
    store.sync_feeds(tuple(feed(f"feed-{n}", f"https://host-{n % hosts}.example.org/{n}") for n in range(count)), NOW)
    return store


def test_due_feeds_are_leased_once(tmp_path):
    with open_store(tmp_path / "a.db") as store:
        assert len(store.claim_feeds(NOW, 10, "a")) == 3
        assert store.claim_feeds(NOW, 10, "b") == ()


def test_a_lease_that_ran_out_is_given_again(tmp_path):
    with open_store(tmp_path / "a.db") as store:
        store.claim_feeds(NOW, 10, "a")
        assert len(store.claim_feeds(NOW + timedelta(minutes=3), 10, "b")) == 3


def test_feeds_of_one_host_go_one_at_a_time_with_a_gap(tmp_path):
    with open_store(tmp_path / "a.db", count=3, hosts=1) as store:
        (first,) = store.claim_feeds(NOW, 10, "a")
        assert store.claim_feeds(NOW, 10, "b") == ()
        gap = timedelta(seconds=2)
        store.record_visit(blank(first, host_free_at=NOW + gap), FINDER)
        assert store.claim_feeds(NOW, 10, "c") == ()
        (second,) = store.claim_feeds(NOW + gap, 10, "c")
        assert second.name != first.name


def test_per_host_raises_the_bound(tmp_path):
    with open_store(tmp_path / "a.db", count=5, hosts=1) as store:
        assert len(store.claim_feeds(NOW, 10, "a", per_host=3)) == 3
        assert len(store.claim_feeds(NOW, 10, "b", per_host=4)) == 1


def test_pages_and_feeds_of_one_host_share_its_bound(tmp_path):
    with open_store(tmp_path / "a.db", count=2, hosts=1) as store:
        (lease,) = store.claim_feeds(NOW, 1, "a")
        page = item(link="https://host-0.example.org/page")
        store.record_visit(visit(lease, (page,), FINDER, articles=True), FINDER)
        assert len(store.claim_feeds(NOW, 1, "b")) == 1
        assert store.claim_articles(NOW, 10, "c") == ()


def test_the_longest_due_feed_goes_first(tmp_path):
    with open_store(tmp_path / "a.db") as store:
        for lease in store.claim_feeds(NOW, 10, "a"):
            due = lease.id
            store.record_visit(blank(lease, due=lambda _new, due=due: _due(NOW + (10 - due) * MINUTE)), FINDER)
        leases = store.claim_feeds(NOW + timedelta(hours=1), 10, "b")
        assert [lease.id for lease in leases] == sorted((lease.id for lease in leases), reverse=True)


def _due(at):
    return Due(at=at, why="rate", history=History())


def test_a_forced_claim_ignores_our_schedule_and_never_the_servers(tmp_path):
    with open_store(tmp_path / "a.db") as store:
        for lease in store.claim_feeds(NOW, 10, "a"):
            bound = NOW + timedelta(hours=12) if lease.name == "feed-0" else None
            store.record_visit(blank(lease, not_before=bound), FINDER)
        names = ["feed-0", "feed-1"]
        assert store.claim_feeds(NOW, 10, "b") == ()
        assert [lease.name for lease in store.claim_named(NOW, names, 10, "c", per_host=1)] == ["feed-1"]
        assert store.not_claimable(["feed-0"], NOW, NOW) == [("feed-0", "not_before")]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://a.example/feed", "https://a.example/feed", True),
        ("https://a.example/feed", "https://a.example/feed/", True),
        ("https://a.example", "http://a.example/", True),
        ("https://a.example/feed?lang=fa", "https://a.example/feed?lang=ps", False),
        ("https://a.example/feed", "https://www.a.example/feed", False),
        ("https://a.example:8443/feed", "https://a.example/feed", False),
        ("https://me:one@a.example/feed", "https://me:two@a.example/feed", False),
        ("https://a.example/Feed", "https://a.example/feed", False),
    ],
)
def test_S13_http_https_and_slash_twins_are_one_document(tmp_path, one, other, same):
    with Store.open(tmp_path / "a.db", routes(WORDS)) as store:
        store.sync_feeds((feed("one", one), feed("other", other)), NOW)
        assert [lease.name for lease in store.claim_feeds(NOW, 10, "a", per_host=9)] == ["one", "other"][: 2 - same]
        assert store.due_feeds(NOW) == ["one", "other"][: 2 - same]
        assert [row.twin_of for row in store.feeds()] == [None, "one" if same else None]
        assert store.totals().feeds_new == 2 - same
        store.sync_feeds((feed("other", other),), NOW)
        assert store.due_feeds(NOW) == ["other"]


def test_six_workers_on_one_file_never_take_the_same_feed(tmp_path):
    path = tmp_path / "a.db"
    open_store(path, count=120).close()
    taken, lock = [], threading.Lock()

    def work(token):
        with Store.open(path, routes(WORDS)) as store:
            while leases := store.claim_feeds(NOW, 7, token):
                with lock:
                    taken.extend(lease.id for lease in leases)

    threads = [threading.Thread(target=work, args=(f"worker-{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 120


def test_a_feed_that_left_and_came_back_finds_its_history(tmp_path):
    with open_store(tmp_path / "a.db") as store:
        (lease,) = store.claim_named(NOW, ["feed-0"], 1, "a", per_host=1)
        store.record_visit(visit(lease, (item(),), FINDER), FINDER)
        kept = tuple(feed(f"feed-{n}", f"https://host-{n}.example.org/{n}") for n in (1, 2))
        store.sync_feeds(kept, NOW)
        assert [one.name for one in store.feeds()] == ["feed-1", "feed-2"]
        renamed = feed("back again", "https://host-0.example.org/0")
        store.sync_feeds((*kept, renamed), NOW)
        (back,) = store.feeds(name="back again")
        assert back.items == 1


def test_a_feed_that_moved_keeps_its_history_under_its_name(tmp_path):
    with open_store(tmp_path / "a.db", count=1) as store:
        (before,) = store.feeds()
        store.sync_feeds((feed("feed-0", "https://elsewhere.example.org/feed"),), NOW)
        (after,) = store.feeds()
        assert (after.id, after.url) == (before.id, "https://elsewhere.example.org/feed")


def test_two_feeds_may_swap_their_names(tmp_path):
    with open_store(tmp_path / "a.db", count=2) as store:
        one, two = store.feeds()
        store.sync_feeds((feed(two.name, one.url), feed(one.name, two.url)), NOW)
        assert {(one.id, two.name), (two.id, one.name)} == {(found.id, found.name) for found in store.feeds()}


def test_a_corrected_address_owes_nothing_to_what_the_old_one_answered(tmp_path):
    with open_store(tmp_path / "a.db", count=1) as store:
        (lease,) = store.claim_feeds(NOW, 1, "a")
        far = NOW + timedelta(days=30)
        gone = Due(at=far, why="gone", not_before=far, history=History(failures=9))
        store.record_visit(blank(lease, outcome="failed", due=lambda _new: gone), FINDER)
        store.sync_feeds((feed("feed-0", "https://host-0.example.org/right"),), NOW)
        (now_due,) = store.claim_named(NOW, ["feed-0"], 1, "b", per_host=1)
        assert now_due.history == History()


def test_a_clock_that_stood_in_the_future_delays_nothing(tmp_path):
    future = NOW + timedelta(days=365)
    with open_store(tmp_path / "a.db") as store:
        for lease in store.claim_feeds(future, 10, "a"):
            store.record_visit(
                visit(lease, (item(title="Taliban", guid=lease.name, link=f"https://{lease.name}.example.org/1"),), FINDER,
                      at=future, articles=True, due=lambda _new: _due(future), host_free_at=future), FINDER,
            )  # fmt: skip
        assert store.claim_feeds(NOW, 10, "b") == ()
        store.mend_times(NOW)
        assert len(store.claim_feeds(NOW, 10, "b")) == 3
        assert len(store.claim_articles(NOW, 10, "c", per_host=9)) == 3
        assert len(store.claim_messages("screen", NOW, 10, "d")) == 3


def test_times_that_can_be_stay_as_they_are(tmp_path):
    with open_store(tmp_path / "a.db") as store:
        for lease in store.claim_feeds(NOW, 10, "a"):
            store.record_visit(blank(lease, not_before=NOW + timedelta(days=7)), FINDER)
        store.mend_times(NOW)
        assert store.claim_feeds(NOW, 10, "b") == ()


def test_a_feed_that_left_the_list_is_nothing_to_wait_for(tmp_path):
    with open_store(tmp_path / "a.db") as store:
        assert store.not_claimable(["feed-0", "another"], NOW, NOW) == [("another", "unlisted")]


def test_pages_of_a_feed_that_left_are_not_read(tmp_path):
    with open_store(tmp_path / "a.db", count=2) as store:
        (lease,) = store.claim_named(NOW, ["feed-0"], 1, "a", per_host=1)
        store.record_visit(visit(lease, (item(link="https://host-0.example.org/page"),), FINDER, articles=True), FINDER)
        store.sync_feeds((feed("feed-1", "https://host-1.example.org/1"),), NOW)
        assert store.claim_articles(NOW, 10, "c") == ()
