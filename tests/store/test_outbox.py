"""What is owed: claimed as messages whose identity never changes."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from support.making import MINUTE, NOW, WORDS, feed, finder, item, routes, visit

from aggregator.model import NotDelivered, Receipt
from aggregator.store import Store

MAIL = (("desk", "a@example.org"), ("desk", "b@example.org"))


def flood(bench, count):
    bench.says(
        *(item(title=f"Taliban story {n}", guid=str(n), link=f"https://one.example.org/{n}") for n in range(count))
    )


def test_each_recipient_is_owed_on_his_own(open_bench):
    bench = open_bench(WORDS, recipients=MAIL)
    flood(bench, 1)
    messages = bench.store.claim_messages("desk", NOW, 10, "t")
    assert [message.recipient for message in messages] == ["a@example.org", "b@example.org"]
    bench.store.record_receipt(messages[0], Receipt(code="250"), NOW, None)
    bench.store.record_receipt(messages[1], NotDelivered(code="451", error="busy"), NOW, NOW + MINUTE)
    assert bench.store.claim_messages("desk", NOW, 10, "t") == ()
    (again,) = bench.store.claim_messages("desk", NOW + MINUTE, 10, "t")
    assert (again.id, again.recipient, again.attempts) == (messages[1].id, "b@example.org", 1)


def test_more_than_twenty_alerts_owed_at_once_become_one_message_that_stays_the_same(open_bench):
    bench = open_bench(WORDS, recipients=(("desk", "a@example.org"),))
    flood(bench, 21)
    (message,) = bench.store.claim_messages("desk", NOW, 10, "t", bundle_over=20)
    assert len(message.alerts) == 21
    flood_more = item(title="Taliban story last", guid="last", link="https://one.example.org/last")
    bench.says(flood_more)
    after_crash = NOW + timedelta(minutes=10)
    again = bench.store.claim_messages("desk", after_crash, 10, "t", bundle_over=20)
    assert [(one.id == message.id, len(one.alerts)) for one in again] == [(True, 21), (False, 1)]


def test_a_crowd_too_large_for_one_mail_becomes_several(open_bench):
    bench = open_bench(WORDS, recipients=(("desk", "a@example.org"),))
    flood(bench, 501)
    messages = bench.store.claim_messages("desk", NOW, 10, "t", bundle_over=20)
    assert [len(message.alerts) for message in messages] == [250, 250, 1]


def test_twenty_alerts_go_out_one_by_one(open_bench):
    bench = open_bench(WORDS, recipients=(("desk", "a@example.org"),))
    flood(bench, 20)
    assert len(bench.store.claim_messages("desk", NOW, 100, "t", bundle_over=20)) == 20


def test_a_leased_message_is_not_claimed_twice_until_its_lease_runs_out(open_bench):
    bench = open_bench(WORDS)
    flood(bench, 1)
    (message,) = bench.store.claim_messages("screen", NOW, 10, "t")
    assert bench.store.claim_messages("screen", NOW, 10, "u") == ()
    (again,) = bench.store.claim_messages("screen", NOW + timedelta(minutes=6), 10, "u")
    assert again.id == message.id


def test_a_receipt_counts_even_when_the_lease_ran_out(open_bench):
    bench = open_bench(WORDS)
    flood(bench, 1)
    (late,) = bench.store.claim_messages("screen", NOW, 10, "t")
    bench.store.claim_messages("screen", NOW + timedelta(minutes=6), 10, "u")
    bench.store.record_receipt(late, Receipt(code="200"), NOW, None)
    assert bench.store.claim_messages("screen", NOW + timedelta(hours=1), 10, "v") == ()


def test_a_refusal_after_the_lease_ran_out_leaves_the_other_workers_delivery_alone(open_bench):
    bench = open_bench(WORDS)
    flood(bench, 1)
    (late,) = bench.store.claim_messages("screen", NOW, 10, "t")
    (mine,) = bench.store.claim_messages("screen", NOW + timedelta(minutes=6), 10, "u")
    bench.store.record_receipt(late, NotDelivered(code="timeout", error="slow", final=True), NOW, None)
    ((_, (owed,)),) = bench.store.alerts()
    assert (owed.state, mine.attempts) == ("due", 0)


def test_a_dead_letter_is_kept_and_shown(open_bench):
    bench = open_bench(WORDS)
    flood(bench, 1)
    (message,) = bench.store.claim_messages("screen", NOW, 10, "t")
    bench.store.record_receipt(message, NotDelivered(code="410", error="gone", final=True), NOW, None)
    ((_, (owed,)),) = bench.store.alerts(dead_only=True)
    assert (owed.state, owed.last_error) == ("dead", "gone")
    assert bench.store.totals().deliveries_dead == 1


def test_a_dead_letter_that_is_owed_again_is_the_message_that_it_was(open_bench):
    bench = open_bench(WORDS)
    flood(bench, 2)
    first, second = bench.store.claim_messages("screen", NOW, 10, "t")
    for message in (first, second):
        bench.store.record_receipt(message, NotDelivered(code="410", error="gone", final=True), NOW, None)
    assert bench.store.owe_again(int(first.alerts[0].id), NOW) == 1
    (again,) = bench.store.claim_messages("screen", NOW, 10, "u")
    assert (again.id, again.attempts, again.alerts) == (first.id, 0, first.alerts)
    assert bench.store.owe_again(None, NOW) == 1
    assert [message.id for message in bench.store.claim_messages("screen", NOW, 10, "v")] == [second.id]
    assert bench.store.owe_again(None, NOW) == 0


def test_critical_alerts_go_first(open_bench):
    low = replace(WORDS, name="low", severity="low", keywords=("school",))
    critical = replace(WORDS, name="critical", severity="critical", keywords=("relocation",))
    bench = open_bench(low, critical)
    bench.says(item(title="A school closed", guid="1"))
    bench.says(item(title="A relocation began", guid="2", link="https://one.example.org/2"))
    messages = bench.store.claim_messages("screen", NOW, 10, "t")
    assert [message.alerts[0].watchlist for message in messages] == ["critical", "low"]


def test_message_ids_name_the_database_they_come_from(open_bench):
    ids = set()
    for _ in range(2):
        bench = open_bench(WORDS)
        flood(bench, 1)
        ids.add(bench.store.claim_messages("screen", NOW, 1, "t")[0].id)
    assert len(ids) == 2


Step = st.tuples(st.sampled_from(["claim", "sent", "refused", "dead", "crash", "say"]), st.integers(0, 3))


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(Step, max_size=25))
def test_whatever_happens_each_delivery_ends_once_and_under_one_id(tmp_path_factory, steps):
    """A far side that takes, refuses or dies, and a sender that crashes, in any order."""
    path = tmp_path_factory.mktemp("outbox") / "aggregator.db"
    find = finder(WORDS)
    now, said = NOW, 0
    accepted, names = [], {}
    with Store.open(path, routes(WORDS, recipients=(("desk", "a@example.org"),))) as store:
        store.sync_feeds((feed("one"),), NOW)

        def claim():
            messages = store.claim_messages("desk", now, 10, "t", bundle_over=2)
            for message in messages:
                for alert in message.alerts:
                    assert names.setdefault(alert.id, message.id) == message.id, "a delivery changed its message"
            return messages

        for what, how_many in [*steps, ("claim", 0)]:
            now += timedelta(hours=1)
            if what == "say":
                items = [
                    item(title=f"Taliban {said + n}", guid=str(said + n), link=f"https://one.example.org/{said + n}")
                    for n in range(how_many)
                ]
                said += how_many
                (lease,) = store.claim_named(now, ["one"], 1, "f", per_host=9)
                store.record_visit(visit(lease, items, find, now), find)
            elif what == "crash":
                claim()
            else:
                for message in claim():
                    if what == "sent":
                        accepted.append(message.id)
                        store.record_receipt(message, Receipt(code="250"), now, None)
                    elif what == "dead":
                        store.record_receipt(message, NotDelivered(code="550", error="no", final=True), now, None)
                    else:
                        store.record_receipt(message, NotDelivered(code="451", error="later"), now, now)
        states = [owed.state for _, owed_list in store.alerts(limit=1000) for owed in owed_list]
        assert len(states) == said, "an alert has no delivery"
        assert len(accepted) == len(set(accepted)), "a message was sent again after its receipt"
