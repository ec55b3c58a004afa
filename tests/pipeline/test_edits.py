"""A daemon takes an edit of feeds.yaml when it is whole, right, and says something else."""

import asyncio
from contextlib import suppress

import pytest

from aggregator import config
from aggregator.config import edits

RAIN = "watchlists:\n  - {name: rain, keywords: [rain]}\n"


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(edits, "LOOK_S", 0.02)
    path = tmp_path / "feeds.yaml"
    path.write_text(RAIN)
    return path


def after(file, *steps, pause_s=0.15):
    """The configuration that the steps led to, None when there was no usable edit."""

    async def main():
        poke = asyncio.Event()
        waiting = asyncio.create_task(edits.next_edit(config.load(file), poke))
        for step in steps:
            await asyncio.sleep(pause_s)
            step(poke)
        with suppress(TimeoutError):
            return await asyncio.wait_for(waiting, 1)

    return asyncio.run(main())


def test_an_edit_is_taken_and_one_that_says_the_same_is_not(file):
    edited = after(file, lambda _: file.write_text(RAIN.replace("[rain]", "[rain, snow]")))
    assert edited.watchlists[0].keywords == ("rain", "snow")
    assert after(file, lambda _: file.write_text(file.read_text() + "# a comment\n")) is None


def test_an_edit_between_loading_and_watching_is_not_missed(file):
    loaded = config.load(file)
    file.write_text(RAIN.replace("[rain]", "[snow]"))
    fresh = asyncio.run(asyncio.wait_for(edits.next_edit(loaded, asyncio.Event()), 5))
    assert fresh.watchlists[0].keywords == ("snow",)


def test_a_fault_or_a_missing_file_is_no_edit_and_the_next_good_one_counts(file):
    steps = [
        lambda _: file.write_text(RAIN.replace("keywords", "keyword")),
        lambda _: file.unlink(),
        lambda _: file.write_text(RAIN.replace("[rain]", "[hail]")),
    ]
    assert after(file, *steps[:2]) is None
    file.write_text(RAIN)
    assert after(file, *steps).watchlists[0].keywords == ("hail",)


def test_a_file_that_is_still_being_written_is_not_read(file, monkeypatch):
    monkeypatch.setattr(edits, "LOOK_S", 0.2)
    grow = [lambda _, n=n: file.write_text(RAIN.replace("[rain]", f"[{'snow, ' * n}hail]")) for n in range(1, 5)]
    assert len(after(file, *grow).watchlists[0].keywords) == 5


def test_a_poke_reads_secrets_in_other_files_anew(file, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("one")
    file.write_text(
        "feeds:\n  - {url: 'https://news.example/feed', name: News, headers: {X-Key: '${file:" + str(secret) + "}'}}\n"
    )
    assert after(file, lambda _: secret.write_text("two")) is None
    secret.write_text("one")
    edited = after(file, lambda _: secret.write_text("two"), lambda poke: poke.set())
    assert edited.feeds[0].headers[0][1].reveal() == "two"


def test_another_database_waits_for_a_restart_and_the_rest_is_taken(file):
    before = config.load(file).settings.database
    more = RAIN.replace("[rain]", "[snow]") + "settings: {database: other.db}\n"
    edited = after(file, lambda _: file.write_text(more))
    assert (edited.settings.database, edited.watchlists[0].keywords) == (before, ("snow",))
