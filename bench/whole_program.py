"""CPU per feed of the whole program, beside `reader` (PyPI) and newsboat (Debian), in one run on one machine.

    python bench/whole_program.py [--feeds 500] [--items 20] [--bytes 3000] [--rounds 3]

Each program reads the same feeds, each on a loopback address of its own, as feeds are on servers of their own: cold, all unchanged (304), and with one new item in each. Search is included
where the program has one. CPU is user + system time of the process and all its descendants, as the kernel accounts it;
start-up (the same command on one feed) is measured and subtracted. Peers that are not installed are named and left out:
`pip install 'reader[search]' sgmllib3k` into a virtual environment given by --reader-python, `apt-get install newsboat`.
"""

import argparse
import ctypes
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

READER = """
import sys
from reader import make_reader
reader = make_reader(sys.argv[1])
if sys.argv[2] == "add":
    for url in sys.stdin.read().split():
        reader.add_feed(url, exist_ok=True)
    reader.enable_search()
else:
    reader.update_feeds(workers=4, scheduled=False)
    reader.update_search()
"""


class Ours:
    name = "aggregator"

    def __init__(self, folder, urls):
        self.config = folder / "feeds.yaml"
        rules = "".join(f"  - {{name: w{n}, rule: '@taliban AND (@amnesty OR @relocation)'}}\n" for n in range(3))
        self.config.write_text(
            "settings:\n  full_text: never\n  network: {allow_private_feeds: true, ports: any}\n"
            "  polling: {floor: 1s, host_gap: 0s, per_host: 64}\n"
            "feeds:\n"
            + "".join(f"  - {{url: '{url}', name: f{n}}}\n" for n, url in enumerate(urls))
            + "concepts:\n  taliban: {en: [Taliban], fa: [طالبان]}\n  amnesty: {en: [general amnesty], fa: [عفو عمومی]}\n"
            "  relocation: {en: [relocation]}\nwatchlists:\n" + rules
,
            encoding="utf-8",
        )  # fmt: skip

    def command(self):
        return [sys.executable, "-m", "aggregator", "--config", self.config, "fetch", "--all"]


class Reader:
    name = "reader"

    def __init__(self, folder, urls, python):
        self.python, self.db = python, folder / "reader.sqlite"
        subprocess.run([python, "-c", READER, self.db, "add"], input="\n".join(urls), text=True, check=True)

    def command(self):
        return [self.python, "-c", READER, self.db, "update"]


class Newsboat:
    name = "newsboat"

    def __init__(self, folder, urls):
        self.folder = folder
        (folder / "urls").write_text("\n".join(urls) + "\n")
        (folder / "config").write_text("reload-threads 4\n")

    def command(self):
        folder = self.folder
        return [
            "newsboat",
            "-q",
            "-u",
            folder / "urls",
            "-c",
            folder / "cache.db",
            "-C",
            folder / "config",
            "-x",
            "reload",
        ]


def cpu_s(command):
    """CPU seconds of a command and everything it started, orphans included: measured in a process of its own."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.write(writing, f"{_cpu_s_here(command)}".encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as answer:
        figure = answer.read()
    os.waitpid(pid, 0)
    if not figure:
        sys.exit(f"{command[0]} could not be measured")
    return float(figure)


def _cpu_s_here(command):
    ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    with tempfile.TemporaryFile() as log:
        done = subprocess.run(list(map(str, command)), stdout=log, stderr=log, check=False)
        if done.returncode:
            log.seek(0)
            sys.stderr.write(f"ended with {done.returncode}: {log.read()[-2000:].decode()}")
            raise SystemExit(1)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


PHASES = ("cold", "one new", "unchanged")


def phases(make, urls, room):
    """CPU seconds of one program on these feeds: cold, unchanged, with one new item in each."""
    with tempfile.TemporaryDirectory() as name:
        program = make(Path(name), urls)
        figures = {"cold": cpu_s(program.command()), "unchanged": cpu_s(program.command())}
        room.stdin.write("more\n")
        room.stdin.flush()
        room.stdout.readline()
        return figures | {"one new": cpu_s(program.command())}


def measure(make, urls, room, rounds):
    """Medians of milliseconds of CPU per feed for each phase; what one feed costs, start-up and all, is subtracted."""
    found = {phase: [] for phase in (*PHASES, "start-up")}
    for _ in range(rounds):
        one, all_of_them = phases(make, urls[:1], room), phases(make, urls, room)
        for phase in PHASES:
            found[phase].append((all_of_them[phase] - one[phase]) * 1000 / (len(urls) - 1))
        found["start-up"].append(one["cold"])
    return {key: statistics.median(values) for key, values in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feeds", type=int, default=500)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--bytes", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reader-python", help="a Python that has `reader` installed")
    args = parser.parse_args()
    room = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("newsroom.py"), str(args.feeds), str(args.items), str(args.bytes)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    port = int(room.stdout.readline())
    urls = [f"http://127.1.{n // 250}.{n % 250 + 1}:{port}/feed/{n}.xml" for n in range(args.feeds)]
    programs = {"aggregator": Ours}
    if args.reader_python:
        programs["reader"] = lambda folder, urls: Reader(folder, urls, args.reader_python)
    if shutil.which("newsboat"):
        programs["newsboat"] = Newsboat
    print(f"{args.feeds} feeds x {args.items} items of {args.bytes} bytes; ms of CPU per feed, median of {args.rounds}")
    print(f"{'':12}{'cold':>10}{'one new':>10}{'unchanged':>11}{'start-up s':>12}")
    try:
        results = {}
        for name, make in programs.items():
            results[name] = measure(make, urls, room, args.rounds)
            row = results[name]
            print(
                f"{name:12}{row['cold']:10.2f}{row['one new']:10.2f}{row['unchanged']:11.2f}{row['start-up']:12.2f}",
                flush=True,
            )
        for peer in ("reader", "newsboat"):
            if peer not in results:
                print(f"{peer}: not installed, left out")
                continue
            ratios = {key: results["aggregator"][key] / results[peer][key] for key in PHASES}
            print(f"ours / {peer:7}" + "".join(f"  {key} {ratio:.2f}" for key, ratio in ratios.items()))
    finally:
        room.stdin.close()
        room.wait(10)
        room.stdout.close()


if __name__ == "__main__":
    main()
