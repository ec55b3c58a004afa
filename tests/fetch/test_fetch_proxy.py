# ruff: noqa: N802 - tests are named after the rows of the conformance table
"""Row X11 of the conformance table: behind a proxy the proxy resolves, and we judge the host as it is written."""

import pytest
from far_side import poll, reply

from aggregator.errors import ConfigError
from aggregator.fetch import Client, Limits
from aggregator.model import Fetched, Reason
from aggregator.settings import Network, Secret

pytestmark = pytest.mark.anyio


def behind(far, names, user=""):
    proxy = Secret(f"http://{user}127.0.0.1:{far.port}")
    return Client(Network(ports=None, proxy=proxy), host_gap_s=0, resolver=names, limits=Limits(total_s=2))


async def test_X11_the_proxy_resolves(far, names):
    far.on("http://public.test/feed", reply())
    outcome = await poll(behind(far, names, "me:p%40ss@"), "http://public.test/feed")
    assert isinstance(outcome, Fetched), outcome
    assert not names.asked
    assert far.asked[0].one("Host") == b"public.test"
    assert far.asked[0].one("Proxy-Authorization") == b"Basic bWU6cEBzcw=="


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "10.0.0.1",
        "169.254.169.254",
        "2130706433",
        "0x7f.1",
        "127.1",
        "[::ffff:127.0.0.1]",
        "localhost",
        "printer.local",
        "db.internal",
        "intranet",
        "a.localhost.",
    ],
)
async def test_X11_local_hosts_are_refused_as_written(far, names, host):
    outcome = await poll(behind(far, names), f"http://{host}/feed")
    assert outcome.reason is Reason.BLOCKED_ADDRESS
    assert far.connections == 0


async def test_X11_https_goes_through_a_tunnel_that_may_be_refused(far, names):
    far.on("public.test:443", reply("407 Proxy Authentication Required", b""))
    outcome = await poll(behind(far, names), "https://public.test/feed")
    assert outcome.reason is Reason.CONNECT
    assert far.asked[0].line == "CONNECT public.test:443 HTTP/1.1"


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1", "127.0.0.1:3128"])
def test_a_proxy_of_another_kind_is_a_config_error(proxy):
    with pytest.raises(ConfigError, match=r"network\.proxy"):
        Client(Network(proxy=Secret(proxy)))
