"""What a back-test costs an item: an archive of generated items of 3 KB, a quarter in Arabic script, a third with the
text in its article.

Rules: one word, the guiding rule, one with NEAR, and the guiding rule against another. CPU time of one process, best of 2.

    python bench/backtest.py [ITEMS]
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aggregator import backtest
from aggregator.settings import Concept, FeedSpec, Watchlist
from aggregator.store import Store
from aggregator.store.dialect import connect, to_ms

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CONCEPTS = (
    Concept(name="taliban", terms=(("en", ("Taliban", "Taleban")), ("fa", ("طالبان",)), ("ps", ("طالبان",)))),
    Concept(name="amnesty", terms=(("en", ("general amnesty", "amnesty decree")), ("fa", ("عفو عمومی",)))),
    Concept(name="relocation", terms=(("en", ("relocation", "resettlement")), ("fa", ("اسکان مجدد",)))),
)
GUIDING = "@taliban AND (@amnesty OR @relocation)"
RULES = {
    "one word": ("Taliban", None),
    "guiding": (GUIDING, None),
    "near": ("@taliban NEAR/15 (@amnesty OR @relocation)", None),
    "against": (GUIDING, "@taliban AND @amnesty"),
}

draw = random.Random(1)


def words(letters: str, longest: int) -> list[str]:
    return ["".join(draw.choices(letters, k=draw.randint(2, longest))) for _ in range(8000)]


def text(vocabulary: list[str], length: int) -> str:
    said: list[str] = []
    while length > 0:
        said.append(draw.choice(vocabulary) + ("." if draw.random() < 0.08 else ""))
        length -= len(said[-1]) + 1
    return " ".join(said).capitalize()


def rows(number: int):
    vocabularies = (words("etaoinshrdlu", 9), words("ابتجحدرزسشعفقکلمنوهی", 7))
    pools = [[(text(each, 80), text(each, 2900)) for _ in range(1000)] for each in vocabularies]
    for n in range(1, number + 1):
        title, body = draw.choice(pools[n % 4 == 0])
        if (chance := draw.random()) < 0.03:
            said = " Taliban announce a general amnesty " if chance < 0.02 else " د طالبانو ویاند "
            body = f"{body[:1200]}{said}{body[1200:]}"
        at = to_ms(NOW - timedelta(days=90) * (number - n) / number)
        article = body if n % 3 == 0 else None
        yield (n, n % 50 + 1, f"k{n}", n, at, at, n, title, body[:200], "" if article else body[200:]), article


def archive(path: Path, number: int) -> None:
    with Store.open(path) as store:
        store.sync_feeds([FeedSpec(url=f"https://f{n}.example.org/feed", name=f"f{n}") for n in range(50)], NOW)
    conn = connect(path)
    with conn:
        conn.execute("BEGIN")
        for row, article in rows(number):
            conn.execute(
                "INSERT INTO items (id, feed, key, story, first_seen, changed_at, change, title, summary, content, story_rule,"
                " tags, enclosures, flags, content_hash, title_hash, lang) VALUES"
                " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'new', '[\"news\"]', '[]', '[]', x'00', x'00', 'en')",
                row,
            )
            if article:
                conn.execute(
                    "INSERT INTO articles (item, state, link, site, text) VALUES (?, 'read', '', '', ?)",
                    (row[0], article),
                )
    conn.close()


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "aggregator.db"
        archive(path, number)
        print(f"{number:,} items, {path.stat().st_size / number:,.0f} bytes each")
        with Store.open_to_read(path) as store:
            for name, (rule, other) in RULES.items():
                tested = Watchlist(name="tested", label="", rule=rule)
                against = Watchlist(name="against", label="", rule=other) if other else None
                best, report = float("inf"), None
                for _ in range(2):
                    start = time.process_time()
                    report = backtest.run(store, CONCEPTS, tested, against=against)
                    best = min(best, time.process_time() - start)
                print(
                    f"{name:9} {best / number * 1e6:5.1f} us an item, {best / number * 1e6:4.0f} s a million;"
                    f" {report.hits:,} found, {report.gained:,} gained, {report.lost:,} lost"
                )


if __name__ == "__main__":
    main()
