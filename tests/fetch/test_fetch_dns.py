# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
"""Row X9, and names in general: asked aside, remembered for minutes, judged at every dial, never in the way."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from far_side import NOW, Far, poll, reply

from aggregator.fetch import Client, Limits, dns
from aggregator.model import Fetched, Reason
from aggregator.settings import Network

pytestmark = pytest.mark.anyio
UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
BUSY = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


class Names:
    """A resolver that answers as it is told, on a clock that is moved by hand."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = 0
        self.now = NOW

    async def __call__(self, _host):
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def resolver(self):
        return dns.Dns(self, lambda: self.now)


async def asked_within(names, span):
    """How often a name is asked for in so much time, each ten seconds."""
    resolve = names.resolver()
    until = names.now + span
    while names.now < until:
        with suppress(OSError):
            await resolve("feeds.test")
        names.now += timedelta(seconds=10)
    return names.asked


async def test_an_answer_is_kept_for_five_minutes():
    assert await asked_within(Names(["8.8.8.8"]), timedelta(minutes=30)) == 6


async def test_that_a_name_is_unknown_is_kept_for_three_to_five_minutes():
    assert 6 <= await asked_within(Names(UNKNOWN), timedelta(minutes=30)) <= 10


async def test_that_a_name_server_is_in_trouble_is_kept_for_seconds():
    assert 60 <= await asked_within(Names(BUSY), timedelta(minutes=30)) <= 90


async def test_a_kept_failure_is_told_with_its_words():
    resolve = Names(UNKNOWN).resolver()
    for _ in range(2):
        with pytest.raises(socket.gaierror, match="Name or service not known"):
            await resolve("feeds.test")


async def test_a_clock_that_steps_back_makes_no_answer_last():
    names = Names(["8.8.8.8"], ["8.8.4.4"])
    resolve = names.resolver()
    await resolve("feeds.test")
    names.now -= timedelta(days=1)
    assert await resolve("feeds.test") == ("8.8.4.4",)


async def test_only_so_many_names_are_kept(monkeypatch):
    monkeypatch.setattr(dns, "MOST_NAMES", 3)
    names = Names(["8.8.8.8"])
    resolve = names.resolver()
    for host in "abcda":
        await resolve(host)
    assert names.asked == 5  # "a" was forgotten when "d" came
    assert len(resolve._known) == 3


async def test_a_name_is_asked_once_for_all_who_wait_and_none_takes_the_answer_from_another():
    release = asyncio.Event()
    asked = []

    async def slow(host):
        asked.append(host)
        await release.wait()
        return ["8.8.8.8"]

    resolve = dns.Dns(slow, lambda: NOW)
    waiting = [asyncio.create_task(resolve("feeds.test")) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    release.set()
    assert await asyncio.gather(*waiting[1:]) == [("8.8.8.8",)] * 2
    assert asked == ["feeds.test"]


async def test_X2_a_kept_answer_is_judged_at_every_dial(far):
    names = Names(["127.0.0.1"])
    made = Client(Network(ports=None), host_gap_s=0, resolver=names)
    for _ in range(3):
        assert (await poll(made, far.url(host="feeds.test"))).reason is Reason.BLOCKED_ADDRESS
    assert (names.asked, far.connections) == (1, 0)


# ---------------------------------------------------------------- names that never answer


@pytest.fixture
def stuck():
    """A name server that never answers for names that begin with "dead"."""
    release = threading.Event()

    def look_up(host):
        if host.startswith("dead"):
            release.wait(60)
            raise UNKNOWN
        return ("127.0.0.1",)

    yield look_up
    release.set()


async def test_X9_dead_names_leave_healthy_ones_on_time(stuck):
    far = await Far().listen()
    far.on("/feed", reply())
    made = Client(
        Network(allow_private_feeds=True, ports=None),
        host_gap_s=0,
        resolver=dns.System(stuck),
        limits=Limits(total_s=1),
    )
    dead = [asyncio.create_task(poll(made, far.url(host=f"dead-{number}.test"))) for number in range(40)]
    await asyncio.sleep(0.1)
    began = asyncio.get_running_loop().time()
    live = await asyncio.gather(*(poll(made, far.url(host=f"live-{number}.test")) for number in range(40)))
    assert asyncio.get_running_loop().time() - began < 0.8
    assert all(isinstance(outcome, Fetched) for outcome in live)
    assert {outcome.reason for outcome in await asyncio.gather(*dead)} == {Reason.TIMEOUT}
    await made.aclose()
    await far.close()


async def test_no_more_threads_than_allowed_ask_at_once(stuck):
    resolve = dns.System(stuck)
    before = threading.active_count()
    waiting = [asyncio.create_task(resolve(f"dead-{number}.test")) for number in range(dns.THREADS + 20)]
    await asyncio.sleep(0.2)
    assert threading.active_count() - before == dns.THREADS
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def test_a_name_that_never_answers_does_not_hold_up_the_end_of_the_program():
    program = (
        "import asyncio, time\n"
        "from aggregator.fetch import dns\n"
        "async def main():\n"
        "    resolve = dns.System(lambda host: time.sleep(60))\n"
        "    try:\n"
        "        async with asyncio.timeout(0.2):\n"
        "            await resolve('dead.test')\n"
        "    except TimeoutError:\n"
        "        print('late')\n"
        "asyncio.run(main())\n"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=50)
    assert (done.stdout, done.stderr) == ("late\n", "")
    assert time.monotonic() - began < 40
