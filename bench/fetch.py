# ruff: noqa: PLC0415, ASYNC240 - each client is imported in its own process only; files are small and local
"""What fetching costs: CPU of one poll that finds nothing new, of one claim out of a million feeds, and memory.

    python bench/fetch.py [poll|claims|memory ...] [--polls 3000] [--rounds 3] [--feeds 1000000]

A poll is a 304 on a connection of its own, plain or TLS 1.3 with a full handshake (ECDSA P-256, the certificate made at
run time). The server runs in a process of its own and answers after 50 ms, so that all visitors are in flight; every
feed is on a loopback address of its own. Each client runs in a fresh process too; its figure is user + system time of
that process alone, and the median of the rounds. Peers that are not installed are named and left out: put them on
PYTHONPATH (`pip install --target FOLDER httpx aiohttp`). Everything stops by itself.
"""

import argparse
import asyncio
import gc
import importlib.util
import json
import os
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__)
HOSTS = 1000
ANSWER_AFTER_S = 0.05
TAG = '"bench"'
ANSWER = (
    f"HTTP/1.1 304 Not Modified\r\nServer: bench\r\nDate: Tue, 24 Nov 2026 12:00:00 GMT\r\nETag: {TAG}\r\n"
    "Cache-Control: max-age=900\r\nVary: Accept-Encoding\r\nConnection: close\r\n\r\n"
).encode()


def cpu_s():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


# ---------------------------------------------------------------- the far side


class Far(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.said = transport, b""

    def data_received(self, data):
        self.said += data
        if self.said.endswith(b"\r\n\r\n"):
            asyncio.get_running_loop().call_later(ANSWER_AFTER_S, self.answer)

    def answer(self):
        self.transport.write(ANSWER)
        self.transport.close()


async def serve(certificate):
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Far, "0.0.0.0", 0, ssl=context, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


# ---------------------------------------------------------------- the clients


def trusting(authority):
    """One context for all polls. The chain is verified; the name is not, for these hosts are bare addresses."""
    context = ssl.create_default_context(cafile=authority)
    context.check_hostname = False
    return context


async def ours(context):
    from aggregator.fetch import Client
    from aggregator.model import NotModified, Request, Validators
    from aggregator.settings import Network

    client = Client(Network(allow_private_feeds=True, ports=None), per_host=64, host_gap_s=0, trust=context)

    async def poll(url):
        outcome = await client.get(Request(url=url, validators=Validators(etag=TAG, url=url)))
        if not isinstance(outcome, NotModified):
            raise TypeError(outcome)

    return poll, client.aclose


async def httpx_like(module, context):
    limits = module.Limits(max_connections=None, max_keepalive_connections=None)  # the default of 100 would queue
    client = module.AsyncClient(verify=context or True, limits=limits, timeout=30, trust_env=False)

    async def poll(url):
        answer = await client.get(url, headers={"If-None-Match": TAG})
        if answer.status_code != 304:
            raise ValueError(answer.status_code)

    return poll, client.aclose


async def with_httpx(context):
    import httpx

    return await httpx_like(httpx, context)


async def with_httpx2(context):
    import httpx2

    return await httpx_like(httpx2, context)


async def with_aiohttp(context):
    import aiohttp

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, ssl=context or True))

    async def poll(url):
        async with session.get(url, headers={"If-None-Match": TAG}) as answer:
            if answer.status != 304:
                raise ValueError(answer.status)

    return poll, session.close


CLIENTS = {"aggregator": ours, "httpx": with_httpx, "httpx2": with_httpx2, "aiohttp": with_aiohttp}


async def measure(name, port, in_flight, polls, authority):
    """CPU microseconds a poll and the most memory in MB, with `in_flight` visitors on as many hosts as there are."""
    poll, close = await CLIENTS[name](trusting(authority) if authority else None)
    scheme = "https" if authority else "http"
    urls = [f"{scheme}://127.3.{n // 250}.{n % 250 + 1}:{port}/feed.xml" for n in range(HOSTS)]

    async def visitors(how_many, total):
        turns = iter(range(total))

        async def visit():
            for turn in turns:
                await poll(urls[turn % HOSTS])

        await asyncio.gather(*(visit() for _ in range(how_many)))

    await visitors(min(in_flight, 100), 100)  # imports, caches, the first growth of tables
    began = cpu_s()
    await visitors(in_flight, polls)
    spent = cpu_s() - began
    await close()
    return {"us": spent / polls * 1e6, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def child(*words):
    return subprocess.run(
        [sys.executable, HERE, *map(str, words)], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def polls_table(args, port, kind, authority):
    print(f"\n{kind}: CPU us a 304, median of {args.rounds} rounds of {args.polls} polls (least-most), memory in MB")
    print(f"{'':12}{'50 in flight':>22}{'1,000 in flight':>22}{'ratio':>8}{'memory':>8}")
    present = [name for name in CLIENTS if name == "aggregator" or importlib.util.find_spec(name)]
    found = {(name, many): [] for name in present for many in (50, 1000)}
    for _ in range(args.rounds):
        for (name, many), figures in found.items():
            figures.append(json.loads(child("client", name, port, many, args.polls, authority or "")))
    for name in CLIENTS:
        if name not in present:
            print(f"{name}: not installed, left out")
            continue
        few, many = ([one["us"] for one in found[name, number]] for number in (50, 1000))
        spans = "".join(f"{f'{statistics.median(us):.0f} ({min(us):.0f}-{max(us):.0f})':>22}" for us in (few, many))
        ratio = statistics.median(many) / statistics.median(few)
        print(f"{name:12}{spans}{ratio:8.2f}{max(one['mb'] for one in found[name, 1000]):8.0f}", flush=True)


def bench_polls(args):
    import trustme

    with tempfile.TemporaryDirectory() as folder:
        authority, certificate = Path(folder, "authority.pem"), Path(folder, "certificate.pem")
        ca = trustme.CA()
        ca.cert_pem.write_to_path(authority)
        issued = ca.issue_cert("feeds.test")
        certificate.write_bytes(
            issued.private_key_pem.bytes() + b"".join(one.bytes() for one in issued.cert_chain_pems)
        )
        for kind, server, client in (("plain", "", None), ("TLS", certificate, authority)):
            far = subprocess.Popen(
                [sys.executable, HERE, "serve", server], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            try:
                polls_table(args, int(far.stdout.readline()), kind, client)
            finally:
                far.stdin.close()
                far.wait(10)
                far.stdout.close()


# ---------------------------------------------------------------- claims


def bench_claims(args):
    """Feeds that are due each hour, spread over it: each second's are claimed and a 304 is recorded for each."""
    from aggregator import schedule
    from aggregator.model import Observation, Pace, Visit
    from aggregator.settings import FeedSpec, Polling
    from aggregator.store import Store

    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    pace = Pace(polling=Polling())

    def not_modified(lease, at):
        return Visit(
            lease=lease, at=at, outcome="not_modified", validators=lease.validators, host_free_at=at + timedelta(seconds=2),
            due=lambda new: schedule.next_due(lease.history, Observation(entries=20, new=new), at, pace),
        )  # fmt: skip

    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder, "bench.db")) as store:
        store.sync_feeds((FeedSpec(url=f"https://host-{n}.test/feed", name=f"f{n}") for n in range(args.feeds)), now)
        store._conn.execute(
            "UPDATE feeds SET due_at = due_at + id * 7919 % 3600000, etag = ?, validators_url = url, entries = 20",
            (TAG,),
        )
        store._conn.commit()
        began, ticks = cpu_s(), 500
        for _ in range(ticks):
            store.claim_feeds(now - timedelta(minutes=1), 64, "idle")
        idle = (cpu_s() - began) / ticks
        visits, claiming, deciding = 0, 0.0, 0.0
        began, tick = cpu_s(), 0
        while visits < args.visits and tick < 3600:
            tick += 1
            at = now + timedelta(seconds=tick)
            while leases := claimed(store, at, tick):
                claiming += leases[1]
                for start in range(0, len(leases[0]), 32):  # as the writer of the daemon does when they wait
                    with store.together():
                        for lease in leases[0][start : start + 32]:
                            visit = not_modified(lease, at)
                            before = cpu_s()
                            due = visit.due(0)
                            deciding += cpu_s() - before
                            store.record_visit(replaced(visit, due), None)
                visits += len(leases[0])
        spent = cpu_s() - began
    print(f"\n{args.feeds:,} feeds, hourly: {visits:,} visits in {tick} ticks")
    print(f"idle tick {idle * 1e6:.0f} us; a due feed {spent / visits * 1e6:.0f} us of CPU, claim and write of a 304:")
    print(f"  claim {claiming / visits * 1e6:.0f}, next due {deciding / visits * 1e6:.0f}, write and the rest the rest")


def claimed(store, at, tick):
    """What one claim leased and what it cost; None when nothing is due any more."""
    before = cpu_s()
    leases = store.claim_feeds(at, 64, f"tick-{tick}")
    return (leases, cpu_s() - before) if leases else None


def replaced(visit, due):
    return replace(visit, due=lambda _new: due)


# ---------------------------------------------------------------- memory


async def standing(feeds):
    """MB of the daemon, all its feeds known and none read; its workers start with the first document."""
    from aggregator import config
    from aggregator.app import opened

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "feeds.yaml")
        lines = "".join(f"  - {{url: 'https://host-{n}.test/feed/{n}.xml', name: feed-{n}}}\n" for n in range(feeds))
        path.write_text(
            f"feeds:\n{lines}watchlists:\n  - {{name: w, keywords: [Taliban, amnesty]}}\n", encoding="utf-8"
        )
        async with opened(config.load(path)) as app:
            gc.collect()
            await app.write(app.store.due_feeds, datetime(2026, 1, 1, tzinfo=UTC))
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            print(pages * resource.getpagesize() / (1 << 20))


def bench_memory(_args):
    print()
    for feeds in (1, 10_000):
        print(f"{feeds:,} feeds: {float(child('standing', feeds)):.0f} MB")


BENCHES = {"poll": bench_polls, "claims": bench_claims, "memory": bench_memory}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", metavar="poll|claims|memory")
    parser.add_argument("--polls", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--feeds", type=int, default=1_000_000)
    parser.add_argument("--visits", type=int, default=3000)
    args = parser.parse_args()
    began = time.monotonic()
    for name in args.which or BENCHES:
        BENCHES[name](args)
    print(f"\n{time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", certificate]:
            asyncio.run(serve(certificate))
        case ["client", name, port, in_flight, polls, authority]:
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
            print(json.dumps(asyncio.run(measure(name, int(port), int(in_flight), int(polls), authority))))
        case ["standing", feeds]:
            asyncio.run(standing(int(feeds)))
        case _:
            main()
