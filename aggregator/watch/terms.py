"""The leaves of a rule: a token, a keyword or a spelling of a concept to what it looks for, or why it cannot be looked for."""

from __future__ import annotations

import re
from typing import Final

from aggregator.errors import RuleError
from aggregator.text.fold import folded, unspaced
from aggregator.text.language import code
from aggregator.watch import regex
from aggregator.watch.tokens import UNSEEN, Token, wild
from aggregator.watch.tree import Fact, Mark, Pattern, Words, quoted

LEAST_LETTERS: Final = 3  # of a word with wildcards; Lexis asks for as many before its *
_WILDCARD: Final = "wildcards work in rules and concepts; common endings are found without one"


def literal(text: str) -> Words:
    """A keyword as a leaf: its words in sequence, whatever else they may look like.

    Raises:
        RuleError: nothing of it can stand in a text, or it holds a `*`.
    """
    if "*" in text:
        raise RuleError(f"{text}: {_WILDCARD}", 1)
    return Words(text=findable(_plain(text), 1))


def entry(text: str) -> Words:
    """A spelling of a concept as a leaf: its words in sequence, with `=` and `~` in front and wildcards as in rules.

    Raises:
        RuleError: nothing of it can stand in a text, or a wildcard where none may stand.
    """
    text = _plain(text)
    mark = text[:1] if text[:1] in ("=", "~") else ""
    return words(text[len(mark) :].strip(), mark, None, 1)


def _plain(text: str) -> str:
    return " ".join(text.translate(UNSEEN).split())


def words(text: str, mark: str, scope: str | None, column: int) -> Words:
    """A word or phrase as a leaf.

    Raises:
        RuleError: it can stand nowhere, or a wildcard is where none may be.
    """
    marks: dict[str, Mark] = {"": "", "=": "=", "~": "~"}
    if not wild(text):
        return Words(text=findable(text, column), scope=scope, mark=marks[mark])
    if mark:
        meaning = "exact spelling" if mark == "=" else "related forms"
        raise RuleError(f"{mark} asks for {meaning} and {text} holds a wildcard; write one of them", column)
    for word in text.split():
        if why := _bad_wildcard(word):
            raise RuleError(f"{word} {why}", column)
    return Words(text=text, scope=scope)


def _bad_wildcard(word: str) -> str | None:
    """Why the wildcards of `word` can not be looked for, if so."""
    if not wild(word):
        return None
    letters = folded(re.sub(r"[*?]", "", word)).replace(" ", "")
    if word[0] in "*?":
        return "begins with a wildcard, which would match nearly everything; write the first letters"
    if "*" in word.rstrip("*"):
        return "holds a * that is not its end; a wildcard * stands at the end of a word"
    if unspaced(word):
        return "is of a script without spaces, where every term is found inside longer ones; write it without wildcard"
    if len(letters) < LEAST_LETTERS:
        return f"needs {LEAST_LETTERS} letters beside its wildcard"
    return None


def findable(text: str, column: int) -> str:
    """`text`, when it can stand somewhere."""
    if not folded(text):
        raise RuleError(f"{quoted(text)} holds no letter or digit, so it can stand nowhere; leave it out", column)
    return text


def pattern(token: Token, scope: str | None) -> Pattern:
    """A regular expression as a leaf.

    Raises:
        RuleError: it is none that can be used.
    """
    text, _, flags = token.text[1:].rpartition("/")
    if flags not in ("", "i"):
        raise RuleError(f"/{text}/{flags}: the only flag is i (any case); write /{text}/i", token.column)
    pattern = Pattern(text=text, scope=scope, any_case=flags == "i")
    if why := regex.fault(pattern):
        raise RuleError(f"{pattern} {why}", token.column)
    return pattern


def fact(token: Token, scope: str) -> Fact:
    """What must be known of an item, as a leaf.

    Raises:
        RuleError: it is no word or phrase, or no language.
    """
    if token.kind not in ("word", "phrase") or token.mark or (token.kind == "word" and wild(token.text)):
        raise RuleError(f'{scope}: takes a word or a phrase; write {scope}:"…"', token.column)
    text = token.text
    if scope == "lang":
        known = code(text)
        if known is None:
            raise RuleError(
                f"lang:{text} is no language code; write a code such as lang:en, lang:fa, lang:ps", token.column
            )
        text = known
    return Fact(scope=scope, text=findable(text, token.column), column=token.column)
