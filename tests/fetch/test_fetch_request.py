"""Addresses, headers, statuses and robots.txt, beside the rows of `rows/`."""

import pytest
from far_side import FEED, moved, page, poll, reply

from aggregator.errors import ConfigError
from aggregator.fetch import Client
from aggregator.model import Failed, Fetched, Reason, Request, Validators
from aggregator.settings import Network, Secret

pytestmark = pytest.mark.anyio


async def test_a_header_that_cannot_be_sent_is_a_reason_without_its_value(far, client):
    outcome = await poll(client, far.on("/feed", reply()), X_Key="top\r\nsecret: 1")
    assert outcome.reason is Reason.PROTOCOL
    assert "secret" not in outcome.detail


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", Reason.BLOCKED_SCHEME),
        ("feeds.test/rss", Reason.BLOCKED_SCHEME),
        ("file:///etc/passwd", Reason.BLOCKED_SCHEME),
        ("ftp://feeds.test/", Reason.BLOCKED_SCHEME),
        ("http:///feed", Reason.BAD_URL),
        ("http://feeds.test:0/", Reason.BAD_URL),
        ("http://feeds.test:66000/", Reason.BAD_URL),
        ("http://feeds.test:port/", Reason.BAD_URL),
        ("http://a b/", Reason.BAD_URL),
        ("http://feeds.test/\x00", Reason.BAD_URL),
        ("http://" + "a" * 70_000, Reason.BAD_URL),
        ("http://300.1.1.1/", Reason.BAD_URL),
        ("http://１２７．0.0.1x/", Reason.BAD_URL),
    ],
)
async def test_unusable_addresses_are_reasons(client, names, url, reason):
    outcome = await poll(client, url)
    assert isinstance(outcome, Failed)
    assert outcome.reason is reason
    assert not names.asked


# ---------------------------------------------------------------- robots.txt


@pytest.mark.parametrize(
    ("answer", "readable"),
    [
        (reply("404 Not Found", b""), True),
        (reply("403 Forbidden", b""), True),
        (reply("200 OK", b"\xff\xfe\x00 nonsense"), True),
        (reply("200 OK", b"User-agent: *\nDisallow: /\n"), False),
        (reply("500 Oops", b""), False),
        (reply("503 Busy", b""), False),
        (reply("429 Slow", b""), False),
        (b"", False),
    ],
)
async def test_what_robots_answers_decides(far, client, answer, readable):
    far.on("/robots.txt", answer)
    far.on("/page", reply())
    outcome = await client.get(page(far.url("/page")))
    assert isinstance(outcome, Fetched) == readable
    assert readable or outcome.reason is Reason.ROBOTS


async def test_only_the_first_half_megabyte_of_robots_counts(far, client):
    far.on("/robots.txt", reply("200 OK", b"#" * (600 << 10) + b"\nUser-agent: *\nDisallow: /\n"))
    far.on("/page", reply())
    assert isinstance(await client.get(page(far.url("/page"))), Fetched)


async def test_pages_ask_for_html(far, client):
    await client.get(page(far.on("/page", reply())))
    assert far.asked[-1].one("Accept").startswith(b"text/html")


async def test_the_content_type_is_told(far, client):
    url = far.on("/feed", reply("200 OK", FEED, 'Content-Type: Text/XML ; foo=1; CharSet="UTF-8"'))
    outcome = await client.get(Request(url=url))
    assert (outcome.content_type, outcome.charset) == ("text/xml", "utf-8")


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1", "127.0.0.1:3128"])
def test_a_proxy_of_another_kind_is_a_config_error(proxy):
    with pytest.raises(ConfigError, match=r"network\.proxy"):
        Client(Network(proxy=Secret(proxy)))


async def test_validators_without_a_known_address_are_not_sent(far, client):
    url = far.on("/feed", reply())
    await client.get(Request(url=url, validators=Validators(etag='"x"')))
    assert far.asked[0].one("If-None-Match") is None


async def test_relative_and_unescaped_locations_are_understood(far, client):
    far.on("/a/feed", moved("../b/خبر?q=\u06a9"))
    far.on("/b/%D8%AE%D8%A8%D8%B1?q=%DA%A9", reply())
    assert isinstance(await poll(client, far.url("/a/feed")), Fetched)
