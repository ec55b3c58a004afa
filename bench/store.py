"""The store with many items: size of an item, newest page, look-up of an address, full-text search.

    python bench/store.py [--items 1000000] [--bytes 3000]

Items go through `record_visit`, twenty a visit, as in real use; then the search index catches up. Reads are timed warm,
on the wall, 200 times each with changing arguments; medians and 95th percentiles in milliseconds.
"""

import argparse
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from newsroom import LATIN, PERSIAN, text

from aggregator import reader, stories, watch
from aggregator.model import Document, Due, History, Item, ParsedFeed, Visit
from aggregator.settings import FeedSpec
from aggregator.store import Store
from aggregator.store.search import Search

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FEEDS, BATCH = 500, 20


def item(number, size):
    rng = random.Random(number)
    words = [f"word{rng.randrange(40_000)}" for _ in range(20)]  # a vocabulary that grows as a real one does
    body = f"{text(rng, size - 200)} {' '.join(words)}"
    return Item(
        title=text(rng, 60), summary=body, guid=str(number), link=f"https://example.org/{number % FEEDS}/{number}",
        published=NOW,
    )  # fmt: skip


def fill(store, items, size):
    matcher = watch.compile((), ())

    def find(one, key, source):
        return reader.finding(matcher, {}, one, key, source)

    began = time.process_time()
    for start in range(0, items, BATCH):
        now = NOW + timedelta(seconds=start)
        name = f"feed-{start // BATCH % FEEDS}"
        (lease,) = store.claim_named(now, [name], 1, "bench", per_host=9)
        some = [item(number, size) for number in range(start, start + BATCH)]
        keys = stories.identities(some)
        document = Document(
            findings=tuple(find(one, key, watch.Source(feed=lease.name, site=lease.site)) for one, key in zip(some, keys, strict=True)), rejected=(),
            known=0, facts=ParsedFeed(format="rss20"), body_hash=b"",
        )  # fmt: skip
        due = Due(at=now + timedelta(hours=1), why="rate", history=History())
        store.record_visit(
            Visit(
                lease=lease,
                at=now,
                outcome="fetched",
                due=lambda _new, due=due: due,
                host_free_at=now,
                document=document,
            ),
            find,
        )
        if start and start % 100_000 == 0:
            print(
                f"  {start:,} items, {start / (time.process_time() - began):,.0f} a CPU second (making them included)",
                flush=True,
            )


def timed(name, read, arguments):
    taken = []
    for argument in arguments:
        began = time.perf_counter()
        read(argument)
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    print(f"{name:40}{taken[len(taken) // 2]:8.2f}{taken[int(len(taken) * 0.95)]:8.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--bytes", type=int, default=3000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data" / "aggregator.db"
        with Store.open(path) as store:
            store.sync_feeds([FeedSpec(url=f"https://{n}.example.org/", name=f"feed-{n}") for n in range(FEEDS)], NOW)
            fill(store, args.items, args.bytes)
            search = Search.open(path)
            began = time.process_time()
            search.catch_up(store)
            print(f"search index: {(time.process_time() - began) / args.items * 1e6:,.0f} us of CPU an item")
            store.checkpoint()
            sizes = [
                sum(one.stat().st_size for one in path.parent.glob(f"{name}*"))
                for name in ("aggregator.db", "aggregator-search.db")
            ]
            print(f"bytes an item: {sizes[0] / args.items:,.0f} + {sizes[1] / args.items:,.0f} search")
            rng = random.Random(1)
            print(f"{'':40}{'p50':>8}{'p95':>8}  ms")
            timed("newest 50", lambda _: store.items(limit=50), range(200))
            timed(
                "newest 50 of a feed",
                lambda n: store.items(limit=50, feed=f"feed-{n}"),
                rng.choices(range(FEEDS), k=200),
            )
            timed("an item by its address", lambda n: store._all("SELECT id FROM items WHERE url_key = ?",
                  (f"https://example.org/{n % FEEDS}/{n}",)), rng.choices(range(args.items), k=200))  # fmt: skip
            timed("search: one rare word", lambda n: search.find(f"word{n}"), rng.choices(range(40_000), k=200))
            timed("search: one frequent word", search.find, rng.choices(LATIN + PERSIAN, k=200))
            timed(
                "search: two words",
                lambda _: search.find(f"{rng.choice(LATIN)} word{rng.randrange(40_000)}"),
                range(200),
            )
            timed("search: a phrase", lambda _: search.find(f'"{rng.choice(LATIN)} {rng.choice(LATIN)}"'), range(200))
            search.close()


if __name__ == "__main__":
    main()
