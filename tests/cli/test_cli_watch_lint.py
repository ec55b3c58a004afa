import pytest

from aggregator import watchlint


@pytest.mark.usefixtures("fetched")
def test_each_term_is_shown_with_its_spellings_and_counts(records, run):
    terms = {one["term"]: one for one in records("watch", "lint") if one["type"] == "term"}
    assert terms["@taliban"]["seen"] == {"taliban": 2, "طالبان": 1}
    assert terms["@taliban"]["items"] == 3
    assert terms["@taliban"]["watchlists"] == ["amnesty-watch"]
    assert "طالبانها" in terms["@taliban"]["unseen"]
    shown = run("watch", "lint")
    assert "taliban 2, طالبان 1" in shown.stdout
    assert "too few" in shown.stderr
    assert not {one["kind"] for one in records("watch", "lint") if one["type"] == "warning"} & {"unseen", "often"}
    assert {one["term"] for one in records("watch", "lint", "rain") if one["type"] == "term"} == {"rain"}


@pytest.mark.usefixtures("fetched")
def test_the_archive_shows_terms_that_find_nothing_or_nearly_everything(records, here, monkeypatch):
    monkeypatch.setattr(watchlint, "ENOUGH", 4)
    path = here / "feeds.yaml"
    path.write_text(path.read_text().replace("[rain]", "[rain, snow]"))
    found = {
        (one["kind"], one["where"], one["text"].split()[0])
        for one in records("watch", "lint")
        if one["type"] == "warning"
    }
    assert ("unseen", "watchlist rain", "snow") in found
    assert ("often", "watchlist amnesty-watch", "@taliban") in found


@pytest.mark.usefixtures("fetched")
def test_a_not_that_removes_what_was_alerted_on_is_told(records, run, here, monkeypatch):
    monkeypatch.setattr(watchlint, "ENOUGH", 4)
    alert = records("alerts", "list", "--watchlist", "amnesty-watch")[0]["id"]
    run("alerts", "ack", alert)
    path = here / "feeds.yaml"
    path.write_text(path.read_text().replace("@taliban AND @amnesty", "@taliban AND @amnesty AND NOT decree"))
    (told,) = [one for one in records("watch", "lint") if one.get("kind") == "not-removes"]
    assert told["where"] == "watchlist amnesty-watch"
    assert told["text"].startswith("NOT decree removes 1 items; 1 of their stories were alerted on")


@pytest.mark.usefixtures("newsroom")
def test_without_an_archive_the_words_are_looked_at(run, here):
    path = here / "feeds.yaml"
    path.write_text(path.read_text().replace("[rain]", "[SIV]"))
    result = run("watch", "lint")
    assert (result.exit_code, "acronym" in result.stdout) == (0, True)
    assert not (here / "data").exists()
