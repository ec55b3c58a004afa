"""The forms in which a watched term stands in running text.

Documents are never stemmed: Snowball's Persian stemmer makes "طال" of "طالبان" and would find other words. Instead a
term is spread out once, when a watchlist is compiled, by the closed lists of `endings.toml`, which anybody may edit.
Why at all: in 246 Pashto texts on the Taliban the bare form stands in 28 %.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from itertools import islice, product
from pathlib import Path
from typing import Any, Final

from aggregator.text.fold import FOLDING, folded
from aggregator.text.language import code

_ENDINGS: Final = Path(__file__).parent / "endings.toml"
_ENDING_LETTERS: Final = 3  # a shorter word with an ending is another word
_PREFIX_LETTERS: Final = 5  # with its prefix, and three of its own: کان is a mine, دکان a shop
_MOST_ALIASES: Final = 8  # of one term

_LATIN: Final = re.compile("[a-z]")
_ARABIC: Final = re.compile("[\u0620-\u06ff]")
_ACRONYM: Final = re.compile(r"[A-Z]{2,6}")
_DOTTED: Final = re.compile(r"(?:[A-Za-z]\.){2,}[A-Za-z]\.?")
_NUMBERED: Final = re.compile(r"[A-Za-z]+[-–][0-9]+")
_ZWNJ: Final = "\u200c"
_UNJOINING: Final = "ادذرزژوډړ"
_UNJOINED_SPACE: Final = re.compile(f"(?<=[{_UNJOINING}]) ")  # after a letter that does not join, a space may go unseen


def spellings(term: str, language: str | None) -> tuple[str, ...]:
    """The folded forms to look for: the bare term first, then its inflected and glued forms, none twice.

    `language` is a code such as "ps" or "fa-AF"; None means all languages of the term's script (Latin: English; Arabic
    script: Persian, Pashto, Arabic, Urdu). Terms of one or two letters and acronyms in capitals take no endings.
    Empty when nothing of the term is left after folding.
    """
    return _spellings(term, language, loose=False)


def related(term: str, language: str | None) -> tuple[str, ...]:
    """The forms of `spellings`, then looser ones: derived words and verb forms, possessives, more particles."""
    return _spellings(term, language, loose=True)


def edition() -> str:
    """A name of the lists and of folding: another one when another release, or another Unicode, may find other places."""
    lists = blake2b(_ENDINGS.read_bytes(), digest_size=6).hexdigest()
    return f"folding {FOLDING}, Unicode {unicodedata.unidata_version}, endings {lists}"


def _spellings(term: str, language: str | None, *, loose: bool) -> tuple[str, ...]:
    bare = folded(term)
    if not bare:
        return ()
    if _ACRONYM.fullmatch(term.rsplit(maxsplit=1)[-1]):
        return tuple(dict.fromkeys((bare, _spelled_out(bare))))
    bases = tuple(dict.fromkeys(_bases(term, bare)))
    found = list(bases)
    for name in _languages(bare.rsplit(maxsplit=1)[-1], language):
        endings = _table()[name]
        for base in bases:
            for word in _aliases(base, endings):
                if " " in word and endings.article:
                    found += _inflected(word.replace(" ", f" {endings.article}"), endings)
                found += _inflected(word, endings)
        if loose:
            for base in bases:
                found += _inflected(base, _table()[f"{name}.related"])
    return tuple(dict.fromkeys(found))


def _spelled_out(bare: str) -> str:
    """The last word letter by letter: what "S.I.V." folds to."""
    *before, last = bare.split(" ")
    return " ".join((*before, *last))


def _bases(term: str, bare: str) -> Iterator[str]:
    """The term itself, and as it stands where what parts its words was lost."""
    yield bare
    if _DOTTED.fullmatch(term.strip()) or _NUMBERED.fullmatch(term.strip()):  # not "U.S.", which would find every "us"
        yield bare.replace(" ", "")
    if _ZWNJ in term:
        yield folded(term.replace(_ZWNJ, ""))
    if " " in bare and _ARABIC.search(bare):
        yield _UNJOINED_SPACE.sub("", bare)


def _languages(word: str, language: str | None) -> tuple[str, ...]:
    """The languages whose endings the word takes."""
    written = ("en",) if _LATIN.search(word) else ("fa", "ps", "ar", "ur") if _ARABIC.search(word) else ()
    if language is None:
        return written
    known = code(language)
    return tuple(name for name in written if name == known)


def _aliases(base: str, endings: _Endings) -> Iterable[str]:
    """`base`, and with each of its words written as others write it."""
    words = base.split(" ")
    if endings.alias.keys().isdisjoint(words):  # most often
        return (base,)
    choices = [endings.alias.get(word, (word,)) for word in words]
    return (" ".join(words) for words in islice(product(*choices), _MOST_ALIASES))


def _inflected(base: str, endings: _Endings) -> list[str]:
    """`base` with each particle in front, each ending, and each particle behind."""
    before, space, last = base.rpartition(" ")
    ended = [base]
    if len(last) >= _ENDING_LETTERS:
        head = before + space
        for length in endings.lengths:
            was = last[len(last) - length :]
            ended += [head + last[: len(last) - length] + new for new in endings.replaced.get(was, ())]
    if not endings.before and not endings.behind:
        return ended
    first = len(base.partition(" ")[0])
    longer = _PREFIX_LETTERS - first if first >= _ENDING_LETTERS else _PREFIX_LETTERS
    prefixes = ("", *(prefix for prefix in endings.before if len(prefix) >= longer))
    open_ended = [form for form in ended[1:] if form.endswith("و")] if endings.behind else []
    ended += [form + particle for form in open_ended for particle in endings.behind]
    return [prefix + form for form in ended for prefix in prefixes]


# ---------------------------------------------------------------- the lists


@dataclass(frozen=True, slots=True)
class _Endings:
    """One section of `endings.toml`."""

    replaced: Mapping[str, tuple[str, ...]]  # last letters to what may stand for them
    lengths: tuple[int, ...]  # of the keys, each once
    before: tuple[str, ...]
    behind: tuple[str, ...]
    article: str  # which every word of a phrase may take
    alias: Mapping[str, tuple[str, ...]]  # a word to itself and its other spellings


@cache
def _table() -> Mapping[str, _Endings]:
    """The lists by language and by "language.related", read on first use."""
    said = tomllib.loads(_ENDINGS.read_text(encoding="utf-8"))
    return {
        name: _endings(section)
        for language, lists in said.items()
        for name, section in ((language, lists), (f"{language}.related", lists["related"]))
    }


def _endings(section: Mapping[str, Any]) -> _Endings:
    replaced: dict[str, list[str]] = {"": section.get("added", "").split()}
    for letters, endings in section.get("added_after", {}).items():
        for last in letters.split():
            replaced.setdefault(last, []).extend(last + ending for ending in endings.split())
    for last, endings in section.get("replaced", {}).items():
        replaced.setdefault(last, []).extend(ending.replace("-", "") for ending in endings.split())
    groups = [tuple(dict.fromkeys(map(folded, group.split()))) for group in section.get("alias", ())]
    return _Endings(
        replaced={last: tuple(endings) for last, endings in replaced.items()},
        lengths=tuple(sorted({*map(len, replaced)})),
        before=tuple(section.get("before", "").split()),
        behind=tuple(section.get("behind", "").split()),
        article=section.get("article", ""),
        alias={word: tuple(dict.fromkeys((word, *group))) for group in groups for word in group},
    )
