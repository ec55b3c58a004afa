"""The process killed at every SQL statement, and right after a receiver accepted: nothing lost, nothing doubled.

SIGKILL, a real file, a real receiver whose ledger stands outside. After each kill a second run, ten minutes later,
must bring the store and the ledger to where a run without a kill would have brought them.
"""

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from support import killable
from support.world import page, rss

from aggregator import config
from aggregator.store import Store

PROMISED = {
    ("any", "alert.created", ("taliban",)): 1,
    ("any", "alert.updated", ("general amnesty", "relocation")): 1,
    ("guiding", "alert.created", ("amnesty", "relocation", "taliban")): 1,
}


@pytest.fixture(scope="module")
def zygote():
    with killable.started() as order:
        yield order


@pytest.fixture
def folder(tmp_path):
    """In memory where there is such a place: a killed process is not a power cut, and hundreds of fsyncs take minutes."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@pytest.fixture
def newsroom(world, write_config):
    """One story in two feeds, word for word; its article says the rest; and one item that is nobody's business."""
    text = "The decree was read in the morning by a spokesman in Kabul before the press"
    world.pages |= {
        "/one": rss(("1", "Taliban issue a decree", world.url("/page"), text), ("2", "Rain", world.url("/rain"), "")),
        "/two": rss(("a", "Taliban issue a decree", world.url("/page"), text)),
        "/page": page("It promises a general amnesty and speaks of relocation for families."),
        "/rain": page("It rained."),
    }
    return write_config({"one": "/one", "two": "/two"}, full_text="always")


class Ledger:
    """What a fresh start, a kill and a recovery left behind."""

    def __init__(self, world, path):
        self.world = world
        self.database = config.load(path).settings.database

    def clear(self):
        self.world.received.clear()
        for file in self.database.parent.glob("*"):
            file.unlink()

    def faults(self, repeats_allowed):
        with Store.open(self.database) as store:
            found = store.check()
            items = Counter(stored.feed for stored in store.items(limit=1000))
            owed = Counter(delivery.state for _, deliveries in store.alerts(limit=1000) for delivery in deliveries)
        if items != {"one": 2, "two": 1}:
            found.append(f"items {dict(items)}")
        if owed != {"sent": 3}:
            found.append(f"deliveries {dict(owed)}")
        bodies = dict(self.world.received)
        told = Counter(
            (body["data"]["watchlist"], body["type"], tuple(sorted({term["term"] for term in body["data"]["terms"]})))
            for body in bodies.values()
        )
        if told != PROMISED:
            found.append(f"told {dict(told)}")
        repeats = len(self.world.received) - len(bodies)
        if repeats > repeats_allowed:
            found.append(f"{repeats} repeats")
        return found


@pytest.fixture
def ledger(world, newsroom):
    return Ledger(world, newsroom)


def test_without_a_kill_the_promised_alerts_arrive_once(zygote, ledger, newsroom):
    assert zygote(newsroom)["exit"] == 0
    assert ledger.faults(repeats_allowed=0) == []


@pytest.mark.timeout(600)
def test_killed_at_any_statement_nothing_is_lost_and_only_the_delivery_in_hand_is_repeated(zygote, ledger, newsroom):
    statements = zygote(newsroom)["statements"]
    assert statements > 100, "the count of statements is broken"
    wrong = {}
    kills = 0
    for n in range(1, statements + 1):
        ledger.clear()
        kills += zygote(newsroom, at_statement=n)["exit"] == -9
        assert zygote(newsroom, minutes=10)["exit"] == 0
        # Up to four messages are in a receiver's hands at once; each may be repeated, under its id, and nothing else.
        faults = ledger.faults(repeats_allowed=4)
        if faults:
            wrong[n] = faults
    assert wrong == {}
    assert kills > statements * 0.9, "too few runs were killed to prove anything"


@pytest.mark.parametrize("receipt", [1, 2, 3])
def test_killed_after_the_receiver_accepted_the_same_id_comes_again(zygote, ledger, newsroom, receipt):
    assert zygote(newsroom, after_receipt=receipt)["exit"] == -9
    before = Counter(name for name, _ in ledger.world.received)
    assert set(before.values()) == {1}
    assert zygote(newsroom, minutes=10)["exit"] == 0
    after = Counter(name for name, _ in ledger.world.received)
    assert any(count == 2 for count in after.values()), "the delivery in hand must come again"
    assert ledger.faults(repeats_allowed=4) == []


@pytest.mark.timeout(600)
def test_the_test_finds_a_transaction_that_was_split(zygote, ledger, newsroom):
    """The same kills on a store whose statements commit one by one: some must lose or double something."""
    statements = zygote(newsroom, split=True)["statements"]
    for n in range(1, statements + 1):
        ledger.clear()
        zygote(newsroom, at_statement=n, split=True)
        zygote(newsroom, minutes=10, split=True)
        if ledger.faults(repeats_allowed=4):
            return
    pytest.fail("split transactions went unnoticed")


@pytest.mark.timeout(600)
def test_killed_at_any_statement_a_notice_is_neither_lost_nor_doubled(zygote, world, write_config):
    """A feed is gone: one notice must reach the operator's webhook, and a repeat must carry its id."""
    path = write_config({"one": "/gone"})
    path.write_text(path.read_text().replace("settings:\n", "settings:\n  notify_operator: [hook]\n"))
    world.pages["/gone"] = (410, {}, b"")
    ledger = Ledger(world, path)
    statements = zygote(path)["statements"]
    assert statements > 40, "the count of statements is broken"
    wrong, kills = {}, 0
    for n in range(1, statements + 1):
        ledger.clear()
        kills += zygote(path, at_statement=n)["exit"] == -9
        assert zygote(path, minutes=10)["exit"] == 0
        told = {name: (body["type"], body["data"]["feed"], body["data"]["kind"]) for name, body in world.received}
        if list(told.values()) != [("notice.created", "one", "gone")]:
            wrong[n] = told
    assert wrong == {}
    assert kills > statements * 0.9, "too few runs were killed to prove anything"
