import shutil
from datetime import date

import pytest

from aggregator.cli import chart

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


@pytest.fixture
def saved(here):
    """Replace a rule of feeds.yaml."""

    def saved(old, new):
        path = here / "feeds.yaml"
        path.write_text(path.read_text().replace(old, new))

    return saved


@pytest.mark.usefixtures("fetched")
def test_a_saved_watchlist_is_tried_on_the_archive(records, run):
    *hits, total = records("watch", "backtest", "amnesty-watch", "--sample", "9")
    assert {hit["title"] for hit in hits} >= {"Taliban announce a general amnesty", "طالبان عفو عمومی اعلام کرد"}
    assert all(hit["type"] == "hit" and hit["hits"] for hit in hits)
    assert (total["watchlist"], total["items"], total["hits"]) == ("amnesty-watch", 4, 3)
    assert sum(total["days"].values()) == 3
    shown = run("watch", "backtest", "amnesty-watch").stdout
    assert "*Taliban* announce a *general amnesty*" in shown
    assert "3 items, 75.00% of all" in shown


@pytest.mark.usefixtures("fetched")
def test_a_rule_is_compared_with_the_saved_one(records, run):
    *matches, total = records("watch", "backtest", "amnesty-watch", "--rule", "@amnesty OR rain")
    assert (total["rule"], total["gained"], total["lost"]) == ("@amnesty OR rain", 1, 0)
    assert [one["title"] for one in matches if one["type"] == "gained"] == ["Rain in Herat"]
    *matches, total = records("watch", "backtest", "--rule", "rain", "--against", "amnesty")
    assert (total["gained"], total["lost"]) == (1, 2)
    shown = run("watch", "backtest", "amnesty-watch", "--rule", "rain", "--against", "saved").stdout
    assert "1 gained, 3 lost" in shown
    assert "Gained" in shown
    assert "Lost" in shown


@pytest.mark.usefixtures("fetched")
def test_what_was_missed_is_raised_once_and_then_delivered(records, saved, run):
    saved("keywords: [rain]", "keywords: [rain, amnesty]")
    before = len(records("alerts", "list"))
    *_, total = records("watch", "backtest", "rain", "--alert")
    assert total["alerts"] == 2
    new = records("alerts", "list", "--watchlist", "rain")
    assert len(records("alerts", "list")) == before + 2
    assert [one["deliveries"][0]["state"] for one in new] == ["due", "due", "sent"]
    assert "0 raised" in run("watch", "backtest", "rain", "--alert").stdout
    run("fetch")
    assert {one["deliveries"][0]["state"] for one in records("alerts", "list", "--watchlist", "rain")} == {"sent"}


@pytest.mark.usefixtures("fetched")
def test_editing_a_watchlist_raises_nothing_by_itself(records, saved, run):
    saved("keywords: [rain]", "keywords: [rain, amnesty]")
    before = records("alerts", "list")
    run("fetch", "--all")
    assert records("alerts", "list") == before


@pytest.mark.usefixtures("fetched")
@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "--rule"),
        (["amnesty-wacht"], 'did you mean "amnesty-watch"?'),
        (["--rule", "rain AND OR snow"], "column 6"),
        (["--rule", "rain", "--alert"], "NAME"),
        (["rain", "--rule", "snow", "--alert"], "feeds.yaml"),
        (["--rule", "rain", "--against", "saved"], "NAME"),
        (["rain", "--against", "NOT snow"], "stands alone"),
    ],
)
def test_what_cannot_be_tried_is_a_usage_error(run, args, said):
    result = run("watch", "backtest", *args)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.usefixtures("newsroom")
def test_without_an_archive_it_is_said_how_to_get_one(run, here):
    result = run("watch", "backtest", "rain")
    assert (result.exit_code, "aggregator fetch" in result.stderr) == (1, True)
    assert not (here / "data").exists()


@pytest.mark.usefixtures("fetched")
def test_looking_changes_nothing(run, here):
    shutil.copytree(here / "data", here / "before")
    run("watch", "backtest", "rain")
    run("watch", "lint")
    for path in (here / "before").iterdir():
        if path.suffix == ".db":
            assert path.read_bytes() == (here / "data" / path.name).read_bytes()


# ---------------------------------------------------------------- charts


def test_a_spark_is_as_high_as_its_count_and_never_hides_one():
    assert chart.spark((0, 1, 50, 100)) == " ▁▄█"
    assert chart.spark((0, 1, 1000))[1] == "▁"
    assert chart.spark((0, 0)) == "  "
    assert chart.spark(()) == ""


def test_a_chart_has_a_column_for_each_day_the_most_and_the_dates():
    first, last = FIRST, LAST
    lines = list(chart.columns({first: 8, last: 4}, first, last, 60))
    assert lines[0].startswith("8 █")
    assert [len(line.rstrip()) for line in lines[-3:]] == [32, 32, 32]
    assert lines[-1].split() == ["2026-11-01", "2026-11-30"]


def test_of_a_long_time_a_column_is_several_days_and_no_count_is_lost():
    first, last = FIRST, LAST
    lines = list(chart.columns({first: 1, last: 5}, first, last, 10))
    assert lines[0].startswith("5 ")
    assert lines[-1].endswith("(a column is 3 days)")
    assert max(map(len, lines[:-1])) == 12
