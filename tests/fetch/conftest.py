"""Far sides that answer as scripted, and clients that reach nothing else."""

from __future__ import annotations

import ssl

import pytest
import trustme
from far_side import NOW, Authority, Far, Names

from aggregator.fetch import Client, Limits
from aggregator.settings import Network


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def far():
    server = await Far().listen()
    yield server
    await server.close()


@pytest.fixture
async def other():
    server = await Far().listen()
    yield server
    await server.close()


@pytest.fixture
def names():
    return Names()


@pytest.fixture
async def client(names):
    """Reaches loopback on any port, at once."""
    made = Client(
        Network(allow_private_feeds=True, ports=None),
        host_gap_s=0,
        resolver=names,
        limits=Limits(total_s=5),
        clock=lambda: NOW,
    )
    yield made
    await made.aclose()


@pytest.fixture
async def careful(names):
    """Default rules, but any port: loopback is forbidden to it."""
    made = Client(Network(ports=None), host_gap_s=0, resolver=names, limits=Limits(total_s=5))
    yield made
    await made.aclose()


@pytest.fixture(scope="session")
def authority():
    ca = trustme.CA()
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ca.configure_trust(trust)
    return Authority(ca, ca.issue_cert("feeds.test"), trust)
