"""How fast feeds are read: ours, feedparser, and fastfeedparser and feedparser-rs when they can be imported.

    python bench/parse.py [--corpus FOLDER]

All candidates in one run; each does the same: parse, take the news fields of every entry, turn title, summary and
content into plain text with `aggregator.text.html.plain`. Milliseconds of CPU time, lower quartile of repeats; the
candidates take turns, so that other load on the machine hits all alike.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import io
import random
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import feedparser

from aggregator import parse
from aggregator.parse import slices
from aggregator.text.html import plain

_ENGLISH = (
    "the of a Taliban amnesty general relocation Kabul government former officials province said report people women school border "
    "district council statement minister security attack aid winter refugees Pakistan Iran transit trade market court"
)
_DARI = (
    "طالبان عفو عمومی کابل حکومت مقام پیشین ولایت گفت گزارش مردم زنان مکتب مرز ولسوالی شورا وزیر امنیت حمله کمک می‌گوید"
)
ENGLISH, DARI = _ENGLISH.split(), _DARI.split()
Row = tuple[str, bytes]
Candidate = Callable[[bytes], object]


# ---------------------------------------------------------------- feeds


def html(rng: random.Random, words: list[str], size: int) -> str:
    said = ""
    while len(said) < size:
        text = " ".join(rng.choices(words, k=60))
        said += f'<p>{text} <a href="https://example.org/a?b=1&amp;c=2">{rng.choice(words)}</a> <strong>{rng.choice(words)}</strong> &amp; so.</p>\n'
    return said


def rss(
    items: int,
    size: int,
    words: list[str],
    *,
    seed: int = 1,
    encoding: str = "utf-8",
    bad: bool = False,
    fresh: str = "",
) -> bytes:
    rng = random.Random(seed)
    written = []
    for n in range(items):
        title = (
            " ".join(rng.choices(words, k=9)) + (fresh if n == 0 else "") + (" a & b" if bad and n == items - 3 else "")
        )
        written.append(
            f"<item>\n<title>{title}</title>\n<link>https://example.org/{n}/?a=1&amp;b=2</link>\n<dc:creator><![CDATA[A. Writer]]></dc:creator>\n"
            f"<pubDate>Mon, 05 Feb 2024 10:{n % 60:02}:00 +0430</pubDate>\n<category><![CDATA[{words[3]}]]></category>\n"
            f'<guid isPermaLink="false">https://example.org/?p={n}</guid>\n<description><![CDATA[{" ".join(rng.choices(words, k=30))}]]></description>\n'
            + (f"<content:encoded><![CDATA[{html(rng, words, size)}]]></content:encoded>\n" if size else "")
            + "</item>\n"
        )
    head = (
        f'<?xml version="1.0" encoding="{encoding}"?>\n<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">\n<channel>\n'
        "<title>News</title>\n<link>https://example.org/</link>\n<description>All</description>\n<language>en</language>\n"
        "<sy:updatePeriod>hourly</sy:updatePeriod>\n<sy:updateFrequency>1</sy:updateFrequency>\n"
    )
    return f"{head}{''.join(written)}</channel>\n</rss>\n".encode(encoding, "ignore")


def atom(items: int, size: int, words: list[str]) -> bytes:
    rng = random.Random(2)
    entries = []
    for n in range(items):
        content = html(rng, words, size).replace("&", "&amp;").replace("<", "&lt;")
        entries.append(
            f'<entry><title type="html">{" ".join(rng.choices(words, k=9))}</title><link rel="alternate" type="text/html" href="https://example.org/{n}"/>'
            f"<id>tag:example.org,2024:{n}</id><published>2024-02-05T10:{n % 60:02}:00Z</published><updated>2024-02-05T11:00:00Z</updated>"
            f'<author><name>A. Writer</name></author><category term="{words[3]}"/><summary type="html">{" ".join(rng.choices(words, k=30))}</summary>'
            f'<content type="html">{content}</content></entry>\n'
        )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><link href="https://example.org/"/>'
        f"<id>tag:example.org,2024:feed</id><updated>2024-02-05T11:00:00Z</updated>\n{''.join(entries)}</feed>\n"
    ).encode()


FEEDS: list[Row] = [
    ("RSS, 20 items x 4 KB", rss(20, 4000, ENGLISH)),
    ("Atom, 50 entries x 2 KB", atom(50, 2000, ENGLISH)),
    ("RSS, 500 short items", rss(500, 0, ENGLISH)),
    ("Dari RSS, UTF-8, 20 x 4 KB", rss(20, 4000, DARI)),
    ("Dari RSS, windows-1256", rss(20, 4000, DARI, encoding="windows-1256")),
    ("RSS, 20 x 4 KB, one bare &", rss(20, 4000, ENGLISH, bad=True)),
]


# ---------------------------------------------------------------- candidates


def ours(body: bytes) -> object:
    return parse.feed(body, url="https://example.org/feed")


def with_feedparser(body: bytes) -> object:
    found = feedparser.parse(io.BytesIO(body))
    return [texts(entry) for entry in found.entries]


def bare_feedparser(body: bytes) -> object:
    found = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    return [texts(entry) for entry in found.entries]


def texts(entry: Any) -> tuple[object, ...]:
    content = [one.get("value") for one in entry.get("content") or ()]
    read = [
        plain(text) for text in (entry.get("title"), entry.get("summary") or entry.get("description"), *content) if text
    ]
    facts = [entry.get(name) for name in ("link", "id", "author", "tags", "enclosures", "published", "updated")]
    return (*read, *facts)


def peers() -> dict[str, Candidate]:
    found: dict[str, Candidate] = {}
    for module in ("fastfeedparser", "feedparser_rs"):
        try:
            peer = importlib.import_module(module)
        except ImportError:
            print(f"{module} is not installed here: left out")
            continue
        print(f"{module} {importlib.metadata.version(module.replace('_', '-'))}")
        extra = {"sanitize_html": False} if module == "feedparser_rs" else {}
        found[module] = lambda body, peer=peer, extra=extra: [
            texts(entry) for entry in peer.parse(body, **extra).entries
        ]
    return found


# ---------------------------------------------------------------- measuring


def lower_quartile(candidates: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Milliseconds of CPU for each; the candidates take turns."""
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(repeats):
        for name, run in candidates.items():
            rounds, spent = 0, 0.0
            begin = time.process_time()
            while spent < 0.02:
                run()
                rounds += 1
                spent = time.process_time() - begin
            taken[name].append(spent / rounds * 1000)
    return {name: sorted(times)[len(times) // 4] for name, times in taken.items()}


def cold(candidates: dict[str, Candidate], repeats: int) -> None:
    print(
        f"\ncold, text included, ms of CPU{'':14}"
        + "".join(f"{name:>18}" for name in candidates)
        + "   ours is faster than feedparser"
    )
    for name, body in FEEDS:
        counts = {key: count(run, body) for key, run in candidates.items()}
        times = lower_quartile({key: lambda run=run, body=body: run(body) for key, run in candidates.items()}, repeats)
        cells = "".join(f"{times[key]:>11.2f} ({counts[key]:>4})" for key in candidates)
        print(f"{name:30} {len(body) // 1000:>5} kB     {cells}   {times['feedparser'] / times['ours']:.1f} x")


def count(run: Candidate, body: bytes) -> int:
    try:
        found = run(body)
    except Exception:  # noqa: BLE001 -- the peers raise anything; that is counted
        return -1
    return len(found.items if hasattr(found, "items") and not isinstance(found, list) else found)  # type: ignore[arg-type]


def steady(candidates: dict[str, Candidate], repeats: int) -> None:
    print("\nsteady state, ms of CPU: slices hashed and looked up, unknown entries read")
    for (name, body), fresh in zip(
        FEEDS[:1] + FEEDS[2:4],
        (rss(20, 4000, ENGLISH, fresh="!"), rss(500, 0, ENGLISH, fresh="!"), rss(20, 4000, DARI, fresh="!")),
        strict=True,
    ):
        known = set(slices.hashes(body))
        assert parse.feed(body, known=known).known == len(known)
        assert len(parse.feed(fresh, known=known).items) == 1
        runs = {
            "nothing new": lambda body=body, known=known: parse.feed(body, known=known),
            "one new": lambda fresh=fresh, known=known: parse.feed(fresh, known=known),
            "slices.hashes": lambda body=body: slices.hashes(body),
            **{key: lambda run=run, body=body: run(body) for key, run in candidates.items() if key != "ours"},
        }
        times = lower_quartile(runs, repeats)
        print(f"{name:30} " + "  ".join(f"{key} {times[key]:.2f}" for key in runs))
        print(
            f"{'':30} against feedparser: nothing new {times['feedparser'] / times['nothing new']:.0f} x, one new {times['feedparser'] / times['one new']:.0f} x"
        )


def over_corpus(folder: Path, candidates: dict[str, Candidate]) -> None:
    bodies = [path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()]
    print(
        f"\ncorpus, {len(bodies)} feeds, {sum(map(len, bodies)) / 1e6:.1f} MB: CPU ms per feed, text included (best of 3)"
    )
    best: dict[str, float] = {}
    raised = dict.fromkeys(candidates, 0)
    entries = dict.fromkeys(candidates, 0)
    for turn in range(3):
        for name, run in candidates.items():
            begin = time.process_time()
            for body in bodies:
                try:
                    found = run(body)
                except Exception:  # noqa: BLE001 -- same
                    raised[name] += turn == 0
                    continue
                entries[name] += (turn == 0) * len(found if isinstance(found, list) else found.items)  # type: ignore[attr-defined]
            best[name] = min(best.get(name, 1e9), (time.process_time() - begin) / len(bodies) * 1000)
    for name in candidates:
        print(
            f"  {name:24} {best[name]:7.2f} ms  {entries[name]:>5} entries  {raised[name]} raised  {best['feedparser'] / best[name]:.1f} x feedparser"
        )


MEMORY = """
import re, sys
sys.path.insert(0, {root!r})
from aggregator import parse
parse.feed(b"<rss><channel><item><title>warm &amp; up</title></item></channel></rss>")
body = open({file!r}, "rb").read()
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])  # ru_maxrss is inherited over exec
before = peak()
found = parse.feed(body)
print((peak() - before) * 1024, len(found.items))
"""


def memory() -> None:
    print("\nmemory growth while parsing, in a process of its own")
    for items in (100, 1000, 10_000):
        with tempfile.NamedTemporaryFile() as file:
            size = file.write(rss(items, 4000, ENGLISH))
            file.flush()
            code = MEMORY.format(root=str(Path(__file__).parents[1]), file=file.name)
            told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        grown, kept = map(int, told.split())
        print(f"  {size / 1e6:6.1f} MB in, {grown / 1e6:6.1f} MB more, {grown / size:.1f} x, {kept} items")


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--corpus", type=Path, default=Path(__file__).parents[2] / "shared" / "corpus" / "feeds")
    given.add_argument("--repeats", type=int, default=9)
    options = given.parse_args()
    warnings.simplefilter("ignore")  # feedparser
    candidates = {"ours": ours, "feedparser": with_feedparser, "feedparser, bare": bare_feedparser, **peers()}
    cold(candidates, options.repeats)
    steady({name: run for name, run in candidates.items() if name != "feedparser, bare"}, options.repeats)
    if options.corpus.is_dir():
        over_corpus(options.corpus, candidates)
    memory()
    print(f"\npeak of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
