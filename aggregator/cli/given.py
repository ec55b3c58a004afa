"""What commands work on: the config file, the database, and names that must exist."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from aggregator import config as configuration
from aggregator.config.problems import did_you_mean
from aggregator.errors import StoreError, UsageError
from aggregator.settings import Config
from aggregator.store import Store, dialect, is_made

T = TypeVar("T")

_ID_DIGITS = 18  # that 64 bits can always hold


def config_path(path: Path | None) -> Path:
    """The config file to use.

    Raises:
        ConfigError: There is none.
    """
    return configuration.find(path, os.environ, Path.cwd())


def config(path: Path | None) -> Config:
    """The config file, read.

    Raises:
        ConfigError: There is none, or it cannot be used.
    """
    return configuration.load(config_path(path))


@contextmanager
def store(config: Config) -> Iterator[Store]:
    """The store, for reading.

    Raises:
        StoreError: There is no database yet, or it is damaged.
    """
    path = config.settings.database
    with Store.open_to_read(path) as opened:
        try:
            yield opened
        except dialect.sqlite3.Error as error:
            raise StoreError(f"{path}: {error}; `aggregator db check` says more") from error


@contextmanager
def store_to_write(config: Config) -> Iterator[Store]:
    """The store, for a change or a copy.

    Raises:
        StoreError: There is no database yet, or it is damaged.
    """
    with store(config):
        pass  # it would have raised for a database that is not there; opening to write would make one
    with Store.open(config.settings.database) as opened:
        yield opened


def answer(config: Config, question: Callable[[Store], list[T]]) -> list[T]:
    """What the store answers; nothing while there is no database.

    Raises:
        StoreError: The database is damaged.
    """
    if not is_made(config.settings.database):
        return []
    with store(config) as opened:
        return question(opened)


def loose(*paths: Path) -> list[str]:
    """A warning for each path that others may look into: watchlists name people at risk."""
    return [
        f"{path}: others may look into it (mode {mode:04o}): chmod {'700' if path.is_dir() else '600'} {path}"
        for path in paths
        if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077
    ]


def require(kind: str, name: str, known: Iterable[str]) -> None:
    """Do nothing when `name` is known.

    Raises:
        UsageError: It is not; names the nearest one.
    """
    names = tuple(known)
    if name not in names:
        raise UsageError(f'there is no {kind} "{name}"{did_you_mean(name, names)}')


def row_id(kind: str, text: str) -> int:
    """The database's number of an opaque id.

    Raises:
        UsageError: Nothing can have this id.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS):
        raise UsageError(f'there is no {kind} "{text}": `aggregator {kind}s list` shows the ids')
    return int(text)
