"""Rule text to tokens. What looks like another system's operator is refused: read as a word it would miss in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aggregator.errors import RuleError

OPERATORS = frozenset({"AND", "OR", "NOT"})
UNSEEN = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])  # direction marks
WILDCARD = "wildcards are not supported; common endings are found without one, other forms belong in a concept"

_TOKEN = re.compile(
    r"""(?P<bracket>[()])
    | ["“”„](?P<phrase>[^"“”„]*)["“”„]
    | «(?P<angled>[^»]*)»
    | (?P<quote>["“”„«»])
    | @(?P<concept>[^\s()"“”„«»]*)
    | (?P<scope>[^\W\d]\w*):
    | (?P<word>[^\s()"“”„«»]+)""",
    re.VERBOSE,
)
_REFUSED = (
    (
        r"(?i:(?:o?near|w|pre|adj|within|atleast)/(?:\d+|[sp]))|(?:O?NEAR|PRE|ADJ|ATLEAST)\d*|WITHIN|EXCEPT|XOR",
        "is not supported; the operators are AND, OR and NOT. In quotes it is a word",
    ),
    (r".*\*.*|.*\w\?\w.*", f"holds a wildcard; {WILDCARD}"),
    (r"/.+/\w*", "looks like a regular expression, which is not supported"),
    (r".*[\[\]{}（）].*", "holds a bracket that means nothing here; brackets are ( and )"),
    (r"[&|+!]+", "is no operator; the operators are AND, OR and NOT"),
    (r"[-+!=~^].+|.+[~^]\d*", "holds a sign that means nothing here; write AND, OR, NOT, or quotes"),
)
_PLAIN = re.compile(r"\w(?:[\w\u200c'’.-]*\w)?")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a rule: `start` and `end` in the visible rule, `column` in the rule as given, from 1."""

    kind: str  # ( ) AND OR NOT scope concept word phrase
    text: str
    start: int
    end: int
    column: int


def tokens(rule: str) -> Iterator[Token]:
    """The tokens of `rule`; direction marks are dropped and counted.

    Raises:
        RuleError: a quote without a partner, or a word that would be an operator elsewhere.
    """
    columns = [column for column, letter in enumerate(rule, 1) if ord(letter) not in UNSEEN]
    for found in _TOKEN.finditer(rule.translate(UNSEEN)):
        kind, column = str(found.lastgroup), columns[found.start()]
        text = " ".join(found[kind].split())
        match kind:
            case "quote":
                raise RuleError(f"this quote {text} has no partner", column)
            case "bracket":
                kind = text
            case "angled":
                kind = "phrase"
            case "word" if text in OPERATORS:
                kind = text
            case "word" if why := refusal(text):
                raise RuleError(f"{text} {why}", column)
        yield Token(kind, text, *found.span(), column)


def refusal(word: str) -> str | None:
    """Why a word may not stand without quotes, if so."""
    return next((why for pattern, why in _REFUSED if re.fullmatch(pattern, word)), None)


def bare(text: str) -> bool:
    """Whether `text` without quotes is surely read as the word it is."""
    return bool(_PLAIN.fullmatch(text)) and text.upper() not in OPERATORS and refusal(text) is None
