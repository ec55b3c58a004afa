"""What is wrong with a file, in the words and at the place that help its writer."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

from pydantic_core import ErrorDetails

from aggregator.config import shape
from aggregator.config.yaml import Document, Path, Place
from aggregator.text import escape

_TEXTS = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list, such as [one, two]",
    "dict_type": "must be a block of keys",
    "model_type": "must be a block of keys",
    "too_short": "must not be empty",
    "too_long": "is too long a list",
}
_LIMITS = {
    "greater_than": ("gt", "must be more than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than_equal": ("le", "must be at most"),
    "string_too_long": ("max_length", "is too long: the most letters are"),
}


class Problems:
    """Collects errors and warnings, each with its place, and writes them in the order of the file."""

    def __init__(self, name: str, document: Document) -> None:
        self.document = document
        self._name = name
        self._errors: list[tuple[Place, str]] = []
        self._warnings: list[tuple[Place, str]] = []
        self._errors_outside: list[str] = []
        self._warnings_outside: list[str] = []
        for place, path, text in document.problems:
            self._errors.append((place, self._line(place, path, text)))

    @property
    def errors(self) -> tuple[str, ...]:
        """All errors, sorted by place; those of the environment first."""
        return (*self._errors_outside, *_in_order(self._errors))

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings, in the same order."""
        return (*self._warnings_outside, *_in_order(self._warnings))

    def add(self, path: Path, text: str) -> None:
        """The value at `path` is wrong."""
        self.add_at(self.document.place(path), path, text)

    def add_at(self, place: Place, path: Path, text: str) -> None:
        """Something at `place`, which belongs to `path`, is wrong."""
        self._errors.append((place, self._line(place, path, text)))

    def add_outside(self, text: str) -> None:
        """Something outside the file is wrong."""
        self._errors_outside.append(escape.log(text))

    def unknown_key(self, path: Path) -> None:
        """The key that ends `path` means nothing."""
        hint = did_you_mean(str(path[-1]), _known_keys(path))
        self.add_at(self.document.key_place(path), path, f"unknown key{hint}")

    def warn(self, path: Path, text: str) -> None:
        """The value at `path` is usable, but worth a look."""
        place = self.document.place(path)
        self._warnings.append((place, self._line(place, path, text)))

    def warn_outside(self, text: str) -> None:
        """Something outside the file is worth a look."""
        self._warnings_outside.append(escape.log(text))

    def add_details(self, details: Iterable[ErrorDetails], root: Path) -> None:
        """What pydantic found wrong with the value at `root`."""
        for detail in details:
            loc = (*root, *detail["loc"])
            path = _path(loc, detail["type"])
            is_key = detail["type"] == "extra_forbidden" or loc[-1] == "[key]"
            place = self.document.key_place(path) if is_key else self.document.place(path)
            self.add_at(place, path, said(detail, loc))

    def _line(self, place: Place, path: Path, text: str) -> str:
        key = f"{'.'.join(map(str, path))}: " if path else ""
        return escape.log(f"{self._name}:{place[0]}:{place[1]}: {key}{text}")


def _in_order(found: Iterable[tuple[Place, str]]) -> tuple[str, ...]:
    return tuple(line for _, line in sorted(found))


def said(detail: ErrorDetails, loc: Path) -> str:
    """One fault in our words; never shows the value, which may be a secret."""
    kind, context = detail["type"], detail.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return f"unknown key{did_you_mean(str(loc[-1]), _known_keys(loc))}"
        case "missing" | "union_tag_not_found":
            return "is missing"
        case "string_pattern_mismatch":
            words = shape.PATTERNS[context["pattern"]]
            return f"{words}{did_you_mean(detail['input'], shape.CONCEPT_SETTINGS)}" if "except" in words else words
        case "string_type":
            return _not_text(detail["input"])
        case "literal_error" | "union_tag_invalid":
            return _not_one_of(context.get("expected") or context["expected_tags"], context.get("tag", detail["input"]))
    limit, words = _LIMITS.get(kind, ("", ""))
    return f"{words} {context[limit]:g}" if limit else _TEXTS.get(kind, detail["msg"])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint in brackets when `word` is nearly one of `known`, else nothing."""
    names = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), names, n=1)
    return f' (did you mean "{names[near[0]]}"?)' if near else ""


def _not_text(value: Any) -> str:
    if value is None:
        return "must be text, and not empty"
    return "must be text" if isinstance(value, list | dict) else "must be text: put it in quotes"


def _not_one_of(expected: str, value: Any) -> str:
    *others, last = re.findall(r"'(\w+)'", expected)
    return f"must be {', '.join(others)} or {last}{did_you_mean(str(value), (*others, last))}"


def _known_keys(loc: Path) -> Iterable[str]:
    """The keys of the block that the last part of `loc` stands in."""
    around = [part for part in loc[:-1] if isinstance(part, str)]
    return shape.BLOCKS[around[-1] if around else ""].model_fields


def _path(loc: Path, kind: str) -> Path:
    """The path in the file for a place of pydantic's, which marks keys, and names the kind of a channel."""
    path = tuple(part for part in loc if part != "[key]")
    if path[0] != "channels":
        return path
    return (*path, "type") if kind.startswith("union_tag") else path[:2] + path[3:]
