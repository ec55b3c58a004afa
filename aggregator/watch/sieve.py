"""Which of very many terms may stand in a text, at a cost that does not depend on how many there are.

A *window* is a piece of a folded text: the first eight letters of a word, or a letter or two of a script without spaces.
The windows of a text become 64-bit numbers all at once, and one look at a table tells which of them begin something that is
watched. Windows of a number may still differ (of a letter of a word only the last octet counts): whoever asks compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
Numbers = NDArray[np.uint64]
Befores = NDArray[np.int64]
Tier = int  # n > 0: the first n letters of each word, all of a shorter one; n < 0: -n letters, from each that is ALONE

WORD: Final = 8  # letters: as many octets as a number has
PAIR: Final = 2
ALONE: Final = 0x0E00  # first code point of Thai: every script without spaces, and others, follow
FEW: Final = 2  # numbers that are looked for one by one: 1.2 us each in 3 KB, any more 5 us together
_ROOM: Final = 32  # places of the table for each number in it: one window in 32 to 64 is looked up in vain
_LEAST: Final = 17  # bits
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio (Knuth): the first bits of a product depend on all
_MASKS: Final = np.array([0, *((1 << 8 * letters) - 1 for letters in range(WORD + 1))], np.uint64)  # of n - 1 letters


class Windows(dict[Tier, tuple[Numbers, Befores]]):
    """The windows of a text by tier, made when first asked for: their numbers, and where the code point before each stands."""

    def __init__(self, codes: Codes) -> None:
        self.codes = codes  # of a folded text: it begins and ends with a space

    def __missing__(self, tier: Tier) -> tuple[Numbers, Befores]:
        if tier >= 0:
            spaces = (self.codes == 0x20).nonzero()[0]  # noqa: PLR2004  # the space
            before = spaces[:-1]
            octets = self.codes.astype(np.uint8).tobytes() + bytes(WORD)
            lanes = np.ndarray(len(self.codes), "<u8", octets, offset=1, strides=(1,))
            masks = _MASKS[: tier + 2].take(spaces[1:] - before, mode="clip")
        else:
            before = (self.codes[:-1] >= ALONE).nonzero()[0] - 1
            lanes = np.ndarray(max(len(self.codes) - 2, 0), "<u8", self.codes.data, offset=4, strides=(4,))
            masks = _MASKS[1 - 4 * tier]
        self[tier] = lanes.take(before) & masks, before
        return self[tier]

    def where(self, tier: Tier, wanted: Numbers) -> Iterator[tuple[int, int]]:
        """The windows of any of the `wanted` numbers, which are sorted, none twice: which of them, and where the code point before it stands."""
        numbers, before = self[tier]
        if len(wanted) <= FEW:
            for which, number in enumerate(wanted):
                places = (numbers == number).nonzero()[0]
                if places.size:
                    yield from ((which, at) for at in before.take(places).tolist())
            return
        places = wanted.searchsorted(numbers)
        equal = (wanted.take(places, mode="clip") == numbers).nonzero()[0]
        yield from zip(places.take(equal).tolist(), before.take(equal).tolist(), strict=True)


class Sieve:
    """Many keys, each of one owner. Never changes."""

    def __init__(self, keys: Mapping[Tier, tuple[Sequence[str], Sequence[int]]]) -> None:
        """`keys`: by tier the windows that are watched, and the owner of each."""
        self.tables: dict[Tier, tuple[NDArray[np.bool_], np.uint64]] = {}
        self._owners: dict[Tier, tuple[Numbers, NDArray[np.int32]]] = {}
        for tier, (texts, owners) in keys.items():
            numbers = numbered(texts, tier)
            bits = max(_LEAST, (_ROOM * len(texts)).bit_length())
            shift = np.uint64(64 - bits)
            table = np.zeros(1 << bits, np.bool_)
            table[numbers * _SPREAD >> shift] = True
            order = numbers.argsort(kind="stable")
            self.tables[tier] = table, shift
            self._owners[tier] = numbers[order], np.array(owners, np.int32)[order]

    def sift(self, windows: Windows) -> Iterator[tuple[Tier, Iterator[tuple[int, int]]]]:
        """By tier the windows that may be keys: their numbers, and where the code point before each stands."""
        for tier, (table, shift) in self.tables.items():
            numbers, before = windows[tier]
            kept = table.take(numbers * _SPREAD >> shift).nonzero()[0]
            yield tier, zip(numbers.take(kept).tolist(), before.take(kept).tolist(), strict=True)

    def owners(self, tier: Tier, number: int) -> list[int]:
        """The owners of the keys of that number, each once for each."""
        numbers, owners = self._owners[tier]
        wanted = np.uint64(number)
        found: list[int] = owners[numbers.searchsorted(wanted) : numbers.searchsorted(wanted, "right")].tolist()
        return found


def numbered(keys: Sequence[str], tier: Tier) -> Numbers:
    """The number of each key, as of a window with the same letters. A key has no space."""
    if tier >= 0:
        return Windows(np.frombuffer(f" {' '.join(keys)} ".encode("utf-32-le"), "<u4"))[tier][0]
    return np.array([sum(ord(letter) << 32 * n for n, letter in enumerate(key)) for key in keys], np.uint64)
