# ruff: noqa: N802 - tests are named after the rows of the conformance table
"""Rows S1-S7 and R1-R4 of the conformance table: what headers say of the next request."""

from datetime import timedelta

import pytest
from far_side import FEED, NOW, moved, poll, reply

from aggregator.fetch import caching
from aggregator.model import Failed, Hints, NotModified, Reason

pytestmark = pytest.mark.anyio


def http_date(seconds_from_now):
    return (NOW + timedelta(seconds=seconds_from_now)).strftime("%a, %d %b %Y %H:%M:%S GMT")


def hints(*lines):
    pairs = (line.split(":", 1) for line in lines)
    headers = [(name.strip().lower().encode(), text.strip().encode()) for name, text in pairs]
    return caching.hints(headers, NOW)


@pytest.mark.parametrize(
    ("lines", "max_age_s"),
    [
        (["Cache-Control: max-age=43200"], 43_200),  # S1
        (["Cache-Control: s-maxage=60, max-age=900"], 900),  # S2
        (["Cache-Control: s-maxage=60"], None),
        (['Cache-Control: public , MAX-AGE="900"'], 900),
        (["Cache-Control: max-age=900, max-age=60"], 900),
        (["Cache-Control: public", "Cache-Control: max-age=900"], 900),
        (['Cache-Control: private="set-cookie, max-age=5", max-age=900'], 900),
        (["cache-control:max-age = 900"], 900),
        (["Cache-Control: max-age=soon"], None),
        (["Cache-Control: max-age=-5"], None),
        (["Cache-Control: max-age=1.5"], None),
        (["Cache-Control: max-age"], None),
        (["Cache-Control: xmax-age=900"], None),
        (["Cache-Control: max-age=900", "Age: 600"], 300),  # S3
        (["Cache-Control: max-age=900", "Age: 1000"], 0),
        (["Cache-Control: max-age=900", "Age: old"], 900),
        ([f"Expires: {http_date(3600)}", f"Date: {http_date(0)}"], 3600),  # S4
        ([f"Expires: {http_date(7200)}", f"Date: {http_date(3600)}"], 3600),
        ([f"Expires: {http_date(3600)}"], 3600),
        (["Expires: 0"], None),
        ([f"Expires: {http_date(-60)}"], 0),
        (["Cache-Control: max-age=60", f"Expires: {http_date(3600)}"], 60),
        (["Cache-Control: no-store, max-age=900"], 0),  # S5
        (["Cache-Control: no-cache"], 0),
        (["Cache-Control: max-age=0"], 0),
        (["Cache-Control: max-age=31536000"], 31_536_000),  # S6, D48: the scheduler caps it
        (["Cache-Control: max-age=" + "9" * 400], float("9" * 18)),
        ([], None),
    ],
)
def test_S1_to_S6_freshness(lines, max_age_s):
    assert hints(*lines).max_age_s == max_age_s


@pytest.mark.parametrize(
    ("line", "wait_s"),
    [
        ("Retry-After: 3600", 3600),
        ("retry-after:  120 ", 120),
        (f"Retry-After: {http_date(1800)}", 1800),
        (f"Retry-After: {http_date(-1800)}", None),
        ("Retry-After: soon", None),
        ("Retry-After: -5", None),
        ("Retry-After: 0", None),
        ("Retry-After: 1000000000000", 7 * 86_400),
        ("Retry-After: 315360000", 7 * 86_400),  # D48: ten years
        ("Retry-After: \xb2", None),
        ("Retry-After: Mon, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_R1_retry_after(line, wait_s):
    assert hints(line).retry_after_s == wait_s


def test_R1_a_date_is_read_against_the_servers_own_clock():
    assert hints(f"Retry-After: {http_date(9000)}", f"Date: {http_date(7200)}").retry_after_s == 1800


@pytest.mark.parametrize(
    ("status", "reason"),
    [("429 Too Many", Reason.TOO_MANY), ("503 Busy", Reason.UNAVAILABLE), ("403 No", Reason.UNAUTHORIZED)],
)
async def test_R1_R3_R4_refusals_carry_their_wait(far, client, status, reason):
    url = far.on("/feed", reply(status, b"", "Retry-After: 3600", "Cache-Control: max-age=60"))
    outcome = await poll(client, url)
    assert outcome == Failed(
        reason=reason,
        status=int(status[:3]),
        detail=f"HTTP {status[:3]}",
        url=url,
        hints=Hints(retry_after_s=3600, max_age_s=60),
    )


async def test_R4_retry_after_is_heard_on_success_and_on_the_way(far, client):
    far.on("/direct", reply("200 OK", FEED, "Retry-After: 100"))
    far.on("/first", moved("/direct", "301 Moved", "Retry-After: 500"))
    assert (await poll(client, far.url("/direct"))).hints.retry_after_s == 100
    assert (await poll(client, far.url("/first"))).hints.retry_after_s == 500


async def test_S7_a_304_carries_hints(far, client):
    url = far.on("/feed", reply("200 OK", FEED, 'ETag: "1"'), reply("304 No", b"", "Cache-Control: max-age=7200"))
    outcome = await poll(client, url, await poll(client, url))
    assert isinstance(outcome, NotModified)
    assert outcome.hints == Hints(max_age_s=7200)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("204 No Content", Reason.PROTOCOL),
        ("206 Partial Content", Reason.PROTOCOL),
        ("300 Choices", Reason.REDIRECT_BAD),
        ("400 Bad", Reason.CLIENT_ERROR),
        ("401 Who", Reason.UNAUTHORIZED),
        ("402 Pay", Reason.UNAUTHORIZED),
        ("404 Where", Reason.NOT_FOUND),
        ("410 Gone", Reason.GONE),
        ("418 Teapot", Reason.CLIENT_ERROR),
        ("451 Law", Reason.UNAUTHORIZED),
        ("500 Oops", Reason.SERVER_ERROR),
        ("502 Gate", Reason.SERVER_ERROR),
        ("504 Late", Reason.SERVER_ERROR),
        ("599 Odd", Reason.SERVER_ERROR),
        ("799 Odder", Reason.PROTOCOL),
    ],
)
async def test_R6_R7_R8_R9_every_status_has_its_reason(far, client, status, reason):
    outcome = await poll(client, far.on("/feed", reply(status, b"")))
    assert outcome.reason is reason
    assert outcome.status == int(status[:3])
