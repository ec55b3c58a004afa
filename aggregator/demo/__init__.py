"""`aggregator demo`: the real daemon against a small newsroom on loopback, ending with a promise kept or broken."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from rich.console import Console

from aggregator.demo import script

__all__ = ["run"]


def run(console: Console) -> int:
    """Play the demo and tell it on `console`; 0 when every promised alert arrived once and nothing else did, 1 if not."""
    with tempfile.TemporaryDirectory(prefix="aggregator-demo-") as folder:
        kept = asyncio.run(script.play(console, Path(folder)))
    return 0 if kept else 1
