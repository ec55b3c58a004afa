"""Rules as analysts mistype them: each gets one line with a column and what to write instead, never a silent reading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import RuleError
from aggregator.watch import language

CONCEPTS = {"taliban", "amnesty"}
FIX = re.compile(
    r"write|did you mean|leave it out|leave them out|define it|close it|brackets are|needs |must |stands at|there are|one scope|only flag|RE2 has|operators are|written together"
)
UNWRITTEN = re.compile(r"\\u([0-9a-f]{4})")


def rows():
    for line in Path(__file__).with_name("wrong_rules.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("# ") and line != "#":
            parts = (UNWRITTEN.sub(lambda found: chr(int(found[1], 16)), part) for part in line.split(" | "))
            yield tuple(part.replace("¦", "|") for part in parts)


ROWS = list(rows())


def read(rule):
    """The tree, or the error."""
    try:
        return language.parse(rule, CONCEPTS), None
    except RuleError as error:
        return None, error


REFUSED = [(rule, int(column), message) for rule, column, message in ROWS if column != "="]


def test_the_table_is_large_and_no_rule_stands_twice():
    assert len(REFUSED) >= 250
    assert len({rule for rule, *_ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("rule", "column", "message"), REFUSED, ids=range(len(REFUSED)))
def test_a_wrong_rule_is_refused_with_its_place_and_a_fix(rule, column, message):
    with pytest.raises(RuleError) as caught:
        language.parse(rule, CONCEPTS)
    assert (caught.value.column, str(caught.value)) == (column, message)
    assert 1 <= column <= len(rule) + 1
    assert "\n" not in message
    assert len(message) <= 240
    assert FIX.search(message)


@pytest.mark.parametrize(("rule", "canonical"), [(rule, said) for rule, column, said in ROWS if column == "="])
def test_what_only_looks_wrong_is_read(rule, canonical):
    assert str(language.parse(rule, CONCEPTS)) == canonical


PIECES = st.sampled_from(
    ["Taliban", "طالبان", "AND", "OR", "NOT", "and", "NEAR/5", "near", "W/5", "EXCEPT", "ATLEAST/2", "(", ")", "[", '"', "“", "«", "»", "'", ",",
     "،", ";", "*", "?", "=", "~", "@", "@taliban", "title:", "site:", "url:", "/", "/x/", "-", "!", "|", "&", "😀", "\u200f", "\u200b", "\u202e", "А",
     "ＡＮＤ", "۵", "\n", " ", " ", " ", "$1", "#", ":", "."]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_whatever_is_typed_is_read_or_refused_in_one_line(rule):
    tree, fault = read(rule)
    if fault:
        assert 1 <= fault.column <= len(rule) + 1
        assert "\n" not in str(fault)
    else:
        assert read(str(tree)) == (tree, None)
