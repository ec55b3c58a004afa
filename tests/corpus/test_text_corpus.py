"""Real Persian and Pashto: what the forms of one term find, what they must leave alone, and that every span leads back."""

import gzip
import json
import re
from pathlib import Path

import pytest

from aggregator.text.fold import fold, folded
from aggregator.text.variants import spellings

TEXTS = Path(__file__).parents[3] / "shared" / "corpus" / "text"
pytestmark = pytest.mark.skipif(not TEXTS.is_dir(), reason="../shared/corpus is not here")


def read(name):
    with gzip.open(TEXTS / name, "rt", encoding="utf-8") as lines:
        return ["\n".join(str(value or "") for value in json.loads(line).values()) for line in lines]


@pytest.fixture(scope="module")
def pashto():
    return read("ps_news.jsonl.gz")


@pytest.fixture(scope="module")
def persian():
    return read("fa_fars_news.jsonl.gz")


def taliban(text):
    """The words of `text` that hold the stem and are not "demand" or "subjects"."""
    return {word for word in folded(text).split() if "طالب" in word and "مطالب" not in word}


def test_the_forms_of_the_taliban_find_most_pashto_texts_that_name_them(pashto):
    """The bare form stands in 23 of 100 texts; the singular is a term of its own."""
    naming = [taliban(text) for text in pashto if taliban(text)]
    plural, singular = set(spellings("طالبان", None)), set(spellings("طالب", None))
    assert len(naming) == 100
    assert sum("طالبان" in words for words in naming) == 23
    assert sum(bool(words & plural) for words in naming) >= 79
    assert sum(bool(words & (plural | singular)) for words in naming) >= 98


def test_demands_and_subjects_are_not_the_taliban(pashto, persian):
    forms = {*spellings("طالبان", None), *spellings("طالب", None)}
    others = {word for text in (*pashto, *persian) for word in folded(text).split() if "مطالب" in word}
    assert len(others) >= 5
    assert not others & forms


def test_persian_with_arabic_letters_folds_like_persian(persian):
    kabul = [text for text in persian if re.search("[کك]ابل", text)]
    assert kabul
    assert all("کابل" in folded(text) for text in kabul)
    assert not re.search("[يىكةأإآؤئۀ\u0640\u064b-\u065f\u200c\u200e\u200f]", folded("\n".join(persian)))


def test_the_slice_of_every_word_folds_to_the_word(pashto, persian):
    for text in (*pashto[::8], *persian[::8]):
        result = fold(text)
        for word in re.finditer(r"[^ ]+", result.text):
            start, end = result.span(*word.span())
            assert folded(text[start:end]) == word[0]
