"""What the killable pool promises: every fault is a value, costs one call, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from aggregator import workers
from aggregator.errors import AggregatorError
from aggregator.model import Reason
from aggregator.workers import Crashed, Workers

MARK: list[str] = []


@pytest.fixture(scope="module")
def pool():
    pool = Workers(2)
    yield pool
    pool.close()


def pid():
    return os.getpid()


def parent_pid():
    return os.getppid()


def slow_pid(seconds):
    time.sleep(seconds)
    return os.getpid()


def spin():
    return sum(range(10**13))  # deaf: one call into C that never looks for signals


def spin_with_little_cpu():
    workers._allow_cpu(0)
    return spin()


def burn_and_tell_budget(seconds):
    while time.process_time() < seconds:
        pass
    used = resource.getrusage(resource.RUSAGE_SELF)
    return resource.getrlimit(resource.RLIMIT_CPU)[0] - used.ru_utime - used.ru_stime


def eat(n):
    return len(bytearray(n))


def eat_in_small_pieces():
    return [bytes(100_000) for _ in range(10_000)]


def recurse():
    return recurse()


def fail(text):
    raise ValueError(text)


def quit_politely():
    sys.exit(3)


def die_hard(code):
    os._exit(code)


def crash():
    os.kill(os.getpid(), signal.SIGSEGV)


def give_lambda():
    return lambda: None


def remember(word):
    MARK.append(word)


def remembered():
    return MARK


def break_start():
    raise ValueError("broken on purpose")


def alive(process):
    stat = Path(f"/proc/{process}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("function", "args", "reason", "detail"),
    [
        (fail, ("a\nlong story " * 50,), Reason.PARSE_FAILED, "ValueError: a long story"),
        (recurse, (), Reason.PARSE_FAILED, "RecursionError"),
        (quit_politely, (), Reason.PARSE_FAILED, "SystemExit"),
        (give_lambda, (), Reason.PARSE_FAILED, "lambda"),
        (eat, (700 * 1024 * 1024,), Reason.PARSE_FAILED, "MemoryError"),
        (eat_in_small_pieces, (), Reason.PARSE_FAILED, "MemoryError"),
        (die_hard, (9,), Reason.PARSE_FAILED, "worker died: exit code 9"),
        (crash, (), Reason.PARSE_FAILED, "worker died: SIGSEGV"),
        (spin_with_little_cpu, (), Reason.PARSE_TIMEOUT, "10 s of CPU"),
    ],
)
def test_a_fault_becomes_a_reason_and_the_next_call_works(pool, function, args, reason, detail):
    async def scenario():
        return await pool.run(function, *args), await pool.run(len, "next")

    crashed, after = asyncio.run(scenario())
    assert isinstance(crashed, Crashed)
    assert crashed.reason is reason
    assert detail in crashed.detail
    assert len(crashed.detail) < 200
    assert "\n" not in crashed.detail
    assert after == 4


def test_a_deaf_call_is_killed_when_its_time_is_up(pool):
    async def scenario():
        began = time.monotonic()
        return await pool.run(spin, timeout_s=0.3), time.monotonic() - began

    crashed, took = asyncio.run(scenario())
    assert crashed == Crashed(reason=Reason.PARSE_TIMEOUT, detail="no result within 0.3 s")
    assert took < 5


def test_calls_in_flight_outlive_the_death_of_another_worker(pool):
    async def scenario():
        return await asyncio.gather(
            pool.run(slow_pid, 0.4), pool.run(crash), *(pool.run(slow_pid, 0.05) for _ in range(6)), pool.run(crash)
        )

    answers = asyncio.run(scenario())
    assert [isinstance(answer, Crashed) for answer in answers] == [False, True, *[False] * 6, True]


def test_an_idle_worker_killed_from_outside_costs_no_call(pool):
    async def scenario():
        pids = {await pool.run(pid) for _ in range(20)}
        for worker in pids:
            os.kill(worker, signal.SIGKILL)
        await asyncio.sleep(0.3)
        return pids, await asyncio.gather(*(pool.run(pid) for _ in range(5)))

    pids, after = asyncio.run(scenario())
    assert all(isinstance(answer, int) for answer in after)
    assert not pids & set(after)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_to_the_whole_group_leaves_calls_in_flight_alone(pool, name):
    async def scenario():
        worker, server = await pool.run(pid), await pool.run(parent_pid)
        call = asyncio.create_task(pool.run(slow_pid, 0.5))
        await asyncio.sleep(0.1)
        for process in (worker, server):
            os.kill(process, signal.Signals[name])
        return await call

    assert isinstance(asyncio.run(scenario()), int)


def test_every_call_has_its_own_cpu_budget():
    pool = Workers(1)

    async def scenario():
        return [await pool.run(burn_and_tell_budget, seconds) for seconds in (0.0, 1.2, 0.0)]

    try:
        first, second, third = asyncio.run(scenario())
    finally:
        pool.close()
    assert 10 <= first <= 11
    assert 8.7 <= second <= 11, "what the call itself used"
    assert 10 <= third <= 11, "what earlier calls used was counted"


def test_an_initializer_readies_every_worker():
    pool = Workers(1, initializer=remember, initargs=("matcher",))
    try:
        assert asyncio.run(pool.run(remembered)) == ["matcher"]
    finally:
        pool.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_pool_that_cannot_start_is_our_error_and_no_reason():
    pool = Workers(1, initializer=break_start)
    try:
        with pytest.raises(AggregatorError, match="no worker process can be started"):
            asyncio.run(pool.run(pid))
    finally:
        pool.close()


def test_what_cannot_be_sent_raises_at_the_caller():
    pool = Workers(1)
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError), match="pickle"):
        asyncio.run(pool.run(lambda: 1))
    assert pool._pool is None


def test_nothing_starts_before_the_first_call_and_nothing_stays_after_close():
    threads = threading.active_count()
    pool = Workers(2)
    assert threading.active_count() == threads

    async def scenario():
        call = asyncio.create_task(pool.run(slow_pid, 30))
        pids = {await pool.run(pid) for _ in range(3)}
        await asyncio.sleep(0.1)
        began = time.monotonic()
        pool.close()
        took = time.monotonic() - began
        with pytest.raises(asyncio.CancelledError):
            await call
        return pids, took

    pids, took = asyncio.run(scenario())
    assert took < 2
    assert not any(alive(worker) for worker in pids)
    assert asyncio.run(pool.run(len, "again")) == 5, "a closed pool starts anew"
    pool.close()
    pool.close()


def test_a_program_that_ends_without_closing_leaves_no_warning_and_no_process():
    program = (
        "import asyncio, os\n"
        "from aggregator.workers import Workers\n"
        "if __name__ == '__main__':\n"
        "    print(asyncio.run(Workers(2).run(os.getpid)))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        capture_output=True, text=True, timeout=30, check=False, cwd=Path(workers.__file__).parents[1],
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not alive(int(ended.stdout))


async def _cancelled_while_it_opens(pool):
    call = asyncio.ensure_future(pool.run(pid))
    await asyncio.sleep(0)  # the thread that opens the pool has begun
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    pool.close()


def test_a_pool_that_a_cancelled_call_was_opening_is_closed_too():
    for _ in range(3):
        pool = Workers(1)
        asyncio.run(_cancelled_while_it_opens(pool))
        assert pool._pool is None
        assert asyncio.run(pool.run(pid)) != os.getpid()
        pool.close()
