"""A process that has imported the program once and forks a child for each round that is to be killed.

Each line on standard input is JSON: {"config", "at_statement", "after_receipt", "minutes", "split"}. The child runs one
round of the real program and dies by SIGKILL before its n-th SQL statement or right after its n-th accepted delivery,
whichever is given. The answer is a line of JSON: {"signal": 9 or 0, "statements": how many there were}.

The parser runs in the child itself: a pool of processes per child would only make a hundred kills slow, and what is
tested is what stands in the database.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from datetime import timedelta

import structlog

from aggregator import app, article, config
from aggregator.deliver.webhook import WebhookSender
from aggregator.model import Receipt
from aggregator.store import dialect
from aggregator.text.fold import fold
from support.inline import Inline
from support.making import NOW
from support.world import page


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Statements:
    """Counts the SQL statements of every connection and dies before the n-th."""

    def __init__(self, fatal, report):
        self.count, self.fatal, self.report = 0, fatal, report

    def __call__(self, _sql):
        self.count += 1
        os.pwrite(self.report, f"{self.count:8}".encode(), 0)
        if self.count == self.fatal:
            die()


def arm(order, report):
    connect, send = dialect.connect, WebhookSender.send
    count = Statements(order["at_statement"], report)
    receipts = 0

    def counting(*args, **kwargs):
        conn = connect(*args, **kwargs)
        conn.set_trace_callback(count)
        return conn

    async def sending(self, message):
        nonlocal receipts
        result = await send(self, message)
        receipts += isinstance(result, Receipt)
        if receipts == order["after_receipt"]:
            die()
        return result

    dialect.connect, WebhookSender.send, app.Workers = counting, sending, Inline
    if order["split"]:
        # The fault that the test must find: every statement commits on its own.
        dialect.transaction = lambda _conn: contextlib.nullcontext()


def round_of(order, report):
    arm(order, report)
    now = NOW + timedelta(minutes=order["minutes"])

    async def main():
        settings = config.load(order["config"])
        async with app.opened(settings, now=lambda: now) as opened:
            await opened.work.round([feed.name for feed in settings.feeds])

    asyncio.run(main())


def main():
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    article.extract(page("What the child would import late, imported once."), charset=None, url="http://localhost/")
    fold("What the child would build late, built once.")
    for line in sys.stdin:
        order = json.loads(line)
        report = os.memfd_create("statements")
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                round_of(order, report)
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        counted = os.pread(report, 8, 0) or b"0"
        os.close(report)
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps({"exit": code, "statements": int(counted)}), flush=True)


if __name__ == "__main__":
    main()
