"""Troubles begin and end in the transaction that shows them, and the operator is told of each once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlite_utils import Database
from support.making import MINUTE, NOW, WORDS, blank, feed, finder, item, routes, visit

from aggregator import store as store_module
from aggregator.errors import StoreError
from aggregator.model import Due, History, NotDelivered, Reason, Receipt, Trouble
from aggregator.store import Store, dialect, notices
from aggregator.store.notices import AGAIN, APART, GATHER

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DESK = (("desk", "a@example.org"),)


@pytest.fixture
def bench(open_bench):
    return open_bench(WORDS, operators=DESK)


def fails(bench, reason=Reason.GONE, name="one", at=NOW, **more):
    """A visit that fails; due again in an hour."""
    due = Due(at=at + HOUR, why="backoff", history=History(last_poll=NOW, failures=1))
    lease = bench.lease(name, at)
    given = {"outcome": "failed", "reason": reason, "detail": "so it said", "due": lambda _new: due}
    bench.store.record_visit(blank(lease, at, **(given | more)), bench.find)


def goes_well(bench, name="one", at=NOW):
    bench.says(item(guid=str(at), title=f"Quiet news of {at}", link=None), name=name, at=at)


def costs_too_much(bench):
    """A visit with an item for which the rule of `words` was stopped."""
    stopping = lambda *args: replace(finder(WORDS)(*args), stopped=("words",))  # noqa: E731
    lease = bench.lease("three")
    bench.store.record_visit(visit(lease, (item("Costly"),), stopping), stopping)


def claimed(bench, at, channel="desk", token="t"):
    return bench.store.claim_messages(channel, at, 10, token)


def told(message):
    return [(notice.kind, notice.feed or notice.watchlist, notice.over) for notice in message.notices]


def kinds(store):
    return [(trouble.feed or trouble.watchlist, trouble.kind) for trouble in store.troubles()]


def test_a_trouble_is_shown_and_told_with_what_the_server_said(bench):
    fails(bench)
    (trouble,) = bench.store.troubles()
    assert (trouble.feed, trouble.kind, trouble.since, trouble.told) == ("one", "gone", NOW, True)
    assert trouble.detail == "gone: so it said"
    assert claimed(bench, NOW) == (), "others may follow, and go out with it"
    (message,) = claimed(bench, NOW + GATHER)
    assert (message.recipient, message.alerts, told(message)) == ("a@example.org", (), [("gone", "one", False)])


def test_a_notice_is_repeated_under_its_id_until_it_is_taken(bench):
    fails(bench)
    (first,) = claimed(bench, NOW + GATHER)
    bench.store.record_receipt(first, NotDelivered(code="451", error="busy"), NOW + GATHER, NOW + GATHER + MINUTE)
    fails(bench, name="two", at=NOW + GATHER)
    (again,) = claimed(bench, NOW + GATHER + MINUTE)
    assert (again.id, told(again), again.attempts) == (first.id, told(first), 1)
    bench.store.record_receipt(again, Receipt(code="250"), NOW + GATHER + MINUTE, None)
    (other,) = claimed(bench, NOW + DAY)
    assert told(other) == [("gone", "two", False)]
    assert other.id != first.id


def test_the_notice_is_kept_or_lost_with_the_visit_that_showed_the_trouble(bench, monkeypatch):
    def full(*_, **__):
        raise OSError("the disk is full")

    monkeypatch.setattr(bench.store, "_owe_notice", full)
    with pytest.raises(OSError, match="full"):
        fails(bench)
    assert bench.store.troubles() == []
    assert bench.store.feeds()[0].outcome is None


def test_five_hundred_feeds_in_trouble_are_one_message(tmp_path):
    names = [f"feed-{n}" for n in range(500)]
    with Store.open(tmp_path / "a.db", routes(WORDS), (*DESK, ("hook", "hook"))) as store:
        store.sync_feeds(tuple(feed(name) for name in names), NOW)
        due = Due(at=NOW + HOUR, why="backoff", history=History())
        for n, lease in enumerate(store.claim_named(NOW, names, 500, "t", per_host=64)):
            at = NOW + n * timedelta(milliseconds=500)
            gone = {"outcome": "failed", "reason": Reason.GONE, "due": lambda _new: due}
            store.record_visit(blank(lease, at, **gone), finder(WORDS))
        for channel in ("desk", "hook"):
            (message,) = store.claim_messages(channel, NOW + GATHER, 10, "t", bundle_over=20)
            assert len(message.notices) == 500


def test_messages_of_notices_keep_an_hour_apart(bench):
    fails(bench)
    (first,) = claimed(bench, NOW + GATHER)
    bench.store.record_receipt(first, Receipt(code="250"), NOW + GATHER, None)
    later = NOW + GATHER + MINUTE
    fails(bench, name="two", at=later)
    assert claimed(bench, NOW + GATHER + APART - MINUTE) == ()
    (message,) = claimed(bench, NOW + GATHER + APART)
    assert told(message) == [("gone", "two", False)]


def test_the_end_of_a_trouble_is_told(bench):
    fails(bench)
    goes_well(bench, at=NOW + HOUR)
    assert bench.store.troubles() == []
    (message,) = claimed(bench, NOW + 3 * HOUR)
    assert told(message) == [("gone", "one", False), ("gone", "one", True)]


def test_a_trouble_that_comes_and_goes_is_told_once_in_six_hours(bench):
    for hours in range(5):
        fails(bench, at=NOW + 2 * hours * HOUR)
        assert bench.store.look_over(NOW + 2 * hours * HOUR) == 0
        goes_well(bench, at=NOW + (2 * hours + 1) * HOUR)
    begun = bench.store._all("SELECT created_at FROM notices WHERE is_over = 0")
    assert [dialect.from_ms(row["created_at"]) for row in begun] == [NOW, NOW + 6 * HOUR]


def test_what_began_again_within_six_hours_and_goes_on_is_told_then(bench):
    fails(bench)
    goes_well(bench, at=NOW + HOUR)
    fails(bench, at=NOW + 2 * HOUR)
    assert bench.store.look_over(NOW + AGAIN - MINUTE) == 0
    assert bench.store.troubles()[0].told is False
    bench.store.look_over(NOW + AGAIN)
    assert bench.store.troubles()[0].told is True


def test_without_an_operator_troubles_are_shown_and_told_once_there_is_one(open_bench):
    bench = open_bench(WORDS)
    fails(bench)
    bench.store.look_over(NOW)
    assert [trouble.told for trouble in bench.store.troubles()] == [False]
    assert bench.count("notices") == bench.count("deliveries") == 0
    with Store.open(bench.path, routes(WORDS), DESK) as store:
        store.look_over(NOW + HOUR)
        (message,) = store.claim_messages("desk", NOW + 2 * HOUR, 10, "t")
    assert told(message) == [("gone", "one", False)]


# ---------------------------------------------------------------- between two visits


def test_a_feed_that_fails_for_a_day_is_in_trouble_though_no_visit_is_due(bench):
    due = Due(at=NOW + 30 * HOUR, why="backoff", history=History(last_poll=NOW, failures=5))
    fails(bench, Reason.DNS, due=lambda _new: due)
    assert bench.store.look_over(NOW + 23 * HOUR) == 0
    assert bench.store.look_over(NOW + 24 * HOUR) == 1
    assert kinds(bench.store) == [("one", "failing")]
    assert bench.store.look_over(NOW + 24 * HOUR) == 0, "it was looked at"


def test_a_feed_whose_visit_is_overdue_is_left_to_the_visit(bench):
    due = Due(at=NOW + 20 * HOUR, why="backoff", history=History(last_poll=NOW, failures=5))
    fails(bench, Reason.DNS, due=lambda _new: due)
    assert bench.store.look_over(NOW + 24 * HOUR) == 0, "we were switched off"


def test_what_lingers_ends_without_a_visit(bench):
    first = History(last_poll=NOW - HOUR)
    lease = bench.lease("one")
    bench.store.record_visit(visit(lease, (item("A"),), bench.find), bench.find)
    bench.store._conn.execute("UPDATE feeds SET history = ?", (store_module.visits.schedule.to_json(first),))
    due = Due(at=NOW + 40 * HOUR, why="cap", history=first)
    news = tuple(item(f"Fresh {n}", guid=f"n{n}", link=None) for n in range(3))
    lease = bench.lease("one", NOW + HOUR)
    bench.store.record_visit(visit(lease, news, bench.find, NOW + HOUR, due=lambda _new: due), bench.find)
    assert kinds(bench.store) == [("one", "overflow")]
    bench.store.look_over(NOW + 24 * HOUR)
    assert kinds(bench.store) == [("one", "overflow")]
    bench.store.look_over(NOW + 25 * HOUR)
    assert kinds(bench.store) == []


def test_a_look_at_a_hundred_thousand_feeds_reads_an_index(bench):
    """Each part of the question that housekeeping asks every ten seconds is answered by an index alone."""
    plans = []
    bench.store._conn.set_trace_callback(plans.append)
    bench.store.look_over(NOW)
    bench.store._conn.set_trace_callback(None)
    assert len(plans) == 2, "whether the network is down, and whether there is anything to do"
    steps = [row["detail"] for row in bench.store._conn.execute(f"EXPLAIN QUERY PLAN {plans[1]}")]
    scans = [step for step in steps if step.startswith(("SCAN", "SEARCH")) and "CONSTANT" not in step]
    assert len(scans) == 4
    assert [step for step in scans if "feeds_look" not in step and "troubles_o" not in step] == []


def test_a_crowd_costs_each_of_it_the_same(tmp_path, monkeypatch):
    """The first twenty feeds in trouble and the last twenty of six hundred take as many steps of the database."""
    monkeypatch.setattr(notices, "LOOKS", 20)
    steps = [0]

    def step():
        steps[-1] += 1

    with Store.open(tmp_path / "a.db", routes(WORDS), DESK) as store:
        store.sync_feeds(tuple(feed(f"feed-{n}") for n in range(600)), NOW)
        store._conn.execute(
            "UPDATE feeds SET outcome = 'failed', reason = 'dns', visited_at = :now, look_at = :now, due_at = :now + 1,"
            ' coverage = \'{"failing_since":"2026-11-20T00:00:00+00:00"}\'',
            {"now": dialect.to_ms(NOW)},
        )
        store._conn.set_progress_handler(step, 100)
        while store.look_over(NOW):
            steps.append(0)
        assert len(store.troubles()) == len(store._all("SELECT id FROM deliveries")) == 600
    assert len(steps) == 31
    assert steps[29] < 2 * steps[1]


# ---------------------------------------------------------------- documents and watchlists


def test_a_full_reading_that_finds_what_the_slices_hid_is_told(bench):
    hidden = item("Hidden", guid="h", slice_hash=b"s" * 16)
    bench.says(item("Seen", guid="s"))
    lease = bench.lease("one", NOW + HOUR)
    done = visit(lease, (hidden, item("Other", guid="o", link=None)), bench.find, NOW + HOUR)
    done = replace(done, document=replace(done.document, rechecked=frozenset({b"s" * 16})))
    bench.store.record_visit(done, bench.find)
    assert kinds(bench.store) == [("one", "slices-differ")]
    assert bench.store.troubles()[0].detail == "new items that were taken for known: 1"


def test_entries_that_cannot_be_read_are_told(bench):
    bench.says(item(), rejected=("not-text",))
    assert [trouble.detail for trouble in bench.store.troubles()] == ["1 of 2 entries cannot be read (not-text)"]


def test_a_watchlist_that_stopped_is_told_and_over_after_a_quiet_day(bench):
    costs_too_much(bench)
    assert kinds(bench.store) == [("words", "watchlist-stopped")]
    (message,) = claimed(bench, NOW + GATHER)
    assert [(notice.watchlist, notice.label) for notice in message.notices] == [("words", "Watch 2")]
    bench.store.record_receipt(message, Receipt(code="250"), NOW + GATHER, None)
    bench.store.look_over(NOW + 23 * HOUR)
    assert len(bench.store.troubles()) == 1
    bench.store.look_over(NOW + 24 * HOUR)
    assert bench.store.troubles() == []
    (message,) = claimed(bench, NOW + 26 * HOUR)
    assert told(message) == [("watchlist-stopped", "words", True)]


def test_a_corrected_address_and_a_changed_rule_begin_anew(bench):
    fails(bench)
    bench.store.sync_feeds((feed("one", "https://new.example.org/feed"), feed("three")), NOW + HOUR)
    assert bench.store.troubles() == []
    bench.store.note_rules({"words": ("1", {})}, NOW)
    costs_too_much(bench)
    bench.store.note_rules({"words": ("1", {})}, NOW)
    assert len(bench.store.troubles()) == 1
    bench.store.note_rules({"words": ("2", {})}, NOW)
    assert bench.store.troubles() == []


def test_a_feed_that_left_the_list_is_in_nobodys_way(bench):
    fails(bench)
    bench.store.sync_feeds((feed("two"),), NOW)
    assert bench.store.troubles() == []


# ---------------------------------------------------------------- owed to nobody


def test_what_is_owed_to_whom_nobody_names_any_more_waits_for_his_return(open_bench):
    both = (("desk", "a@example.org"), ("desk", "b@example.org"))
    bench = open_bench(WORDS, recipients=both)
    bench.says(item(title="Taliban"))
    bench.store.own_recipients(both[:1])
    assert [message.recipient for message in claimed(bench, NOW)] == ["a@example.org"]
    totals = bench.store.totals()
    assert (totals.deliveries_due, totals.deliveries_orphaned) == (1, 1)
    bench.store.own_recipients(both)
    assert [message.recipient for message in claimed(bench, NOW + HOUR)] == ["a@example.org", "b@example.org"]


# ---------------------------------------------------------------- the migration


def test_deliveries_of_an_older_database_stay_as_they_were(tmp_path):
    path = tmp_path / "a.db"
    conn = dialect.connect(path)
    store_module.migrations.apply(Database(conn), stop_before="0004_notices")
    with Store(conn, routes(WORDS)) as old:
        conn.execute("INSERT INTO feeds (url, name, site, listed, due_at, due_why) VALUES ('u', 'n', 's', 1, 0, 'new')")
        conn.execute(
            "INSERT INTO items (feed, key, story, story_rule, first_seen, changed_at, change, title, summary, content, tags,"
            " enclosures, flags, content_hash, title_hash) VALUES (1, 'k', 1, 'new', 0, 0, 1, 't', '', '', '[]', '[]', '[]',"
            " x'00', x'00')"
        )
        conn.execute(
            "INSERT INTO alerts (watchlist, label, severity, story, item, revision, title, created_at, is_update, terms,"
            " excerpts) VALUES ('words', 'W', 'high', 1, 1, 1, 't', 0, 0, '[]', '[]')"
        )
        conn.execute(
            "INSERT INTO deliveries (id, alert, channel, recipient, state, urgency, message, attempts, due_at, last_code)"
            " VALUES (7, 1, 'desk', 'a', 'due', 1, 'm.7', 2, 5, '451'), (9, 1, 'desk', 'b', 'dead', 1, 'm.9', 10, 5, NULL)"
        )
        before = [tuple(row) for row in conn.execute("SELECT id, alert, channel, recipient, state, urgency, message,"
                                                     " attempts, due_at, last_code FROM deliveries ORDER BY id")]  # fmt: skip
        assert old.pending_migrations()[0] == "0004_notices"
        with pytest.raises(StoreError, match="aggregator db migrate"):
            old.troubles()
    with Store.open(path, routes(WORDS)) as store:
        rows = store._all("SELECT id, alert, channel, recipient, state, urgency, message, attempts, due_at, last_code,"
                          " notice FROM deliveries ORDER BY id")  # fmt: skip
        assert [tuple(row) for row in rows] == [(*row, None) for row in before]
        assert store.check() == []
        (message,) = store.claim_messages("desk", NOW, 10, "t")
        assert (message.id, message.attempts, [alert.watchlist for alert in message.alerts]) == ("m.7", 2, ["words"])


def test_every_kind_of_trouble_can_be_stored_and_read(bench):
    for kind in Trouble:
        bench.store._begin("feed", 1, kind, "detail", dialect.to_ms(NOW))
    assert {trouble.kind for trouble in bench.store.troubles()} == set(Trouble)
