import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from support.newsroom import HOSTILE

from aggregator.store import Store

# C0 but line feed, DEL, C1, bidirectional overrides, embeddings and isolates
ACTIVE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

ITEM = {"id", "feed", "title", "link", "published", "first_seen", "lang", "revision", "story", "event"}
ALERT = {"id", "watchlist", "severity", "item", "title", "link", "feed", "created", "update", "terms", "deliveries"}


@pytest.mark.usefixtures("fetched")
def test_items_have_the_fields_of_the_contract(records):
    found = records("items", "list")
    assert len(found) == 4
    assert all(item.keys() >= ITEM for item in found)
    assert all(isinstance(item[name], str) for item in found for name in ("id", "story", "first_seen"))
    assert {item["event"] for item in found} == {None}


@pytest.mark.usefixtures("fetched")
def test_lists_can_be_narrowed(records, run):
    assert len(records("items", "list", "--limit", "2")) == 2
    assert {item["feed"] for item in records("items", "list", "--feed", "Dari")} == {"Dari"}
    assert len(records("items", "list", "--since", "2h")) == 4
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    assert records("items", "list", "--since", tomorrow) == []
    assert len(records("alerts", "list", "--feed", "Dari")) == 1
    assert len(records("alerts", "list", "--watchlist", "rain")) == 1
    assert records("alerts", "list", "--dead") == []
    assert len(records("search", "taliban", "--limit", "1")) == 1
    assert {item["feed"] for item in records("search", "طالبان", "--feed", "Dari")} == {"Dari"}
    assert "No such items" in run("items", "list", "--since", tomorrow).stderr


@pytest.mark.usefixtures("newsroom")
@pytest.mark.parametrize("when", ["yesterday", "2h ago", "99999999999d", "2026-13-01", "-1h", ""])
def test_a_time_that_means_nothing_is_a_usage_error(run, when):
    result = run("items", "list", f"--since={when}")
    assert result.exit_code == 2
    assert "2026-11-01" in result.stderr


@pytest.mark.usefixtures("fetched")
@pytest.mark.parametrize("command", [["items", "list"], ["alerts", "list"], ["search", "rain"]])
def test_a_feed_that_does_not_exist_is_a_usage_error(run, command):
    result = run(*command, "--feed", "Nwes")
    assert result.exit_code == 2
    assert 'did you mean "News"?' in result.stderr


@pytest.mark.usefixtures("fetched")
@pytest.mark.parametrize("command", [["items", "show"], ["alerts", "show"], ["alerts", "ack"]])
@pytest.mark.parametrize("wrong", ["999", "x", "-1", "9" * 40, "٣"])
def test_an_id_that_does_not_exist_is_a_usage_error(run, command, wrong):
    result = run(*command, "--", wrong)
    assert result.exit_code == 2
    assert "ids" in result.stderr


def test_an_item_shows_its_revisions_article_and_story(run, records, fetched):
    (rain,) = records("search", "herat")
    fetched.pages["/news"] = fetched.pages["/news"].replace(b"It rained.", b"It rained all night.")
    run("fetch", "News")
    (shown,) = records("items", "show", rain["id"])
    assert (shown["revision"], shown["summary"]) == (2, "It rained all night.")
    assert [revision["summary"] for revision in shown["revisions"]] == ["It rained."]
    assert shown["article"] == {"state": None, "reason": None, "text": None}
    assert shown["story_rule"] == "new"
    for_people = run("items", "show", rain["id"]).stdout
    assert "It rained all night." in for_people
    assert "Revision 1" in for_people


@pytest.mark.usefixtures("fetched")
def test_alerts_have_the_fields_of_the_contract(records):
    found = records("alerts", "list")
    assert len(found) == 4
    assert all(alert.keys() >= ALERT for alert in found)
    dari = next(alert for alert in found if alert["feed"] == "Dari")
    assert {term["term"] for term in dari["terms"]} == {"taliban", "amnesty"}
    assert all(
        dari["title"][term["start"] : term["end"]] == term["text"] for term in dari["terms"] if term["field"] == "title"
    )
    assert [delivery.keys() for delivery in dari["deliveries"]] == [
        {"channel", "recipient", "state", "attempts", "last_error"}
    ]
    assert records("alerts", "show", dari["id"])[0].items() >= dari.items()


@pytest.mark.usefixtures("fetched")
def test_an_alert_shows_what_was_found_and_who_was_told(run, records):
    dari = next(alert for alert in records("alerts", "list") if alert["feed"] == "Dari")
    shown = run("alerts", "show", dari["id"]).stdout
    assert "عفو عمومی" in shown
    assert re.search(r"console +console +sent +1", shown)


@pytest.mark.usefixtures("fetched")
def test_an_alert_that_a_person_marked_is_shown_as_seen(run, records):
    first, *others = records("alerts", "list")
    assert first["acked"] is None
    assert "by a person" not in run("alerts", "show", first["id"]).stdout
    assert run("alerts", "ack", first["id"]).exit_code == 0
    again = records("alerts", "list")
    assert again[0]["acked"].endswith("Z")
    assert records("alerts", "list", "--unseen") == others
    assert "by a person" in run("alerts", "show", first["id"]).stdout


@pytest.mark.usefixtures("fetched")
@pytest.mark.parametrize(
    "query", ['Taliban"', ",", "(", "a OR", '""""', "*", "NEAR(", "title:", "-", "^x", "'", "\x00", "؟", "\ud800"]
)
def test_any_query_is_valid(run, query):
    assert run("search", "--", query).exit_code == 0


@pytest.mark.usefixtures("fetched")
def test_search_finds_every_spelling_and_phrases(records):
    assert records("search", "عفو", "عمومي")[0]["feed"] == "Dari"
    assert len(records("search", '"general amnesty"')) == 2
    assert records("search", '"amnesty general"') == []


@pytest.mark.usefixtures("fetched")
def test_status_has_the_fields_of_the_contract(records):
    (status,) = records("status")
    assert status["ticks"] == {}
    assert status["feeds"].items() >= {"ok": 2, "failing": 1, "silent": 0}.items()
    assert status["outbox"] == {"due": 0, "dead": 0}
    assert (status["items"], status["alerts"], status["daemon"]) == (4, 4, False)
    assert [failing["feed"] for failing in status["failing"]] == ["Broken"]


@pytest.mark.usefixtures("fetched")
def test_status_names_failing_feeds_with_reason_and_next_try(run):
    shown = run("status").stdout
    assert "2 ok, 1 failing" in shown
    assert re.search(r"Broken +never +20\d\d-\d\d-\d\d \d\d:\d\d +server_error: HTTP 500", shown)


@pytest.mark.usefixtures("fetched")
def test_a_late_tick_shows_and_fails(run, records, here):
    path = here / "data" / "aggregator.db"
    long_ago, now = datetime.now(UTC) - timedelta(hours=3), datetime.now(UTC)
    with Store.open(path) as store:
        store.note_tick("feeds", timedelta(seconds=1), now, now, None)
        store.note_tick("outbox", timedelta(seconds=1), long_ago, long_ago, "disk full")
    (status,) = records("status", exit_code=1)
    assert {name: tick["late"] for name, tick in status["ticks"].items()} == {"feeds": False, "outbox": True}
    result = run("status")
    assert result.exit_code == 1
    assert "outbox" in result.stdout
    assert "disk full" in result.stdout


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (["items", "list"], "aggregator fetch"),
        (["alerts", "list"], "aggregator watch test"),
        (["search", "x"], "aggregator fetch"),
        (["status"], "aggregator run"),
    ],
)
def test_where_there_is_nothing_yet_the_next_step_is_named(run, newsroom, command, advice):
    result = run(*command)
    assert result.exit_code == 0
    assert advice in result.output
    assert not (newsroom.asked)


HOSTILE_VIEWS = [
    ["items", "list"], ["items", "show", "2"], ["alerts", "list"], ["alerts", "show", "1"], ["alerts", "show", "2"],
    ["search", "unfriendly"], ["status"], ["feeds", "list"], ["feeds", "show", "News"], ["watch", "test", "--title", HOSTILE],
    ["items", "list", "--json"], ["alerts", "list", "--json"], ["items", "show", "2", "--json"],
    ["watch", "test", "--title", HOSTILE, "--json"],
]  # fmt: skip


@pytest.mark.usefixtures("fetched")
@pytest.mark.parametrize("command", HOSTILE_VIEWS, ids=lambda command: " ".join(map(ascii, command)))
def test_no_title_acts_on_a_terminal(run, command):
    result = run(*command)
    assert result.exit_code == 0
    assert not ACTIVE.search(result.output)


@pytest.mark.usefixtures("fetched")
def test_a_title_that_looks_like_markup_is_printed_as_it_is(run):
    assert "[/x] [red]Taliban" in run("items", "list").stdout


@pytest.mark.usefixtures("fetched")
def test_json_keeps_every_letter_of_a_hostile_title(run):
    lines = run("items", "list", "--json").stdout.splitlines()
    assert any("\u202e" in json.loads(line)["title"] for line in lines)
    assert any("طالبان" in line for line in lines), "letters stay readable"
