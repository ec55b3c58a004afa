"""How many documents a second one core folds and matches, by number of boolean rules.

Documents: 3,050 characters of real news, a quarter of it in Arabic script (../shared/corpus beside the project).
Rules: 40 % one term, 20 % OR of 2-8, 15 % term AND (OR of 3 common words), 10 % (OR) AND NOT, 10 % AND, 5 % in the title.
One term in ten stands in some document, the others are names that stand in none. CPU time, the best of 9 for every 20
documents, so that other programs disturb it least; memory is what compiling added to the process. Beside them, in the same run
and on the same number of plain words (no rules, no folding, no endings): a regular expression for each, one alternation of all,
and SQLite's FTS5 asked for each. On a machine that others use, look at the ratios.

    python bench/match.py [RULES ...]
"""

from __future__ import annotations

import gc
import gzip
import json
import random
import re
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from aggregator import watch
from aggregator.model import Item
from aggregator.settings import Watchlist
from aggregator.text.fold import Folds, fold, folded

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
LENGTH = 3050
SYLLABLES = ["ba", "ko", "ri", "ta", "ne", "lo", "shi", "mur", "gan", "dar", "pel", "zan", "kir", "vo"]

draw = random.Random(1)


def rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(CORPUS / name, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def documents(number: int) -> list[Item]:
    latin = [f"{row['title']}. {row['description']}\n" for row in rows("items/news_items_2021-08.jsonl.gz")]
    arabic = [
        f"{row['title']} {row['body']}\n"
        for name in ("fa_fars_news", "ps_news")
        for row in rows(f"text/{name}.jsonl.gz")
    ]
    return [document(latin if n % 4 else arabic) for n in range(number)]


def document(sources: list[str]) -> Item:
    text = ""
    while len(text) < LENGTH:
        text += draw.choice(sources)
    return Item(title=text[:80], content=text[80:LENGTH])


def rules(number: int, items: list[Item]) -> Iterator[str]:
    counts = Counter(
        word for item in items for word in set(folded(f"{item.title} {item.content}").split()) if len(word) > 3
    )
    rare = sorted(word for word, count in counts.items() if count <= 6)
    common = sorted(word for word, count in counts.items() if 40 <= count <= 300)

    def word() -> str:
        return draw.choice(rare) if draw.random() < 0.1 else "".join(draw.choices(SYLLABLES, k=4))

    def term() -> str:
        return f'"{word()} {word()}"' if draw.random() < 0.3 else word()

    forms: list[tuple[float, Callable[[], str]]] = [
        (40, term),
        (20, lambda: " OR ".join(term() for _ in range(draw.randint(2, 8)))),
        (15, lambda: f"{term()} AND ({' OR '.join(draw.sample(common, 3))})"),
        (10, lambda: f"({term()} OR {term()}) AND NOT {draw.choice(common)}"),
        (10, lambda: f"{term()} AND {draw.choice(common)}"),
        (5, lambda: f"title:{term()}"),
    ]
    for form in draw.choices([form for _, form in forms], weights=[weight for weight, _ in forms], k=number):
        yield form()


def others(number: int, items: list[Item]) -> Iterator[tuple[str, float]]:
    """Documents a second of what people use instead, on as few documents as it is slow."""
    texts = [f"{item.title} {item.content}" for item in items]
    words = [*dict.fromkeys("".join(draw.choices(SYLLABLES, k=4)) for _ in range(number))]
    some = texts[: max(2, 20_000 // number)]
    each = [re.compile(rf"\b{word}\b", re.IGNORECASE) for word in words]
    yield "a regex each", len(some) / seconds(lambda: [one.search(text) for text in some for one in each], 1)
    together = re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE)
    yield "one alternation", len(some) / seconds(lambda: [together.findall(text) for text in some], 1)
    index = sqlite3.connect(":memory:")
    index.execute("CREATE VIRTUAL TABLE documents USING fts5(text)")

    def percolated() -> None:
        for start in range(0, len(texts[:200]), 100):
            index.execute("DELETE FROM documents")
            index.executemany("INSERT INTO documents VALUES (?)", [(text,) for text in texts[start : start + 100]])
            for word in words:
                index.execute("SELECT rowid FROM documents(?)", (word,)).fetchall()

    yield "FTS5, 100 at a time", 200 / seconds(percolated, 1)


def latencies(matcher: watch.Matcher, items: list[Item]) -> list[float]:
    """Milliseconds of CPU for each document, sorted."""
    took = []
    for item in items:
        start = time.process_time()
        matcher.hits(item)
        took.append((time.process_time() - start) * 1000)
    return sorted(took)


def seconds(work: Callable[[], object], times: int) -> float:
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def each_us(work: Callable[..., object], *columns: Sequence[object]) -> float:
    """Microseconds of CPU that one call takes. What it gives is dropped at once, as a daemon does."""

    def some(start: int) -> None:
        for row in zip(*(column[start : start + 20] for column in columns), strict=True):
            work(*row)

    starts = range(0, len(columns[0]), 20)
    return sum(seconds(lambda: some(start), 9) for start in starts) / len(columns[0]) * 1e6  # noqa: B023  # called at once


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    items = documents(2000)
    some = items[:500]
    texts = [dict(item.texts()) for item in some]
    print(
        f"fold, us/document: {each_us(lambda fields: [fold(text) for text in fields.values()], texts):.1f} field by field, "
        f"{each_us(Folds, texts):.1f} together, "
        f"{each_us(fold, [item.content for item in some]):.1f} for the text of {LENGTH - 80} characters alone"
    )
    folds = [Folds(fields) for fields in texts]
    for number in map(int, sys.argv[1:] or ["10", "1000", "10000", "100000"]):
        watchlists = [Watchlist(name=f"w{n}", label="w", rule=rule) for n, rule in enumerate(rules(number, items))]
        gc.collect()
        before, start = resident_mb(), time.process_time()
        matcher = watch.compile(watchlists, ())
        built = time.process_time() - start
        found = [matcher.hits(item) for item in items]
        true = sum(len({hit.watchlist for hit in hits}) for hits in found) / len(items)
        added = resident_mb() - before
        both, match = each_us(matcher.hits, some), each_us(matcher.hits, some, folds)
        took = latencies(matcher, items)
        print(
            f"{number} rules: built in {built:.2f} s, {added:.0f} MB with {len(items)} documents read; "
            f"{true:.2f} rules true a document, {sum(map(len, found)) / len(items):.1f} places told; "
            f"{1e6 / both:,.0f} documents/s, {1e6 / match:,.0f} when folded; "
            f"p50 {took[len(took) // 2]:.2f} ms, p99 {took[len(took) * 99 // 100]:.2f} ms"
        )
        for name, rate in others(number, items):
            print(f"    {name}: {rate:,.1f} documents/s, {1e6 / both / rate:,.0f} times slower")


if __name__ == "__main__":
    main()
