"""Programs that read feeds, all asked by one scripted server: the right half of the table in docs/fetching.md.

Each program gets all feeds at once, runs four times without a pause, each time in a new process, and is judged by
what the server saw; whether an item was kept is looked up in the program's own files. What needs hours cannot be
judged so, and what did not come to pass is not judged: both are "-".

    pip install reader==3.26 sgmllib3k==1.0.0 rss2email==3.14 feed2exec==0.23.0       (into a virtual environment of its own)
    apt-get install newsboat
    python bench/conformance.py --peers VENV/bin --write

A program that is not there is left out. Loopback only; six to seven minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import trustme
from conformance_rows import ROOT, ROWS, RUNS, Seen, UnseenError, good
from far_side import Far, reply

PAGE = ROOT / "docs" / "fetching.md"
RUN_S = 60
MB = 1 << 20
YES, NO, UNKNOWN = "yes", "no", "-"


# ---------------------------------------------------------------- the programs


@dataclass(frozen=True)
class Program:
    """One that is asked: how it is told of feeds, and how it is made to look."""

    name: str
    binary: Path
    version: tuple[str, ...]
    told: Callable  # (folder, binary, urls): writes files or runs commands
    look: tuple[str, ...]

    def run(self, folder, limit_s=RUN_S):
        """Seconds it took, its largest size in bytes, and whether it ended by itself."""
        with (folder / "said").open("ab") as said:
            begun = time.monotonic()
            process = subprocess.Popen(
                [self.binary, *(part.format(home=folder) for part in self.look)], cwd=folder, env=_environment(folder),
                stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            )  # fmt: skip
            while True:
                pid, _, usage = os.wait4(process.pid, os.WNOHANG)
                spent = time.monotonic() - begun
                if pid:
                    process.returncode = 0
                    return spent, usage.ru_maxrss << 10, True
                if spent > limit_s:
                    process.kill()
                    process.wait()
                    return spent, 0, False
                time.sleep(0.05)


def _environment(folder):
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
    return kept | {
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
        "TERM": "dumb",
    }


def _call(folder, *command):
    subprocess.run(
        [*map(str, command)], cwd=folder, env=_environment(folder), check=False, capture_output=True, timeout=60
    )


def _tell_ours(folder, _binary, urls):
    settings = {
        "full_text": "never",
        "network": {"allow_private_feeds": True, "ports": "any"},
        "polling": {"host_gap": "0s", "per_host": 64},
    }
    feeds = [{"url": url, "name": f"feed {number}"} for number, url in enumerate(urls)]
    (folder / "feeds.yaml").write_text(json.dumps({"settings": settings, "feeds": feeds}))


def _tell_reader(folder, binary, urls):
    script = "import sys; from reader import make_reader; r = make_reader('db'); [r.add_feed(u) for u in sys.argv[1:]]"
    _call(folder, binary, "-c", script, *urls)


def _tell_newsboat(folder, _binary, urls):
    (folder / "urls").write_text("".join(f"{url}\n" for url in urls))
    (folder / "settings").write_text("reload-threads 4\n")


def _tell_rss2email(folder, _binary, urls):
    for name in ("cur", "new", "tmp"):
        (folder / "mail" / "INBOX" / name).mkdir(parents=True)
    (folder / "cfg").write_text(
        f"[DEFAULT]\nfrom = a@example.org\nto = b@example.org\nemail-protocol = maildir\nmaildir-path = {folder}/mail\n"
        "maildir-mailbox = INBOX\n"
        + "".join(
            f"[feed.f{number}]\nurl = {url}\n" for number, url in enumerate(url.replace("%", "%%") for url in urls)
        )
    )


def _tell_feed2exec(folder, binary, urls):
    for number, url in enumerate(urls):
        _call(folder, binary, "--config", folder / "ini", "--database", folder / "db", "add", f"f{number}", url,
              "--output", "maildir", "--mailbox", folder / "mail")  # fmt: skip


def programs(peers):
    ours = Path(sys.executable)
    yield Program("aggregator", ours, ("-m", "aggregator", "--version"), _tell_ours,
                  ("-m", "aggregator", "fetch", "--all", "--config", "{home}/feeds.yaml"))  # fmt: skip
    if peers:
        yield Program("reader", peers / "python", ("-m", "reader", "--version"), _tell_reader,
                      ("-m", "reader", "--db", "{home}/db", "update", "--no-scheduled", "--workers", "4"))  # fmt: skip
    if newsboat := shutil.which("newsboat"):
        yield Program("newsboat", Path(newsboat), ("--version",), _tell_newsboat,
                      ("-u", "{home}/urls", "-C", "{home}/settings", "-c", "{home}/cache.db", "-x", "reload"))  # fmt: skip
    if peers:
        yield Program("rss2email", peers / "r2e", ("--version",), _tell_rss2email,
                      ("-c", "{home}/cfg", "-d", "{home}/data.json", "run"))  # fmt: skip
        yield Program("feed2exec", peers / "feed2exec", ("--version",), _tell_feed2exec,
                      ("--config", "{home}/ini", "--database", "{home}/db", "fetch"))  # fmt: skip


# ---------------------------------------------------------------- asking them


async def judged(program):
    """What each row came to."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as name:
        folder = Path(name)
        far, secure, urls = await _far_sides()
        seen = Seen(folder, secure=secure)
        await asyncio.to_thread(program.told, folder, program.binary, urls)
        for _ in range(RUNS):
            before = len(far.asked)
            *_, ended = await asyncio.to_thread(program.run, folder)
            seen.runs.append(far.asked[before:])
            if not ended:
                print(f"{program.name}: a run was ended after {RUN_S} s", file=sys.stderr)
        await far.close()
        await secure.close()
        said = {one.name: _said(one, seen) for one in ROWS}
        if os.environ.get("CONFORMANCE_VERBOSE"):
            print((folder / "said").read_text(errors="replace")[-6000:], file=sys.stderr)
    return said | await _limits(program)


def _said(one, seen):
    try:
        return YES if one.judge(seen) else NO
    except UnseenError:
        return UNKNOWN


async def _far_sides():
    """The server with an address for each row, one whose certificate nobody trusts, and the feeds."""
    far, secure, urls = await Far(says_close=True).listen(), Far(), []
    for number, one in enumerate(ROWS, 1):
        address = f"127.0.1.{number}"
        if one.feeds:
            await far.listen(address)
        for path, replies in one.script.items():
            far.on(path, *replies)
        for path in one.feeds:
            login = "me:secret@" if "login" in path else ""
            urls.append(f"http://{login}{address}:{far.port}{path}")
    far.on("/Q6", good("Q6"))
    await secure.listen(certificate=trustme.CA().issue_cert("127.0.0.1"))
    urls.append(secure.on("/X7", good("X7")).replace("http:", "https:"))
    return far, secure, urls


async def _limits(program):
    """X4, X5 and X6: what never ends, each alone, beside a run over one calm feed."""
    _, calm, _, _ = await _alone(program, good("calm"))
    spent, _, ended, _ = await _alone(program, _drip)
    said = {"X4": YES if ended and spent < 35 else NO}
    bomb = gzip.compress(gzip.compress(bytes(200 * MB)))
    twice = reply("200 OK", bomb, "Content-Encoding: gzip, gzip", "Content-Type: application/rss+xml")
    once = reply(
        "200 OK", gzip.compress(bytes(200 * MB)), "Content-Encoding: gzip", "Content-Type: application/rss+xml"
    )
    sizes = [(await _alone(program, answer))[1:3] for answer in (once, twice)]
    said["X5"] = YES if all(ended and size - calm < 32 * MB for size, ended in sizes) else NO
    _, size, ended, taken = await _alone(program, _endless)
    said["X6"] = YES if ended and size - calm < 32 * MB and not taken else NO
    return said


async def _alone(program, answer):
    with tempfile.TemporaryDirectory(prefix="conformance-") as name:
        folder, far = Path(name), await Far(says_close=True).listen()
        await asyncio.to_thread(program.told, folder, program.binary, [far.on("/feed", answer)])
        before = len(TAKEN)
        spent, size, ended = await asyncio.to_thread(program.run, folder, 45)
        asked = bool(far.asked)
        await far.close()
        if not asked:
            raise RuntimeError(f"{program.name} did not ask")
        return spent, size, ended, len(TAKEN) > before


TAKEN: list[int] = []  # endless answers that were taken to their end


async def _drip(_reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.3)


async def _endless(_reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(128):
        writer.write(b"100000\r\n" + b" " * MB + b"\r\n")
        await writer.drain()
    TAKEN.append(1)
    writer.write(b"0\r\n\r\n")


# ---------------------------------------------------------------- the page


def write(results, versions):
    """Put the results into the page's table, and when and of what they are above it."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for place, line in enumerate(lines):
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("Measured on ") and len(results) == len(COLUMNS):
            python = sys.version.split()[0]
            lines[place] = f"Measured on {time.strftime('%Y-%m-%d')} with Python {python}: {', '.join(versions)}."
        elif re.fullmatch(r"[VSRDQXP]\d+", cells[0]):
            said = [
                results[name].get(cells[0], UNKNOWN) if name in results else before
                for name, before in zip(COLUMNS, cells[4:], strict=True)
            ]
            lines[place] = "| " + " | ".join(cells[:4] + said) + " |"
    PAGE.write_text("\n".join(_counted(lines)) + "\n", encoding="utf-8")


def _counted(lines):
    """The page with the sum of each column."""
    rows = [line.strip("|").split(" | ")[4:] for line in lines if re.match(r"\| [VSRDQXP]\d+ ", line)]
    columns = [[cell.strip() for cell in column] for column in zip(*rows, strict=True)]
    sums = [
        f"{name} {column.count(YES)} of {len(column) - column.count(UNKNOWN)}"
        for name, column in zip(COLUMNS, columns, strict=True)
    ]
    return [
        f"Rows met, of those that could be seen: {', '.join(sums)}." if line.startswith("Rows met") else line
        for line in lines
    ]


COLUMNS = ("aggregator", "reader", "newsboat", "rss2email", "feed2exec")


def _version(program):
    said = subprocess.run([program.binary, *program.version], capture_output=True, text=True, check=False)
    return re.search(r"\d[\w.]+", said.stdout + said.stderr)[0]


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, help="the bin folder that holds the peers' commands")
    parser.add_argument("--only", help="one program")
    parser.add_argument("--write", action="store_true", help="write the results into docs/fetching.md")
    args = parser.parse_args()
    results, versions = {}, []
    for program in programs(args.peers):
        if args.only in {None, program.name}:
            versions.append(f"{program.name} {_version(program)}")
            print(versions[-1], flush=True)
            begun = time.monotonic()
            results[program.name] = await judged(program)
            counts = Counter(results[program.name].values())
            print(f"  {dict(counts)} in {time.monotonic() - begun:.0f} s", flush=True)
            print("  no: " + " ".join(name for name, said in results[program.name].items() if said == NO), flush=True)
    if args.write:
        write(results, versions)


if __name__ == "__main__":
    asyncio.run(main())
