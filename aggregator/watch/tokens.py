"""Rule text to tokens. Lexis and Factiva spellings become ours; what would be lost or means two things is refused.

Their distances count the step from word to word, so that neighbours are 1 apart; ours (Meltwater's) count the words
between, so that neighbours are 0 apart: `W/5` is NEAR/4.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aggregator.errors import RuleError
from aggregator.watch import advice

OPERATORS: Final = frozenset({"AND", "OR", "NOT", "EXCEPT"})
UNSEEN: Final = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])  # directions

MAX_REACH: Final = 500  # words; Factiva's bound, Lexis has 255
MAX_TIMES: Final = 1000

_TOKEN = re.compile(
    r"""(?P<bracket>[()])
    | (?P<regex>/(?:[^/\\\n]|\\.)+/[A-Za-z]*(?=[\s)]|$))
    | (?P<mark>[=~]?)(?:["“”„](?P<phrase>[^"“”„]*)["“”„] | «(?P<angled>[^»]*)»)
    | (?P<quote>[=~]?["“”„«»])
    | @(?P<concept>[^\s()"“”„«»]*)
    | (?P<segment>(?:HEADLINE|LEAD|BODY|BYLINE)(?=\())
    | (?P<code>(?:hd|lp|by|la|sn)=)
    | (?P<scope>[^\W\d]\w*):
    | (?P<word>[^\s()"“”„«»]+)""",
    re.VERBOSE,
)
_SEGMENTS: Final = {
    "HEADLINE": "title", "LEAD": "lead", "BODY": "body", "BYLINE": "author",
    "hd": "title", "lp": "lead", "by": "author", "la": "lang", "sn": "source", "tag": "tags",
}  # fmt: skip  # Lexis segments, Factiva codes, and a plural
_NEAR = re.compile(r"(?P<name>O?NEAR|W|PRE|ADJ|WITHIN)(?P<slash>/?)(?P<reach>[0-9]+|(?<=/)[SP])", re.IGNORECASE)
_ATLEAST = re.compile(r"ATLEAST/?(?P<times>[0-9]+)", re.IGNORECASE)
_ALONE: Final = {"ADJ": "ONEAR/0", "SAME": "NEAR/p"}  # Factiva's two without a number
_REFUSED = (
    (r".*[,;،؛]", "ends in a comma, which joins nothing; write AND or OR between terms, or quotes for a phrase"),
    (
        r"O?NEAR(?:/.*|\d.*)?|PRE(?:/.*)?|W/.*|WITHIN(?:/.*)?",
        "needs a distance: NEAR/5 (at most five words between), NEAR/s (same sentence), NEAR/p (same paragraph)",
    ),
    (r"ATLEAST(?:/.*)?", "needs a number: ATLEAST/3(term)"),
    (r"XOR", "is not supported; the operators are AND, OR, NOT, NEAR/n, ONEAR/n, EXCEPT and ATLEAST/n"),
    (r"HLEAD|hlp=.*", "looks in two parts; write title:term OR lead:term"),
    (r"CAPS|ALLCAPS|NOCAPS", "is not supported; =Term finds exactly this spelling. In quotes it is a word"),
    (r"wc[<>=]+\d+", "counts words, which is not supported"),
    (r".+\$\d*", "holds a wildcard that means nothing here; write ? for one letter, * for any at the end"),
    (
        r"/[^/].*",
        "begins a regular expression that does not end; write /expression/ (a slash inside is \\/), or quotes",
    ),
    (r".*[\[\]{}（）<>＜＞「」『』【】〈〉《》].*", "holds a bracket that means nothing here; brackets are ( and )"),
    (r"[&+]+", "is no operator; write AND"),
    (r"\|+", "is no operator; write OR"),
    (r"[-!–—]", "is no operator; write NOT for what must not stand there, quotes for a phrase"),
    (r"[-!]\w.*", "holds a sign that means nothing here; write NOT for what must not stand there"),
    (r"[&|+!]+", "is no operator; the operators are AND, OR and NOT"),
    (r".*![^!]*!.*", "holds more than one !; write one ! or * at the end for any ending"),
    (r"[=~]", "must stand directly before a word or a phrase: =SIV, ~relocate"),
    (r":.*", "stands alone; a scope and its term are written together: title:term"),
    (r"[-+!=~^$%].+|.+[~^]\d*|.+[=+].+", "holds a sign that means nothing here; write AND, OR, NOT, or quotes"),
)
_PLAIN = re.compile(r"\w(?:[\w\u200c'’.-]*\w)?")
_WILD = re.compile(r"\*|\?(?=\?*\w)")
_MARKED = re.compile(r"=\w|~[^\W\d]")
_UNENDING = re.compile(r"(?<=\w)!")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a rule: `start` and `end` in the visible rule, `column` in the rule as given, from 1."""

    kind: str  # ( ) AND OR NOT NEAR EXCEPT ATLEAST scope concept word phrase regex
    text: str
    start: int
    end: int
    column: int
    mark: str = ""  # of words and phrases: = or ~


def tokens(rule: str) -> Iterator[Token]:
    """The tokens of `rule`; direction marks are dropped and counted.

    Raises:
        RuleError: a quote without a partner, or a word that would be an operator elsewhere.
    """
    seen = rule if rule.isascii() else rule.translate(UNSEEN)
    columns: Sequence[int] = range(1, len(rule) + 1)
    if seen != rule:
        columns = [column for column in columns if ord(rule[column - 1]) not in UNSEEN]
    for found in _TOKEN.finditer(seen):
        kind, column = str(found.lastgroup), columns[found.start()]
        text = found[kind] if kind == "regex" else " ".join(found[kind].split())
        match kind:
            case "quote":
                raise RuleError(f"this quote {text[-1]} has no partner; close it, or leave it out", column)
            case "bracket":
                kind = text
            case "angled":
                kind = "phrase"
            case "segment" | "code" | "scope":
                kind, text = "scope", _SEGMENTS.get(text.rstrip("="), text)
            case "word":
                yield _word(text, found.span(), column)
                continue
        yield Token(kind, text, *found.span(), column, found["mark"] or "")


def _word(text: str, span: tuple[int, int], column: int) -> Token:
    """What stands without quotes: an operator, or a word.

    Raises:
        RuleError: read as a word it would find nothing, or what was not meant.
    """
    if text in OPERATORS:
        return Token(text, text, *span, column)
    if letter := advice.stranger(text):
        raise RuleError(
            f"the {letter} in {text} is of another alphabet, so hardly a text holds the word; write it anew, or in quotes if it is meant",
            column,
        )
    if text.isalpha() and not text.isupper():  # most often; what follows has signs, digits or capitals
        return Token("word", text, *span, column)
    plain = advice.plain(text)
    if plain != text and (plain in OPERATORS or _operator(plain, column)):
        raise RuleError(f"{text} is not written in the letters of {plain}; write {plain}", column)
    seen = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    if seen != text and (seen in OPERATORS or _operator(seen, column)):
        raise RuleError(f"an invisible character stands inside {seen}; write it anew", column)
    if operator := _operator(text, column):
        return Token(*operator, *span, column)
    mark, word = (text[0], text[1:]) if _MARKED.match(text) else ("", text)
    if why := refusal(word):
        raise RuleError(f"{text} {why}", column)
    if word.endswith("?") and word.strip("?"):
        raise RuleError(
            f"{text} ends in a ?; write {word.rstrip('?')} for the word, {word.rstrip('?')}* for any ending", column
        )
    return Token("word", _UNENDING.sub("*", word) if word.endswith("!") else word, *span, column, mark)


def _operator(text: str, column: int) -> tuple[str, str] | None:
    """Kind and canonical spelling of an operator with a number, of ours or of other systems.

    Raises:
        RuleError: a number that is too small or too large.
    """
    if text in _ALONE:
        return "NEAR", _ALONE[text]
    if found := _ATLEAST.fullmatch(text):
        if not 0 < int(found["times"]) <= MAX_TIMES:
            raise RuleError(f"{text} is out of bounds; write ATLEAST/1 to ATLEAST/{MAX_TIMES}", column)
        return "ATLEAST", found["times"]
    found = _NEAR.fullmatch(text)
    if found is None or not (found["slash"] or found["name"].upper() in ("NEAR", "ADJ")):
        return None
    name, reach = found["name"].upper(), found["reach"].lower()
    ours = bool(name in ("NEAR", "ONEAR") and found["slash"])
    canonical = "ONEAR" if name in ("ONEAR", "PRE", "ADJ") else "NEAR"
    if reach in "sp":
        return "NEAR", f"{canonical}/{reach}"
    words = int(reach) - (not ours)
    if not 0 <= words <= MAX_REACH:
        raise RuleError(f"{text} is out of bounds; write {canonical}/0 to {canonical}/{MAX_REACH}", column)
    return "NEAR", f"{canonical}/{words}"


def refusal(word: str) -> str | None:
    """Why a word may not stand without quotes, if so."""
    if word.isalpha() and not word.isupper():
        return None
    return next((why for pattern, why in _REFUSED if re.fullmatch(pattern, word)), None)


def wild(text: str) -> bool:
    """Whether `text` holds a `*`, or a `?` before a letter: elsewhere it is a question mark."""
    return ("*" in text or "?" in text) and _WILD.search(text) is not None


def bare(text: str) -> bool:
    """Whether `text` without quotes is surely read as the word it is."""
    if not _PLAIN.fullmatch(text) or text.upper() in OPERATORS or text in _ALONE:
        return False
    if not text.isascii() and (advice.stranger(text) or advice.plain(text).upper() in OPERATORS):
        return False
    return refusal(text) is None and not (_ATLEAST.fullmatch(text) or _NEAR.fullmatch(text))
