"""Texts of the file to values that are used: references followed, addresses checked, secrets kept out of sight."""

from __future__ import annotations

import base64
import binascii
import re
import stat
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aggregator.config.problems import Problems
from aggregator.config.references import BadReference, References
from aggregator.config.yaml import Path as Key
from aggregator.settings import Secret
from aggregator.text import urls

_ADDRESS: Final = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{20,}")
_KEY_BYTES: Final = range(24, 65)  # Standard Webhooks, "Symmetric"


class Values:
    """For one file. Faults and literal secrets go to `problems`; no message ever shows a value."""

    def __init__(self, problems: Problems, references: References) -> None:
        self._problems = problems
        self._references = references
        self._literals = False
        self.outside: frozenset[Key] = frozenset()  # keys whose text does not stand in the file

    def expanded(self, key: Key, text: str) -> str | None:
        """`text` with its references followed; None when one cannot be."""
        try:
            return self._references.expand(text)
        except BadReference as error:
            self._problems.add(key, str(error))
            return None

    def secret(self, key: Key, text: str | None) -> Secret | None:
        """What `text` says, hidden; better not written in the file itself."""
        if text is None:
            return None
        self.note_literal(key, text)
        value = self.expanded(key, text)
        return None if value is None else Secret(value)

    def address(self, key: Key, text: str | None) -> str | None:
        """The web address that `text` stands for; it may be a secret whole."""
        url = self.expanded(key, text) if text else None
        if text is None or url is None:
            return None
        address = urls.clean(url)
        if address is None:
            self._problems.add(key, "must be an http or https address")
        elif _lets_in(address):
            self.note_literal(key, text)
        return address

    def mailbox(self, key: Key, address: str) -> bool:
        """Whether mail may go to or come from `address`."""
        right = _ADDRESS.fullmatch(address) is not None
        if not right:
            self._problems.add(key, "must be a mail address, such as desk@example.org")
        return right

    def signing_key(self, key: Key, text: str) -> None:
        """Note it when `text` cannot sign a webhook."""
        try:
            size = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
        except (binascii.Error, ValueError):
            size = 0
        if size not in _KEY_BYTES or not text.startswith("whsec_"):
            self._problems.add(key, "must be whsec_ and then base64 of 24 to 64 bytes")

    def note_literal(self, key: Key, text: str) -> None:
        """Note it when a secret stands in the file itself."""
        if "${" not in text and key not in self.outside:
            self._literals = True
            self._problems.warn(
                key, "a secret stands in the file itself; better ${env:NAME}, ${file:path} or ${cred:name}"
            )

    def warn_of_loose_files(self, config: Path) -> None:
        """Note each file with secrets that others may read."""
        for path in (*((config,) if self._literals and config.exists() else ()), *self._references.files):
            if (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
                self._problems.warn_outside(
                    f"{path}: others may read the secret in it (mode {mode:04o}): chmod 600 {path}"
                )


def _lets_in(url: str) -> bool:
    """Whether an address lets in whoever knows it: a login, or a long token in path or query, as chat webhooks have."""
    parts = urlsplit(url)
    return parts.password is not None or bool(_TOKEN.search(f"{parts.path}?{parts.query}"))
