"""Draws docs/demo.svg from a real run: `python docs/demo.py`. Renew it when the demo or a mail changes its face."""
# ruff: noqa: INP001  a script beside the pages, no package

from __future__ import annotations

import asyncio
import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from aggregator.demo import script

WIDTH = 108
UNWRAPPED = 1000
PICTURE = Path(__file__).with_name("demo.svg")
FONT_FACES = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)  # they would ask a server of others for a font


def main() -> None:
    """Run the demo once and draw the part that shows the guiding case."""
    told = Console(record=True, width=UNWRAPPED, file=io.StringIO())
    with tempfile.TemporaryDirectory() as folder:
        kept = asyncio.run(script.play(told, Path(folder)))
    if not kept:
        raise SystemExit("the demo broke a promise: python -m aggregator demo says which")
    picture = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for line in excerpt(told.export_text().splitlines()):
        text = Text(line)
        text.highlight_regex(r"\*[^*]+\*", "bold yellow")
        text.highlight_regex(r"^\$.*", "bold")
        picture.print(text)
    form = FONT_FACES.sub("", CONSOLE_SVG_FORMAT).replace("Fira Code", "ui-monospace")
    PICTURE.write_text(picture.export_svg(title="", code_format=form, unique_id="demo"), encoding="utf-8")


def excerpt(lines: list[str]) -> Iterator[str]:
    """The arrivals by mail, the mail of the guiding case, and the last line."""
    yield "$ aggregator demo"
    yield from (line for line in lines if re.match(r" +[\d.]+ s +mail ", line))
    yield ""
    letter = next(place for place, line in enumerate(lines) if line.startswith("Subject: "))
    end = next(place for place, line in enumerate(lines) if line.startswith("Alert:"))
    yield from (line for line in lines[letter:end] if not line.startswith("Message-ID:"))
    yield ""
    yield lines[-1]


if __name__ == "__main__":
    main()
