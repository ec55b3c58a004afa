"""Watchlists of other systems, written into feeds.yaml: comments and layout stay, and nothing is dropped in silence.

Each form has a reader that makes drafts of watchlists and says of every piece that it cannot convert where it stands and
why (`lists` flat keywords, `google` alert queries, `miniflux` rules, `emm` category definition files). `file` writes the drafts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from aggregator.errors import UsageError
from aggregator.settings import Watchlist
from aggregator.watchimport import emm, file, google, lists, miniflux
from aggregator.watchimport.drafts import Draft, Reading, Refusal

__all__ = ["FORMS", "Draft", "Imported", "Refusal", "form_of", "import_watchlists"]

MAX_BYTES: Final = 16 << 20

FORMS: Final[Mapping[str, Callable[[str, str], Reading]]] = MappingProxyType(
    {"keywords": lists.read, "google": google.read, "miniflux": miniflux.read, "emm": emm.read}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a file came to: every piece of it is in one of these, or a comment."""

    form: str
    added: tuple[Watchlist, ...]
    refused: tuple[Refusal, ...]
    remarks: tuple[str, ...]  # what was converted, but does not mean quite the same


def import_watchlists(path: Path, data: bytes, name: str, form: str | None = None) -> Imported:
    """The watchlists of `data`, written into the feeds.yaml at `path`; `name` is what they are called, name-2, ...

    Raises:
        UsageError: it is no text, or not of this form, or only a person can edit the file.
        ConfigError: the file cannot be used as it is.
    """
    text = _text(data)
    chosen = form or form_of(text)
    reading = FORMS[chosen](text, name)
    added, unusable = file.append(path, reading.drafts)
    return Imported(
        form=chosen, added=added, refused=(*reading.refused, *unusable), remarks=tuple(dict.fromkeys(reading.remarks))
    )


def form_of(text: str) -> str:
    """Which form a text has, by what only this form holds."""
    if text.lstrip().startswith("<") or emm.SIGN.search(text):
        return "emm"
    lines = tuple(lists.lines(text))
    for form, sign in (("miniflux", miniflux.SIGN), ("google", google.SIGN)):
        if any(sign.search(line) for _, line in lines):
            return form
    return "keywords"


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise UsageError(f"the list is larger than {MAX_BYTES >> 20} MiB")
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise UsageError(f"the list is no {encoding.upper().removesuffix('-SIG')} text") from error
    raise AssertionError("the empty mark fits everything")
