"""Google Alerts queries, one a line: words side by side are AND, OR binds tighter, - excludes, quotes are phrases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aggregator.watch.language import MAX_DEPTH
from aggregator.watchimport.drafts import (
    Draft,
    Reading,
    Unconvertible,
    bracketed,
    canonical,
    either,
    every,
    numbered,
    term,
)
from aggregator.watchimport.lists import lines

SIGN: Final = re.compile(
    r"""["“”]\S.*["“”]\s+\S|(?:^|\s)-["\w(]|\sOR\s|\s\|\s|\b(?:site|intitle|inurl|intext|allintitle):|AROUND\(\d+\)"""
)  # of which a list of keywords has none

_TOKEN: Final = re.compile(
    r"""(?P<minus>(?<!\S)-(?=["“(\w]))
    | (?P<around>AROUND\((?P<distance>\d+)\))
    | (?P<bracket>[()])
    | (?P<or>OR(?=\s)|\|)
    | (?P<and>AND(?=\s))
    | (?:(?P<operator>[a-z]+):)?(?P<mark>[+~]?)(?:["“”](?P<phrase>[^"“”]*)["“”]|(?P<word>[^\s()"“”|]+))""",
    re.VERBOSE,
)
_SCOPES: Final = {"intitle": "title", "intext": "body", "site": "source", "inurl": "url", "source": "source"}


def read(text: str, name: str) -> Reading:
    """A watchlist of each line."""
    reading, names = Reading(), numbered(name)
    for number, line in lines(text):
        try:
            rule = canonical(_Query(line).rule())
        except Unconvertible as why:
            reading.refuse(f"line {number}", line, str(why))
            continue
        reading.drafts.append(Draft(name=next(names), place=f"line {number}", rule=rule))
        if "OR" in line and "AND" in rule:
            reading.remarks.append(
                "OR binds tighter than the space between words, as Google reads it: see the brackets"
            )
    return reading


@dataclass(slots=True)
class _Piece:
    kind: str  # term, (, ), OR, AND, minus, around
    text: str


class _Query:
    """One query, read from left to right."""

    def __init__(self, line: str) -> None:
        self.pieces = [_piece(found) for found in _tokens(line)]
        self.at = 0
        self.depth = 0

    def rule(self) -> str:
        rule = self.all_of()
        if self.at < len(self.pieces):
            raise Unconvertible("a bracket was never opened")
        return rule

    def peek(self) -> str:
        return self.pieces[self.at].kind if self.at < len(self.pieces) else ""

    def all_of(self) -> str:
        parts = [self.any_of()]
        while self.peek() not in ("", ")"):
            if self.peek() == "AND":
                self.at += 1
            parts.append(self.any_of())
        return every(sorted(parts, key=lambda part: part.startswith("NOT ")))

    def any_of(self) -> str:
        parts = [self.close()]
        while self.peek() == "OR":
            self.at += 1
            parts.append(self.close())
        if len(parts) > 1 and any(part.startswith("NOT ") for part in parts):
            raise Unconvertible("an exclusion beside OR matches nearly everything")
        return either(parts)

    def close(self) -> str:
        left = self.one()
        if self.peek() != "around":
            return left
        distance = self.pieces[self.at].text
        self.at += 1
        return f"{bracketed(left)} NEAR/{distance} {bracketed(self.one())}"

    def one(self) -> str:
        kind = self.peek()
        if kind not in ("term", "(", "minus"):
            raise Unconvertible(f"something must stand {f'before {kind}' if kind else 'at the end'}")
        piece = self.pieces[self.at]
        self.at += 1
        if kind == "term":
            return piece.text
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unconvertible(f"more than {MAX_DEPTH} brackets inside each other")
        said = f"NOT {bracketed(self.one())}" if kind == "minus" else self.inside()
        self.depth -= 1
        return said

    def inside(self) -> str:
        """What stands in brackets."""
        said = self.all_of()
        if self.peek() != ")":
            raise Unconvertible("a bracket is never closed")
        self.at += 1
        return f"({said})"


def _tokens(line: str) -> Iterator[re.Match[str]]:
    """The tokens of a query, which leave nothing but space between them."""
    if len(re.findall('["“”]', line)) % 2:
        raise Unconvertible("a quote is never closed")
    end = 0
    for found in _TOKEN.finditer(line):
        if odd := line[end : found.start()].strip():
            raise Unconvertible(f"{odd} means nothing here")
        end = found.end()
        yield found
    if odd := line[end:].strip():
        raise Unconvertible(f"{odd} means nothing here")


def _piece(found: re.Match[str]) -> _Piece:
    kind = str(found.lastgroup)
    if found["minus"]:
        return _Piece("minus", "-")
    if found["around"]:
        return _Piece("around", found["distance"])
    if found["bracket"] or found["or"] or found["and"]:
        return _Piece(found["bracket"] or kind.upper(), found[0])
    said, operator = found["phrase"] or found["word"] or "", found["operator"]
    if operator and operator not in _SCOPES:
        if found["phrase"] is None and said.startswith("//"):
            raise Unconvertible(f"{found[0]} is an address; say site: and its host")
        raise Unconvertible(f"{operator}: has no counterpart")
    if found["phrase"] is None and re.fullmatch(r"\S*\d\.\.\S*", said):
        raise Unconvertible(f"{found[0]}: a range of numbers has no counterpart")
    if "*" in said:
        raise Unconvertible(f"{found[0]}: * stands for any words at Google; write two terms with NEAR/n between them")
    related = "~" * (found["mark"] == "~")  # + asked for the word itself, which is what a word is here
    return _Piece("term", f"{_SCOPES[operator]}:{term(said)}" if operator else f"{related}{term(said)}")
