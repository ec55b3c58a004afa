"""Alerts as mail through the operator's own server: one message, one recipient, one answer."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parseaddr

import aiosmtplib

from aggregator.deliver.mime import Envelope, ascii_domain, letter
from aggregator.model import Message, NotDelivered, Receipt
from aggregator.settings import Smtp
from aggregator.text import escape

TIMEOUT_S = 30.0  # for one message, from connecting to the last answer
IDLE_S = 20.0  # after which an unused connection is let go; servers do so after minutes
_FULL = 552  # "mailbox full" and "too much at once" in the wild: both pass
_PERMANENT = 500
_ABOUT_THIS_MESSAGE = (
    aiosmtplib.SMTPRecipientsRefused,
    aiosmtplib.SMTPSenderRefused,
    aiosmtplib.SMTPDataError,
    aiosmtplib.SMTPNotSupported,
    UnicodeError,
)


class EmailSender:
    """Sends over one connection, which is reused while messages come and dropped after any failure."""

    def __init__(
        self,
        smtp: Smtp,
        instance: str,
        *,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Prepare to send; `instance` names this installation in message ids, `tls` stands in for the system's trust."""
        self._smtp = smtp
        self._instance = instance
        self._tls = tls
        self._clock = clock
        self._timeout_s = timeout_s
        self._sender = ascii_domain(parseaddr(smtp.sender)[1])
        self._turn = asyncio.Lock()
        self._session: aiosmtplib.SMTP | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._away: tuple[float, NotDelivered] | None = None

    async def send(self, message: Message) -> Receipt | NotDelivered:
        """Send `message` to its recipient; only what the server says of it for good (5xx) is final.

        When the server turns out to be away, the messages that wait for their turn share that answer: a hanging
        server costs them one time-out, not one each.
        """
        now = asyncio.get_running_loop().time
        asked = now()
        async with self._turn:
            if self._away and self._away[0] >= asked:
                return self._away[1]
            sent = False
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._hand_over(message)
                sent = True
            except (aiosmtplib.SMTPException, OSError, ValueError) as error:
                failure = _judged(error, self._timeout_s)
                if not isinstance(error, _ABOUT_THIS_MESSAGE):
                    self._away = now(), failure
                return failure
            finally:
                if sent:
                    self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._drop)
                else:
                    self._drop()  # only a dialogue that came to its end leaves a connection in a known state
            return Receipt(code="250")

    async def aclose(self) -> None:
        """Take leave of the server."""
        session, self._session = self._session, None
        self._drop()
        if session is not None and session.is_connected:
            try:
                await session.quit(timeout=2)
            except (aiosmtplib.SMTPException, OSError):
                session.close()

    async def _hand_over(self, message: Message) -> None:
        session = await self._connected()
        recipient = ascii_domain(message.recipient)
        envelope = Envelope(
            sender=self._smtp.sender,
            recipient=recipient,
            date=self._clock(),
            instance=self._instance,
            wide=not (recipient + self._sender).isascii(),
        )
        await session.sendmail(
            self._sender,
            recipient,
            letter(message, envelope),
            mail_options=["SMTPUTF8", "BODY=8BITMIME"] if envelope.wide else [],
        )

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._idle is not None:
            self._idle.cancel()
        if self._session is not None and self._session.is_connected:
            return self._session
        smtp = self._smtp
        self._session = aiosmtplib.SMTP(
            hostname=smtp.host,
            port=smtp.port,
            username=smtp.username,
            password=smtp.password.reveal() if smtp.password else None,
            local_hostname=self._sender.rpartition("@")[2],  # not the machine's name: recipients see it
            timeout=self._timeout_s,
            use_tls=smtp.security == "tls",
            start_tls=smtp.security == "starttls",
            tls_context=self._tls,
        )
        await self._session.connect()
        return self._session

    def _drop(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._session is not None:
            self._session.close()
        self._session = None


def _judged(error: Exception, timeout_s: float) -> NotDelivered:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    final = False
    match error:
        case aiosmtplib.SMTPRecipientRefused(code=code) | aiosmtplib.SMTPDataError(code=code):
            said = str(code), f"{code} {error.message}"
            final = code >= _PERMANENT and code != _FULL
        case aiosmtplib.SMTPAuthenticationError(code=code):
            said = str(code), "the mail server refused the login"  # not its own words: some repeat what was sent
        case aiosmtplib.SMTPNotSupported():
            said, final = ("smtputf8", "the mail server cannot take this address"), True
        case aiosmtplib.SMTPResponseException(code=code):
            said = str(code), f"{code} {error.message}"
        case TimeoutError():
            said = "timeout", f"the mail server did not answer within {timeout_s:.3g} s"
        case ValueError() if not isinstance(error, ssl.SSLError):
            said, final = ("unsendable", str(error)), True
        case _:
            tls = isinstance(error.__cause__ or error, ssl.SSLError)
            said = "tls" if tls else "connect", str(error)
    return NotDelivered(code=said[0], error=escape.cut(escape.log(said[1]), 200), final=final)
