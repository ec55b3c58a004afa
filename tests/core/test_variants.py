"""The forms of a term: what must be found, and what must not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.text.fold import fold, folded
from aggregator.text.variants import spellings


def found(term, text, language=None):
    return any(f" {form} " in fold(text).text for form in spellings(term, language))


FOUND = [
    # term, language, text
    ("Taliban", None, "the Taliban's spokesman"),
    ("relocation", None, "relocations began"),
    ("general amnesty", None, "two general amnesties"),
    ("evacuee", "en", "the evacuees"),
    ("search", "en", "house searches"),
    ("convoy", "en", "three convoys"),
    ("embargo", "en", "embargoes"),
    ("U.S.", None, "U.S. forces"),
    ("A.N.D.S.F.", None, "the ANDSF"),
    ("ANDSF", None, "the A.N.D.S.F. was"),
    ("Afghan SIV", None, "Afghan S.I.V. holders"),
    ("P-2", None, "a P2 or P-2 visa"),
    ("طالبان", None, "گروه طالبان گفت"),
    ("طالبان", None, "طالبان\u200cها"),
    ("طالبان", "fa", "طالبانها را"),  # the non-joiner was lost
    ("طالبان", "ps", "د طالبانو حکومت"),
    ("طالبان", "ps", "دطالبان"),
    ("طالبان", None, "دطالبانو حکومت"),
    ("طالبان", "ps", "اوطالبانو وویل"),
    ("طالبان", "ar", "قالت الطالبان"),
    ("طالبان", "ar", "وطالبان"),
    ("طالبان", "ar", "لطالبان"),
    ("طالب", None, "طالبان"),
    ("عمومي عفوه", "ps", "د عمومي عفوې فرمان"),
    ("عمومي عفوه", "ps", "عمومی عفوه"),
    ("ځواک", "ps", "امنیتي ځواکونه"),
    ("ځواک", "ps", "د ځواکونو"),
    ("ځواکونه", "ps", "د ځواکونو"),
    ("ملګری", "ps", "خپلو ملګرو ته"),
    ("ملا", "ps", "ملایانو"),
    ("پناهنده", "fa", "پناهندگان افغان"),
    ("ملا", "fa", "ملایان"),
    ("نظامی", "prs", "نظامیان پیشین"),
    ("قتل", "fa", "قتلهای فراقانونی"),
    ("کابل", "fa-AF", "کابلی"),
    ("جابه\u200cجایی", "fa", "جابه جایی"),
    ("جابه\u200cجایی", "fa", "جابهجایی"),
    ("عفو عمومی", "fa", "عفوعمومی"),  # و does not join: the space is not missed
    ("معلم", "ar", "المعلمون"),
    ("لاجئة", "ar", "اللاجئات"),
    ("مہاجر", "ur", "مہاجروں"),
    ("大赦", None, "大赦"),
]


@pytest.mark.parametrize(("term", "language", "text"), FOUND)
def test_a_form_in_use_is_found(term, language, text):
    assert found(term, text, language)


NOT_FOUND = [
    ("طالبان", None, "مطالب"),
    ("طالبان", None, "مطالبه"),
    ("طالب", None, "مطالب"),
    ("طالب", None, "مطالبه"),
    ("طالبان", "fa", "دطالبان"),
    ("relocation", None, "dislocation"),
    ("relocation", None, "relocationist"),
    ("SIV", None, "SIVs"),
    ("US", None, "uses"),
    ("U.S.", None, "tell us"),
    ("کان", None, "دکان"),  # "mine", "shop"
    ("princes", None, "princess"),
    ("P-2", None, "P-25"),
    ("Taliban", "fa", "Talibans"),
    ("Taliban", "zh", "Talibans"),
    ("Taliban", "fa", "Talibanها"),
    ("war", "en", "wares"),
    ("یو", "ps", "یوان"),
]


@pytest.mark.parametrize(("term", "language", "text"), NOT_FOUND)
def test_another_word_is_not_found(term, language, text):
    assert not found(term, text, language)


@pytest.mark.parametrize("term", ["", " ", "…", "\u200c", "\u064b"])
def test_a_term_of_which_nothing_is_left_has_no_forms(term):
    assert spellings(term, None) == ()


def test_the_language_decides_which_endings_apply():
    pashto, persian = set(spellings("طالبان", "ps")), set(spellings("طالبان", "fa"))
    assert pashto != persian
    assert pashto | persian < set(spellings("طالبان", None))


@given(
    st.one_of(st.text(), st.text("طالبانهېۍوادیX. \u200c"), st.text("aSIVysx. ")),
    st.sampled_from([None, "en", "fa", "ps", "ar", "ur", "prs", "xx", ""]),
)
def test_forms_are_folded_and_unique_and_begin_with_the_bare_term(term, language):
    forms = spellings(term, language)
    assert len(set(forms)) == len(forms)
    assert forms[:1] == ((folded(term),) if folded(term) else ())
    assert all(form and folded(form) == form for form in forms)
