"""The real program over the loopback world, for feeds of any kind, with a clock that tests move."""

import asyncio
from datetime import UTC, datetime, timedelta

from aggregator import app, config

SETTINGS = """settings:
  database: data/aggregator.db
  full_text: {full_text}
  network: {{allow_private_feeds: true, allow_private_webhooks: true, ports: any}}
  polling: {{floor: 1s, cap: 1h, host_gap: 0s, per_host: 64}}
watchlists:
  - {{name: words, keywords: [Taliban, general amnesty, relocation]}}
channels:
  hook: {{type: webhook, url: '{hook}', secret: whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz}}
feeds:
"""


class Monitor:
    """The real program over the loopback world."""

    def __init__(self, folder, world):
        self.path, self.world = folder / "feeds.yaml", world

    def watch(self, *feeds, full_text="never"):
        text = SETTINGS.format(full_text=full_text, hook=self.world.url("/hook"))
        self.path.write_text(text + "".join(f"  - {feed}\n" for feed in feeds), encoding="utf-8")

    def round(self, now=app.utc_now):
        async def main():
            loaded = config.load(self.path)
            async with app.opened(loaded, now=now) as opened:
                return await opened.work.round([feed.name for feed in loaded.feeds])

        return asyncio.run(main())

    def items(self):
        with self.store() as store:
            return [stored.item for stored in reversed(store.items(limit=1000))]

    def feed(self):
        with self.store() as store:
            return store.feeds()[0]

    def store(self):
        return app.Store.open_to_read(config.load(self.path).settings.database)

    def asked(self):
        """The paths asked since the last call."""
        paths = [path for path, _ in self.world.asked]
        self.world.asked.clear()
        return paths

    def told(self):
        return sorted(
            tuple(sorted({term["term"] for term in body["data"]["terms"]})) for _, body in self.world.received
        )


class Clock:
    def __init__(self):
        self.at = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

    def __call__(self):
        return self.at

    def on(self, **span):
        self.at += timedelta(**span)
