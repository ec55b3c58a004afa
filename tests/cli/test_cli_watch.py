import pytest

HIT = {"term", "field", "start", "end", "text"}


@pytest.mark.usefixtures("newsroom")
def test_a_text_is_tried_on_every_watchlist(records):
    amnesty, rain = records("watch", "test", "--title", "Taliban", "--summary", "a General Amnesty for all")
    assert (amnesty["watchlist"], amnesty["verdict"]) == ("amnesty-watch", "hit")
    assert all(hit.keys() == HIT for hit in amnesty["hits"])
    assert {(hit["field"], hit["text"]) for hit in amnesty["hits"]} == {
        ("title", "Taliban"),
        ("summary", "General Amnesty"),
    }
    assert rain == {"watchlist": "rain", "verdict": "miss", "hits": []}


@pytest.mark.usefixtures("newsroom")
def test_a_body_comes_from_a_file_or_standard_input(records, here):
    text = "\ufeffطالبان\r\nعفو عمومی"
    (here / "body.txt").write_text(text, encoding="utf-8")
    for path, given in (("body.txt", None), ("-", text)):
        (amnesty,) = records(
            "watch", "test", "--body-file", path, "--lang", "fa", "--name", "amnesty-watch", stdin=given
        )
        assert {(hit["field"], hit["text"]) for hit in amnesty["hits"]} == {
            ("content", "طالبان"),
            ("content", "عفو عمومی"),
        }
        assert all(
            "\ufefftext"[1:] and text.lstrip("\ufeff")[hit["start"] : hit["end"]] == hit["text"]
            for hit in amnesty["hits"]
        )


@pytest.mark.usefixtures("newsroom")
def test_people_see_the_text_with_what_was_found(run):
    shown = run("watch", "test", "--title", "Rain on the Taliban").stdout
    assert "*Rain* on the Taliban" in shown
    assert "miss  amnesty-watch" in shown


@pytest.mark.usefixtures("newsroom")
@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--name", "amnesty-wacht", "--title", "x"], 'did you mean "amnesty-watch"?'),
        ([], "--body-file"),
        (["--body-file", "empty"], "--title"),
    ],
)
def test_nothing_to_try_is_a_usage_error(run, here, args, said):
    (here / "empty").write_text("")
    result = run("watch", "test", *args)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.usefixtures("newsroom")
def test_a_body_that_cannot_be_read_fails_in_one_line(run, here):
    (here / "latin").write_bytes(b"caf\xe9")
    for path in ("missing", "latin", "."):
        result = run("watch", "test", "--body-file", path)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


@pytest.mark.usefixtures("newsroom")
def test_watchlists_are_listed(run, records):
    assert [one["watchlist"] for one in records("watch", "list")] == ["amnesty-watch", "rain"]
    assert "@taliban AND @amnesty" in run("watch", "list").stdout


def test_without_watchlists_the_place_to_write_one_is_named(run, here):
    (here / "feeds.yaml").write_text("feeds: []\n")
    assert "watchlists:" in run("watch", "list").stderr
    assert run("watch", "test", "--title", "x").exit_code == 2


@pytest.mark.usefixtures("newsroom")
def test_a_miss_says_which_part_of_the_rule_failed(run, here):
    path = here / "feeds.yaml"
    path.write_text(
        path.read_text()
        .replace("[rain]", "[rain, Тaliban]")
        .replace("@taliban AND @amnesty", "@taliban AND NOT @amnesty")
    )
    shown = run("watch", "test", "--title", "Taliban: general amnesty").stdout
    assert "miss  amnesty-watch: NOT @amnesty: it must not stand there, and does: 1 place" in shown
    assert "miss  rain: none of 2 keywords stands there" in shown
    assert "letters" in run("watch", "lint").stdout
