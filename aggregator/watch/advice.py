"""What people write who know another system, another language or another keyboard, and what it is called here.

Only errors are made of it: nothing is ever read as what it probably means.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

# Operators of other systems and languages, in lower case.
_OPERATORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "und": "AND", "et": "AND", "plus": "AND", "و": "AND", "او": "AND", "اور": "AND", "и": "AND",
        "oder": "OR", "ou": "OR", "یا": "OR", "أو": "OR", "или": "OR", "and/or": "OR",
        "andnot": "AND NOT", "and-not": "AND NOT", "butnot": "AND NOT", "without": "AND NOT", "minus": "AND NOT",
        "unless": "AND NOT", "nicht": "AND NOT", "ohne": "AND NOT", "نه": "AND NOT",
        "near": "NEAR/5", "within": "NEAR/5", "adj": "ONEAR/0", "adjacent": "ONEAR/0", "before": "ONEAR/5", "same": "NEAR/p",
    }
)  # fmt: skip
_STEPS: Final = re.compile(r"[wn](?P<steps>[1-9][0-9]?)|/(?P<after>[1-9][0-9]?|[sp])")  # w5, n5; /5, /s, /p

_SCOPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "site": "source", "domain": "source", "host": "source", "publisher": "source", "headline": "title", "heading": "title",
        "subject": "title", "text": "body", "fulltext": "body", "full_text": "body", "intext": "body", "description": "summary",
        "abstract": "summary", "snippet": "summary", "link": "url", "inurl": "url", "address": "url", "by": "author",
        "byline": "author", "writer": "author", "language": "lang", "category": "tags", "label": "tags", "intitle": "title",
        "outlet": "feed",
    }
)  # fmt: skip

# Letters of other alphabets that look like a Latin capital: a rule copied from a page may hold them.
_ALIKE: Final = str.maketrans("АВЕКМНОРСТХѕԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTXSWABEZHIKMNOPTYX")
_FOREIGN: Final = ("CYRILLIC", "GREEK")
_SINGLE: Final = re.compile(r"(?P<open>['‘‚‹`´])(?P<inside>[^'‘‚‹`´’›]+)['‘’›`´]")


def operator(piece: str) -> str | None:
    """The operator that a word between two terms was probably meant to be."""
    if meant := _OPERATORS.get(piece.lower()):
        return meant
    if found := _STEPS.fullmatch(piece.lower()):
        reach = found["after"] or found["steps"]
        return f"NEAR/{reach if reach in 'sp' else int(reach) - 1}"
    return None


def scope(name: str) -> str | None:
    """The scope that a name from elsewhere was probably meant to be."""
    return _SCOPES.get(name.lower())


def plain(word: str) -> str:
    """`word` with full-width letters, and such as only look Latin, made Latin."""
    return unicodedata.normalize("NFKC", word).translate(_ALIKE)


def stranger(word: str) -> str | None:
    """A letter of another alphabet among Latin ones, which looks like one of them: no text would ever hold the word."""
    if word.isascii():
        return None
    alphabets = {letter: unicodedata.name(letter, "").partition(" ")[0] for letter in word if letter.isalpha()}
    if "LATIN" not in alphabets.values():
        return None
    return next((letter for letter, alphabet in alphabets.items() if alphabet in _FOREIGN and alike(letter)), None)


def alike(letter: str) -> bool:
    """Whether a Greek or Cyrillic letter looks like a Latin one."""
    return letter.upper().translate(_ALIKE) != letter.upper()


def quoted(pieces: Sequence[str]) -> str | None:
    """The words in single quotes, when that is what `pieces` are."""
    found = _SINGLE.fullmatch(" ".join(pieces))
    return found["inside"] if found else None
