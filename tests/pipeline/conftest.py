import pytest
from support import world as web
from support.monitor import Clock, Monitor


@pytest.fixture
def world():
    made = web.World()
    stop = web.start(made)
    yield made
    stop()


@pytest.fixture
def folder(tmp_path):
    """Where feeds.yaml and the database stand."""
    return tmp_path


@pytest.fixture
def write_config(folder, world):
    """feeds.yaml for feeds on the loopback world and a signed webhook to it."""

    def write(feeds, watchlists=None, full_text="never", channels=None):
        path = folder / "feeds.yaml"
        path.write_text(
            "settings:\n"
            "  database: data/aggregator.db\n"
            f"  full_text: {full_text}\n"
            "  network: {allow_private_feeds: true, allow_private_webhooks: true, ports: any}\n"
            "  polling: {floor: 1s, cap: 1h, host_gap: 0s, per_host: 64}\n"
            "feeds:\n"
            + "".join(f"  - {{url: '{world.url(path)}', name: {name}}}\n" for name, path in feeds.items())
            + "concepts:\n"
            "  taliban: {en: [Taliban], fa: [طالبان]}\n"
            "  amnesty: {en: [general amnesty]}\n"
            "  relocation: {en: [relocation]}\n"
            + (
                watchlists
                or "watchlists:\n"
                "  - {name: guiding, rule: '@taliban AND (@amnesty OR @relocation)'}\n"
                "  - {name: any, keywords: [Taliban, general amnesty, relocation]}\n"
            )
            + (
                channels
                or "channels:\n"
                f"  hook: {{type: webhook, url: '{world.url('/hook')}', secret: whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz}}\n"
            ),
            encoding="utf-8",
        )
        return path

    return write


@pytest.fixture
def monitor(folder, world):
    return Monitor(folder, world)


@pytest.fixture
def clock():
    return Clock()
