import pytest
from support import world as web
from support.newsroom import write_config

from aggregator import config as configuration
from aggregator.cli.fetch import _accounted
from aggregator.model import VisitReport

VISIT = {"type", "feed", "outcome", "reason", "new", "revised", "unchanged", "rejected"}
TOTAL = {"type", "feeds", "new", "revised", "alerts", "sent", "failed", "undelivered"}


def split(lines):
    *visits, total = lines
    assert all(visit.keys() >= VISIT and visit["type"] == "visit" for visit in visits)
    assert total.keys() >= TOTAL
    assert total["type"] == "total"
    return {visit["feed"]: visit for visit in visits}, total


@pytest.mark.usefixtures("newsroom")
def test_a_round_reads_matches_tells_and_says_which_feed_failed(records):
    visits, total = split(records("fetch", exit_code=4))
    assert {name: visit["outcome"] for name, visit in visits.items()} == {
        "News": "fetched",
        "Dari": "fetched",
        "Broken": "failed",
    }
    assert (visits["News"]["new"], visits["Broken"]["reason"]) == (3, "server_error")
    assert (total["feeds"], total["new"], total["failed"]) == (3, 4, 1)
    assert total["alerts"] == total["sent"] == 4
    assert total["undelivered"] == 0


def test_a_second_round_finds_nothing_due_and_all_asks_again(records, newsroom):
    records("fetch", exit_code=4)
    asked = len(newsroom.asked)
    visits, total = split(records("fetch"))
    assert {visit["outcome"] for visit in visits.values()} == {"not_due"}
    assert (total["failed"], len(newsroom.asked)) == (0, asked)
    visits, _ = split(records("fetch", "--all", exit_code=4))
    assert (visits["News"]["outcome"], visits["News"]["new"]) in {("fetched", 0), ("not_modified", 0)}
    assert len(newsroom.asked) > asked


def test_a_feed_that_is_gone_is_asked_again_only_by_its_name(records, newsroom):
    newsroom.pages["/broken"] = (410, {}, b"gone")
    records("fetch", exit_code=4)
    newsroom.asked.clear()
    visits, _ = split(records("fetch", "--all"))
    assert visits["Broken"]["outcome"] == "not_due"
    assert visits["News"]["outcome"] != "not_due"
    assert "/broken" not in {path for path, _ in newsroom.asked}
    visits, _ = split(records("fetch", "Broken", exit_code=4))
    assert visits["Broken"]["reason"] == "gone"


def test_named_feeds_are_read_alone_due_or_not(records, newsroom):
    for _ in range(2):
        visits, total = split(records("fetch", "Dari"))
        assert visits["Dari"]["outcome"] in {"fetched", "not_modified"}
        assert (visits["News"]["outcome"], total["failed"]) == ("not_due", 0)
    assert {path for path, _ in newsroom.asked} == {"/dari"}


def test_a_pause_that_a_server_asked_for_is_honoured_even_by_all(records, newsroom):
    newsroom.pages["/broken"] = (503, {"Retry-After": "3600"}, b"")
    records("fetch", exit_code=4)
    visits, _ = split(records("fetch", "--all"))
    assert (visits["Broken"]["outcome"], visits["Broken"]["reason"]) == ("not_due", "not_before")


def test_a_failed_delivery_exits_5_unless_a_feed_failed(records, newsroom, here):
    newsroom.pages["/broken"] = web.rss()
    newsroom.receives = lambda *_: 500
    hook = f"channels:\n  hook: {{type: webhook, url: '{newsroom.url('/hook')}', secret: whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz}}\n"
    write_config(here, newsroom, hook)
    _, total = split(records("fetch", exit_code=5))
    assert (total["sent"], total["failed"]) == (0, 0)
    assert total["undelivered"] >= 4


@pytest.mark.usefixtures("newsroom")
def test_people_get_a_summary_and_the_reason_of_each_failure(run):
    result = run("fetch")
    assert result.exit_code == 4
    assert "2 read, 1 failed" in result.stdout
    assert "4 new" in result.stdout
    assert "server_error: HTTP 500" in result.stdout
    assert "not due" in run("fetch").stdout


@pytest.mark.usefixtures("newsroom")
def test_alerts_of_a_console_stay_out_of_the_json(run):
    result = run("fetch", "--json")
    assert all(line.startswith("{") for line in result.stdout.splitlines())
    assert "general amnesty" in result.stderr


@pytest.mark.parametrize(("args", "said"), [(["Nwes"], 'did you mean "News"?'), (["News", "--all"], "not both")])
def test_a_wrong_choice_of_feeds_is_a_usage_error(run, newsroom, args, said):
    result = run("fetch", *args)
    assert result.exit_code == 2
    assert said in result.stderr
    assert newsroom.asked == []


@pytest.mark.usefixtures("newsroom")
def test_what_was_fetched_can_be_searched_at_once(records):
    records("fetch", exit_code=4)
    assert [item["title"] for item in records("search", "herat")] == ["Rain in Herat"]


def test_a_round_over_no_feeds_says_how_to_add_one(run, here):
    (here / "feeds.yaml").write_text("feeds: []\n")
    result = run("fetch")
    assert result.exit_code == 0
    assert "aggregator feeds add" in result.stderr


@pytest.mark.usefixtures("newsroom")
def test_a_visit_that_broke_down_counts_as_failed_and_is_not_passed_over(here):
    config = configuration.load(here / "feeds.yaml")
    visits = _accounted([VisitReport(feed="News", outcome="fetched")], ["News", "Broken"], config)
    assert [(visit.feed, visit.outcome, visit.reason) for visit in visits] == [
        ("News", "fetched", None),
        ("Dari", "not_due", "schedule"),
        ("Broken", "failed", "internal"),
    ]


def with_archive(newsroom):
    head = newsroom.pages["/dari"].replace(b"<title>World</title>", b"<title>World</title><a:link xmlns:a='http://www.w3.org/2005/Atom' rel='prev-archive' href='/a1'/>")  # fmt: skip
    newsroom.pages |= {"/dari": head, "/a1": web.rss(("0", "Rain in Ghazni", newsroom.url("/0"), ""))}


def test_a_backfill_reads_the_past_of_the_named_feeds(records, run, newsroom):
    with_archive(newsroom)
    lines = records("fetch", "Dari", "News", "--backfill", "--limit", "5")
    walks = {line["feed"]: line for line in lines if line["type"] == "backfill"}
    assert (walks["Dari"]["pages"], walks["Dari"]["new"], walks["Dari"]["reason"]) == (1, 1, None)
    assert walks["News"]["reason"] == "no_archive"
    assert lines[-1]["type"] == "total"
    result = run("fetch", "Dari", "--backfill")
    assert "Dari: 0 older documents read, 0 new; that is all there is" in result.stdout


@pytest.mark.usefixtures("newsroom")
def test_the_progress_of_a_backfill_stands_on_standard_error(run, newsroom):
    with_archive(newsroom)
    result = run("fetch", "Dari", "--backfill")
    assert f"Dari: 1 new in {newsroom.url('/a1')}" in result.stderr
    assert "1 older document read, 1 new" in result.stdout


@pytest.mark.parametrize(
    ("args", "said"), [(["--backfill"], "name the feeds"), (["Dari", "--limit", "3"], "--backfill")]
)
def test_a_backfill_is_of_named_feeds(run, newsroom, args, said):
    result = run("fetch", *args)
    assert (result.exit_code, newsroom.asked) == (2, [])
    assert said in result.stderr
