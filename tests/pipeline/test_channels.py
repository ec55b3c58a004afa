"""Channels go their own ways."""

import asyncio

from support.world import rss

from aggregator import app, config
from aggregator.model import Receipt

CHANNELS = "channels:\n  deaf: {type: email, to: [a@example.org, b@example.org]}\n  quick: {type: console}\n"
WATCHLISTS = "watchlists: [{name: any, keywords: [Taliban]}]\n"


class Receiver:
    """A far side that answers at once, or not before it is let go."""

    def __init__(self, *, answers):
        self.open = asyncio.Event()
        self.got = []
        self.many = asyncio.Event()
        if answers:
            self.open.set()

    async def send(self, message):
        await self.open.wait()
        self.got.append(message)
        if len(self.got) >= 12:
            self.many.set()
        return Receipt(code="ok")

    async def aclose(self):
        pass


def test_a_channel_that_hangs_holds_up_no_other(world, write_config):
    world.pages["/feed"] = rss(*((f"{n}", f"Taliban decree {n}", world.url(f"/{n}"), f"Text {n}") for n in range(12)))
    loaded = config.load(write_config({"one": "/feed"}, watchlists=WATCHLISTS, channels=CHANNELS))

    async def main():
        deaf, quick = Receiver(answers=False), Receiver(answers=True)
        async with app.opened(loaded, senders={"deaf": deaf, "quick": quick}) as opened:
            round_ = asyncio.create_task(opened.work.round(["one"]))
            await asyncio.wait_for(quick.many.wait(), 30)
            assert (len(quick.got), len(deaf.got)) == (12, 0)
            deaf.open.set()
            tally = await round_
            assert (tally.alerts, tally.sent, tally.undelivered) == (12, 36, 0)

    asyncio.run(main())
