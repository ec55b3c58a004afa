"""What a config came to, and where each value came from: the answer of `config show`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import timedelta
from functools import reduce
from typing import Any, Final, assert_never

from aggregator.config import shape
from aggregator.config.environment import variable
from aggregator.config.yaml import Document
from aggregator.config.yaml import Path as Key
from aggregator.settings import Channel, Config, ConsoleChannel, EmailChannel, Secret, WebhookChannel

_UNITS: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}
Row = tuple[str, str, str]


def describe(config: Config, environ: Mapping[str, str] = os.environ) -> list[Row]:
    """Key, value, and where it came from (a line of the file, a variable, or the default); secrets stay hidden.

    The file is read again for its lines; what changed in it since `config` was loaded shows in the places only.
    """
    document = Document(config.path.read_text(encoding="utf-8-sig"))
    rows = [("file", str(config.path), "")]
    for path in shape.setting_paths():
        value = (
            "any"
            if path[-1] == "ports" and config.settings.network.ports is None
            else reduce(getattr, path, config.settings)
        )
        name = variable(path)
        place = name if environ.get(name) else _place(config, document, ("settings", *path))
        rows.append((".".join(("settings", *path)), written(value), place))
    counts = {"feeds": config.feeds, "concepts": config.concepts, "watchlists": config.watchlists}
    rows += ((name, str(len(entries)), _place(config, document, (name,))) for name, entries in counts.items())
    for channel in config.channels:
        place = _place(config, document, ("channels", channel.name))
        rows.append((f"channels.{channel.name}", _channel(channel), place))
    return rows


def written(value: Any) -> str:
    """A setting as feeds.yaml would write it; a secret is only named as one."""
    match value:
        case None | bool() | int():
            return json.dumps(value)
        case timedelta():
            seconds = round(value.total_seconds())
            unit, size = next((unit, size) for unit, size in _UNITS.items() if seconds % size == 0)
            return f"{seconds // size}{unit}" if seconds else "0s"
        case tuple():
            return f"[{', '.join(value)}]"
        case frozenset():
            return f"[{', '.join(map(str, sorted(value)))}]"
        case float():
            return f"{value:g}"
    return "(secret)" if isinstance(value, Secret) else str(value)


def _place(config: Config, document: Document, path: Key) -> str:
    return f"{config.path.name}:{document.place(path)[0]}" if document.node(path) else "default"


def _channel(channel: Channel) -> str:
    match channel:
        case EmailChannel():
            return f"email to {', '.join(channel.to)}"
        case WebhookChannel():
            return f"webhook, {'signed' if channel.secret else 'unsigned'}{', minimal' if channel.minimal else ''}"
        case ConsoleChannel():
            return "console"
    assert_never(channel)
