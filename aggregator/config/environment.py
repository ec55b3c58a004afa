"""Where a setting may come from besides the file: environment variables, and the places a file is looked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import platformdirs
from pydantic import ValidationError

from aggregator.config import shape
from aggregator.config.problems import Problems, did_you_mean, said
from aggregator.config.yaml import Path as Key
from aggregator.errors import ConfigError

PREFIX: Final = "AGGREGATOR_"
FILE: Final = "feeds.yaml"


def variable(path: tuple[str, ...]) -> str:
    """The environment variable of a setting: AGGREGATOR_POLLING__FLOOR for ("polling", "floor")."""
    return PREFIX + "__".join(path).upper()


def find(explicit: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """The config file to use: --config, AGGREGATOR_CONFIG, ./feeds.yaml, then the user's and the system's folders.

    Raises:
        ConfigError: nothing was named, and there is no file in any of these places.
    """
    named = explicit or environ.get(f"{PREFIX}CONFIG")
    if named:
        return cwd / Path(named)
    dirs = platformdirs.PlatformDirs("aggregator", appauthor=False, multipath=True)
    places = [cwd / FILE, *(folder / FILE for folder in dirs.iter_config_paths())]
    for place in places:
        if place.is_file():
            return place
    looked = ", ".join(map(str, places))
    raise ConfigError((f"there is no {FILE} (looked for {looked}): `aggregator init` makes one",))


def overridden(
    settings: shape.Settings, environ: Mapping[str, str], problems: Problems
) -> tuple[shape.Settings, frozenset[Key]]:
    """`settings` with what the environment says put over it, and the keys that come from there.

    An empty variable says nothing. Faults and likely misspellings are reported with the name of the variable.
    """
    known = {variable(path): path for path in shape.setting_paths()}
    for name in sorted(environ.keys() - known.keys() - {f"{PREFIX}CONFIG"}):
        near = did_you_mean(name.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known])
        if name.startswith(PREFIX) and near:
            problems.warn_outside(f"{name}: unknown setting{near}")
    set_here = {path: environ[name] for name, path in known.items() if environ.get(name)}
    raw = settings.model_dump(exclude_none=True)
    for path, text in set_here.items():
        _put(raw, path, text)
    try:
        settings = shape.Settings.model_validate(raw, strict=False)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            names = [variable(path) for path in set_here if path[: len(detail["loc"])] == detail["loc"]]
            key = ".".join(("settings", *map(str, detail["loc"])))
            problems.add_outside(f"{', '.join(names)}: {key}: {said(detail, ('settings', *detail['loc']))}")
    return settings, frozenset(("settings", *path) for path in set_here)


def _put(raw: dict[str, Any], path: tuple[str, ...], text: str) -> None:
    for part in path[:-1]:
        raw = raw.setdefault(part, {})
    raw[path[-1]] = text
