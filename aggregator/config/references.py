"""`${env:NAME}`, `${file:path}` and `${cred:name}`: secrets that stand elsewhere than in feeds.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aggregator.errors import AggregatorError

_REFERENCE: Final = re.compile(r"\$\{([^}]*)\}?")
_MAX_BYTES: Final = 1 << 16


class BadReference(AggregatorError):
    """A reference cannot be followed."""


class References:
    """Follows the references of one config file. Messages name a reference, never what it stands for."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ
        self.files: set[Path] = set()  # all that were read

    def expand(self, text: str) -> str:
        """`text` with each reference replaced by what it names.

        Raises:
            BadReference: a reference cannot be followed; says which and why.
        """
        return _REFERENCE.sub(self._follow, text)

    def _follow(self, found: re.Match[str]) -> str:
        written = found[0]
        kind, _, name = found[1].partition(":")
        if not written.endswith("}") or not name or kind not in {"env", "file", "cred"}:
            raise BadReference("a reference is ${env:NAME}, ${file:path} or ${cred:name}")
        if kind == "env":
            if not self._environ.get(name):
                raise BadReference(f"{written}: there is no environment variable {name}")
            return self._environ[name]
        return self._read(written, self._folder / name if kind == "file" else self._credential(written, name))

    def _credential(self, written: str, name: str) -> Path:
        folder = self._environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise BadReference(f"{written}: there is no CREDENTIALS_DIRECTORY, which systemd sets for LoadCredential")
        if Path(name).name != name:
            raise BadReference(f"{written}: the name of a credential is no path")
        return Path(folder) / name

    def _read(self, written: str, path: Path) -> str:
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_BYTES + 1)
        except (OSError, ValueError) as error:
            raise BadReference(f"{written}: cannot be read ({getattr(error, 'strerror', None) or 'no path'})") from None
        if len(content) > _MAX_BYTES:
            raise BadReference(f"{written}: is larger than 64 KiB, so it is no secret")
        self.files.add(path)
        try:
            return content.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise BadReference(f"{written}: is no UTF-8 text") from None
