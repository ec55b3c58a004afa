import json
from pathlib import Path

import pytest
from support import world as web

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "feeds"
FEED = {"type", "source", "format", "title", "link", "language", "items", "flags"}
ITEM = {
    "type", "source", "id", "link", "title", "author", "published", "updated", "summary", "content", "categories",
    "enclosures", "flags",
}  # fmt: skip


@pytest.fixture
def folder(here):
    (here / "in" / "deep").mkdir(parents=True)
    (here / "in" / "a.rss").write_bytes(
        web.rss(("1", "One", "https://a.example/1", "text"), ("2", "Two", "https://a.example/2", "text"))
    )
    (here / "in" / "deep" / "b.rss").write_bytes(web.rss(("3", "Three", "https://a.example/3", "text")))
    (here / "in" / ".hidden").write_bytes(b"x")
    return here / "in"


def test_files_and_folders_become_records(records, folder):
    found = records("parse", folder)
    feeds = [line for line in found if line["type"] == "feed"]
    items = [line for line in found if line["type"] == "item"]
    assert all(line.keys() >= FEED for line in feeds)
    assert all(line.keys() >= ITEM for line in items)
    assert [(feed["source"], feed["format"], feed["items"]) for feed in feeds] == [
        (str(folder / "a.rss"), "rss20", 2),
        (str(folder / "deep" / "b.rss"), "rss20", 1),
    ]
    assert [item["id"] for item in items] == ["1", "2", "3"]
    assert items[0]["published"] is None


def test_standard_input_is_a_file_too(records):
    feed, item = records("parse", "-", stdin=web.rss(("1", "One", "https://a.example/1", "text")))
    assert (feed["source"], item["title"]) == ("-", "One")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff" * 100,
        b"<html><body>hi</body></html>",
        b"<rss><channel><item>",
        b"{",
        b"<!DOCTYPE a [<!ENTITY a 'a'>]><a>&a;</a>",
    ],
)
def test_whatever_the_file_holds_there_is_a_record_and_no_failure(records, run, here, body):
    (here / "x").write_bytes(body)
    feed = records("parse", "x")[0]
    assert (feed["type"], feed["source"]) == ("feed", "x")
    assert run("parse", "x").exit_code == 0


def test_a_missing_file_fails_and_costs_the_others_nothing(run, folder):
    result = run("parse", folder, "missing", "--json")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 5
    assert "missing: No such file" in result.stderr


def test_people_get_a_table_and_totals(run, folder):
    result = run("parse", folder)
    assert "rss20, 2 items" in result.stdout
    assert "2 files, 3 items in" in result.stderr
    assert "items/s" in result.stderr


@pytest.mark.skipif(not CORPUS.is_dir(), reason="../shared/corpus is not here")
def test_every_file_of_the_corpus_goes_through(run):
    result = run("parse", CORPUS, "--json")
    assert result.exit_code == 0
    assert "Traceback" not in result.stderr
    sources = {json.loads(line)["source"] for line in result.stdout.splitlines()}
    assert sources == {str(path) for path in CORPUS.rglob("*") if path.is_file()}
