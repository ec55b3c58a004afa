import pytest
from support.making import NOW, RULE, WORDS, feed, finder, routes, visit

from aggregator.store import Store


class Bench:
    """A real store with two feeds, and the shortest way to let one of them say something."""

    def __init__(self, path, *watchlists, recipients=(("screen", "screen"),), operators=()):
        self.watchlists = watchlists or (RULE, WORDS)
        self.path = path
        self.find = finder(*self.watchlists)
        self.store = Store.open(path, routes(*self.watchlists, recipients=recipients), operators)
        self.store.sync_feeds((feed("one"), feed("two"), feed("three")), NOW)

    def lease(self, name="one", at=NOW):
        (lease,) = self.store.claim_named(at, [name], 1, "token", per_host=64)
        return lease

    def says(self, *items, name="one", at=NOW, **more):
        return self.store.record_visit(visit(self.lease(name, at), items, self.find, at, **more), self.find)

    def alerts(self, watchlist=None):
        """Alerts, oldest first, as (watchlist, update, told terms)."""
        found = [alert for alert, _ in reversed(self.store.alerts(limit=1000, watchlist=watchlist))]
        return [(alert.watchlist, alert.update, tuple(sorted({hit.term for hit in alert.terms}))) for alert in found]

    def stories(self):
        return self.store._conn.execute("SELECT count(DISTINCT story) FROM items").fetchone()[0]

    def count(self, table):
        return self.store._conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "data" / "aggregator.db")
    yield made
    made.store.close()


@pytest.fixture
def open_bench(tmp_path):
    """Benches with other watchlists or recipients."""
    made = []

    def make(*watchlists, **more):
        made.append(Bench(tmp_path / f"data-{len(made)}" / "aggregator.db", *watchlists, **more))
        return made[-1]

    yield make
    for one in made:
        one.store.close()
