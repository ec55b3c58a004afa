"""Miniflux keep rules: regular expressions, one a line, each perhaps with its field (`EntryTitle=(?i)taliban|amnesty`).

An expression that only lists words becomes these words, in any spelling and with their endings, which is more than the
expression found; every other one stays an expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aggregator.watchimport.drafts import Reading, Unconvertible, canonical, either, packed, term
from aggregator.watchimport.lists import lines

SIGN: Final = re.compile(r"^Entry\w+\s*=|^\(\?[a-z]+\)|\\[bsdw]|\.[*+]|\w\|\w|\(\?:")

_FIELD: Final = re.compile(r"(?P<field>Entry\w+)\s*=\s*(?P<regex>.*)")
_SCOPES: Final = {
    "EntryTitle": ("title",), "EntryContent": ("summary", "body"), "EntryTag": ("tags",), "EntryAuthor": ("author",),
    "EntryURL": ("url",),
}  # fmt: skip
_FLAGS: Final = re.compile(r"\(\?(?P<flags>[a-z]+)\)")
_ESCAPED: Final = re.compile(r"\\([^A-Za-z0-9])")
_META: Final = re.compile(r"[\\.*+?()\[\]{}^$|]")
_WORDS_ONLY = "an expression that lists words finds these words in any spelling, and as whole words"


def read(text: str, name: str) -> Reading:
    """One watchlist of all lines: an entry was kept when any of them fitted."""
    reading = Reading()
    alternatives: list[str] = []
    for number, line in lines(text):
        try:
            alternatives.append(canonical(_rule(line, reading)))
        except Unconvertible as why:
            reading.refuse(f"line {number}", line, str(why))
    reading.drafts += packed(name, "the list", alternatives)
    return reading


def _rule(line: str, reading: Reading) -> str:
    found = _FIELD.fullmatch(line)
    scopes: tuple[str, ...] = ("",)
    if found:
        if found["field"] not in _SCOPES:
            raise Unconvertible(f"{found['field']} has no counterpart")
        scopes = _SCOPES[found["field"]]
    regex = found["regex"] if found else line
    words = _words(regex)
    if words:
        reading.remarks.append(_WORDS_ONLY)
    said = either(map(term, words)) if words else _pattern(regex)
    return (
        either(f"{scope}:({said})" if len(words) > 1 else f"{scope}:{said}" for scope in scopes) if scopes[0] else said
    )


def _pattern(regex: str) -> str:
    flags = _FLAGS.match(regex)
    body = regex[flags.end() :] if flags else regex
    escaped = re.sub(r"(?<!\\)/", r"\\/", body)
    return f"/{escaped}/{'i' if flags and 'i' in flags['flags'] else ''}"


def _words(regex: str) -> list[str]:
    """The words and phrases that an expression lists; empty when it says more than that."""
    body = _FLAGS.sub("", regex, count=1).strip()
    body = body.removeprefix("^").removeprefix(".*").removesuffix("$").removesuffix(".*")
    words: list[str] = []
    for alternative in _alternatives(body):
        word = _literal(alternative)
        if word is None:
            return []
        words.append(word)
    return words


def _alternatives(body: str) -> Iterator[str]:
    """The branches of an expression, its outer brackets opened."""
    while (inner := re.fullmatch(r"(?:\\b)?\((?:\?:|\?i:)?(?P<inside>[^()]*)\)(?:\\b)?", body)) is not None:
        body = inner["inside"]
    yield from body.split("|")


def _literal(alternative: str) -> str | None:
    """What a branch finds, when that is one text."""
    text = alternative.removeprefix(r"\b").removesuffix(r"\b").replace(r"\s+", " ").replace(r"\s", " ")
    plain = _ESCAPED.sub("", text)
    if _META.search(plain):
        return None
    word = _ESCAPED.sub(r"\1", text).strip()
    return word or None
