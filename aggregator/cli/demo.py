"""`aggregator demo`."""

from __future__ import annotations

import typer
from rich.console import Console

from aggregator import demo as newsroom

app = typer.Typer(add_completion=False)


@app.command()
def demo() -> None:
    """Watch it work: a small newsroom on this machine, the real daemon, and what arrives by mail and webhook.

    Needs no configuration and no internet, leaves nothing behind, and ends by itself in half a minute. Exit code 1 when
    a promised alert is missing or comes twice.
    """
    raise typer.Exit(newsroom.run(Console(highlight=False)))
