"""What happens in the demo: set up, let the daemon work, publish an edit, wait for quiet, compare with what was promised.

Only the far sides are the demo's own. Configuration, daemon, store and channels are the real ones.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from rich.console import Console
from rich.table import Table

from aggregator import config, daemon
from aggregator.demo import shown
from aggregator.demo.http import serving
from aggregator.demo.newsroom import Newsroom
from aggregator.demo.receivers import Arrival, Hook, mail_server
from aggregator.demo.stories import OUTLETS, PROMISES, WATCHED, Promise
from aggregator.text import escape

AT_MOST_S = 20.0  # then what has not arrived counts as missing
QUIET_S = 3.0  # after the last promised alert: two more rounds of polls, in which nothing may arrive
GLANCE_S = 0.1
WIDE = 110  # columns that a line with its terms takes

SAMPLES = (
    (PROMISES[0], "mail", "The mail, as text"),
    (PROMISES[1], "mail", "The same in Dari: found behind Arabic letters"),
    (PROMISES[2], "mail", "The same in Pashto: the name is inflected"),
    (PROMISES[0], "webhook", "The webhook, its signature verified"),
)


class Ledger:
    """What arrived, beside what was promised."""

    def __init__(self) -> None:
        self.arrived: list[Arrival] = []

    def count(self, promise: Promise, channel: str) -> int:
        """How often a promised alert arrived on a channel."""
        return sum(arrival.channel == channel and self.keeps(promise, arrival) for arrival in self.arrived)

    def keeps(self, promise: Promise, arrival: Arrival) -> bool:
        """Whether this is what was promised."""
        return (
            (arrival.watchlist, arrival.terms, arrival.update) == (promise.watchlist, promise.terms, promise.update)
            and urlsplit(arrival.link).path in promise.pages
            and arrival.channel in promise.channels
        )

    def complete(self) -> bool:
        """Whether every promise is kept, so far."""
        return all(self.count(promise, channel) for promise in PROMISES for channel in promise.channels)

    def unpromised(self) -> list[Arrival]:
        """What nobody had promised."""
        return [arrival for arrival in self.arrived if not any(self.keeps(promise, arrival) for promise in PROMISES)]

    def kept(self) -> bool:
        """Whether each promised alert arrived once, and nothing else."""
        once = all(self.count(promise, channel) == 1 for promise in PROMISES for channel in promise.channels)
        return once and not self.unpromised()


async def play(console: Console, folder: Path) -> bool:
    """Run the demo in `folder` and tell it on `console`; whether every promise was kept."""
    newsroom = Newsroom(datetime.now(UTC).replace(microsecond=0))
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    async with AsyncExitStack() as stack:
        for outlet in OUTLETS:
            newsroom.bases[outlet.slug] = await stack.enter_async_context(serving(newsroom.answer))
        ledger = Ledger()
        hook = Hook(secret, ledger.arrived.append)
        port = await stack.enter_async_context(mail_server(ledger.arrived.append))
        hook_url = await stack.enter_async_context(serving(hook.answer))
        path = folder / "feeds.yaml"
        path.write_text(feeds_yaml(newsroom.bases, port, hook_url, secret), encoding="utf-8")
        _introduce(console, newsroom.bases)
        with _reports_of(console):
            await _watch(console, newsroom, ledger, path)
    _show_samples(console, ledger)
    _sum_up(console, newsroom, ledger, hook)
    return ledger.kept()


def feeds_yaml(bases: Mapping[str, str], smtp_port: int, hook_url: str, secret: str) -> str:
    """The configuration: as an operator would write it, but in seconds and allowed to reach loopback."""
    feeds = "".join(
        f'  - {{url: "{bases[outlet.slug]}{outlet.path}", name: "{outlet.name}", lang: {outlet.lang}, every: 1s}}\n'
        for outlet in OUTLETS
    )
    return (
        "settings:\n"
        "  network: {allow_private_feeds: true, allow_private_webhooks: true, ports: any}\n"
        "  polling: {floor: 1s, host_gap: 0s, per_host: 16}\n"
        f"  smtp: {{host: 127.0.0.1, port: {smtp_port}, sender: monitor@demo.invalid}}\n"
        f"feeds:\n{feeds}{WATCHED}"
        "channels:\n"
        "  desk: {type: email, to: [desk@demo.invalid]}\n"
        f'  hook: {{type: webhook, url: "{hook_url}", secret: "{secret}"}}\n'
    )


async def _watch(console: Console, newsroom: Newsroom, ledger: Ledger, path: Path) -> None:
    """Let the daemon work until all is in and quiet, or time is up; publish the edit on the way."""
    stop = asyncio.Event()
    running = asyncio.create_task(daemon.run(config.load(path), stop))
    told, began, complete_at = 0, time.monotonic(), None
    edited = next(outlet for outlet in OUTLETS if outlet.edits)
    first_edition = next(promise for promise in PROMISES if promise.told == "first edition")
    try:
        while not running.done() and time.monotonic() - began < AT_MOST_S:
            await asyncio.sleep(GLANCE_S)
            for arrival in ledger.arrived[told:]:
                _tell(console, time.monotonic() - began, arrival)
            told = len(ledger.arrived)
            told_first = all(ledger.count(first_edition, channel) for channel in first_edition.channels)
            if told_first and newsroom.unchanged[edited.path] and not newsroom.second_edition:
                newsroom.second_edition = True
                console.print(f"\n{edited.name} answered 304 Not Modified; now it publishes an edit.\n", markup=False)
            if ledger.complete() and complete_at is None:
                complete_at = time.monotonic()
                console.print("\nEverything promised is here. Some more rounds, in which nothing may come twice.")
            if complete_at is not None and time.monotonic() - complete_at > QUIET_S:
                break
    finally:
        stop.set()
        await running


# ---------------------------------------------------------------- telling


@contextmanager
def _reports_of(console: Console) -> Iterator[None]:
    """Instead of the daemon's log: a line for each feed that fails for the first time."""
    failing: set[str] = set()

    def report(_logger: object, _method: str, event: structlog.typing.EventDict) -> str:
        if event.get("outcome") == "failed" and event["feed"] not in failing:
            failing.add(event["feed"])
            console.print(f"  {event['feed']}: no feed there ({event['reason']}); it stays on the list", markup=False)
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[report], wrapper_class=structlog.BoundLogger, cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)


def _introduce(console: Console, bases: Mapping[str, str]) -> None:
    console.rule("aggregator demo")
    console.print("A newsroom of invented outlets is open on loopback:", markup=False)
    for outlet in OUTLETS:
        line = f"  {outlet.name:<24} {outlet.format:<10} {outlet.lang}  {bases[outlet.slug]}"
        console.print(line, markup=False, highlight=False)
    console.print("\nThe daemon starts on it, with these watchlists, a mail server and a webhook:\n", markup=False)
    console.print(shown.apart(WATCHED) if console.is_terminal else WATCHED, markup=False, highlight=False)


def _tell(console: Console, after_s: float, arrival: Arrival) -> None:
    """One line; its terms where there is room, for the table at the end names them all."""
    line = _line(arrival) if console.width >= WIDE else _line(arrival).partition("  (")[0].rstrip()
    console.print(f"  {after_s:4.1f} s  {line}", markup=False, highlight=False, soft_wrap=True)


def _line(arrival: Arrival) -> str:
    kind = "update" if arrival.update else "alert"
    where, found = urlsplit(arrival.link).path, ", ".join(sorted(arrival.terms))
    return escape.terminal(f"{arrival.channel:<8} {kind:<7} {arrival.watchlist:<23} {where:<25}  ({found})")


def _show_samples(console: Console, ledger: Ledger) -> None:
    """What a recipient got: the guiding case whole, then the Dari and the Pashto story, then the post of a webhook."""
    for promise, channel, heading in SAMPLES:
        sample = next((one for one in ledger.arrived if ledger.keeps(promise, one) and one.channel == channel), None)
        if sample is None:
            continue
        console.rule(heading)
        letter = (
            sample.shown if promise is PROMISES[0] else sample.shown.partition("\n\n")[2].partition("\n\nWatchlist:")[0]
        )
        for line in shown.lines(letter, console.width, colour=bool(console.color_system)):
            console.print(line, soft_wrap=True, highlight=False)


def _sum_up(console: Console, newsroom: Newsroom, ledger: Ledger, hook: Hook) -> None:
    table = Table(title="Promised and arrived")
    table.add_column("watchlist", no_wrap=True)
    for name in ("promised", "terms", *(channels := ("mail", "webhook"))):
        table.add_column(name)
    for promise in PROMISES:
        counts = (_verdict(ledger.count(promise, channel)) for channel in channels)
        update = "update: " if promise.update else ""
        table.add_row(promise.watchlist, update + promise.told, ", ".join(sorted(promise.terms)), *counts)
    console.print(table)
    for arrival in ledger.unpromised():
        console.print(f"Not promised: {_line(arrival)}", markup=False, highlight=False)
    unchanged = newsroom.unchanged.total()
    feeds = sum(newsroom.asked[outlet.path] for outlet in OUTLETS)
    console.print(
        f"{feeds} polls, {unchanged} of them answered 304; {len(ledger.arrived)} alerts delivered; "
        f"{hook.refused} signatures refused.",
        markup=False, highlight=False,
    )  # fmt: skip
    console.print("Every promised alert arrived exactly once." if ledger.kept() else "A promise was broken, see above.")


def _verdict(count: int) -> str:
    return {0: "MISSING", 1: "once"}.get(count, f"{count} TIMES")
