"""A real mail server on loopback, whose ledger stands outside the system under test."""

import asyncio
from contextlib import asynccontextmanager
from email import message_from_bytes, policy

from aiosmtpd import smtp as aiosmtpd


class Mailbox:
    """What a mail server is told to do, and what it took."""

    def __init__(self, *answers, rcpt=None):
        self.answers = list(answers)
        self.rcpt = rcpt or {}
        self.taken = []
        self.sessions = set()

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802  # aiosmtpd's name
        if address in self.rcpt:
            return self.rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's name
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer == "hang":
            await asyncio.sleep(5)
        if answer == "drop":
            server.transport.abort()
        if answer.startswith(("250", "drop")):
            self.taken.append(envelope)
            self.sessions.add(id(session))
        return answer

    def read(self):
        return [message_from_bytes(envelope.content, policy=policy.default) for envelope in self.taken]


@asynccontextmanager
async def serving(mailbox, *, outer_tls=None, **options):
    """A mail server on a free port; yields the port."""
    loop = asyncio.get_running_loop()
    options = {"hostname": "mail.example.org", "enable_SMTPUTF8": True, **options}
    server = await loop.create_server(
        lambda: aiosmtpd.SMTP(mailbox, loop=loop, **options), "127.0.0.1", 0, ssl=outer_tls
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
