"""Options that commands share."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

MOST = 1 << 31  # of a list: SQLite counts no further than 64 bits

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def moment(text: str) -> datetime:
    """The time that a person means by `2h`, `3d`, `2026-11-01` or `2026-11-01T06:30+04:30`; without a zone, UTC.

    Raises:
        BadParameter: It means no time.
    """
    try:
        if ago := _AGO.fullmatch(text.strip()):
            return now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter("say it as 2h, 3d, 2026-11-01 or 2026-11-01T06:30Z") from error


def _said_before(ctx: typer.Context, value: Path | None) -> Path | None:
    return value or ctx.find_root().params.get("config")


def _no_more(value: int) -> int:
    return min(value, MOST)


ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="PATH", callback=_said_before, help="The feeds.yaml to use."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON lines.")]
Limit = Annotated[int, typer.Option("--limit", min=1, callback=_no_more, metavar="N", help="At most so many.")]
Feed = Annotated[str | None, typer.Option("--feed", metavar="NAME", help="Only of this feed.")]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since", parser=moment, metavar="TIME", help="Not older than this: 2h, 3d, 2026-11-01 or a full ISO time."
    ),
]
