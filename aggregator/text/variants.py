"""The forms in which a watched term stands in running text.

Documents are never stemmed: Snowball's Persian stemmer makes "طال" of "طالبان" and would find other words. Instead a
term is spread out once, when a watchlist is compiled, by closed lists of endings and prefixes. The lists are short
because each entry is paid for with false alarms; what they cannot know (irregular plurals, transliterations) belongs
in a concept. Why at all: in 246 Pashto texts on the Taliban the bare form stands in 28 %.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from aggregator.text.fold import folded

Pairs = tuple[tuple[str, str], ...]


def _added(endings: str) -> Pairs:
    return tuple(("", ending) for ending in endings.split())


# (was, becomes) at the end of the last word; all pairs that fit apply. Letters are as `fold` leaves them: every yeh is
# ی, every heh ه. Persian endings set off by a space or a zero-width non-joiner are words of their own after folding
# and need nothing; the glued ones stand here because crawlers lose the non-joiner.
_ENDINGS: Final[Mapping[str, Pairs]] = MappingProxyType(
    {
        "en": (
            *((letter, f"{letter}s") for letter in "abcdefghijklmnopqrtuvwyz"),  # not s: "princes", "princess"
            *(("s", "ses"), ("x", "xes"), ("z", "zes"), ("ch", "ches"), ("sh", "shes"), ("o", "oes"), ("y", "ies")),
        ),
        "fa": (
            *_added("ها های هایی هایش ی ان"),
            *(("ه", "گان"), ("ا", "ایان"), ("و", "ویان")),  # پناهندگان ملایان دانشجویان
        ),
        "ps": (
            *_added("ان انو ونه ونو و ی یان یانو ه"),
            *(("ه", "ی"), ("ه", "و"), ("ه", "گانی"), ("ه", "گانو"), ("ی", "و")),  # عفوې ځواکونو ملګرو
        ),
        "ar": (*_added("ات ون ین ه"), ("ه", "ات")),
        "ur": (*_added("وں یں ی"), ("ه", "ی"), ("ه", "وں"), ("ا", "ی"), ("ا", "وں")),
    }
)

# Written together with the first word.
_PREFIXES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "ps": ("د", "او", "اود"),  # "of", "and", "and of": دطالبانو
        "ar": ("ال", "و", "ب", "ل", "ف", "ک", "لل", "بال", "وال"),
    }
)
_ENDING_LETTERS: Final = 3  # a shorter word with an ending is another word
_PREFIX_LETTERS: Final = 4  # کان is a mine, دکان a shop

_CODES: Final = MappingProxyType({"prs": "fa", "fas": "fa", "per": "fa", "pus": "ps", "pbt": "ps", "pbu": "ps"})
_LATIN: Final = re.compile("[a-z]")
_ARABIC: Final = re.compile("[\u0620-\u06ff]")
_ACRONYM: Final = re.compile(r"[A-Z]{2,6}")
_DOTTED: Final = re.compile(r"(?:[A-Za-z]\.){2,}[A-Za-z]\.?")
_ZWNJ: Final = "\u200c"
_UNJOINED_SPACE: Final = re.compile("(?<=[ادذرزژوډړ]) ")  # after a letter that does not join, a space may go unseen


def spellings(term: str, language: str | None) -> tuple[str, ...]:
    """The folded forms to look for: the bare term first, then its inflected and glued forms, none twice.

    `language` is a code such as "ps" or "fa-AF"; None means all languages of the term's script (Latin: English; Arabic
    script: Persian, Pashto, Arabic, Urdu). Terms of one or two letters and acronyms in capitals take no endings.
    Empty when nothing of the term is left after folding.
    """
    bare = folded(term)
    if not bare:
        return ()
    if _ACRONYM.fullmatch(term.rsplit(maxsplit=1)[-1]):
        return tuple(dict.fromkeys((bare, _spelled_out(bare))))
    languages = _languages(bare.rsplit(maxsplit=1)[-1], language)
    forms = (form for base in _bases(term, bare) for code in languages for form in _inflected(base, code))
    return tuple(dict.fromkeys((bare, *_bases(term, bare), *forms)))


def _spelled_out(bare: str) -> str:
    """The last word letter by letter: what "S.I.V." folds to."""
    *before, last = bare.split(" ")
    return " ".join((*before, *last))


def _bases(term: str, bare: str) -> Iterator[str]:
    """The term itself, and as it stands where what parts its words was lost."""
    yield bare
    if _DOTTED.fullmatch(term.strip()):  # not of two letters: "U.S." would find every "us"
        yield bare.replace(" ", "")
    if _ZWNJ in term:
        yield folded(term.replace(_ZWNJ, ""))
    if _ARABIC.search(bare):
        yield _UNJOINED_SPACE.sub("", bare)


def _languages(word: str, language: str | None) -> tuple[str, ...]:
    """The languages whose endings the word takes."""
    written = ("en",) if _LATIN.search(word) else ("fa", "ps", "ar", "ur") if _ARABIC.search(word) else ()
    if language is None:
        return written
    code = re.split("[-_]", language.lower())[0]
    code = _CODES.get(code, code)
    return (code,) if code in written else ()


def _inflected(base: str, language: str) -> Iterator[str]:
    """`base` with each prefix and each ending of a language."""
    before, space, last = base.rpartition(" ")
    endings = _ENDINGS[language] if len(last) >= _ENDING_LETTERS else ()
    ended = [base, *(f"{before}{space}{last.removesuffix(was)}{new}" for was, new in endings if last.endswith(was))]
    prefixes = _PREFIXES.get(language, ()) if len(base.partition(" ")[0]) >= _PREFIX_LETTERS else ()
    return (prefix + form for prefix in ("", *prefixes) for form in ended)
