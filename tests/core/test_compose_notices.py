"""Notices in words: every form says what is wrong and what to do, and nothing in them can act."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.alerts import NOW, message

from aggregator import compose
from aggregator.model import Notice, Trouble

HOSTILE = "\x1b[31mfeed\u202e\r\nBcc: x@example.org <script>"


def notice(**more):
    given = {
        "id": "5", "kind": Trouble.SILENT, "feed": "TOLOnews", "watchlist": None, "label": None,
        "detail": "nothing new since yesterday", "since": NOW, "created": NOW, "over": False,
    }  # fmt: skip
    return Notice(**(given | more))


def told(*notices):
    return replace(message(), alerts=(), notices=notices or (notice(),))


def stopped(**more):
    return notice(kind=Trouble.WATCHLIST_STOPPED, feed=None, watchlist="amnesty-watch", label="Watch 1", **more)


@pytest.mark.parametrize("kind", Trouble)
def test_every_form_names_feed_kind_detail_and_what_to_do(kind):
    what = told(notice(kind=kind))
    mail, block, body = compose.mail(what), compose.blocks_of(what), json.loads(compose.webhook(what, minimal=False))
    advice = compose.ADVICE[kind][1]
    assert mail.subject == f"[monitor] TOLOnews: {kind}"
    for text in (mail.text, block):
        assert "TOLOnews, since 2026-11-24 08:05 UTC: nothing new since yesterday" in text
        assert f"What to do: {advice}" in text
    assert "nothing new since yesterday" in mail.html
    assert body == {
        "type": "notice.created", "timestamp": "2026-11-24T08:05:11Z",
        "data": {
            "id": "5", "kind": str(kind), "feed": "TOLOnews", "watchlist": None, "since": "2026-11-24T08:05:11Z",
            "detail": "nothing new since yesterday", "advice": advice,
        },
    }  # fmt: skip


def test_the_end_of_a_trouble_says_so_and_advises_nothing():
    what = told(notice(over=True))
    assert compose.mail(what).subject == "[monitor] TOLOnews: over: silent"
    assert "What to do" not in compose.mail(what).text + compose.blocks_of(what)
    body = json.loads(compose.webhook(what, minimal=False))
    assert (body["type"], body["data"]["advice"]) == ("notice.resolved", None)


@pytest.mark.parametrize(
    ("notices", "subject"),
    [
        ([notice(), notice(feed="b", kind=Trouble.GONE), notice(feed="c")], "3 in trouble: silent 2, gone 1"),
        ([notice(), notice(feed="b", over=True)], "TOLOnews: silent, 1 over"),
        ([notice(over=True), notice(feed="b", over=True)], "2 troubles are over"),
        ([stopped()], "watchlist amnesty-watch: watchlist-stopped"),
    ],
)
def test_a_subject_says_it_all(notices, subject):
    assert compose.mail(told(*notices)).subject == f"[monitor] {subject}"


def test_a_crowd_is_counted_named_in_part_and_what_began_stands_first():
    crowd = [notice(id=str(n), feed=f"feed {n:03}", kind=Trouble.FAILING) for n in range(500)]
    mail = compose.mail(told(notice(over=True), *crowd))
    assert mail.subject == "[monitor] 500 in trouble: failing 500, 1 over"
    assert mail.text.startswith("failing, 500 times\n")
    assert mail.text.count("\n- feed ") == 100
    assert "- and 400 more: `aggregator status --json` names them all" in mail.text
    assert mail.text.index("feed 099") < mail.text.index("Over: silent")
    body = json.loads(compose.webhook(told(*crowd), minimal=False))
    assert (body["type"], body["data"]["count"], len(body["data"]["notices"])) == ("notice.batch", 500, 500)
    body = json.loads(compose.webhook(told(*crowd * 4), minimal=False))
    assert (body["data"]["count"], len(body["data"]["notices"])) == (2000, 1000)


def test_a_minimal_webhook_names_neither_feed_nor_watchlist():
    body = compose.webhook(told(notice(), stopped(id="6")), minimal=True)
    assert [one["data"] for one in json.loads(body)["data"]["notices"]] == [
        {"id": "5", "kind": "silent", "label": None},
        {"id": "6", "kind": "watchlist-stopped", "label": "Watch 1"},
    ]


@given(st.text(max_size=30) | st.just(HOSTILE), st.text(max_size=30) | st.just(HOSTILE))
def test_nothing_that_a_feed_or_a_server_says_can_act(feed, detail):
    what = told(notice(feed=feed, detail=detail), stopped(detail=detail))
    mail = compose.mail(what)
    assert not any(sign in mail.subject for sign in "\r\n\x1b\u202e")
    for text in (mail.text, compose.blocks_of(what)):
        assert not any(sign in text for sign in "\r\x1b\x85\u202e\u2066")
    assert "<script>" not in mail.html
    compose.webhook(what, minimal=False).decode("ascii")
