import json
import stat

import pytest


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_init_writes_a_private_file_that_works_as_it_stands(run, here):
    result = run("init")
    assert result.exit_code == 0
    assert "aggregator fetch" in result.stdout
    assert (mode(here / "feeds.yaml"), mode(here / "data")) == (0o600, 0o700)
    assert run("config", "check").exit_code == 0


def test_init_never_overwrites(run, here):
    (here / "feeds.yaml").write_text("feeds: []\n")
    result = run("init")
    assert (result.exit_code, (here / "feeds.yaml").read_text()) == (0, "feeds: []\n")
    assert "stays as it is" in result.stdout


def test_init_says_what_it_made_to_programs(records, here):
    assert records("init") == [
        {"config": str(here / "feeds.yaml"), "created": True, "database": str(here / "data" / "aggregator.db")}
    ]
    assert records("init")[0]["created"] is False


@pytest.mark.parametrize(
    "command", [["status"], ["items", "list"], ["fetch"], ["feeds", "list"], ["config", "show"], ["run"]]
)
def test_without_a_config_every_command_says_what_to_do(run, command):
    result = run(*command)
    assert result.exit_code == 3
    assert "aggregator init" in result.stderr
    assert result.stdout == ""


def test_all_problems_of_a_config_are_told_at_once_with_their_places(run, here):
    (here / "feeds.yaml").write_text(
        "feeds:\n  - {url: 'https://a.example/f', evry: 1h}\nwatchlists:\n  - {name: x, rule: 'a AND'}\n"
    )
    result = run("config", "check")
    assert result.exit_code == 3
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("feeds.yaml:") for line in lines)
    assert 'did you mean "every"?' in lines[0]
    assert result.stdout == ""


def test_the_check_of_a_config_for_programs(records, here):
    (here / "feeds.yaml").write_text("feeds:\n  - {url: 'https://a.example/f', evry: 1h}\n")
    (report,) = records("config", "check", exit_code=3)
    assert (report["ok"], len(report["problems"])) == (False, 1)
    (here / "feeds.yaml").write_text("feeds: []\n")
    assert records("config", "check")[0]["ok"] is True


def test_config_show_tells_value_and_source_and_no_secret(run, records, here, monkeypatch):
    secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
    monkeypatch.setenv("HOOK_SECRET", secret)
    monkeypatch.setenv("AGGREGATOR_POLLING__FLOOR", "30m")
    (here / "feeds.yaml").write_text(
        "settings:\n  full_text: never\n  smtp: {username: me, password: hunter2hunter2}\n"
        "channels:\n  hook: {type: webhook, url: 'https://hooks.example/T0KEN0123456789012345', secret: '${env:HOOK_SECRET}'}\n"
    )
    rows = {row["key"]: row for row in records("config", "show")}
    assert rows["settings.full_text"] == {"key": "settings.full_text", "value": "never", "source": "feeds.yaml:2"}
    assert (rows["settings.polling.floor"]["value"], rows["settings.polling.floor"]["source"]) == (
        "30m",
        "AGGREGATOR_POLLING__FLOOR",
    )
    shown = run("config", "show").output + run("config", "check").output
    assert not any(hidden in shown for hidden in (secret, "hunter2", "T0KEN"))


def test_config_schema_is_a_json_schema(run, records):
    assert json.loads(run("config", "schema").stdout)["$schema"].startswith("https://json-schema.org/")
    assert records("config", "schema")[0]["properties"].keys() >= {"feeds", "watchlists", "channels"}


@pytest.mark.usefixtures("fetched")
def test_a_database_that_others_may_read_draws_a_warning(run, records, here):
    assert records("config", "check")[0]["warnings"] == []
    (here / "data").chmod(0o755)
    (here / "data" / "aggregator.db").chmod(0o644)
    folder, file = records("config", "check")[0]["warnings"]
    assert "chmod 700" in folder
    assert "chmod 600" in file
    assert "warning: " in run("config", "check").stderr
