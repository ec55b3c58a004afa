"""`aggregator parse`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from aggregator import parse as parsing
from aggregator.cli import show
from aggregator.cli.options import Json
from aggregator.model import Item, ParsedFeed

app = typer.Typer(add_completion=False)

STDIN = Path("-")


@app.command()
def parse(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Files or folders; - is standard input.")],
    as_json: Json = False,
) -> None:
    """Read feed documents, and show what became of them. Folders are read with all their files, hidden ones left out.

    A file that is no feed is shown as such and is no failure. Exit code 1 when a file cannot be read at all.
    """
    began, documents, unreadable, counts = perf_counter(), 0, 0, Counter[str]()
    entries = 0
    for path in _files(files):
        try:
            body = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
        except OSError as error:
            show.note(f"{path}: {error.strerror}")
            unreadable += 1
            continue
        feed = parsing.feed(body)
        documents += 1
        entries += len(feed.items)
        counts.update(flag for flags in (feed.flags, *(item.flags for item in feed.items)) for flag in flags)
        counts.update(f"rejected: {rejected.reason}" for rejected in feed.rejected)
        for line in _records(path, feed) if as_json else ():
            show.record(line)
        if not as_json:
            _print(path, feed)
    _print_totals(documents, entries, counts, perf_counter() - began)
    if unreadable:
        raise typer.Exit(1)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = (file for file in sorted(path.rglob("*")) if file.is_file())
        yield from (file for file in inside if not any(part.startswith(".") for part in file.relative_to(path).parts))


def _records(path: Path, feed: ParsedFeed) -> Iterator[dict[str, Any]]:
    source = str(path)
    yield {
        "type": "feed", "source": source, "format": feed.format, "title": feed.title, "link": feed.link,
        "language": feed.language, "items": len(feed.items), "flags": feed.flags,
        "rejected": [asdict(rejected) for rejected in feed.rejected],
    }  # fmt: skip
    for item in feed.items:
        yield _item(source, item)


def _item(source: str, item: Item) -> dict[str, Any]:
    return {
        "type": "item", "source": source, "id": item.guid, "link": item.link, "title": item.title,
        "author": item.author, "published": item.published, "updated": item.updated, "summary": item.summary,
        "content": item.content, "categories": item.tags,
        "enclosures": [asdict(enclosure) for enclosure in item.enclosures], "flags": item.flags,
    }  # fmt: skip


def _print(path: Path, feed: ParsedFeed) -> None:
    doubts = f" ({', '.join(feed.flags)})" if feed.flags else ""
    if not feed.format:
        show.text(f"{path}: not a feed{doubts}")
        return
    rejected = f", {len(feed.rejected)} rejected" if feed.rejected else ""
    show.heading(f"{path}: {feed.format}, {show.number(len(feed.items), 'item')}{rejected}{doubts}")
    if feed.title:
        show.text(f"  {feed.title}")
    if feed.items:
        show.table(
            ("  PUBLISHED (UTC)", "TEXT", "FLAGS", "TITLE"),
            (
                (
                    f"  {show.utc(item.published, 'unknown')}",
                    f"{len(item.content or item.summary):,}",
                    ", ".join(item.flags),
                    item.title or "(no title)",
                )
                for item in feed.items
            ),
        )


def _print_totals(documents: int, entries: int, counts: Counter[str], took_s: float) -> None:
    speed = f", {entries / took_s:,.0f} items/s" if entries else ""
    show.note(f"{show.number(documents, 'file')}, {show.number(entries, 'item')} in {took_s:.2f} s{speed}")
    for flag, times in counts.most_common():
        show.note(f"  {times:>8,}  {flag}")
