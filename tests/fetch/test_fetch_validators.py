# ruff: noqa: N802 - tests are named after the rows of the conformance table
"""Rows V of the conformance table: what a server says of its document goes back to it, byte for byte."""

import pytest
from far_side import FEED, poll, reply

from aggregator.model import Failed, Fetched, NotModified, Reason, Request, Validators

pytestmark = pytest.mark.anyio


async def test_V1_both_validators_go_back(far, client):
    url = far.on("/feed", reply("200 OK", FEED, 'ETag: "abc"', "Last-Modified: Sat, 01 Nov 2025 10:00:00 GMT"))
    first = await poll(client, url)
    await poll(client, url, first)
    assert far.asked[0].one("If-None-Match") is None
    assert far.asked[0].one("If-Modified-Since") is None
    assert far.asked[1].one("If-None-Match") == b'"abc"'
    assert far.asked[1].one("If-Modified-Since") == b"Sat, 01 Nov 2025 10:00:00 GMT"


@pytest.mark.parametrize(
    "etag",
    [b'W/"a"', b"bare", b'"with spaces"', '"گزارش"'.encode(), b'"' + b"x" * 1024 + b'"', b'"a-gzip"', b"x\xe9\xff"],
)
async def test_V2_V13_odd_etags_go_back_unaltered(far, client, etag):
    url = far.on("/feed", reply("200 OK", FEED, b"ETag: " + etag))
    await poll(client, url, await poll(client, url))
    assert far.asked[1].one("If-None-Match") == etag


@pytest.mark.parametrize(
    "date",
    [
        b"Saturday, 01-Nov-25 10:00:00 GMT",
        b"sat, 01 nov 2025 10:00:00 gmt",
        b"Thu, 31 Dec 2041 23:59:59 GMT",
        b"Thu, 01 Jan 1970 00:00:00 GMT",
        b"yesterday",
    ],
)
async def test_V3_odd_dates_go_back_unaltered(far, client, date):
    url = far.on("/feed", reply("200 OK", FEED, b"Last-Modified: " + date))
    await poll(client, url, await poll(client, url))
    assert far.asked[1].one("If-Modified-Since") == date


async def test_V4_V5_V6_only_what_the_newest_document_gave_is_sent(far, client):
    url = far.on(
        "/feed",
        reply("200 OK", FEED, 'ETag: "1"', "Last-Modified: A"),
        reply("200 OK", FEED, 'ETag: "2"', "Last-Modified: A"),
        reply("200 OK", FEED, "Last-Modified: B"),
        reply("200 OK", FEED, 'ETag: "3"'),
        reply("200 OK", FEED),
    )
    known = None
    for _ in range(6):
        known = await poll(client, url, known)
    sent = [(asked.one("If-None-Match"), asked.one("If-Modified-Since")) for asked in far.asked]
    assert sent == [(None, None), (b'"1"', b"A"), (b'"2"', b"A"), (None, b"B"), (b'"3"', None), (None, None)]


async def test_V8_a_304_replaces_what_it_names_and_keeps_the_rest(far, client):
    url = far.on(
        "/feed", reply("200 OK", FEED, 'ETag: "1"', "Last-Modified: A"), reply("304 Not Modified", b"", 'ETag: "2"')
    )
    first = await poll(client, url)
    second = await poll(client, url, first)
    assert isinstance(second, NotModified)
    assert second.validators == Validators(etag='"2"', last_modified="A", url=url)


async def test_V9_a_304_that_nobody_asked_for_is_a_fault(far, client):
    url = far.on("/feed", reply("304 Not Modified", b"", 'ETag: "2"'))
    outcome = await poll(client, url)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.UNEXPECTED_304
    assert len(far.asked) == 1


async def test_V10_a_cut_body_gives_its_bytes_but_no_validators(far, client):
    url = far.on("/feed", reply("200 OK", FEED, 'ETag: "1"', "Content-Length: 5000", length=False))
    outcome = await poll(client, url)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.TRUNCATED
    assert outcome.partial.body == FEED
    assert not outcome.partial.validators


async def test_V12_validators_belong_to_the_address_that_gave_them(far, other, client):
    old = far.on("/feed", reply("200 OK", FEED, 'ETag: "old"'), reply("302 Found", b"", f"Location: {other.url()}"))
    other.on("/feed", reply("200 OK", FEED, 'ETag: "new"'), reply("304 Not Modified", b""))
    first = await poll(client, old)
    second = await poll(client, old, first)
    third = await poll(client, old, second)
    assert isinstance(second, Fetched)
    assert far.asked[1].one("If-None-Match") == b'"old"'
    assert other.asked[0].one("If-None-Match") is None, "the old address's tag went to the new one"
    assert far.asked[2].one("If-None-Match") is None, "the new address's tag went to the old one"
    assert other.asked[1].one("If-None-Match") == b'"new"'
    assert isinstance(third, NotModified)


async def test_V12_a_fragment_or_password_does_not_part_validators_from_their_address(far, client):
    far.on("/feed", reply("200 OK", FEED, 'ETag: "1"'))
    url = f"http://me:secret@127.0.0.1:{far.port}/feed#top"
    first = await poll(client, url)
    await poll(client, url, first)
    assert far.asked[1].one("If-None-Match") == b'"1"'
    assert "secret" not in first.url + first.validators.url


async def test_validators_without_a_known_address_are_not_sent(far, client):
    url = far.on("/feed", reply())
    await client.get(Request(url=url, validators=Validators(etag='"x"')))
    assert far.asked[0].one("If-None-Match") is None
