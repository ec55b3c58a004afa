"""Real feed histories replayed in order through the real poller: every story alerts once for each new term.

The oracle is independent of our parser, folding and stories: feedparser reads each snapshot, a plain regular expression
finds the words, and every (entry, word) that ever stood in the feed must have been told exactly once for its story.
"""

import asyncio
import gzip
import html
import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import pytest
from support import world as web

from aggregator import app, config

SERIES = Path(__file__).parents[3] / "shared" / "corpus" / "series"
WORDS = ("covid", "police", "afghan", "vaccine", "trump", "taliban", "lockdown", "murder")

pytestmark = pytest.mark.skipif(not SERIES.is_dir(), reason="../shared/corpus is absent")


def snapshots(name):
    for path in sorted((SERIES / name).glob("*.xml.gz")):
        stamp = path.name.split("_")[1].split(".")[0]
        yield datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), gzip.decompress(path.read_bytes())


def plain(text):
    return html.unescape(re.sub(r"<[^>]*>", " ", text))


def words_in(*texts):
    """The watched words that stand as whole words, as a reader would see them."""
    lowered = " ".join(plain(text) for text in texts).lower()
    return {word for word in WORDS if re.search(rf"(?<![^\W_]){word}(?:s|es)?(?![^\W_])", lowered)}


def replayed(name, tmp_path):
    """The series polled snapshot by snapshot; the database and what each entry ever said."""
    world = web.World()
    stop = web.start(world)
    path = tmp_path / "feeds.yaml"
    path.write_text(
        "settings:\n  full_text: never\n  network: {allow_private_feeds: true, ports: any}\n"
        "  polling: {floor: 1s, host_gap: 0s}\n"
        f"feeds:\n  - {{url: '{world.url('/feed')}', name: feed}}\n"
        f"watchlists:\n  - {{name: words, keywords: [{', '.join(WORDS)}]}}\n",
        encoding="utf-8",
    )
    said = defaultdict(set)  # guid -> words that ever stood in it
    clock = {"now": next(snapshots(name))[0]}

    async def main():
        settings = config.load(path)
        async with app.opened(settings, now=lambda: clock["now"], senders={}) as opened:
            for when, body in snapshots(name):
                clock["now"], world.pages["/feed"] = when, body
                await opened.work.round(["feed"])
                for entry in feedparser.parse(body).entries:
                    texts = [entry.get("title", ""), entry.get("summary", "")]
                    texts += [content.value for content in entry.get("content", ())]
                    texts += [tag.term or "" for tag in entry.get("tags", ())]
                    said[entry.get("id") or entry.get("link")] |= words_in(*texts)
        return settings.settings.database

    try:
        return asyncio.run(main()), said
    finally:
        stop()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", sorted(path.name for path in SERIES.glob("*")) if SERIES.is_dir() else [])
def test_each_story_alerts_once_for_each_newly_present_term(name, tmp_path):
    database, said = replayed(name, tmp_path)
    with app.Store.open_to_read(database) as store:
        story_of = defaultdict(set)
        for row in store._all("SELECT guid, link, story FROM items"):
            story_of[row["guid"] or row["link"]].add(row["story"])
        told = Counter(
            (row["story"], term["term"])
            for row in store._all("SELECT story, terms FROM alerts")
            for term in {term["term"]: term for term in json.loads(row["terms"])}.values()
        )
        owed = store._one("SELECT count(*) FROM deliveries")[0]
        alerts = store._one("SELECT count(*) FROM alerts")[0]
        problems = store.check()
    assert said, "the series brought nothing"
    missed = {
        (guid, word) for guid, words in said.items() for word in words
        if not any(told[story, word] for story in story_of[guid])
    }  # fmt: skip
    possible = {(story, word) for guid, words in said.items() for story in story_of[guid] for word in words}
    assert missed == set(), "words that stood in the feed were told to nobody"
    assert {key: count for key, count in told.items() if count > 1} == {}, "a term was told twice for one story"
    assert set(told) - possible == set(), "a term was told that never stood in the feed"
    assert (owed, problems) == (alerts, [])
