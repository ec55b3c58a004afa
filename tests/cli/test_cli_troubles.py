"""Where an analyst sees that a feed or a watchlist is in trouble, since when, and what to do."""

import re

import pytest

from aggregator.model import Trouble
from aggregator.store import Store, dialect

UTC_MINUTE = r"20\d\d-\d\d-\d\d \d\d:\d\d"
OPERATOR = "settings:\n  notify_operator: [console]\n"


@pytest.fixture
def gone(run, fetched):
    """The newsroom after its third feed has said that it is gone for good."""
    fetched.pages["/broken"] = (410, {}, b"")
    assert run("fetch", "Broken").exit_code == 4
    return fetched


@pytest.mark.usefixtures("gone")
def test_status_shows_troubles_and_that_nobody_is_told(run, records):
    shown = run("status")
    assert re.search(rf"Broken +{UTC_MINUTE} +gone +gone", shown.stdout)
    assert "Nobody is told of this: name channels under settings.notify_operator" in shown.stdout
    (status,) = records("status")
    (trouble,) = status["troubles"]
    assert trouble.keys() == {"feed", "watchlist", "kind", "since", "detail", "told"}
    assert (trouble["feed"], trouble["watchlist"], trouble["kind"], trouble["told"]) == ("Broken", None, "gone", False)


def test_an_operator_is_told_on_the_spot_and_the_hint_goes(run, here, fetched, records):
    file = here / "feeds.yaml"
    file.write_text(file.read_text().replace("settings:\n", OPERATOR))
    fetched.pages["/broken"] = (410, {}, b"")
    result = run("fetch", "Broken")
    assert "NOTICE  gone\n" in result.stdout
    assert "- Broken, since " in result.stdout
    assert "What to do: `aggregator feeds add SITE`" in result.stdout
    assert records("status")[0]["troubles"][0]["told"] is True
    assert "Nobody is told" not in run("status").stdout


@pytest.mark.usefixtures("gone")
def test_a_feed_shows_its_trouble_and_what_to_do(run, records):
    shown = run("feeds", "show", "Broken").stdout
    assert re.search(rf"Trouble +gone since {UTC_MINUTE} UTC: gone", shown)
    assert "`aggregator feeds add SITE` looks for another" in shown
    assert [one["kind"] for one in records("feeds", "show", "Broken")[0]["troubles"]] == ["gone"]
    assert records("feeds", "show", "News")[0]["troubles"] == []
    assert re.search(r"Broken +failing .*gone; gone", run("feeds", "list").stdout)


@pytest.mark.usefixtures("fetched")
def test_a_silent_feed_is_a_state_of_its_own(run, records, here):
    with Store.open(here / "data" / "aggregator.db") as store:
        number = {feed.name: feed.id for feed in store.feeds()}["News"]
        store._begin(
            "feed", number, Trouble.SILENT, "nothing new since yesterday", dialect.to_ms(store.feeds()[0].read_at)
        )
    assert [feed["feed"] for feed in records("feeds", "list", "--state", "silent")] == ["News"]
    assert records("status")[0]["feeds"].items() >= {"ok": 1, "silent": 1, "failing": 1}.items()
    assert "1 ok, 1 failing, 1 silent" in run("status").stdout
    assert "silent: nothing new since yesterday" in run("feeds", "list").stdout


@pytest.mark.usefixtures("fetched")
def test_a_stopped_watchlist_is_shown_where_watchlists_are(run, records, here):
    with Store.open(here / "data" / "aggregator.db") as store:
        store._begin("watchlist", "rain", Trouble.WATCHLIST_STOPPED, "its rule cost too much", 1_700_000_000_000)
    assert "rain: watchlist-stopped since 2023-11-14 22:13 UTC: its rule cost too much" in run("watch", "list").stdout
    listed = {one["watchlist"]: one["troubles"] for one in records("watch", "list")}
    assert [one["kind"] for one in listed["rain"]] == ["watchlist-stopped"]
    assert listed["amnesty-watch"] == []
    assert "watchlist rain" in run("status").stdout


@pytest.mark.usefixtures("fetched")
def test_what_is_owed_to_nobody_is_counted(run, records, here):
    with Store.open(here / "data" / "aggregator.db") as store:
        store._conn.execute("UPDATE deliveries SET state = 'due', channel = 'left'")
        store.own_recipients((("console", "console"),))
    assert records("status")[0]["owed_to_nobody"] == 4
    assert "4 owed to nobody: feeds.yaml no longer names the channel or the address" in run("status").stdout
