"""YAML text to plain values with places."""

import json
import resource
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config.yaml import MAX_ALIASED, Document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("OFF", "OFF"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ('"true"', "true"),
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("15", 15),
        ("-3", -3),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        (".", "."),
        ("-x", "-x"),
        ("12:30", "12:30"),
        ("2021-08-15", "2021-08-15"),
        ("9" * 5000, "9" * 5000),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text, value):
    document = Document(f"key: {text}\n")
    assert document.value == {"key": value}
    assert type(document.value["key"]) is type(value)
    assert not document.problems


# Not the line breaks of YAML 1.1 (they fold inside quotes), nor what no YAML text may hold.
_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufffe\uffff"), max_size=20
)
_DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(_TEXT, _DATA, max_size=5))
def test_whatever_was_written_is_read(value):
    assert Document(json.dumps(value, ensure_ascii=False)).value == value


@given(_TEXT.filter(str.strip), st.sampled_from(["'", '"', "json", "plain"]), st.data())
def test_a_column_inside_a_text_leads_to_its_place_in_the_file(text, style, data):
    column = data.draw(st.integers(1, len(text)))
    marked = text[: column - 1] + "§" + text[column:]  # a letter that is written as itself in every style
    written = {
        "'": "'" + marked.replace("'", "''") + "'",
        '"': '"' + marked.replace("\\", "\\\\").replace('"', '\\"') + '"',
        "json": json.dumps(marked).replace(json.dumps("§")[1:-1], "§"),
        "plain": f"a{column:03}b" * 3 + "§",
    }[style]
    column = written.index("§") + 1 if style == "plain" else column
    source = f"pad: x\n  \nkey:   {written}   # comment\n"
    document = Document(source)
    if document.problems or document.value.get("key") != (written if style == "plain" else marked):
        return  # Unicode line breaks fold, as YAML has it
    line, at = document.column_in(("key",), column)
    assert source.splitlines(keepends=True)[line - 1][at - 1] == "§"


def test_a_column_inside_a_block_scalar_leads_to_the_scalar():
    document = Document("rule: |\n  one\n  two\n")
    assert document.column_in(("rule",), 5) == (1, 7)


def test_places_count_code_points_and_ignore_a_byte_order_mark():
    document = Document("عفو: {en: [x,  y]}\nb: 1\n")
    assert document.place(("عفو", "en", 1)) == (1, 16)
    assert document.key_place(("b",)) == (2, 1)
    assert document.place(("عفو", "fa")) == (1, 6), "what is missing is reported where it should be"


@pytest.mark.parametrize(
    ("text", "place", "path", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, 1), ("a",), "written twice (first in line 1)"),
        ("x:\n  - a: 1\n    a: 2\n", (3, 5), ("x", 0, "a"), "written twice (first in line 2)"),
        (
            "a: !!python/object:os.system {x: 1}",
            (1, 4),
            ("a",),
            "tags such as tag:yaml.org,2002:python/object:os.system",
        ),
        ("a: !!python/object/apply:os.system ['true']", (1, 4), ("a",), "are refused"),
        ("a: !!str no", (1, 4), ("a",), "are refused"),
        ("!!binary a: 1", (1, 1), (), "are refused"),
        ("a: *nowhere\nb: 1", (1, 4), ("a",), "no finished anchor &nowhere"),
        ("a: &x [*x]", (1, 8), ("a", 0), "no finished anchor &x"),
        ("[a, b]: 1", (1, 1), (), "a key must be plain text"),
        ("a: 1\n---\nb: 2\n", (2, 1), (), "a second document"),
        ("a: [1", (2, 1), (), "cannot be read"),
        ("a: 1\n\tb: 2\n", (2, 1), (), "cannot be read"),
        ("a: '\x07'", (1, 1), (), "a character that no text holds"),
        ("x: " + "[" * 500_000, (1, 43), (), "nested too deep"),
        ("- " * 100_000, (1, 81), (), "nested too deep"),
    ],
)
def test_what_the_yaml_has_wrong_is_named_with_its_place(text, place, path, words):
    ((found, at, said), *_) = Document(text).problems
    assert words in said
    assert (found, at) == (place, path)


def test_aliases_stand_for_what_they_name():
    document = Document("a: &x {k: [1, 2]}\nb: *x\nc: [*x, *x]\n")
    assert document.value == {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}, "c": [{"k": [1, 2]}] * 2}
    assert not document.problems


def test_an_alias_bomb_is_refused_at_once():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    ((place, _, said), *_) = Document(bomb).problems
    assert "aliases stand for too much" in said
    assert place[0] < 10
    assert time.process_time() - started < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_one_large_anchor_may_be_shared_only_so_often():
    large = "a: &a [" + "x, " * 1000 + "x]\n"
    fits = MAX_ALIASED // 1002
    assert not Document(large + f"b: [{', '.join(['*a'] * fits)}]\n").problems
    assert Document(large + f"b: [{', '.join(['*a'] * (fits + 1))}]\n").problems
