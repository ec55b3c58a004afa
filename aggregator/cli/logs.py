"""Logs on standard error: for people on a terminal, JSON lines elsewhere. One event is one line, whatever it holds."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

from aggregator.text import escape

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def to_stderr(level: str) -> None:
    """Send our events of `level` and above to standard error, and other libraries' warnings too."""
    terminal = sys.stderr.isatty()
    stamp = structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S" if terminal else "iso", utc=True)
    shared: list[Processor] = [structlog.stdlib.add_log_level, stamp]
    last: list[Processor] = [
        structlog.processors.format_exc_info,  # plain: Rich's tracebacks would show variables, and so watched terms
        *((_for_people, _console()) if terminal else (structlog.processors.JSONRenderer(),)),
    ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: structlog.PrintLogger(
            sys.stderr
        ),  # the one of the moment: a progress bar puts its own there
    )
    handler = logging.StreamHandler(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, *last]))
    logging.basicConfig(handlers=[handler], level=max(LEVELS[level], logging.WARNING), force=True)


def _console() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        exception_formatter=structlog.dev.plain_traceback, pad_event_to=12, sort_keys=False
    )


def _for_people(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Unknowns left out, and whatever could act on a terminal shown as an escape."""
    shown = {key: escape.log(value) if isinstance(value, str) else value for key, value in event.items()}
    if "exception" in event:
        shown["exception"] = "\n".join(map(escape.log, event["exception"].splitlines()))
    return {key: value for key, value in shown.items() if value is not None}
