"""`aggregator channel`."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from aggregator import app as root
from aggregator.cli import given, show
from aggregator.cli.options import ConfigFile, Json, now
from aggregator.model import Alert, Excerpt, Hit, Message, NotDelivered, Receipt
from aggregator.settings import Channel, Config, EmailChannel

app = typer.Typer(add_completion=False, no_args_is_help=True)

DELIVERIES_FAILED = 5  # exit code
TITLE = "Test alert: aggregator can reach you. Nothing has happened."


@app.callback()
def channel() -> None:
    """Send a test alert, to see that it arrives."""


@app.command("test")
def try_(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Channels; all if none is named.")] = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Send a test alert through each channel, to each recipient; exit code 5 when one does not arrive."""
    loaded = given.config(config)
    for name in names or ():
        given.require("channel", name, (one.name for one in loaded.channels))
    chosen = [one for one in loaded.channels if not names or one.name in names]
    # With --json, standard output is for JSON lines, so a console channel writes to standard error.
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        results = asyncio.run(_sent(loaded, chosen))
    for name, recipient, result in results:
        if as_json:
            show.record(_record(name, recipient, result))
        else:
            show.text(f"{name}, {recipient}: {_said(result)}")
    if any(isinstance(result, NotDelivered) for _, _, result in results):
        raise typer.Exit(DELIVERIES_FAILED)


Result = tuple[str, str, Receipt | NotDelivered]  # channel, recipient, what came of it


async def _sent(config: Config, channels: Sequence[Channel]) -> list[Result]:
    results: list[Result] = []
    for one in channels:
        sender = root.sender(one, config, secrets.token_hex(6))
        try:
            results += [
                (one.name, recipient, await sender.send(_message(one.name, recipient, now())))
                for recipient in (one.to if isinstance(one, EmailChannel) else (one.name,))
            ]
        finally:
            await sender.aclose()
    return results


def _message(channel: str, recipient: str, at: datetime) -> Message:
    """A message that no other has the id of, so that no receiver takes it for a repeat."""
    name = f"test-{secrets.token_hex(6)}"
    hit = Hit(watchlist="test", field="title", start=0, end=4, term="test", text=TITLE[:4])
    alert = Alert(
        id=name, watchlist="test", label="Test", severity="normal", item=name, story=name, feed="aggregator",
        title=TITLE, link=None, lang="en", published=None, first_seen=at, created=at, update=False, terms=(hit,),
        excerpts=(Excerpt(field="title", text=TITLE, marks=((0, 4),)),),
    )  # fmt: skip
    return Message(id=name, token="", channel=channel, recipient=recipient, attempts=0, alerts=(alert,))


def _said(result: Receipt | NotDelivered) -> str:
    if isinstance(result, Receipt):
        return f"delivered ({result.code})"
    return f"NOT delivered ({result.code}): {result.error}"


def _record(channel: str, recipient: str, result: Receipt | NotDelivered) -> dict[str, object]:
    delivered = isinstance(result, Receipt)
    return {
        "channel": channel, "recipient": recipient, "delivered": delivered, "code": result.code,
        "error": None if isinstance(result, Receipt) else result.error,
    }  # fmt: skip
