import pytest
from support.world import page, rss


@pytest.fixture
def ids(fetched, records):  # noqa: ARG001 - after a round
    return {one["title"]: one["id"] for one in records("items", "list")}


def test_a_hit_shows_what_made_it_true_and_who_was_told(records, run, ids):
    (why,) = records("watch", "why", ids["Taliban announce a general amnesty"], "amnesty-watch")
    assert (why["verdict"], why["rule"]) == ("hit", "@taliban AND @amnesty")
    found = [place for part in why["tree"]["parts"] for place in part["places"]]
    assert [(one["field"], one["text"], one["how"]) for one in found] == [
        ("title", "Taliban", "as written"),
        ("title", "general amnesty", "as written"),
    ]
    (alert,) = why["alerts"]
    assert [one["state"] for one in alert["deliveries"]] == ["sent"]
    shown = run("watch", "why", ids["Taliban announce a general amnesty"], "amnesty-watch").stdout
    assert "*Taliban* announce a *general amnesty*" in shown
    assert f"Alert {alert['id']}" in shown


def test_a_miss_names_the_first_branch_that_failed(records, run, ids):
    (why,) = records("watch", "why", ids["Rain in Herat"], "amnesty-watch")
    assert (why["verdict"], why["hits"], why["alerts"]) == ("miss", [], [])
    assert [(one["rule"], one["true"]) for one in why["decisive"]] == [
        ("@taliban AND @amnesty", False),
        ("@taliban", False),
    ]
    shown = run("watch", "why", ids["Rain in Herat"], "amnesty-watch").stdout
    assert "Fails at  @taliban" in shown


def test_hostile_text_cannot_act(run, ids):
    hostile = next(name for name in ids if "[red]" in name)
    shown = run("watch", "why", ids[hostile], "amnesty-watch").stdout
    assert "\u202e" not in shown
    assert "\x9b" not in shown
    assert "[red]" in shown


@pytest.mark.parametrize(("item", "name"), [("99", "rain"), ("x", "rain"), ("1", "rian")])
@pytest.mark.usefixtures("fetched")
def test_what_does_not_exist_is_a_usage_error(run, item, name):
    assert run("watch", "why", item, name).exit_code == 2


@pytest.mark.usefixtures("newsroom")
def test_a_missing_body_is_said_to_be_pending(newsroom, records, run, here):
    path = here / "feeds.yaml"
    path.write_text(path.read_text().replace("full_text: never", "full_text: always"))
    newsroom.pages["/news"] = rss(("7", "Taliban speak", newsroom.url("/7"), "In Kabul."))
    newsroom.pages["/7"] = (503, {}, b"")
    run("fetch", "News")
    (item,) = records("items", "list")
    (why,) = records("watch", "why", item["id"], "amnesty-watch")
    assert (why["verdict"], why["article"]) == ("miss", {"state": "pending", "reason": "unavailable"})
    assert "not read yet" in run("watch", "why", item["id"], "amnesty-watch").stdout


@pytest.mark.usefixtures("newsroom")
def test_a_duplicate_names_the_item_that_brought_the_story(newsroom, records, run):
    story = ("Taliban announce a general amnesty", newsroom.url("/1"), "For all, says the decree.")
    newsroom.pages["/news"] = rss(("1", *story))
    newsroom.pages["/dari"] = rss(("9", *story))
    run("fetch", "News")
    run("fetch", "Dari")
    copy, first = records("items", "list")
    assert (copy["story"], first["story"]) == (first["id"], first["id"])
    (why,) = records("watch", "why", copy["id"], "amnesty-watch")
    assert (why["duplicate_of"], why["story_rule"]) == (first["id"], "url")
    assert [alert["item"] for alert in why["alerts"]] == [first["id"]]
    shown = run("watch", "why", copy["id"], "amnesty-watch").stdout
    assert f"duplicate of item {first['id']}" in shown
    assert "told of this story before" in shown


@pytest.mark.usefixtures("fetched")
def test_a_hit_that_nobody_was_told_of_names_the_way_to_tell(run, here, ids):
    path = here / "feeds.yaml"
    path.write_text(path.read_text().replace("keywords: [rain]", "keywords: [herat]"))
    shown = run("watch", "why", ids["Rain in Herat"], "rain").stdout
    assert "Not told" in shown
    assert "herat" in shown
    assert "--alert" in shown


# ---------------------------------------------------------------- watch test on items and pages


def test_an_item_of_the_archive_is_tried(records, run, ids):
    amnesty, rain = records("watch", "test", "--item", ids["Rain in Herat"])
    assert (amnesty["verdict"], rain["verdict"]) == ("miss", "hit")
    assert run("watch", "test", "--item", "99").exit_code == 2
    assert run("watch", "test", "--item", "1", "--title", "x").exit_code == 2


def test_a_page_is_tried(newsroom, records, run):
    newsroom.pages["/page"] = page("The Taliban promise a general amnesty.")
    amnesty, _ = records("watch", "test", "--url", newsroom.url("/page"))
    assert {hit["field"] for hit in amnesty["hits"]} == {"article"}
    newsroom.pages["/none"] = (404, {}, b"")
    result = run("watch", "test", "--url", newsroom.url("/none"))
    assert (result.exit_code, "not_found" in result.stderr) == (1, True)
