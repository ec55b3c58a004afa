"""Category definition files (.adf) of the Europe Media Monitor's OSINT Suite: each alert becomes a watchlist.

The form is that of the suite's own help, page "Defining categories or alerts" (EMM OSINT Suite 2.5.2, repository.emm4u.eu):

    define alert NAME
      words threshold 30
      define patterns  general+amnesty 30, clemency 20, decree 10  end patterns
      define combination
        proximity 5
        begin or taliban, talib% end or
        begin or amnesty, pardon end or
        begin not football end not
      end combination
    end alert

`+` joins the words of a phrase, `%` stands for any letters at the end of a word, `_` for one letter. A document is caught
when the weights of its patterns reach the threshold, or by a combination: one of each `or` group, and none of `not`. The
XML of the older Alert Editor had a schema that is not public any more, so XML is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from aggregator.errors import UsageError
from aggregator.watchimport.drafts import (
    Reading,
    Unconvertible,
    bracketed,
    canonical,
    either,
    every,
    packed,
    term,
)

SIGN: Final = re.compile(r"^\s*define\s+alert\b", re.MULTILINE)

_TOKEN: Final = re.compile(r'//[^\n]*|/\*.*?\*/|"[^"\n]*"|,|[^\s,"]+', re.DOTALL)
_WEIGHTS: Final = "weights are kept as ATLEAST and AND: sums over three or more different weights are not"
_NO_THRESHOLD: Final = "an alert without `words threshold` is read as one that each of its patterns fulfils"
_NO_DISTANCE: Final = "a proximity over three or more groups is not kept: they may stand anywhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    text: str
    line: int

    @property
    def place(self) -> str:
        return f"line {self.line}"


@dataclass(slots=True, kw_only=True)
class _Combination:
    """Groups of patterns: one of each must be there, within a distance if there is one, and none of the unwanted."""

    distance: int | None
    groups: list[list[_Token]] = field(default_factory=list)
    unwanted: list[list[_Token]] = field(default_factory=list)


class _Misplaced(Exception):  # ends the alert, not the program
    """What stands there has no place in the form."""

    def __init__(self, found: _Token, wanted: str) -> None:
        super().__init__(f"{wanted} is wanted here")
        self.found = found


def read(text: str, name: str) -> Reading:  # noqa: ARG001  # every alert has a name of its own
    """A watchlist of each alert, named by its own name.

    Raises:
        UsageError: it is XML, or names no alert.
    """
    if text.lstrip().startswith("<"):
        raise UsageError(
            "this is XML: that of the EMM's Alert Editor has no public schema; give the .adf file of the OSINT Suite, or a list of the words"
        )
    reading, file = Reading(), _File(text)
    while not file.ended():
        file.alert(reading)
    if not reading.drafts and not reading.refused:
        raise UsageError("this file defines no alert: it begins with `define alert NAME`")
    return reading


class _File:
    """The tokens of a file, read from left to right."""

    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0
        self.end = _Token(text="the end of the file", line=text.count("\n") + 1)

    def ended(self) -> bool:
        return self.at >= len(self.tokens)

    def peek(self) -> _Token:
        return self.end if self.ended() else self.tokens[self.at]

    def next(self) -> _Token:
        token = self.peek()
        self.at += 1
        return token

    def opens(self, *words: str) -> bool:
        """Whether these words stand next; then they are passed."""
        found = tuple(token.text.lower() for token in self.tokens[self.at : self.at + len(words)])
        if found != words:
            return False
        self.at += len(words)
        return True

    def must(self, *words: str) -> None:
        if not self.opens(*words):
            raise _Misplaced(self.peek(), f"`{' '.join(words)}`")

    def number(self) -> int:
        token = self.next()
        if not re.fullmatch("-?[0-9]{1,9}", token.text):
            raise _Misplaced(token, "a number")
        return int(token.text)

    def alert(self, reading: Reading) -> None:
        """The next alert, or what is wrong with it; then the file goes on behind it."""
        first, refused = self.peek(), len(reading.refused)
        try:
            self.must("define", "alert")
            name = _unquoted(self.next())
            alternatives = self.alternatives(name, reading)
        except _Misplaced as fault:
            reading.refuse(fault.found.place, fault.found.text, str(fault))
            while not self.ended() and not self.opens("end", "alert"):
                self.at += 1
            return
        drafts = list(packed(name, first.place, alternatives))
        if not drafts and len(reading.refused) == refused:
            reading.refuse(first.place, name, "it looks for nothing")
        reading.drafts += drafts

    def alternatives(self, name: str, reading: Reading) -> list[str]:
        """The rules of which one must be true, up to the end of the alert."""
        found: list[str] = []
        threshold = None
        while not self.opens("end", "alert"):
            place = self.peek().place
            try:
                if self.opens("words", "threshold"):
                    threshold = self.number()
                elif self.opens("define", "patterns"):
                    found += _weighted(self.patterns(), threshold, name, reading)
                elif self.opens("define", "combination"):
                    found.append(canonical(_combined(self.combination(), reading)))
                else:
                    raise _Misplaced(self.peek(), "`define patterns`, `define combination` or `end alert`")
            except Unconvertible as why:
                reading.refuse(place, name, str(why))
        return found

    def patterns(self) -> list[tuple[_Token, int]]:
        """The patterns with their weights."""
        found = []
        while not self.opens("end", "patterns"):
            token = self.word("end patterns")
            found.append((token, self.number()))
            if not self.opens(",") and self.peek().text.lower() != "end":
                raise _Misplaced(self.peek(), "a comma or `end patterns`")
        return found

    def combination(self) -> _Combination:
        """A combination up to its end, in the words of the file."""
        found = _Combination(distance=self.number() if self.opens("proximity") else None)
        while not self.opens("end", "combination"):
            if self.opens("begin", "or"):
                found.groups.append(self.group("or"))
            elif self.opens("begin", "not"):
                found.unwanted.append(self.group("not"))
            else:
                raise _Misplaced(self.peek(), "`begin or`, `begin not` or `end combination`")
        return found

    def group(self, kind: str) -> list[_Token]:
        """The patterns of one group."""
        found = []
        while not self.opens("end", kind):
            found.append(self.word(f"end {kind}"))
            if not self.opens(",") and self.peek().text.lower() != "end":
                raise _Misplaced(self.peek(), f"a comma or `end {kind}`")
        return found

    def word(self, otherwise: str) -> _Token:
        token = self.next()
        if token is self.end or token.text == "," or token.text.lower() in ("end", "begin", "define"):
            raise _Misplaced(token, f"a word or `{otherwise}`")
        return token


def _tokens(text: str) -> Iterator[_Token]:
    line, done = 1, 0
    for found in _TOKEN.finditer(text):
        line += text.count("\n", done, found.start())
        done = found.start()
        if not found[0].startswith(("//", "/*")):
            yield _Token(text=found[0], line=line)


def _combined(said: _Combination, reading: Reading) -> str:
    """OR groups that must all be there, within a distance when one is given, and what must not be there.

    Raises:
        Unconvertible: a pattern is none, or nothing must be there.
    """
    if not said.groups:
        raise Unconvertible("nothing in it must be there")
    if not all((*said.groups, *said.unwanted)):
        raise Unconvertible("a group of it holds no word")
    wanted = [either(map(_term, group)) for group in said.groups]
    if said.distance is not None and len(wanted) == 2:  # noqa: PLR2004  # left and right
        wanted = [f"{bracketed(wanted[0])} NEAR/{said.distance} {bracketed(wanted[1])}"]
    elif said.distance is not None and len(wanted) > 1:
        reading.remarks.append(_NO_DISTANCE)
    return every([*wanted, *(f"NOT {bracketed(either(map(_term, group)))}" for group in said.unwanted)])


def _weighted(patterns: list[tuple[_Token, int]], threshold: int | None, name: str, reading: Reading) -> Iterator[str]:
    """What reaches the threshold: one pattern alone, several places of equal or more weight, or two of different weight."""
    if threshold is None:
        reading.remarks.append(_NO_THRESHOLD)
        threshold = 1
    classes: dict[int, list[str]] = {}
    for token, weight in patterns:
        if weight <= 0:
            why = f"a weight of {weight} takes away, which has no counterpart; write NOT"
            reading.refuse(token.place, f"{name}: {token.text}", why)
            continue
        try:
            classes.setdefault(min(weight, threshold), []).append(_term(token))
        except Unconvertible as fault:
            reading.refuse(token.place, f"{name}: {token.text}", str(fault))
    yield from classes.pop(threshold, ())
    if classes:
        reading.remarks.append(_WEIGHTS)
    for weight in sorted(classes, reverse=True):
        as_heavy = [one for other, terms in classes.items() if other >= weight for one in terms]
        yield canonical(f"ATLEAST/{-(-threshold // weight)}({either(as_heavy)})")
    for heavy, light in combinations(sorted(classes, reverse=True), 2):
        if heavy + light >= threshold:
            yield canonical(every((either(classes[heavy]), either(classes[light]))))


def _term(token: _Token) -> str:
    """A pattern as our language writes it."""
    words = " ".join(_unquoted(token).replace("+", " ").split())
    if "%" not in words and "_" not in words:
        return term(words)
    wild = words.replace("%", "*").replace("_", "?")
    return canonical(wild if " " not in wild else f'"{wild}"')


def _unquoted(token: _Token) -> str:
    return token.text.strip('"')
