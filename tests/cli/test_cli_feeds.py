import stat

import pytest
from support import world as web

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
    assert "each failure doubles the wait" in shown


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
