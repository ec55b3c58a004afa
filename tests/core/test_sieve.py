"""Windows of a text as numbers: which of many keys may stand in it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.text.fold import Folds
from aggregator.watch.sieve import ALONE, FEW, PAIR, WORD, Sieve, Windows, numbered

texts = st.text(st.sampled_from("aab bc  déœطالبان ک塔利班ตาß"), max_size=60)


def windows(text):
    folds = Folds({"title": text})
    return folds.text, Windows(folds.codes)


def cut(folded, tier):
    """The windows of a folded text, and where the code point before each stands, one by one."""
    if tier < 0:
        lone = [at for at, letter in enumerate(folded) if ord(letter) >= ALONE]
        return [(folded[at : at - tier], at - 1) for at in lone]
    places = [at for at, letter in enumerate(folded[:-1]) if letter == " "]
    return [(folded[at + 1 :].split(" ")[0][:tier], at) for at in places]


@given(texts, st.sampled_from((WORD, 5, 3, 1, 0, -1, -PAIR)))
def test_a_window_has_the_number_of_its_letters(text, tier):
    folded, found = windows(text)
    expected = cut(folded, tier)
    numbers, before = found[tier]
    assert before.tolist() == [at for _, at in expected]
    assert numbers.tolist() == [int(numbered([key], tier)[0]) for key, _ in expected]


def test_a_number_is_the_octets_of_eight_letters_and_no_more():
    numbers, _ = windows("abcdefgh abcdefghi abc")[1][WORD]
    assert [number.tobytes().rstrip(b"\0") for number in numbers] == [b"abcdefgh", b"abcdefgh", b"abc"]


@given(texts, st.sets(st.text("abcdط塔", min_size=1, max_size=3), min_size=1, max_size=2 * FEW + 1))
def test_what_is_asked_for_is_found_where_it_stands(text, keys):
    folded, found = windows(text)
    wanted = np.unique(numbered(sorted(keys), WORD))
    standing = {(int(wanted[which]), at) for which, at in found.where(WORD, wanted)}
    assert standing == {(int(numbered([key], WORD)[0]), at) for key, at in cut(folded, WORD) if key in keys}


@given(texts, st.lists(st.text("abcdطال", min_size=1, max_size=4), min_size=1, max_size=9))
def test_the_sieve_keeps_every_key_and_knows_its_owners(text, keys):
    folded, found = windows(text)
    sieve = Sieve({WORD: (keys, range(len(keys)))})
    ((tier, kept),) = sieve.sift(found)
    kept = set(kept)
    for key, at in cut(folded, WORD):
        number = int(numbered([key], WORD)[0])
        if key in keys:
            assert (number, at) in kept
            assert [keys[owner] for owner in sieve.owners(tier, number)] == [key] * keys.count(key)


@pytest.mark.parametrize("words", [["a" * 8], ["\u00ff" * 8, "aÿ"], ["塔", "塔利"]])
def test_a_full_number_is_no_special_case(words):
    sieve = Sieve({WORD: (words, range(len(words)))})
    assert [sieve.owners(WORD, int(numbered([word], WORD)[0])) for word in words] == [[n] for n in range(len(words))]
