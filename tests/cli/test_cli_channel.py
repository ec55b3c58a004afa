import pytest
from support.newsroom import write_config

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"


@pytest.fixture
def channels(newsroom, here):
    hook = f"  hook: {{type: webhook, url: '{newsroom.url('/hook')}', secret: {SECRET}}}\n"
    write_config(here, newsroom, f"channels:\n{hook}  screen: {{type: console}}\n")
    return newsroom


def test_a_test_alert_reaches_every_channel_and_says_what_it_is(run, channels):
    result = run("channel", "test")
    assert result.exit_code == 0
    ((name, body),) = channels.received
    assert name.startswith("test-")
    assert body["data"]["title"].startswith("Test alert")
    assert "Nothing has happened" in result.stdout
    assert "hook, hook: delivered (200)" in result.stdout


def test_no_receiver_can_take_it_for_a_repeat(run, channels):
    run("channel", "test", "hook")
    run("channel", "test", "hook")
    assert len({name for name, _ in channels.received}) == 2


def test_a_failure_says_why_and_exits_5(records, run, channels):
    channels.receives = lambda *_: 500
    hook, screen = records("channel", "test", exit_code=5)
    assert (hook["channel"], hook["delivered"], screen["delivered"]) == ("hook", False, True)
    assert hook["error"]
    assert "NOT delivered" in run("channel", "test", "hook").stdout


def test_a_channel_that_does_not_exist_is_guessed(run, channels):
    result = run("channel", "test", "hok")
    assert result.exit_code == 2
    assert 'did you mean "hook"?' in result.stderr
    assert channels.received == []


@pytest.mark.usefixtures("channels")
def test_a_test_touches_no_database(run, here):
    run("channel", "test")
    assert not (here / "data").exists()


def test_what_was_given_up_is_sent_again_when_asked_for(records, run, channels):
    channels.receives = lambda *_: 410
    run("fetch")
    dead = records("alerts", "list", "--dead")
    assert len(dead) == 4
    refused = [message for message, _ in channels.received]
    channels.received.clear()
    channels.receives = None
    run("fetch")
    assert channels.received == []
    assert records("alerts", "retry", dead[0]["id"]) == [{"owed": 1}]
    assert run("alerts", "retry").stdout == "Owed again: 3.\n"
    run("fetch")
    assert sorted(message for message, _ in channels.received) == sorted(refused)
    assert records("alerts", "list", "--dead") == []
    assert run("alerts", "retry").stdout == "Nothing was given up.\n"
