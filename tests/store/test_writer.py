"""Events that wait together share a commit, and none pays for another."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.errors import StoreError
from aggregator.store import Store
from aggregator.store.writer import MOST, Writer

NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "a.db") as opened:
        yield opened


def together(store, *events):
    """What each event came to when all of them waited at once, and how many commits that took."""
    said = []

    async def main():
        writer, gate = Writer(), threading.Event()
        held = asyncio.ensure_future(writer.alone(gate.wait))
        waiting = [asyncio.ensure_future(event(writer)) for event in events]
        await asyncio.sleep(0.05)
        store._conn.set_trace_callback(said.append)
        gate.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        await held
        await writer.close()
        return results

    results = asyncio.run(main())
    store._conn.set_trace_callback(None)
    return results, sum(sql == "COMMIT" for sql in said)


def tick(store, name, every=timedelta(seconds=1)):
    return lambda writer: writer(store.note_tick, name, every, NOW, NOW, None)


def names(store):
    return [one.name for one in store.ticks()]


def test_what_waits_together_shares_a_commit(store):
    results, commits = together(store, *(tick(store, f"{n:02}") for n in range(20)))
    assert (results, commits) == ([None] * 20, 1)
    assert names(store) == [f"{n:02}" for n in range(20)]


def test_a_commit_does_not_grow_without_bound(store):
    _, commits = together(store, *(tick(store, f"{n:03}") for n in range(2 * MOST + 1)))
    assert commits == 3
    assert len(names(store)) == 2 * MOST + 1


def test_an_event_that_fails_costs_the_others_nothing(store):
    results, commits = together(store, tick(store, "a"), tick(store, "b", every=None), tick(store, "c"))
    assert [type(result) for result in results] == [type(None), TypeError, type(None)]
    assert (names(store), commits) == (["a", "c"], 2)


def test_an_event_sees_those_before_it_and_all_fail_with_a_disk_that_fails(store):
    results, _ = together(store, tick(store, "a"), lambda writer: writer(store.ticks))
    assert [one.name for one in results[1]] == ["a"]
    store._conn.execute("PRAGMA query_only=ON")
    results, commits = together(store, tick(store, "b"), tick(store, "c"))
    assert [type(result) for result in results] == [StoreError, StoreError]
    assert (names(store), commits) == (["a"], 0)


def test_what_must_stand_alone_does(store):
    results, commits = together(
        store, tick(store, "a"), lambda writer: writer.alone(store.checkpoint), tick(store, "b"), tick(store, "c")
    )
    assert (results, commits) == ([None] * 4, 2)


def test_a_caller_that_went_away_does_not_stop_the_writer(store):
    async def main():
        writer, gate = Writer(), threading.Event()
        held = asyncio.ensure_future(writer.alone(gate.wait))
        gone = asyncio.ensure_future(tick(store, "gone")(writer))
        await asyncio.sleep(0.02)
        gone.cancel()
        gate.set()
        await tick(store, "here")(writer)
        await held
        await writer.close()

    asyncio.run(main())
    assert names(store) == ["gone", "here"]
