# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support import world as web
from support.making import WORDS, finder, visit
from support.newsroom import write_config

from aggregator import app, config
from aggregator.cli import health
from aggregator.cli.feed import DOUBTS
from aggregator.model import Doubt, Due, History
from aggregator.store import Store

FEED = {"feed", "url", "state", "reason", "next", "read", "items"}


@pytest.mark.usefixtures("newsroom")
def test_feeds_of_the_file_are_listed_before_the_first_round(records, run):
    found = records("feeds", "list")
    assert all(feed.keys() >= FEED for feed in found)
    assert [(feed["feed"], feed["state"], feed["items"]) for feed in found] == [
        ("News", "new", 0),
        ("Dari", "new", 0),
        ("Broken", "new", 0),
    ]
    assert "never" in run("feeds", "list").stdout


@pytest.mark.usefixtures("fetched")
def test_feeds_show_how_they_do(records, run):
    states = {feed["feed"]: feed["state"] for feed in records("feeds", "list")}
    assert states == {"News": "ok", "Dari": "ok", "Broken": "failing"}
    assert [feed["feed"] for feed in records("feeds", "list", "--state", "failing")] == ["Broken"]
    assert len(records("feeds", "list", "--limit", "2")) == 2
    (broken,) = records("feeds", "show", "Broken")
    assert (broken["reason"], broken["failures"], broken["read"], broken["why"]) == ("server_error", 1, None, "backoff")
    shown = run("feeds", "show", "Broken").stdout
    assert "HTTP 500" in shown
    assert "each doubles the wait" in shown


@pytest.mark.usefixtures("newsroom")
def test_a_feed_that_does_not_exist_is_guessed(run):
    result = run("feeds", "show", "news")
    assert result.exit_code == 2
    assert 'did you mean "News"?' in result.stderr


@pytest.fixture
def site(newsroom):
    newsroom.pages["/new"] = web.rss(("1", "New", newsroom.url("/n"), "text"))
    newsroom.pages["/atom"] = (
        b'<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><id>a</id><updated>2026-11-24T00:00:00Z</updated></feed>'
    )
    newsroom.pages["/"] = (
        200,
        {"Content-Type": "text/html"},
        b"""<html><head><link rel=alternate type='application/rss+xml' title='All \x1b[31mnews' href='/new'>
        <link rel=alternate type='application/atom+xml' href='/atom'></head><body>Hello</body></html>""",
    )
    newsroom.pages["/page"] = b"<html><body>no feed here</body></html>"
    return newsroom


def test_a_feed_is_added_once_it_was_read(run, site, here):
    before = (here / "feeds.yaml").read_text()
    result = run("feeds", "add", site.url("/new"), "--name", "Fresh")
    assert result.exit_code == 0
    assert "aggregator fetch Fresh" in result.stdout
    after = (here / "feeds.yaml").read_text()
    assert site.url("/new") in after
    assert set(before.splitlines()) < set(after.splitlines()), "every line that stood there stays"
    assert run("feeds", "show", "Fresh").exit_code == 0
    again = run("feeds", "add", site.url("/new"))
    assert again.exit_code == 2
    assert "listed already, as Fresh" in again.stderr


def test_of_a_site_the_first_feed_is_added_or_the_one_picked(records, run, site):
    result = run("feeds", "add", site.url("/"))
    assert f"Added 127.0.0.1: {site.url('/new')}" in result.stdout
    assert site.url("/atom") in result.stderr, "the others are named"
    assert "\x1b" not in result.output
    (added,) = records("feeds", "add", site.url("/"), "--pick", "2", "--name", "Atom")
    assert (added["feed"], added["url"], added["format"]) == ("Atom", site.url("/atom"), "atom10")
    assert run("feeds", "add", site.url("/"), "--pick", "3").exit_code == 2


@pytest.mark.parametrize(
    ("path", "said"), [("/page", "names none"), ("/missing", "not_found"), ("/broken", "server_error")]
)
def test_what_is_no_feed_is_not_added(run, site, here, path, said):
    before = (here / "feeds.yaml").read_text()
    result = run("feeds", "add", site.url(path))
    assert result.exit_code == 1
    assert said in result.stderr
    assert (here / "feeds.yaml").read_text() == before


@pytest.mark.usefixtures("newsroom")
def test_feeds_go_out_as_opml_and_come_back(records, run, here):
    assert run("feeds", "export", "feeds.opml").exit_code == 0
    assert stat.S_IMODE((here / "feeds.opml").stat().st_mode) == 0o600
    assert run("feeds", "export").stdout == run("feeds", "export", "-").stdout == (here / "feeds.opml").read_text()
    assert records("feeds", "import", "feeds.opml") == [{"added": [], "duplicates": 3, "refused": []}]
    (here / "feeds.yaml").write_text("feeds: []\n")
    assert "Added 3 feeds" in run("feeds", "import", "feeds.opml").stdout
    assert [feed["feed"] for feed in records("feeds", "list")] == ["News", "Dari", "Broken"]


@pytest.mark.usefixtures("newsroom")
def test_an_export_overwrites_nothing(run, here):
    (here / "mine").write_text("precious")
    assert run("feeds", "export", "mine").exit_code == 2
    assert (here / "mine").read_text() == "precious"


@pytest.mark.usefixtures("newsroom")
def test_an_import_says_what_it_refused(run, here):
    (here / "some.opml").write_text(
        '<opml version="2.0"><body><outline text="x" xmlUrl="gopher://a.example/"/>'
        '<outline text="y" xmlUrl="https://a.example/feed"/></body></opml>'
    )
    result = run("feeds", "import", "some.opml")
    assert result.exit_code == 0
    assert "Added 1 feed; 0 there already; 1 refused." in result.stdout
    assert "gopher" in result.stderr


@pytest.mark.usefixtures("newsroom")
@pytest.mark.parametrize("content", ["", "<html/>", "no xml"])
def test_what_is_no_opml_is_a_usage_error(run, here, content):
    (here / "x.opml").write_text(content)
    assert run("feeds", "import", "x.opml").exit_code == 2
    assert run("feeds", "import", "missing.opml").exit_code == 1


def test_a_login_in_an_address_is_not_shown(run, records, here):
    (here / "feeds.yaml").write_text("feeds:\n  - {url: 'https://me:hunter2@a.example/feed', name: Private}\n")
    assert records("feeds", "list")[0]["url"] == "https://***@a.example/feed"
    assert "hunter2" not in run("feeds", "show", "Private").output + run("config", "show").output


def test_what_stands_in_for_a_feed_is_told_everywhere(records, run, newsroom, here):
    newsroom.pages["/broken"] = (404, {}, b"")
    path = here / "feeds.yaml"
    text = path.read_text().replace(
        "name: Broken}", f"name: Broken, fallback: ['{newsroom.url('/news', host='u:hunter2@127.0.0.1')}']}}"
    )
    path.write_text(text)
    *visits, _ = records("fetch")
    shown = newsroom.url("/news", host="***@127.0.0.1")
    assert {visit["feed"]: visit["fallback"] for visit in visits} == {"News": None, "Dari": None, "Broken": shown}
    (feed,) = records("feeds", "show", "Broken")
    assert (feed["state"], feed["fallback"]["url"], feed["fallback"]["reason"]) == ("ok", shown, "not_found")
    assert feed["fallback"]["since"] < feed["fallback"]["next_own"]
    (whole,) = records("status")
    assert [one["feed"] for one in whole["fallbacks"]] == ["Broken"]
    told = f"by fallback {shown} since"
    for command in (["status"], ["feeds", "list"], ["feeds", "show", "Broken"]):
        said = " ".join(run(*command).stdout.split())
        assert "by fallback" in said, command
        assert "hunter2" not in said
    assert told in run("status").stdout
    assert "not_found: HTTP 404" in run("status").stdout


# ---------------------------------------------------------------- one feed


SHOWN = {"because", "paused_until", "doubts", "hints", "rhythm", "address", "moved_to", "twin_of", "next", "why"}
DAY = timedelta(days=1)


@pytest.fixture
def known(here, world):
    """Make the store hold a feed `One` of this history, which was visited an hour ago and is due for this reason."""
    write_config(here, world)

    def make(why="rate", *, name="News", **history):
        now = datetime.now(UTC)
        loaded = config.load(here / "feeds.yaml")
        due = Due(at=now + timedelta(hours=11), why=why, history=History(**history))
        find = finder(WORDS)
        with app.open_store(loaded, now) as store:
            (lease,) = store.claim_named(now, [name], 1, "token", per_host=64)
            store.record_visit(visit(lease, (), find, now - timedelta(hours=1), due=lambda _new: due), find)

    return make


WEEK = {"exposure_s": 7 * 86_400.0, "items": 70.0, "days": (0.0, 0.0, 0.0, 0.0, 70.0, 0.0, 0.0)}


@pytest.mark.parametrize(
    ("why", "history", "said"),
    [
        ("max_age", {"max_age_s": 43_200.0}, "max-age of its server, 12 h"),
        ("retry_after", {"retry_after_s": 5400.0}, "Retry-After of its server, 1 h 30 min"),
        ("ttl", {"ttl_s": 43_200.0, "update_base": 1800.0}, "asks for 12 h between two visits, counted from 00:30 UTC"),
        ("skip", {"skip_hours": (0, 1, 5, 22, 23), "skip_days": (4, 5)}, "at 05:00-05:59, 22:00-01:59 UTC or on Friday, Saturday"),
        ("skip", {"skip_days": (4,)}, "not to be read on Friday"),
        ("rate", WEEK | {"hours": (70 / 24,) * 24}, "its own rhythm of news: about"),
        ("floor", {}, "settings.polling.floor"),
        ("window", {}, "its document fills up"),
        ("gone", {}, "410"),
        ("network", {}, "no feed is to blame"),
    ],
)  # fmt: skip
def test_P5_a_feed_says_in_words_which_bound_decided(known, records, run, why, history, said):
    known(why, **history)
    (shown,) = records("feeds", "show", "News")
    assert shown.keys() >= FEED | SHOWN
    assert said in shown["because"]
    assert said in run("feeds", "show", "News").stdout
    assert shown["why"] == why


def test_a_feed_shows_when_it_publishes(known, records, run):
    """Ten items a day, all between 8 and 10 UTC and on Mondays."""
    known(**WEEK, hours=(0.0,) * 8 + (35.0, 35.0) + (0.0,) * 14)
    (shown,) = records("feeds", "show", "News")
    assert shown["rhythm"]["items_a_day"] == 10
    assert shown["rhythm"]["by_hour"][7:11] == [0, 5, 5, 0]
    assert shown["rhythm"]["by_weekday"] == [70, 0, 0, 0, 0, 0, 0]
    lines = run("feeds", "show", "News").stdout.splitlines()
    chart = lines[-6:]
    assert "about 10 items a day" in lines[-7]
    assert [line.find("\u2588") for line in chart[:4]] == [2 + 16] * 4
    assert chart[0] == "5" + " " * 17 + "\u2588" * 4
    assert chart[4].split() == ["00", "03", "06", "09", "12", "15", "18", "21"]


def test_a_feed_whose_rhythm_is_unknown_shows_no_chart(known, records, run):
    known()
    assert records("feeds", "show", "News")[0]["rhythm"] is None
    assert "publishes" not in run("feeds", "show", "News").stdout


def test_every_why_and_every_doubt_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    assert [name for name in (*health.WHY, *Doubt) if f"`{name}`" not in page] == []
    assert DOUBTS.keys() == set(Doubt)


def test_what_is_doubted_of_a_feed_is_shown(known, records, run):
    known("max_age", max_age_s=365 * 86_400.0, lied_at=datetime.now(UTC).timestamp())
    assert records("feeds", "show", "News")[0]["doubts"] == ["false_304", "max_age_capped"]
    assert "hid news" in run("feeds", "show", "News").stdout


def test_twins_moves_and_pauses_are_shown(newsroom, here, records, run):
    newsroom.pages["/old"] = (301, {"Location": newsroom.url("/news")}, b"")
    file = here / "feeds.yaml"
    file.write_text(file.read_text().replace("concepts:", f"  - {{url: '{newsroom.url('/old')}', name: Old}}\n"
                    f"  - {{url: '{newsroom.url('/news/')}', name: Slash}}\nconcepts:"))  # fmt: skip
    run("fetch")
    with Store.open(here / "data" / "aggregator.db") as store:
        store._conn.execute("UPDATE feeds SET address = moved_to, moved_to = NULL WHERE name = 'Old'")
        store._site_pauses(f"127.0.0.1:{newsroom.port}", datetime.now(UTC) + DAY)
    shown = {name: records("feeds", "show", name)[0] for name in ("News", "Old", "Slash")}
    assert shown["Old"]["address"] == newsroom.url("/news")
    assert (shown["Slash"]["state"], shown["Slash"]["twin_of"]) == ("twin", "News")
    assert "News has the same document" in run("feeds", "show", "Slash").stdout
    assert "whole host rests" in shown["News"]["because"]
    assert shown["News"]["next"] == shown["News"]["paused_until"]
    assert newsroom.url("/news") in run("feeds", "show", "Old").stdout
    (status,) = records("status")
    assert status["moved"] == [{"feed": "Old", "address": newsroom.url("/news")}]
    assert status["feeds"]["twin"] == 1
    assert "1 feed for good" in run("status").stdout


def test_an_outage_is_shown(fetched, here, records, run):  # noqa: ARG001 - the round before
    with Store.open(here / "data" / "aggregator.db") as store:
        store._conn.execute("INSERT INTO meta (key, value) VALUES ('network_down_since', '1764000000000')")
    assert records("status")[0]["network_down_since"] == "2025-11-24T16:00:00Z"
    assert "hardly any host could be reached" in run("status").stdout


def test_of_a_site_without_feeds_its_news_sitemap_is_added(records, run, newsroom, here):
    newsroom.pages |= {
        "/": b"<html><body>No feed here</body></html>",
        "/robots.txt": f"User-agent: *\nDisallow: /private\nSitemap: {newsroom.url('/all.xml')}\nSitemap: {newsroom.url('/news-map.xml')}\n".encode(),
        "/news-map.xml": b"<urlset><url><loc>/1</loc></url></urlset>",
        "/all.xml": b"<sitemapindex><sitemap><loc>/a.xml</loc></sitemap><sitemap><loc>/b.xml</loc></sitemap></sitemapindex>",
    }  # fmt: skip
    (added,) = records("feeds", "add", newsroom.url("/"), "--name", "Map")
    assert (added["url"], added["format"], added["type"], added["items"]) == (newsroom.url("/news-map.xml"), "sitemap", "sitemap", 1)  # fmt: skip
    assert "type: sitemap" in (here / "feeds.yaml").read_text()
    assert "It has 2 parts now" in run("feeds", "add", newsroom.url("/"), "--name", "All", "--pick", "2").stdout
    newsroom.pages["/robots.txt"] = b"User-agent: *\n"
    assert "type: page" in run("feeds", "add", newsroom.url("/"), "--name", "None").stderr


def test_a_page_is_shown_as_one(run, newsroom, here):
    path = here / "feeds.yaml"
    path.write_text(path.read_text().replace("name: News,", "name: News, type: page, select: h2 > a,"))
    newsroom.pages["/news"] = b"<h2><a href='/1'>Taliban</a></h2>"
    assert run("fetch", "News").exit_code == 0
    assert "page with links h2 > a" in run("feeds", "show", "News").stdout
