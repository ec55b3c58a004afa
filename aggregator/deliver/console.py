"""Alerts on standard output: one readable block each."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TextIO

from aggregator import compose
from aggregator.model import Message, NotDelivered, Receipt


class ConsoleSender:
    """Writes blocks to a stream; in colour only on a terminal, and not when NO_COLOR or a dumb terminal asks for none."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._paint = compose.COLOURED if _colourful(self._stream) else compose.PLAIN
        self._lock = asyncio.Lock()

    async def send(self, message: Message) -> Receipt | NotDelivered:
        """Write `message` whole; a reader that went away or a full disk is a failure that may pass."""
        text = compose.blocks_of(message, self._paint, _columns(self._stream)) + "\n"
        try:
            async with self._lock:
                # In a thread: `aggregator run | less` stops reading, and the other channels must go on.
                await asyncio.to_thread(_write, self._stream, text)
        except BrokenPipeError:
            return NotDelivered(code="broken_pipe", error="nobody reads standard output any more")
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            return NotDelivered(code="write", error=str(error))
        return Receipt(code="written")

    async def aclose(self) -> None:
        """Nothing to let go of: the stream belongs to who gave it."""


def _colourful(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _columns(stream: TextIO) -> int | None:
    """How wide the terminal is now, for it may be drawn wider; None when this is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):  # a file or a pipe; or it is closed, which writing will find out
        return None


def _write(stream: TextIO, text: str) -> None:
    # A terminal of another character set shows what it cannot print as an escape; it loses no alert.
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
