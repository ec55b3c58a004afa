"""feeds.yaml: bytes to a `Config`, or everything that is wrong with it, each fault with file, line, column and key.

The way through: `yaml` reads values with places, `shape` says what may stand where, `build` makes the records of
`aggregator.settings`, `environment` finds the file and lets variables override it, `references` follows `${...}`.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from aggregator.config import shape
from aggregator.config.build import Build
from aggregator.config.environment import find
from aggregator.config.problems import Problems
from aggregator.config.provenance import describe
from aggregator.config.template import starter
from aggregator.config.yaml import Document
from aggregator.errors import ConfigError
from aggregator.garbage import uncollected
from aggregator.settings import Config

__all__ = ["describe", "find", "load", "parse", "schema", "starter"]

MAX_BYTES: Final = 64 << 20  # 100,000 watchlists with long rules are 15 MB


def load(path: Path | str, environ: Mapping[str, str] = os.environ) -> Config:
    """The whole file at `path`, validated, names resolved, secrets read.

    Raises:
        ConfigError: it cannot be used; carries every problem, in the order of the file.
    """
    path = Path(path).absolute()
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError((f"{path}: cannot be read ({error.strerror})",)) from error
    return parse(content, path, environ)


def parse(content: bytes, path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """What `load` makes of a file at `path` with this content.

    Raises:
        ConfigError: it cannot be used; carries every problem, in the order of the file.
    """
    with uncollected():
        return _parse(content, path, environ)


def schema() -> dict[str, Any]:
    """The JSON Schema of feeds.yaml, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **shape.File.model_json_schema()}


def _parse(content: bytes, path: Path, environ: Mapping[str, str]) -> Config:
    document = _document(content, path.name)
    problems = Problems(path.name, document)
    raw = document.value
    if not isinstance(raw, dict | None) or (document.problems and raw is None):
        if not document.problems:
            problems.add((), "must be a block of keys: settings, feeds, concepts, watchlists, channels")
        raise ConfigError(problems.errors)
    for key in (raw or {}).keys() - shape.File.model_fields.keys():
        problems.unknown_key((key,))
    config = Build(path, raw or {}, problems, environ).config()
    if problems.errors:
        raise ConfigError(problems.errors)
    return replace(config, warnings=problems.warnings)


def _document(content: bytes, name: str) -> Document:
    if len(content) > MAX_BYTES:
        raise ConfigError((f"{name}: is larger than {MAX_BYTES >> 20} MiB",))
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return Document(content.decode())
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1
        raise ConfigError((f"{name}:{line}:{column}: is no UTF-8 text",)) from error
