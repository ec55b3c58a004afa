"""The search index: same folding as the watchlists, behind the store, thrown away and rebuilt at will."""

from contextlib import contextmanager

import pytest
from support.making import NOW, item, reading

from aggregator.errors import StoreError
from aggregator.store import Store, dialect
from aggregator.store.search import Search, literal


@pytest.fixture
def search(bench):
    opened = Search.open(bench.path)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Taliban announce amnesty", "taliban"),
        ("طــالبان و عفو", "طالبان"),  # tatweel
        ("كابل امروز", "کابل"),  # Arabic kaf
        ("در سال ۱۴۰۲", "1402"),
        ("طالبان‌ها آمدند", "طالبان"),  # ZWNJ
        ("Zürich", "zurich"),
        ("a general amnesty was", '"general amnesty"'),
    ],
)
def test_a_query_finds_every_spelling(bench, search, text, query):
    bench.says(item(title=text))
    search.catch_up(bench.store)
    assert len(search.find(query)) == 1


def test_a_phrase_needs_its_words_in_order(bench, search):
    bench.says(item(title="amnesty of a general"))
    search.catch_up(bench.store)
    assert search.find('"general amnesty"') == []
    assert len(search.find("general amnesty")) == 1


@pytest.mark.parametrize(
    "query", ['Taliban"', "(", "a OR", "NEAR(", "title:", "-x", "*", '"', "", "a AND NOT b", "^x", "{a}"]
)
def test_every_query_is_valid(bench, search, query):
    bench.says(item(title="Taliban"))
    search.catch_up(bench.store)
    search.find(query)


def test_revisions_and_articles_are_found_and_old_words_are_not(bench, search):
    bench.says(item(title="First words"), articles=True)
    search.catch_up(bench.store)
    bench.says(item(title="Second words"), articles=True)
    (lease,) = bench.store.claim_articles(NOW, 1, "r")
    bench.store.record_article(reading(lease, "An amnesty stands on the page."), bench.find)
    assert search.catch_up(bench.store) == 1
    assert [len(search.find(word)) for word in ("first", "second", "amnesty")] == [0, 1, 1]


def test_catching_up_twice_does_nothing_the_second_time(bench, search):
    bench.says(item(title="Taliban"))
    assert search.catch_up(bench.store) == 1
    assert search.catch_up(bench.store) == 0


@pytest.mark.parametrize("damage", ["foreign", "old"])
def test_a_damaged_or_old_index_is_built_anew(bench, damage):
    bench.says(item(title="Taliban"))
    first = Search.open(bench.path)
    first.catch_up(bench.store)
    if damage == "old":
        first._conn.execute("UPDATE state SET value = '0' WHERE key = 'version'")
    first.close()
    if damage == "foreign":
        bench.path.with_name("aggregator-search.db").write_bytes(b"rubbish" * 1000)
    again = Search.open(bench.path)
    assert again.catch_up(bench.store) == 1
    assert len(again.find("taliban")) == 1
    again.close()


def test_newest_items_come_first_and_feed_and_time_narrow(bench, search):
    bench.says(item(title="Taliban one", guid="1"), name="one")
    bench.says(item(title="Taliban two", guid="2", link="https://two.example.org/2"), name="two")
    search.catch_up(bench.store)
    both = search.find("taliban")
    assert both == sorted(both, reverse=True)
    (feed_two,) = bench.store.feeds(name="two")
    assert len(search.find("taliban", feed=feed_two.id)) == 1
    assert search.find("taliban", since=NOW.replace(year=2027)) == []


def test_the_expression_quotes_everything():
    assert literal('a-b "c d" e') == '"a" "b" "e" "c d"'
    assert dialect.sqlite3.sqlite_version_info >= dialect.OLDEST


def test_two_databases_in_one_folder_have_an_index_each(open_bench):
    bench = open_bench()
    other = bench.path.with_name("other.db")
    bench.store.backup(other)
    first, second = Search.open(bench.path), Search.open(other)
    bench.says(item(title="Taliban"))
    assert first.catch_up(bench.store) == 1
    assert second.find("taliban") == []
    first.close()
    second.close()


def test_an_index_ahead_of_a_restored_store_is_begun_anew(bench, search, tmp_path):
    bench.says(item(title="Taliban one"))
    bench.store.backup(tmp_path / "copy.db")
    bench.says(item(title="Rain two", guid="2", link="https://one.example.org/2"))
    bench.says(item(title="Rain three", guid="3", link="https://one.example.org/3"))
    search.catch_up(bench.store)
    bench.store.close()
    for file in bench.path.parent.glob("aggregator.db*"):
        file.unlink()
    (tmp_path / "copy.db").rename(bench.path)
    with Store.open(bench.path) as restored:
        assert search.catch_up(restored) == 1
    assert (len(search.find("taliban")), search.find("rain")) == (1, [])


def test_catching_up_stops_when_it_is_told_to(bench, search):
    bench.says(item(title="Taliban"))
    assert search.catch_up(bench.store, lambda: False) == 0
    assert search.catch_up(bench.store) == 1


def test_a_locked_index_is_left_alone(bench):
    bench.says(item(title="Taliban"))
    held = Search.open(bench.path)
    held.catch_up(bench.store)
    path = bench.path.with_name("aggregator-search.db")
    before = path.stat().st_ino
    held._conn.execute("BEGIN IMMEDIATE")
    with impatient(), pytest.raises(StoreError, match="locked"):
        Search.open(bench.path)
    held._conn.execute("ROLLBACK")
    held.close()
    assert path.stat().st_ino == before


@contextmanager
def impatient():
    """Do not wait ten seconds for a lock."""
    before, dialect.BUSY_MS = dialect.BUSY_MS, 10
    yield
    dialect.BUSY_MS = before
