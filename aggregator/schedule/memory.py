"""A history as one line of JSON, and back."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from typing import Any

from aggregator.model import History


def to_json(history: History) -> str:
    """`history` as one line of JSON."""
    plain = {field.name: _plain(getattr(history, field.name)) for field in fields(History)}
    return json.dumps({name: value for name, value in plain.items() if value not in _EMPTY}, separators=(",", ":"))


def from_json(text: str) -> History:
    """The history that `to_json` wrote, by this or an older version: unknown keys are dropped, missing ones empty."""
    stored: dict[str, Any] = json.loads(text or "{}")
    known: dict[str, Any] = {}
    for name in (field.name for field in fields(History) if stored.get(field.name) is not None):
        value = stored[name]
        known[name] = tuple(value) if isinstance(value, list) else value
    if "last_poll" in known:
        known["last_poll"] = datetime.fromisoformat(known["last_poll"])
    return History(**known)


_EMPTY: tuple[object, ...] = (None, [], 0)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [round(number, 3) for number in value]
    return value
