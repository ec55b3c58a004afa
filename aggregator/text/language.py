"""The language of a text: script and letters first, common words next, what the feed declares last.

Feeds declare the language of their site, not of each text, and Dari, Persian and Pashto keyboards are mixed; but a few
letters are used by one language only, and a few words make up a third of any running text.
"""

from __future__ import annotations

import re
from collections import Counter
from types import MappingProxyType
from typing import Final

ENOUGH: Final = 6000  # code points that are looked at

_CODES: Final = MappingProxyType(
    {
        "prs": "fa", "fas": "fa", "per": "fa", "pes": "fa", "pus": "ps", "pbt": "ps", "pbu": "ps", "ara": "ar",
        "arb": "ar", "urd": "ur", "eng": "en", "dari": "fa", "persian": "fa", "farsi": "fa", "pashto": "ps",
        "english": "en", "arabic": "ar", "urdu": "ur",
    }
)  # fmt: skip
_CODE: Final = re.compile(r"[a-z]{2,3}")

# A script that one language of news is written in; the others are decided below.
_SCRIPTS: Final = (
    ("ja", re.compile("[\u3041-\u30ff]")), ("ko", re.compile("[\uac00-\ud7a3]")), ("zh", re.compile("[\u4e00-\u9fff]")),
    ("he", re.compile("[\u05d0-\u05ea]")), ("el", re.compile("[\u0391-\u03c9]")), ("th", re.compile("[\u0e01-\u0e2e]")),
    ("hi", re.compile("[\u0904-\u0939]")),
)  # fmt: skip
_ARABIC: Final = re.compile("[\u0620-\u064a\u0671-\u06d3]")
_LATIN: Final = re.compile("[A-Za-z\u00c0-\u024f]")
_CYRILLIC: Final = re.compile("[\u0400-\u04ff]")

# Letters that settle it, most telling first; Persian shares پ چ ژ گ with Pashto and Urdu, so it comes after them. Arabic
# keyboards are used for all of them, so the last ى of a word tells nothing; but Arabic itself has no ی and no ک.
_LETTERS: Final = (("ps", "ښځڅږډټړڼۍېګ"), ("ur", "ہےںٹڈڑھۓ"), ("fa", "پچژگ"), ("ar", "ةإأ"))
_TELLING: Final = MappingProxyType({letter: language for language, letters in _LETTERS for letter in letters})
_NOT_ARABIC: Final = re.compile("[یک]")
_KEYBOARDS: Final = str.maketrans("يىك", "ییک")  # words are compared as a Persian keyboard writes them
_WORDS: Final = MappingProxyType(
    {
        language: frozenset(words.translate(_KEYBOARDS).split())
        for language, words in (
            ("ps", "د په کې کښې کښي چې ته سره او دی ده دې شو شوه شول وي یو خو یې وویل شوي کړي کړه له چي پر تر څخه"),
            ("fa", "از به در که این را با است برای آن می و شد شود شدند خود تا شده بر گفت ها های کرد کند یک بود وی"),
            ("ar", "من في على إلى أن هذا التي الذي عن مع هذه ما لا كان بعد قال بين"),
            ("ur", "کے کی میں سے ہے نے کا کو اور پر کہ یہ بھی ہیں تھا گیا"),
            ("en", "the of and to in a is that for on with was as by at from has said are"),
        )
    }
)
_WORD: Final = re.compile(r"\w+")


def code(name: str) -> str | None:
    """The two-letter code of a language tag or English name, where we know one; None when it is no language tag.

    Dari is written as Persian is, so "prs" and "dari" are "fa"; "fa-AF" is "fa".
    """
    base = re.split("[-_]", name.strip().lower())[0]
    known = _CODES.get(base, base)
    return known if _CODE.fullmatch(known) else None


def language(text: str, declared: str | None = None) -> str | None:
    """The language of `text`, as code: by its letters and words, else as `declared`, if the script can be its; else None."""
    text = text[:ENOUGH]
    told = code(declared) if declared else None
    arabic, latin = len(_ARABIC.findall(text)), len(_LATIN.findall(text))
    if arabic >= max(latin, 1):
        return _of_arabic_script(text, told)
    for name, script in _SCRIPTS:
        if len(script.findall(text)) * 2 > latin:  # a letter of these says as much as two
            return name if told not in ("ja", "mr", "ne") else told
    if len(_CYRILLIC.findall(text)) > latin:
        return told if told not in _WORDS else None
    if not latin:
        return told
    return _of_latin_script(text, told)


def _of_arabic_script(text: str, told: str | None) -> str | None:
    """Letters and words vote: each occurrence one voice; letters of Pashto and Urdu alone weigh more than shared ones."""
    votes: Counter[str] = Counter()
    for letter in text:
        if letter in _TELLING:
            votes[_TELLING[letter]] += 1
    for word in _WORD.findall(text.translate(_KEYBOARDS)):
        for name in ("ps", "fa", "ar", "ur"):
            votes[name] += word in _WORDS[name]
    votes["ar"] -= len(_NOT_ARABIC.findall(text))
    if votes:
        votes["ps"] *= 2
        votes["ur"] *= 2
        first, second, *_ = [*votes.most_common(), ("", 0)]
        if first[1] > second[1]:
            return first[0]
    return told if told not in ("en", "ru", "zh") else None


def _of_latin_script(text: str, told: str | None) -> str | None:
    if told is not None and told not in ("fa", "ps", "ar", "ur", "en"):
        return told
    words = [word.lower() for word in _WORD.findall(text)]
    english = sum(word in _WORDS["en"] for word in words)
    return "en" if english * 8 >= len(words) or told == "en" else None
