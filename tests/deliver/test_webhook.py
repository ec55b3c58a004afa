import asyncio
import base64
import gzip
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from support.alerts import DARI, NOW, alert, message

from aggregator.deliver.webhook import WebhookSender
from aggregator.errors import ConfigError
from aggregator.fetch import guard
from aggregator.model import NotDelivered, Receipt
from aggregator.settings import Secret, WebhookChannel

OLD = "whsec_" + base64.b64encode(b"old key " * 4).decode()
NEW = "whsec_" + base64.b64encode(b"new key " * 4).decode()
PATH = "/hooks/T0KEN-in-path"


class Receiver:
    """A web server that answers each request with the next of its scripts, and counts only whole requests."""

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.requests = []
        self.connections = 0
        self.sent = 0  # bytes that the other side took
        self.port = 0

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.rstrip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((first, headers, body))
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        for part in script:
            if part == "reset":
                writer.transport.abort()
                return
            if part == "hang":
                await reader.read()
                return
            writer.write(part)
            await writer.drain()
            self.sent += len(part)


def answer(status, body=b"", *headers):
    head = "\r\n".join((f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers))
    return (head.encode() + b"\r\n\r\n" + body,)


@asynccontextmanager
async def receiving(*scripts):
    receiver = Receiver(*scripts)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        await server.wait_closed()


def sender_through(transport, port):
    url = Secret(f"http://127.0.0.1:{port}{PATH}")
    return WebhookSender(WebhookChannel(name="hook", url=url, secret=Secret(OLD)), transport)


def sender_to(port, *, secret=OLD, minimal=False, clock=lambda: datetime.now(UTC), timeout_s=5.0, userinfo=""):
    url = Secret(f"http://{userinfo}127.0.0.1:{port}{PATH}?key=s3cret")
    channel = WebhookChannel(name="hook", url=url, secret=Secret(secret) if secret else None, minimal=minimal)
    return WebhookSender(channel, httpx2.AsyncHTTPTransport(trust_env=False), clock, timeout_s=timeout_s)


def exchange(*scripts, messages=(), **options):
    """What each message came to, and what the receiver saw."""

    async def run():
        async with receiving(*scripts) as receiver:
            sender = sender_to(receiver.port, **options)
            results = [await sender.send(one) for one in messages or (message(),)]
            await sender.aclose()
            return results, receiver

    return asyncio.run(run())


def refused(*scripts, **options):
    (result,), _ = exchange(*scripts, **options)
    assert isinstance(result, NotDelivered), result
    return result


# ---------------------------------------------------------------- signature


def test_an_independent_verifier_accepts_the_body_and_refuses_a_changed_one():
    results, receiver = exchange(answer(200), messages=[message(alert(DARI))])
    assert results == [Receipt(code="200")]
    ((_, headers, body),) = receiver.requests
    assert Webhook(OLD).verify(body, headers)["data"]["title"] == DARI.title
    assert headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(body.replace(b"Desk 1", b"Desk 2"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(body, headers | {"webhook-id": "another"})
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body, headers)


def test_while_keys_rotate_either_of_them_verifies():
    _, receiver = exchange(answer(204), secret=f"{NEW} {OLD}")
    ((_, headers, body),) = receiver.requests
    for key in (OLD, NEW):
        Webhook(key).verify(body, headers)


def test_a_repeat_carries_the_same_id_and_body_under_a_new_time():
    times = iter([NOW, NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=1)])
    one = message()
    results, receiver = exchange(answer(500), answer(200), messages=[one, one], clock=lambda: next(times))
    assert [type(result) for result in results] == [NotDelivered, Receipt]
    (_, first, body), (_, second, again) = receiver.requests
    assert first["webhook-id"] == second["webhook-id"] == one.id
    assert body == again
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 3600


def test_without_a_secret_nothing_is_signed():
    _, receiver = exchange(answer(200), secret=None)
    ((_, headers, _),) = receiver.requests
    assert "webhook-signature" not in headers
    assert headers["webhook-id"] == "3f2a.12"


@pytest.mark.parametrize("secret", ["whsec_###", "whsec_", "plain text", " ", f"{OLD} whsec_#"])
def test_a_secret_of_another_form_is_a_config_error_that_does_not_show_it(secret):
    with pytest.raises(ConfigError) as caught:
        sender_to(1, secret=secret)
    assert str(caught.value) == "channels.hook.secret: not of the form whsec_ + base64"


# ---------------------------------------------------------------- what is sent


def test_request_is_our_own_and_brings_nothing_along(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    cookie = answer(200, b"", "Set-Cookie: id=1; Path=/")
    _, receiver = exchange(cookie, messages=[message(), message()])
    for first, headers, _ in receiver.requests:
        assert first == f"POST {PATH}?key=s3cret HTTP/1.1"
        assert headers["user-agent"].startswith("aggregator/")
        assert set(headers) == {
            "host", "accept", "accept-encoding", "connection", "user-agent", "content-length", "content-type",
            "webhook-id", "webhook-timestamp", "webhook-signature",
        }  # fmt: skip


def test_a_minimal_channel_sends_no_term():
    _, receiver = exchange(answer(200), minimal=True)
    assert set(json.loads(receiver.requests[0][2])["data"]) == {"id", "label", "link"}


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_two_hundreds_are_receipts(status):
    assert exchange(answer(status))[0] == [Receipt(code=str(status))]


@pytest.mark.parametrize(
    "status",
    [300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409, 413, 422, 425, 429, 451, 500, 501, 502, 503, 504, 599],
)  # fmt: skip
def test_all_other_answers_are_failures_that_may_pass(status):
    result = refused(answer(status))
    assert (result.code, result.final) == (str(status), False)


def test_gone_is_final():
    assert refused(answer(410)).final


def test_a_redirect_is_a_failure_and_never_followed():
    async def run():
        async with receiving(answer(200)) as target:
            elsewhere = answer(302, b"", f"Location: http://127.0.0.1:{target.port}/login")
            async with receiving(elsewhere) as receiver:
                sender = sender_to(receiver.port)
                result = await sender.send(message())
                await sender.aclose()
                return result, target.connections

    result, followed = asyncio.run(run())
    assert (result.code, followed) == ("302", 0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120), (" 7 ", 7), ("0", 0), ("99999999999", 3600), ("9" * 400, 3600), ("soon", None), ("-5", None), ("", None),
        ("Tue, 24 Nov 2026 08:06:11 GMT", 60), ("Tue, 24 Nov 2020 08:06:11 GMT", 0), ("Tue, 24 Nov 2036 08:06:11 GMT", 3600),
        ("Tue, 24 Nov 2026 08:06:11", 60), ("Tue, 99 Nov 2026 08:06:11 GMT", None), ("²", None),
    ],
)  # fmt: skip
def test_retry_after_is_honoured_up_to_an_hour(value, seconds):
    script = (f"HTTP/1.1 429 X\r\nContent-Length: 0\r\nRetry-After: {value}\r\n\r\n".encode(),)
    result = refused(script, clock=lambda: NOW)
    assert result.retry_after_s == seconds


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_without_end_is_cut_and_its_status_counts(status):
    endless = (f"HTTP/1.1 {status} X\r\n\r\n".encode(), *[b"x" * 65_536] * 1000, "hang")
    (result,), receiver = exchange(endless)
    assert result.code == str(status)
    assert receiver.sent < 12 << 20, "buffers of the system aside, nothing was read past the limit"


def test_a_compressed_answer_is_not_unpacked():
    result = refused(answer(400, gzip.compress(b"bomb" * 10_000), "Content-Encoding: gzip"))
    assert result.code == "400"
    assert "bombbomb" not in result.error


@pytest.mark.parametrize("then", ["hang", "reset"])
def test_a_status_counts_whatever_becomes_of_the_body(then):
    script = (b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nab", then)
    assert exchange(script, timeout_s=0.9)[0] == [Receipt(code="200")]


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (("hang",), "timeout"),
        ((b"HTTP/1.1 200", "hang"), "timeout"),
        (("reset",), "network"),
        ((b"HTTP/1.1 200 X\r\nTransfer-", "reset"), "network"),
        ((b"not http at all\r\n\r\n",), "network"),
        ((), "network"),
    ],
)
def test_what_breaks_before_the_status_is_a_failure_that_may_pass(script, code):
    result = refused(script, timeout_s=0.3)
    assert (result.code, result.final) == (code, False)


def test_nobody_listening_is_a_failure_that_may_pass():
    async def run():
        async with receiving(answer(200)) as receiver:
            port = receiver.port
        sender = sender_to(port)
        result = await sender.send(message())
        await sender.aclose()
        return result

    result = asyncio.run(run())
    assert (result.code, result.final) == ("connect", False)


def test_what_the_receiver_says_is_told_in_one_safe_line_without_the_address():
    words = f"bad\r\nkey \x1b[31m at http://u:pa55@127.0.0.1{PATH}?key=s3cret or {PATH} or key=s3cret".encode()
    result = refused(answer(401, words), userinfo="u:pa55@")
    assert result.error.startswith("HTTP 401: bad\\r\\nkey \\x1b[31m at http")
    for secret in ("T0KEN", "s3cret", "pa55"):
        assert secret not in result.error


@pytest.mark.parametrize(("private", "code", "connections"), [(False, "blocked_address", 0), (True, "200", 1)])
def test_a_private_receiver_is_reached_only_when_the_operator_says_so(private, code, connections):
    async def run():
        async with receiving(answer(200)) as receiver:
            sender = sender_through(guard.transport(allow_private=private, ports=None), receiver.port)
            result = await sender.send(message())
            await sender.aclose()
            return result.code, receiver.connections

    assert asyncio.run(run()) == (code, connections)


def test_messages_sent_together_all_arrive():
    async def run():
        async with receiving(answer(200)) as receiver:
            sender = sender_to(receiver.port)
            many = [message(id=f"m.{n}") for n in range(50)]
            results = await asyncio.gather(*(sender.send(one) for one in many))
            await sender.aclose()
            return results, {headers["webhook-id"] for _, headers, _ in receiver.requests}

    results, ids = asyncio.run(run())
    assert results == [Receipt(code="200")] * 50
    assert len(ids) == 50
