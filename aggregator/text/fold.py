"""Spelling folded for comparing: one table, one pass, and the way back to the original.

Folding is for comparing only; readers always see the original. Documents, watched terms and search queries pass
through the same table, so that what one keyboard writes, another finds:

* case, diacritics of Latin, Greek and Cyrillic, vowel signs of Arabic and Hebrew, tatweel, and all invisible controls
  are dropped; the zero-width non-joiner parts words, as it does for a Persian reader;
* the yeh, kaf, heh and alef families of Arabic script become one letter each (Arabic, Persian, Pashto and Urdu
  keyboards are mixed in every real feed); Pashto letters that are not keyboard variants stay distinct;
* decimal digits of every script become ASCII; compatibility forms (full width, presentation forms, ligatures) become
  the letters they stand for (Unicode annex 15, NFKC);
* whatever is no letter, mark or digit becomes one space.

A word of the result is bounded by spaces, so " term " in the text is an exact whole-word match. Scripts written
without spaces (see `unspaced`) keep their letters unparted: look for a term of theirs without the spaces round it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aggregator.model import FieldName

Codes = NDArray[np.uint32]
Places = NDArray[np.int64]

FOLDING: Final = 1  # raised with every change of what folds to what: then each rule counts as a new one

_SPACE: Final = 0x20
_DELETED: Final = 0x110000  # one past Unicode: this code point leaves no trace
_LOOK: Final = 0x200000  # bit: this code point needs its neighbours, or becomes several; see _unfolded

_TATWEEL: Final = "\u0640"
_UNSETTLED: Final = "\uffff"  # in `_letters`: the whole text decides
SHORT: Final = 200  # code points: up to here, letter by letter is faster than all at once

_LETTERS: Final = {
    **dict.fromkeys("يىېۍۑێےؠ", "ی"),
    **dict.fromkeys("كڪ", "ک"),
    **dict.fromkeys("ګ", "گ"),
    **dict.fromkeys("ةەہھۃ", "ه"),
    **dict.fromkeys("ٱٲٳ", "ا"),
    **dict(zip("ðđħıłøŧ", "ddhilot", strict=True)),
    **dict(zip("æœþ", ("ae", "oe", "th"), strict=True)),
    **dict.fromkeys("ـٴʾʿ", ""),  # tatweel, high hamza, hamza and ain of transliteration
    **dict.fromkeys("\u115f\u1160\u3164\uffa0", ""),  # Korean fillers
    **dict.fromkeys("\u200cʹʻʼʽ", " "),  # the zero-width non-joiner; apostrophes that Unicode calls letters
    **dict.fromkeys("™℠⁰¹²³⁴⁵⁶⁷⁸⁹", " "),  # marks and footnotes are no part of the word before them
}

# Marks that go: what a reader of the script leaves out without changing the word. Marks of other scripts
# (Devanagari, Bengali, Thai, kana, ...) carry sounds and stay.
_LOOSE_MARKS: Final = tuple(
    range(first, last + 1)
    for first, last in (
        (0x0300, 0x036F), (0x0483, 0x0489), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670),
        (0x06D6, 0x06ED), (0x0711, 0x0711), (0x0730, 0x074A), (0x0898, 0x08FF), (0x17B4, 0x17B5), (0x180B, 0x180F),
        (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0x2DE0, 0x2DFF), (0xA66F, 0xA67D), (0xFE00, 0xFE0F),
        (0xFE20, 0xFE2F),
    )
)  # fmt: skip

# All letters, none of which folds to another: Han, Yi, Korean syllables, Tangut, more Han.
_IDEOGRAPHS: Final = (
    range(0x3400, 0x4DC0), range(0x4E00, 0xA48D), range(0xAC00, 0xD7A4), range(0x17000, 0x18D00),
    range(0x20000, 0x2F800), range(0x30000, 0x323B0),
)  # fmt: skip
_POINTS: Final = tuple(
    chain(
        range(0x000B, 0x3400), range(0x4DC0, 0x4E00), range(0xA48D, 0xAC00), range(0xD7A4, 0xD800),
        range(0xE000, 0x17000), range(0x18D00, 0x20000), range(0x2F800, 0x2FA20),
    )
)  # fmt: skip

_ASCII_WORD: Final = re.compile("[a-z0-9]+")
_DODGE: Final = re.compile(f"{_TATWEEL}[^\\w\\s]+(?={_TATWEEL})")  # طــ،ــالبان: a comma in a stretched word
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"
)


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """A folded text and where each of its code points comes from.

    `text` has one space at each end and between words, never two. `origin[i]` is the place in the original of
    `text[i]`; the space at the end has the length of the original.
    """

    text: str
    origin: Places

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The code points of the original behind `text[start:end]`, with the marks that belong to its last letter.

        The slice of a whole word folds to that word. `end` is greater than `start` and at most the length of `text`.
        """
        place = self.origin.item
        last = place(end - 1) + 1
        return place(start), max(last, place(end)) if end < len(self.origin) else last


def fold(text: str) -> Folded:
    """`text` folded, with the way back. Any string will do: lone surrogates and controls become spaces."""
    codes, places = _folded(f" {text} ")
    return Folded(_text(codes), _origin(places, 1))


class Folds(Mapping[FieldName, Folded]):
    """The texts of an item folded in one pass, which costs 10 us beside what the letters cost; each as `fold` gives it.

    All of them are one text, with a single space between, and a text is cut out of it when it is asked for: nine items of
    ten hold nothing that is watched.
    """

    def __init__(self, texts: Mapping[FieldName, str]) -> None:
        self._texts = texts
        self.codes, self._places = _folded(f" {'  '.join(texts.values())} ")
        self._text = ""
        self._bounds: dict[FieldName, tuple[int, int, int]] = {}

    @property
    def text(self) -> str:
        """All texts."""
        if not self._text:
            self._text = _text(self.codes)
        return self._text

    @property
    def bounds(self) -> dict[FieldName, tuple[int, int, int]]:
        """Of each text, where in `text` the spaces before and behind it stand, and where it begins in the padded texts."""
        if not self._bounds:
            start, begins = 0, 1
            for name, text in self._texts.items():
                begins += len(text) + 2
                end = int(self._places.searchsorted(begins - 1)) - 1
                self._bounds[name] = start, end, begins - len(text) - 2
                start = end
        return self._bounds

    def within(self, start: int, end: int) -> tuple[FieldName, int, int] | None:
        """`text[start:end]`, which begins and ends with a letter, in the text that it is of; None if it is of two."""
        for name, (first, last, _) in (self._bounds or self.bounds).items():
            if start < last:
                return (name, start - first, end - first) if end <= last else None
        return None

    def span(self, name: FieldName, start: int, end: int) -> tuple[int, int]:
        """As `Folded.span` of one text, of what `within` gives."""
        first, _, begins = (self._bounds or self.bounds)[name]
        place = self._places.item
        return place(first + start) - begins, max(place(first + end - 1) + 1, place(first + end)) - begins

    def __getitem__(self, name: FieldName) -> Folded:
        start, end, begins = self.bounds[name]
        return Folded(self.text[start : end + 1], _origin(self._places[start : end + 1], begins))

    def __iter__(self) -> Iterator[FieldName]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def _text(codes: Codes) -> str:
    return codes.tobytes().decode("utf-32-le")


def _origin(places: Places, start: int) -> Places:
    """`places` of the padded text in the original, which begins at `start`; the space put in front goes with the first letter."""
    origin = places - start
    origin[0] = 0
    return origin


def folded(text: str) -> str:
    """`text` folded, without spaces at its ends: words parted by single spaces. Folding twice changes nothing."""
    if len(text) < SHORT and _TATWEEL not in text:
        if text.isascii():
            return " ".join(_ASCII_WORD.findall(text.lower()))
        letters = text.translate(_letters())
        if _UNSETTLED not in letters:
            return " ".join(letters.split())
    return _text(_folded(f" {text} ")[0]).strip()


def unspaced(text: str) -> bool:
    """Whether `text` holds letters of a script written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese)."""
    return _UNSPACED.search(text) is not None


def _folded(padded: str) -> tuple[Codes, Places]:
    """The code points of a folded text with spaces at its ends, and the place in `padded` of each."""
    table = _table()
    codes = table.single.take(_codes(padded))
    if _TATWEEL in padded:
        for dodge in _DODGE.finditer(padded):
            codes[dodge.start() : dodge.end()] = _DELETED
    source: Places | None = None
    highest = codes.max()
    if highest >= _LOOK:
        codes, source = _unfolded(padded, codes, table)
        highest = codes.max()
    kept = _kept(codes, highest >= _DELETED)
    return codes.take(kept), kept if source is None else source.take(kept)


def _kept(codes: Codes, deletes: np.bool_ | bool) -> Places:
    """The places that stay: nothing that is deleted (if `deletes` says that something may be), and of spaces in a row the first."""
    wordly = codes != _SPACE
    keep = wordly.copy()
    keep[1:] |= wordly[:-1]
    keep[0] = True
    if deletes:
        present = codes != _DELETED
        if not (present[1:] | wordly[:-1]).all():  # deleted after a space: two spaces may meet
            left: Places = present.nonzero()[0]
            return left.take(_kept(codes.take(left), deletes=False))
        keep &= present
    kept: Places = keep.nonzero()[0]
    return kept


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


# ---------------------------------------------------------------- more than character by character


def _unfolded(text: str, codes: Codes, table: _Table) -> tuple[Codes, Places]:
    """`codes` of `text` with the places marked _LOOK settled, and the place in `text` of each code."""
    lengths = np.ones(len(codes), dtype=np.int64)
    changed = np.zeros(len(codes), dtype=np.bool_)
    parts = []
    for start, end, new in _edits(text, codes, table):
        if end - start > 1:
            lengths[start:end] = 0
        lengths[start] = len(new)
        changed[start] = True
        parts.append(new)
    source = np.arange(len(codes)).repeat(lengths)
    codes = codes.take(source)
    codes[changed.take(source)] = table.single.take(_codes("".join(parts))) & (_LOOK - 1)
    return codes, source


def _edits(text: str, codes: Codes, table: _Table) -> Iterator[tuple[int, int, str]]:
    """What to put for `text[start:end]`, in order and without overlaps."""
    done = 0
    for place in (codes >= _LOOK).nonzero()[0].tolist():
        if place < done:
            continue
        if new := table.several.get(text[place]):
            yield place, place + 1, new
            done = place + 1
            continue
        start = max(place - 1, done)
        while start > done and (text[start] in table.trailing or codes[start] == _DELETED):
            start -= 1
        start += text[start] == " "  # which joins nothing
        done = place + 1
        while done < len(text) and (text[done] in table.trailing or codes[done] == _DELETED):
            done += 1
        present = zip(text[start:done], codes[start:done].tolist(), strict=True)
        yield (
            start,
            done,
            unicodedata.normalize("NFKC", "".join(letter for letter, code in present if code != _DELETED)),
        )


# ---------------------------------------------------------------- the table


@dataclass(frozen=True, slots=True)
class _Table:
    """What each code point becomes, and where one look at it is not enough."""

    single: Codes  # by code point: a code point, _SPACE or _DELETED; with the bit _LOOK where _edits must decide
    several: dict[str, str]  # what becomes several characters: "ß" to "ss"
    trailing: frozenset[str]  # what goes with the letter before it: marks, halves of Korean syllables, what is deleted


class _Letters(dict[int, str]):
    """What each code point becomes, learned as they come: for `str.translate`."""

    def __missing__(self, point: int) -> str:
        code = int(_table().single[point])
        self[point] = _UNSETTLED if code >= _LOOK else "" if code == _DELETED else chr(code)
        return self[point]


@cache
def _letters() -> _Letters:
    return _Letters()


@cache
def _table() -> _Table:
    """The table, built on first use: importing this module costs nothing."""
    points = [code for code in _POINTS if unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")]
    results = dict(_results(points))
    several = {chr(code): result for code, result in results.items() if len(result) > 1}
    halves = _second_halves(points)
    composing = [chr(code) for code, result in results.items() if result in halves]

    single = np.full(_DELETED, _SPACE, dtype=np.uint32)
    for block in _IDEOGRAPHS:
        single[block.start : block.stop] = block
    single[0xE0000:0xE1000] = _DELETED  # tags and variation selectors
    for code, result in results.items():
        single[code] = _SPACE if len(result) > 1 else ord(result) if result else _DELETED
    for character in (*several, *composing):
        single[ord(character)] |= _LOOK
    marks = (chr(code) for code, result in results.items() if not result or unicodedata.combining(result[0]))
    return _Table(single, several, frozenset(chain(composing, marks)))


def _results(points: list[int]) -> Iterator[tuple[int, str]]:
    """Each code point with what it folds to: nothing, one character, or the several of one word."""
    listed = unicodedata.normalize("NFKD", "\n".join(map(chr, points)))  # at once: far faster than one by one
    for code, letters in zip(points, unicodedata.normalize("NFKD", listed.casefold()).split("\n"), strict=True):
        character = chr(code)
        if character in _LETTERS:
            yield code, _LETTERS[character]
            continue
        result = unicodedata.normalize("NFC", "".join(map(_base, letters)))
        parted = not result.strip() or " " in result.strip()
        yield code, " " if result and parted else result  # "½" is no word: its span would be two


def _base(letter: str) -> str:
    """What a character without decomposition and case becomes."""
    if letter in _LETTERS:
        return _LETTERS[letter]
    category = unicodedata.category(letter)
    if category == "Nd":
        return str(unicodedata.decimal(letter))
    if category[0] in "LN":
        return letter
    if category[0] == "M":
        return "" if any(ord(letter) in block for block in _LOOSE_MARKS) else letter
    return "" if category == "Cf" else " "


def _second_halves(points: Iterable[int]) -> frozenset[str]:
    """The characters that NFC joins to the one before them: halves of Korean syllables, voicing marks of kana, ..."""
    pairs = (unicodedata.decomposition(chr(code)).split() for code in points)
    halves = (chr(int(pair[1], 16)) for pair in pairs if len(pair) == 2 and pair[0][0] != "<")  # noqa: PLR2004  # a pair
    korean = map(chr, chain(range(0x1161, 0x1176), range(0x11A8, 0x11C3)))
    return frozenset(half for half in chain(halves, korean) if _base(half) == half)
