"""A message as the bytes of a mail: headers, plain text and HTML."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import quote

from aggregator import compose
from aggregator.model import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """From whom, to whom, when, and the name of this installation in all ids."""

    sender: str  # as shown, perhaps with a name
    recipient: str
    date: datetime
    instance: str
    wide: bool  # an address has letters beyond ASCII, so the headers go out in UTF-8 (RFC 6531)


def letter(message: Message, envelope: Envelope) -> bytes:
    """The mail of `message`. Its id is the message's own; mails about one story refer to one thread."""
    mail = compose.mail(message)
    # 7bit bodies: every server takes them, and no relay re-encodes the letters.
    mime = EmailMessage(policy=SMTP.clone(cte_type="7bit", utf8=envelope.wide))
    mime["From"] = envelope.sender
    mime["To"] = envelope.recipient
    mime["Date"] = format_datetime(envelope.date)
    mime["Message-ID"] = _id(message.id, envelope)
    if len(message.alerts) == 1:
        thread = _id(f"story.{message.alerts[0].story}", envelope)
        mime["In-Reply-To"] = thread
        mime["References"] = thread
    labels = {alert.label for alert in message.alerts} or {"notices"}
    if len(labels) == 1:
        mime["List-Id"] = f"<{_slug(labels.pop())}.{envelope.instance}>"
    mime["Auto-Submitted"] = "auto-generated"
    mime.set_content(mail.text)
    mime.add_alternative(mail.html, subtype="html")
    # EmailMessage drops spaces where it folds a subject of other letters (Python 3.11.7); the older Header does not.
    subject = Header(mail.subject, header_name="Subject").encode(linesep="\r\n")
    return f"Subject: {subject}\r\n".encode("ascii") + mime.as_bytes()


def ascii_domain(address: str) -> str:
    """`address` with its domain in ASCII; letters before the @ stay.

    Raises:
        UnicodeError: the domain has no such form.
    """
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.encode('idna').decode('ascii')}"


def _id(token: str, envelope: Envelope) -> str:
    return f"<{quote(token, safe='')}@{envelope.instance}>"


def _slug(label: str) -> str:
    """A name for mail filters, stable for a label; other letters than ASCII are told apart by a hash."""
    plain = "-".join(re.findall(r"[a-z0-9]+", label.lower()))
    return plain if label.isascii() else f"{plain}-{hashlib.sha256(label.encode()).hexdigest()[:8]}".lstrip("-")
