"""Regular expressions of users, by RE2: linear in the text whatever is written, so none can stop the others for long."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import re2  # type: ignore[import-untyped]  # it ships no types

from aggregator.watch.tree import Pattern

MAX_PROGRAM: Final = 10_000  # instructions; /\pL{3,12}ban/ has 500
_LARGE: Final = "is too large; write it with fewer repetitions"
_MEMORY: Final = 2 << 20  # octets that one expression may fill with states; beyond, RE2 is slower


def fault(pattern: Pattern) -> str | None:
    """Why `pattern` cannot be used, if so."""
    try:
        program = compiled(pattern)
    except re2.error as error:
        why = error.args[0]
        why = why.decode(errors="replace") if isinstance(why, bytes) else str(why)
        if "too large" in why:
            return _LARGE
        return f"is no regular expression that can be used: {why} (RE2 has no look-around and no back-references)"
    if program.programsize > MAX_PROGRAM:
        return _LARGE
    if program.fullmatch(b"") is not None:
        return "can also match nothing at all; write what must be there"
    return None


@cache
def compiled(pattern: Pattern) -> Any:
    """The program of `pattern`, for UTF-8.

    Raises:
        re2.error: it is no expression of RE2.
    """
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.case_sensitive = not pattern.any_case
    return re2.compile(pattern.text, options)


def steps(pattern: Pattern, octets: int) -> int:
    """The most that looking for `pattern` in so many octets can cost, in states passed; measured 1 to 20 ns each."""
    return octets * int(compiled(pattern).programsize)


def places(pattern: Pattern, text: bytes) -> Iterator[tuple[int, int]]:
    """Where `pattern` matches in UTF-8 `text`, in octets; matches of nothing are none."""
    for found in compiled(pattern).finditer(text):
        start, end = found.span()
        if end > start:
            yield start, end
