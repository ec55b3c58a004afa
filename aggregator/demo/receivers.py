"""The far sides of the demo: a mail server and a webhook receiver, which share no code with what sends to them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aggregator.demo.http import Answer, Asked

CLOCK_SKEW_S = 300
_ISOLATES = re.compile("[\u2066-\u2069]")
_FOUND = re.compile(r"^Found: (.+?)(?: \(.*\))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One alert as it arrived. `shown` is what a person sees of it."""

    channel: str  # "mail" or "webhook"
    watchlist: str
    link: str
    terms: frozenset[str]
    update: bool
    shown: str


Arrived = Callable[[Arrival], None]


# ---------------------------------------------------------------- mail


@asynccontextmanager
async def mail_server(arrived: Arrived) -> AsyncIterator[int]:
    """The port of an SMTP server (RFC 5321, the commands that must be) that lives as long as the block."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _smtp(reader, writer, arrived)
        except OSError:
            pass  # the caller hung up
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, arrived: Arrived) -> None:
    def say(*lines: str) -> None:
        writer.write("".join(f"{line}\r\n" for line in lines).encode())

    say("220 demo.invalid ESMTP")
    while command := await reader.readline():
        verb = command.split()[0].upper() if command.split() else b""
        match verb:
            case b"EHLO":
                say("250-demo.invalid", "250-8BITMIME", "250 SMTPUTF8")
            case b"HELO" | b"MAIL" | b"RCPT" | b"RSET" | b"NOOP":
                say("250 OK")
            case b"DATA":
                say("354 go ahead")
                letter = message_from_bytes(await _content(reader), policy=policy.default)
                arrived(from_mail(letter))
                say("250 OK taken")
            case b"QUIT":
                say("221 bye")
                return
            case _:
                say("500 what?")


async def _content(reader: asyncio.StreamReader) -> bytes:
    """A letter up to the line with a lone dot, dots at line starts unstuffed."""
    lines = []
    while (line := await reader.readline()) not in (b".\r\n", b""):
        lines.append(line.removeprefix(b"."))
    return b"".join(lines)


def from_mail(letter: EmailMessage) -> Arrival:
    """What a mail tells, read from the words that a person would read."""
    part = letter.get_body(("plain",))
    said = part.get_content().replace("\r\n", "\n") if part else ""
    text = _ISOLATES.sub("", said)
    fields = dict(re.findall(r"^(\w[\w ]*): +(.*)$", text, re.MULTILINE))
    head = "".join(f"{name}: {letter[name]}\n" for name in ("From", "To", "Subject", "Message-ID"))
    return Arrival(
        channel="mail",
        watchlist=fields.get("Watchlist", "").partition(" (")[0],
        link=fields.get("Link", ""),
        terms=frozenset(_FOUND.findall(text.replace("*", ""))),
        update=str(letter["Subject"]).startswith("Update:"),
        shown=f"{head}\n{said}",
    )


# ---------------------------------------------------------------- webhook


class Hook:
    """Takes signed posts in the Standard Webhooks form and refuses those whose signature does not hold."""

    def __init__(self, secret: str, arrived: Arrived) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._arrived = arrived
        self.refused = 0

    def answer(self, asked: Asked) -> Answer:
        """204 for a post that is signed as it should be, else 401."""
        if not self.verified(asked):
            self.refused += 1
            return Answer(status=401)
        self._arrived(from_webhook(json.loads(asked.body), asked.headers))
        return Answer(status=204)

    def verified(self, asked: Asked) -> bool:
        """Whether HMAC-SHA256 over `id.timestamp.body` stands among the signatures, and the time is now."""
        given = asked.headers
        sent_at = given.get("webhook-timestamp", "")
        if not sent_at.isdecimal() or abs(time.time() - int(sent_at)) > CLOCK_SKEW_S:
            return False
        signed = b".".join((given.get("webhook-id", "").encode(), sent_at.encode(), asked.body))
        expected = base64.b64encode(hmac.new(self._key, signed, hashlib.sha256).digest())
        return any(
            hmac.compare_digest(f"v1,{expected.decode()}", signature)
            for signature in given.get("webhook-signature", "").split()
        )


def from_webhook(event: dict[str, Any], headers: Any) -> Arrival:
    """What a verified post tells."""
    alert = event["data"]
    head = "".join(f"{name}: {headers[name]}\n" for name in ("webhook-id", "webhook-timestamp", "webhook-signature"))
    rows = "".join(f"  {name}: {_valued(value)}\n" for name, value in alert.items())
    return Arrival(
        channel="webhook",
        watchlist=alert["label"],
        link=alert["link"] or "",
        terms=frozenset(term["term"] for term in alert["terms"]),
        update=event["type"] == "alert.updated",
        shown=f"{head}\ntype: {event['type']}\ntimestamp: {event['timestamp']}\ndata:\n{rows}",
    )


def _valued(value: Any) -> str:
    """A value of the post as JSON, a list with one entry a line."""
    if isinstance(value, list):
        return "".join(f"\n    {json.dumps(one, ensure_ascii=False)}" for one in value)
    return json.dumps(value, ensure_ascii=False)
