"""Rules: what they mean, what they refuse, and that every refusal says where and what to write instead."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import RuleError
from aggregator.text.fold import folded
from aggregator.watch import language
from aggregator.watch.language import And, ConceptRef, Node, Not, Or, Words

CONCEPTS = ("taliban", "amnesty", "relocation", "عفو")
A, B, C, D = (Words(text=letter) for letter in "abcd")


def parsed(rule: str) -> Node:
    return language.parse(rule, CONCEPTS)


def refused(rule: str) -> RuleError:
    with pytest.raises(RuleError) as caught:
        parsed(rule)
    return caught.value


def outcome(rule: str) -> Node | RuleError:
    try:
        return parsed(rule)
    except RuleError as error:
        return error


@pytest.mark.parametrize(
    ("rule", "tree"),
    [
        ("a", A),
        ("(a)", A),
        ("((a))", A),
        ("a AND b", And(parts=(A, B))),
        ("a OR b OR c", Or(parts=(A, B, C))),
        ("a AND (b OR c)", And(parts=(A, Or(parts=(B, C))))),
        ("(a AND b) AND c", And(parts=(A, B, C))),
        ("a OR (b OR (c OR d))", Or(parts=(A, B, C, D))),
        ("a AND NOT b", And(parts=(A, Not(part=B)))),
        ("NOT a AND b", And(parts=(Not(part=A), B))),
        ("a AND (NOT b AND NOT c)", And(parts=(A, Not(part=B), Not(part=C)))),
        ("a AND NOT (b OR c)", And(parts=(A, Not(part=Or(parts=(B, C)))))),
        ("a OR (b AND NOT c)", Or(parts=(A, And(parts=(B, Not(part=C)))))),
        ("a AND NOT (b AND NOT c)", And(parts=(A, Not(part=And(parts=(B, Not(part=C))))))),
        ("@taliban", ConceptRef(name="taliban")),
        ("@عفو", ConceptRef(name="عفو")),
        ('"@taliban"', Words(text="@taliban")),
        ('"general amnesty"', Words(text="general amnesty")),
        ('"general\n  amnesty"', Words(text="general amnesty")),
        ("«general amnesty»", Words(text="general amnesty")),
        ("“general amnesty”", Words(text="general amnesty")),
        ("„general amnesty“", Words(text="general amnesty")),
        ('«"general" amnesty»', Words(text='"general" amnesty')),
        ("عفو AND «عفو عمومی»", And(parts=(Words(text="عفو"), Words(text="عفو عمومی")))),
        ("جابه\u200cجایی", Words(text="جابه\u200cجایی")),
        ("title:a", Words(text="a", scope="title")),
        ("title: a", Words(text="a", scope="title")),
        ("body:@amnesty", ConceptRef(name="amnesty", scope="body")),
        ('tags:"a b"', Words(text="a b", scope="tags")),
        ("title:(a OR @taliban)", Or(parts=(Words(text="a", scope="title"), ConceptRef(name="taliban", scope="title")))),
        ("summary:a OR content:b OR article:c", Or(parts=tuple(Words(text=t, scope=s) for t, s in zip("abc", ("summary", "content", "article"), strict=True)))),
        ("a AND title:NOT b", And(parts=(A, Not(part=Words(text="b", scope="title"))))),
        ("a AND and", And(parts=(A, Words(text="and")))),
        ('a AND "NOT"', And(parts=(A, Words(text="NOT")))),
        ('"NEAR/5"', Words(text="NEAR/5")),
        ("10:30", Words(text="10:30")),
        ("P-2 OR U.S.", Or(parts=(Words(text="P-2"), Words(text="U.S.")))),
        ("O'Brien OR AT&T OR #kabul", Or(parts=(Words(text="O'Brien"), Words(text="AT&T"), Words(text="#kabul")))),
        ("why?", Words(text="why?")),
        ("\u200fa\u200f \u202bAND\u202c \u2067b\u2069\u061c", And(parts=(A, B))),
        ("a\tAND\u00a0b\n", And(parts=(A, B))),
    ],
)  # fmt: skip
def test_a_rule_becomes_its_tree(rule, tree):
    assert parsed(rule) == tree


@pytest.mark.parametrize(
    ("rule", "column", "message"),
    [
        ("", 1, "the rule is empty"),
        (" \u200f\n", 1, "the rule is empty"),
        ("a AND b OR c", 9, "AND and OR stand side by side; write (a AND b) OR c or a AND (b OR c)"),
        ("a OR b OR c AND d", 13, "AND and OR stand side by side; write a OR b OR (c AND d) or (a OR b OR c) AND d"),
        ("x AND («a b» OR title:c AND NOT d)", 25, "AND and OR stand side by side; write «a b» OR (title:c AND NOT d) or («a b» OR title:c) AND NOT d"),
        ("general amnesty", 9, 'no operator stands between these terms; write general AND amnesty, or "general amnesty" for the phrase'),
        ("x OR a b c", 8, 'no operator stands between these terms; write a AND b AND c, or "a b c" for the phrase'),
        ("@taliban @amnesty", 10, "no operator stands between these terms; write @taliban AND @amnesty"),
        ('a "b c"', 3, 'no operator stands between these terms; write a AND "b c"'),
        ("a (b OR c)", 3, "no operator stands between these terms; write a AND (b OR c)"),
        ("title:a b", 9, "no operator stands between these terms; write title:a AND b"),
        ("a NOT b", 3, "no operator stands between these terms; write a AND NOT b"),
        ("trade and aid", 7, 'operators are upper case; write trade AND aid, or "trade and aid" for the phrase'),
        ("@taliban or @amnesty", 10, "operators are upper case; write @taliban OR @amnesty"),
        ("a And not (b Or c)", 14, 'operators are upper case; write b OR c, or "b Or c" for the phrase'),
        ("not a", 5, 'operators are upper case; write NOT a, or "not a" for the phrase'),
        ("\u200fطالبان\u200f عفو", 10, 'no operator stands between these terms; write طالبان AND عفو, or "طالبان عفو" for the phrase'),
        ("NOT a", 1, "NOT a stands alone, so nearly every item would match; write what must be there: … AND NOT a"),
        ("a OR NOT b", 6, "NOT b stands alone, so nearly every item would match; write what must be there: … AND NOT b"),
        ("NOT a AND NOT b", 1, "NOT a stands alone, so nearly every item would match; write what must be there: … AND NOT a"),
        ("a AND (b OR (NOT c AND NOT d))", 14, "NOT c stands alone, so nearly every item would match; write what must be there: … AND NOT c"),
        ("a AND NOT (NOT b)", 12, "NOT b stands alone, so nearly every item would match; write what must be there: … AND NOT b"),
        ("title:(NOT a)", 8, "NOT title:a stands alone, so nearly every item would match; write what must be there: … AND NOT title:a"),
        ("a AND @talban", 7, "there is no concept @talban (did you mean @taliban?)"),
        ("@Taliban", 1, "there is no concept @Taliban (did you mean @taliban?)"),
        ("@xyz", 1, "there is no concept @xyz"),
        ("@ taliban", 1, "the name of a concept must follow @"),
        ("a AND (b OR (c)", 7, "this bracket is never closed"),
        ("a AND (", 7, "this bracket is never closed"),
        ("\u200e(a))", 5, "this bracket was never opened"),
        ("\u200e) a", 2, "this bracket was never opened"),
        ("a AND ()", 7, "there is nothing in these brackets"),
        ("a AND", 3, "AND has nothing on its right"),
        ("a AND OR b", 3, "AND has nothing on its right"),
        ("(a OR)", 4, "OR has nothing on its right"),
        ("a AND NOT", 7, "NOT has nothing on its right"),
        ("AND a", 1, "AND has nothing on its left"),
        ("a AND (OR b)", 8, "OR has nothing on its left"),
        ("title:", 1, "title: has nothing on its right"),
        ('a AND "b c', 7, 'this quote " has no partner'),
        ("a» AND b", 2, "this quote » has no partner"),
        ('a AND "…"', 7, '"…" holds no letter or digit, so it can stand nowhere'),
        ('""', 1, '"" holds no letter or digit, so it can stand nowhere'),
        ("a OR …", 6, '"…" holds no letter or digit, so it can stand nowhere'),
        ("titel:a", 1, "titel: is no part of an item; did you mean title: ?"),
        ("Title:a", 1, "Title: is no part of an item; did you mean title: ?"),
        ("https://a.example", 1, "https: is no part of an item; there are title: summary: content: article: body: tags: (a word is put in quotes)"),
        ("title:(a OR body:b)", 13, "body: stands inside title: but a term has one scope"),
    ],
)  # fmt: skip
def test_an_error_says_where_and_what_to_write(rule, column, message):
    error = refused(rule)
    assert (str(error), error.column) == (message, column)


@pytest.mark.parametrize(
    "operator",
    ["NEAR", "NEAR/5", "near/5", "NEAR5", "ONEAR/3", "W/5", "w/s", "PRE/3", "ADJ", "ADJ3", "ATLEAST/2", "EXCEPT", "XOR"],
)  # fmt: skip
def test_an_operator_of_other_systems_is_named_and_not_read_as_a_word(operator):
    error = refused(f"a {operator} b")
    assert error.column == 3
    assert str(error).startswith(f"{operator} is not supported; the operators are AND, OR and NOT")


@pytest.mark.parametrize(
    ("rule", "column", "part"),
    [
        ("a OR relocat*", 6, "wildcards are not supported"),
        ('"revenge killing*"', 1, "wildcards are not supported"),
        ("wom?n", 1, "wildcards are not supported"),
        ("a && b", 3, "&& is no operator"),
        ("a | b", 3, "| is no operator"),
        ("-a", 1, "means nothing here"),
        ("+a", 1, "means nothing here"),
        ("=SIV", 1, "means nothing here"),
        ('"a b"~5', 6, "means nothing here"),
        ("a^2", 1, "means nothing here"),
        ("/tali.+/i", 1, "regular expression"),
        ("a AND [b OR c]", 7, "brackets are ( and )"),
        ("（a）", 1, "brackets are ( and )"),
    ],
)
def test_a_sign_that_would_be_lost_in_folding_is_refused(rule, column, part):
    error = refused(rule)
    assert error.column == column
    assert part in str(error)


@pytest.mark.parametrize(
    "rule", ["(" * 5000 + "a" + ")" * 5000, "NOT " * 5000 + "a", "a (" * 5000, "(a " * 5000, "title:" * 5000]
)
def test_a_deep_rule_is_refused_before_it_breaks_the_stack(rule):
    refused(rule)


def test_a_wide_rule_is_read():
    tree = parsed(" OR ".join(f"w{n}" for n in range(20_000)))
    assert isinstance(tree, Or)
    assert len(tree.parts) == 20_000


@pytest.mark.parametrize(
    ("rule", "canonical"),
    [
        ("( a  AND (b AND NOT “c d”))", 'a AND b AND NOT "c d"'),
        ("title:(a OR @taliban)", "title:a OR title:@taliban"),
        ("a AND NOT title:(b OR c)", "a AND NOT (title:b OR title:c)"),
        ('"and" OR "NEAR" OR "a:b" OR "U.S." OR "word"', '"and" OR "NEAR" OR "a:b" OR "U.S." OR word'),
        ('«the "thing"»', '«the "thing"»'),
        ("\u200fطالبان AND «عفو عمومی»", 'طالبان AND "عفو عمومی"'),
    ],
)
def test_a_tree_writes_its_canonical_rule(rule, canonical):
    assert str(parsed(rule)) == canonical
    assert parsed(canonical) == parsed(rule)


def test_a_keyword_is_literal_text():
    assert language.literal("@taliban") == Words(text="@taliban")
    assert language.literal(" title:a \u200f AND  b ") == Words(text="title:a AND b")
    for useless in ("", " … ", "relocat*"):
        with pytest.raises(RuleError):
            language.literal(useless)


# ---------------------------------------------------------------- laws

texts = (
    st.text(st.sampled_from("abzANDORTé ـطبک۱\u200c\u0301.:@/?'’-«»()#"))
    .map(lambda t: " ".join(t.split()))
    .filter(lambda t: folded(t) and "»" not in t)
)
leaves = st.builds(Words, text=texts | st.sampled_from(["and", "OR", "NEAR/5", "title", "a:b", "=x"]), scope=st.none() | st.sampled_from(sorted(language.SCOPES))) | st.builds(
    ConceptRef, name=st.sampled_from(CONCEPTS), scope=st.none() | st.sampled_from(sorted(language.SCOPES))
)  # fmt: skip


def _groups(nodes):
    def joined(kind):
        def build(parts, nots):
            flat = [p for part in parts for p in (part.parts if isinstance(part, kind) else (part,))]
            if kind is And:
                flat += [Not(part=part) for part in nots]
            return kind(parts=tuple(flat)) if len(flat) > 1 else flat[0]

        return st.builds(build, st.lists(nodes, min_size=1, max_size=3), st.lists(nodes, max_size=2))

    return joined(And) | joined(Or)


trees = st.recursive(leaves, _groups, max_leaves=12)


@given(trees)
def test_the_canonical_rule_of_any_tree_reads_back_as_that_tree(tree):
    assert parsed(str(tree)) == tree


pieces = st.sampled_from(
    ["a", "b", "@taliban", "@x", "AND", "OR", "NOT", "and", "(", ")", '"', "«", "»", "title:", "body:", "NEAR/5", "…", "*", "\u200f", " ", " ", " "]
)  # fmt: skip


@given(st.lists(pieces, max_size=14).map("".join))
def test_any_text_is_a_rule_that_survives_writing_or_an_error_inside_the_text(rule):
    result = outcome(rule)
    if isinstance(result, RuleError):
        assert 1 <= result.column <= max(1, len(rule))
        assert str(result)
    else:
        assert parsed(str(result)) == result


@given(
    st.lists(pieces, max_size=14).map("".join),
    st.text(st.sampled_from("\u200e\u200f\u202a\u202e\u2066\u2069\u061c"), max_size=3),
)
def test_direction_marks_change_columns_and_nothing_else(rule, marks):
    plain = rule.replace("\u200f", "")
    expected, marked = outcome(plain), outcome(marks + plain + marks)
    if isinstance(expected, RuleError):
        assert isinstance(marked, RuleError)
        assert str(marked) == str(expected)
        assert marked.column == expected.column + (len(marks) if plain.strip() else 0)
    else:
        assert marked == expected


def test_trees_and_errors_cross_a_process_border():
    tree = parsed("a AND NOT title:(b OR @taliban)")
    assert pickle.loads(pickle.dumps(tree)) == tree
    error = pickle.loads(pickle.dumps(refused("a b")))
    assert error.column == 3
