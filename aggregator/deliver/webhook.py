"""Alerts as signed POSTs in the Standard Webhooks form (github.com/standard-webhooks/standard-webhooks, spec 1.0)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit

import httpx2

from aggregator import __version__, compose
from aggregator.errors import ConfigError
from aggregator.model import Message, NotDelivered, Receipt
from aggregator.settings import WebhookChannel
from aggregator.text import escape

TIMEOUT_S = 15.0  # in all, as senders of this form do
MAX_ANSWER = 64 * 1024  # bytes read of what the receiver says
MAX_RETRY_AFTER_S = 3600.0
_SAID_S = 1.0  # to wait for what the receiver says once its status is known
_GONE = 410


class WebhookSender:
    """Posts each message to one address. The address is a secret, and so is what it answers with: neither is shown."""

    def __init__(
        self,
        channel: WebhookChannel,
        transport: httpx2.AsyncBaseTransport,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Prepare to post through `transport`, which is closed with the sender.

        Raises:
            ConfigError: the channel's secret is not of the form whsec_ + base64.
        """
        self._url = channel.url.reveal()
        self._keys = _keys(channel)
        self._minimal = channel.minimal
        self._clock = clock
        self._timeout_s = timeout_s
        self._client = httpx2.AsyncClient(
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=timeout_s,
            headers={
                "User-Agent": f"aggregator/{__version__}",
                "Accept": "*/*",
                "Accept-Encoding": "identity",
                "Content-Type": "application/json",
            },
        )

    async def send(self, message: Message) -> Receipt | NotDelivered:
        """Post `message` once.

        Only 2xx is a receipt, from the moment its status has arrived. 410 is final. All else may pass, other 4xx too:
        a key that is rotated, a route that is deployed, a firewall in a bad mood; the ladder ends in a dead letter.
        """
        body = compose.webhook(message, minimal=self._minimal)
        try:
            async with (
                asyncio.timeout(self._timeout_s) as limit,
                self._client.stream("POST", self._url, content=body, headers=self._signed(message.id, body)) as answer,
            ):
                limit.reschedule(None)  # the status has arrived and counts, even when the words take too long
                said = await _said(answer)
        except (TimeoutError, httpx2.TimeoutException):
            return NotDelivered(code="timeout", error=f"no answer within {self._timeout_s:.3g} s")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            return NotDelivered(code=_kind(error), error=self._public(str(error) or type(error).__name__))
        return self._judged(answer, said)

    async def aclose(self) -> None:
        """Close the connections and the transport."""
        await self._client.aclose()

    def _signed(self, message_id: str, body: bytes) -> dict[str, str]:
        at = str(int(self._clock().timestamp()))
        headers = {"webhook-id": message_id, "webhook-timestamp": at}
        signed = f"{message_id}.{at}.".encode() + body
        signatures = (base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in self._keys)
        if self._keys:
            headers["webhook-signature"] = " ".join(f"v1,{signature}" for signature in signatures)
        return headers

    def _judged(self, answer: httpx2.Response, said: str) -> Receipt | NotDelivered:
        code = str(answer.status_code)
        if answer.is_success:
            return Receipt(code=code)
        return NotDelivered(
            code=code,
            error=self._public(f"HTTP {code}: {said}" if said else f"HTTP {code}"),
            final=answer.status_code == _GONE,
            retry_after_s=_retry_after_s(answer.headers.get("Retry-After"), self._clock()),
        )

    def _public(self, text: str) -> str:
        """`text` in one short line, without the address: its path or user name is often a password."""
        parts = urlsplit(self._url)
        for secret in (self._url, f"{parts.path}?{parts.query}", parts.path, parts.query, parts.password or ""):
            if len(secret) > 1:
                text = text.replace(secret, "***")
        return escape.cut(escape.log(text), 200)


def _keys(channel: WebhookChannel) -> tuple[bytes, ...]:
    """The keys to sign with: several, separated by spaces, while a receiver moves from one to the next."""
    secrets = channel.secret.reveal().split() if channel.secret else []
    try:
        keys = tuple(base64.b64decode(secret.removeprefix("whsec_"), validate=True) for secret in secrets)
    except binascii.Error:
        keys = (b"",)
    if not all(keys) or (channel.secret and not keys):
        raise ConfigError((f"channels.{channel.name}.secret: not of the form whsec_ + base64",))
    return keys


async def _said(answer: httpx2.Response) -> str:
    """The start of what the receiver says; its status counts, whatever becomes of the body."""
    said = b""
    with suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(_SAID_S):
            async for chunk in answer.aiter_raw():
                said += chunk
                if len(said) >= MAX_ANSWER:
                    break
    return said[:MAX_ANSWER].decode("utf-8", "replace").strip()


def _kind(error: Exception) -> str:
    """The guarded transport says in `reason` what happened; another one only by the type."""
    said = getattr(error, "reason", "connect" if isinstance(error, httpx2.ConnectError) else "network")
    return str(said)


def _retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds that the receiver asks for, from a number or a date (RFC 9110 10.2.3), at most an hour."""
    if value is None:
        return None
    try:
        wait = float(value) if value.strip().isdecimal() else _until_s(parsedate_to_datetime(value), now)
    except (ValueError, OverflowError):
        return None
    return min(max(wait, 0.0), MAX_RETRY_AFTER_S)


def _until_s(at: datetime, now: datetime) -> float:
    return (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
