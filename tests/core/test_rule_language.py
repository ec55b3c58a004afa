"""Rules: what they mean, what they refuse, and that every refusal says where and what to write instead."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import RuleError
from aggregator.text.fold import folded
from aggregator.watch import language
from aggregator.watch.language import And, AtLeast, ConceptRef, Except, Fact, Near, Node, Not, Or, Pattern, Words
from aggregator.watch.tokens import wild
from aggregator.watch.tree import fields

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
        ('"why?"', Words(text="why?")),
        ("a NEAR/5 b", Near(left=A, right=B, reach=5)),
        ("a ONEAR/0 (b OR c)", Near(left=A, right=Or(parts=(B, C)), reach=0, ordered=True)),
        ("a NEAR/s b", Near(left=A, right=B, reach="s")),
        ("(a NEAR/p b) ONEAR/s c", Near(left=Near(left=A, right=B, reach="p"), right=C, reach="s", ordered=True)),
        ("title:(a NEAR/5 b)", Near(left=Words(text="a", scope="title"), right=Words(text="b", scope="title"), reach=5)),
        ("a EXCEPT b", Except(left=A, right=B)),
        ("(a EXCEPT b) AND c", And(parts=(Except(left=A, right=B), C))),
        ("ATLEAST/3(a OR b)", AtLeast(times=3, part=Or(parts=(A, B)))),
        ("ATLEAST/2 a", AtLeast(times=2, part=A)),
        ("lead:ATLEAST/2(a)", AtLeast(times=2, part=Words(text="a", scope="lead"))),
        ("relocat*", Words(text="relocat*")),
        ("wom?n", Words(text="wom?n")),
        ('"revenge killing*"', Words(text="revenge killing*")),
        ("=SIV", Words(text="SIV", mark="=")),
        ('="Camp As Sayliyah"', Words(text="Camp As Sayliyah", mark="=")),
        ("~relocate", Words(text="relocate", mark="~")),
        ("~«عفو عمومی»", Words(text="عفو عمومی", mark="~")),
        ("/tal[ie]b(an)?/", Pattern(text="tal[ie]b(an)?")),
        ("body:/a b\\/c/i", Pattern(text="a b\\/c", scope="body", any_case=True)),
        ("tag:a", Words(text="a", scope="tags")),
        ("a AND feed:b", And(parts=(A, Fact(scope="feed", text="b")))),
        ('a AND (source:bbc.com OR author:"b c")', And(parts=(A, Or(parts=(Fact(scope="source", text="bbc.com"), Fact(scope="author", text="b c")))))),
        ("a AND NOT lang:prs", And(parts=(A, Not(part=Fact(scope="lang", text="fa"))))),
        ("a AND url:example.org/fa/", And(parts=(A, Fact(scope="url", text="example.org/fa/")))),
        ("\u200fa\u200f \u202bAND\u202c \u2067b\u2069\u061c", And(parts=(A, B))),
        ("a\tAND\u00a0b\n", And(parts=(A, B))),
    ],
)  # fmt: skip
def test_a_rule_becomes_its_tree(rule, tree):
    assert parsed(rule) == tree


@pytest.mark.parametrize(
    ("rule", "column", "message"),
    [
        ("", 1, "the rule is empty; write what to look for, such as Taliban AND amnesty"),
        (" \u200f\n", 1, "the rule is empty; write what to look for, such as Taliban AND amnesty"),
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
        ("@xyz", 1, "there is no concept @xyz; define it under `concepts:`"),
        ("@ taliban", 1, "the name of a concept must follow @ at once: @name"),
        ("a AND (b OR (c)", 7, "this bracket is never closed; write ) where it ends, or leave it out"),
        ("a AND (", 7, "this bracket is never closed; write ) where it ends, or leave it out"),
        ("\u200e(a))", 5, "this bracket was never opened; write ( where it begins, or leave it out"),
        ("\u200e) a", 2, "this bracket was never opened; write ( where it begins, or leave it out"),
        ("a AND ()", 7, "there is nothing in these brackets; write a term in them, or leave them out"),
        ("a AND", 3, "AND has nothing on its right; write a term behind it, or leave it out"),
        ("a AND OR b", 3, "AND has nothing on its right; write a term behind it, or leave it out"),
        ("(a OR)", 4, "OR has nothing on its right; write a term behind it, or leave it out"),
        ("a AND NOT", 7, "NOT has nothing on its right; write a term behind it, or leave it out"),
        ("AND a", 1, "AND has nothing on its left; write a term before it, or leave it out"),
        ("a AND (OR b)", 8, "OR has nothing on its left; write a term before it, or leave it out"),
        ("title:", 1, "title: has nothing on its right; write a term behind it, or leave it out"),
        ('a AND "b c', 7, 'this quote " has no partner; close it, or leave it out'),
        ("a» AND b", 2, "this quote » has no partner; close it, or leave it out"),
        ('a AND "…"', 7, '"…" holds no letter or digit, so it can stand nowhere; leave it out'),
        ('""', 1, '"" holds no letter or digit, so it can stand nowhere; leave it out'),
        ("a OR …", 6, '"…" holds no letter or digit, so it can stand nowhere; leave it out'),
        ("titel:a", 1, "titel: is no part of an item; did you mean title: ?"),
        ("Title:a", 1, "Title: is no part of an item; did you mean title: ?"),
        ("https://a.example", 1, 'https: begins an address; write it in quotes: url:"https://…"'),
        ("title:(a OR body:b)", 13, "body: stands inside title: but a term has one scope"),
    ],
)  # fmt: skip
def test_an_error_says_where_and_what_to_write(rule, column, message):
    error = refused(rule)
    assert (str(error), error.column) == (message, column)


@pytest.mark.parametrize(
    ("rule", "column", "message"),
    [
        ("a AND b NEAR/3 c", 9, "NEAR/3 and AND stand side by side; write a AND (b NEAR/3 c)"),
        ("a OR b NEAR/3 c", 8, "NEAR/3 and OR stand side by side; write a OR (b NEAR/3 c) or (a OR b) NEAR/3 c"),
        ("a NEAR/3 b NEAR/4 c", 12, "NEAR/3 joins two, not more; write (a NEAR/3 b) NEAR/4 c or a NEAR/3 (b NEAR/4 c)"),
        ("a EXCEPT b EXCEPT c", 12, "EXCEPT joins two, not more; write (a EXCEPT b) EXCEPT c or a EXCEPT (b EXCEPT c)"),
        ("a EXCEPT b AND c", 12, "EXCEPT and AND stand side by side; write (a EXCEPT b) AND c"),
        ("(a AND b) NEAR/5 c", 1, "NEAR/5 compares places in a text, and a AND b has none; write an operator for each of its parts, with AND between"),
        ("a NEAR/5 NOT b", 10, "NEAR/5 compares places in a text, and NOT b has none; write … AND NOT b for the whole item, … EXCEPT b for single places"),
        ("a EXCEPT feed:b", 10, "EXCEPT compares places in a text, and feed:b has none; write it outside: … AND feed:b"),
        ("ATLEAST/2(a AND b)", 10, "ATLEAST/2 compares places in a text, and a AND b has none; write an operator for each of its parts, with AND between"),
        ("a NEAR/2 ATLEAST/2(b)", 10, "NEAR/2 compares places in a text, and ATLEAST/2(b) has none; write it outside: … AND ATLEAST/2(b)"),
        ("title:a NEAR/5 body:b", 9, "title:a and body:b stand in different parts of an item, so NEAR/5 is never true"),
        ("a NEAR b", 3, "NEAR needs a distance: NEAR/5 (at most five words between), NEAR/s (same sentence), NEAR/p (same paragraph)"),
        ("a NEAR/501 b", 3, "NEAR/501 is out of bounds; write NEAR/0 to NEAR/500"),
        ("a W/0 b", 3, "W/0 is out of bounds; write NEAR/0 to NEAR/500"),
        ("ATLEAST a", 1, "ATLEAST needs a number: ATLEAST/3(term)"),
        ("ATLEAST/0(a)", 1, "ATLEAST/0 is out of bounds; write ATLEAST/1 to ATLEAST/1000"),
        ("ATLEAST/2", 1, "ATLEAST/2 has nothing on its right; write what to count: ATLEAST/2(term)"),
        ("NEAR/2 a", 1, "NEAR/2 has nothing on its left; write a term before it, or leave it out"),
        ("a EXCEPT", 3, "EXCEPT has nothing on its right; write a term behind it, or leave it out"),
        ("a except b", 3, 'operators are upper case; write a EXCEPT b, or "a except b" for the phrase'),
        ("a XOR b", 3, "XOR is not supported; the operators are AND, OR, NOT, NEAR/n, ONEAR/n, EXCEPT and ATLEAST/n"),
        ("HLEAD(a)", 1, "HLEAD looks in two parts; write title:term OR lead:term"),
        ("ALLCAPS(a)", 1, "ALLCAPS is not supported; =Term finds exactly this spelling. In quotes it is a word"),
        ("a AND wc>500", 7, "wc>500 counts words, which is not supported"),
        ("polic$3", 1, "polic$3 holds a wildcard that means nothing here; write ? for one letter, * for any at the end"),
        ("a A\u200bND b", 3, "an invisible character stands inside AND; write it anew"),
        ("a NEAR\u00ad/5 b", 3, "an invisible character stands inside NEAR/5; write it anew"),
        ("kabul?", 1, "kabul? ends in a ?; write kabul for the word, kabul* for any ending"),
        ("ab*", 1, "ab* needs 3 letters beside its wildcard"),
        ("*taliban", 1, "*taliban begins with a wildcard, which would match nearly everything; write the first letters"),
        ("?aliban", 1, "?aliban begins with a wildcard, which would match nearly everything; write the first letters"),
        ("re*tion", 1, "re*tion holds a * that is not its end; a wildcard * stands at the end of a word"),
        ("塔利班*", 1, "塔利班* is of a script without spaces, where every term is found inside longer ones; write it without wildcard"),
        ("=SIV*", 1, "= asks for exact spelling and SIV* holds a wildcard; write one of them"),
        ("~relocat*", 1, "~ asks for related forms and relocat* holds a wildcard; write one of them"),
        ("/a*/", 1, "/a*/ can also match nothing at all; write what must be there"),
        ("a AND /(b/", 7, "/(b/ is no regular expression that can be used: missing ): (b (RE2 has no look-around and no back-references)"),
        ("/(?=a)b/", 1, "/(?=a)b/ is no regular expression that can be used: invalid perl operator: (?= (RE2 has no look-around and no back-references)"),
        ("/(a{100}){9}b{900}[^c]{900}\\pL{900}/", 1, "/(a{100}){9}b{900}[^c]{900}\\pL{900}/ is too large; write it with fewer repetitions"),
        ("/a/g", 1, "/a/g: the only flag is i (any case); write /a/i"),
        ("/a b", 1, "/a begins a regular expression that does not end; write /expression/ (a slash inside is \\/), or quotes"),
        ("feed:a", 6, "feed:a says where an item comes from and shows no place in it; write what must be there: … AND feed:a"),
        ("a OR lang:fa", 11, "lang:fa says where an item comes from and shows no place in it; write what must be there: … AND lang:fa"),
        ("NOT a AND feed:b", 16, "feed:b says where an item comes from and shows no place in it; write what must be there: … AND feed:b"),
        ("a AND lang:persian1", 12, "lang:persian1 is no language code; write a code such as lang:en, lang:fa, lang:ps"),
        ("a AND author:@taliban", 14, 'author: takes a word or a phrase; write author:"…"'),
        ("a AND url:/fa/", 11, 'url: takes a word or a phrase; write url:"…"'),
        ("a AND feed:(b NEAR/2 c)", 13, "NEAR/2 compares places in a text, and feed:b has none; write it outside: … AND feed:b"),
    ],
)  # fmt: skip
def test_what_an_operator_cannot_mean_is_refused(rule, column, message):
    error = refused(rule)
    assert (str(error), error.column) == (message, column)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("a W/5 b", "a NEAR/4 b"),
        ("a w/5 b", "a NEAR/4 b"),
        ("a WITHIN/5 b", "a NEAR/4 b"),
        ("a PRE/5 b", "a ONEAR/4 b"),
        ("a W/S b", "a NEAR/s b"),
        ("a w/p b", "a NEAR/p b"),
        ("a PRE/s b", "a ONEAR/s b"),
        ("a NOT W/5 b", "a EXCEPT (a NEAR/4 b)"),
        ("a AND NOT b", "a AND NOT b"),
        ("a near5 b", "a NEAR/4 b"),
        ("a near/5 b", "a NEAR/5 b"),
        ("a adj3 b", "a ONEAR/2 b"),
        ("a ADJ b", "a ONEAR/0 b"),
        ("a SAME b", "a NEAR/p b"),
        ("ATLEAST5(a)", "ATLEAST/5(a)"),
        ("atleast5 a", "ATLEAST/5(a)"),
        ("relocat!", "relocat*"),
        ("HEADLINE(a OR b)", "title:a OR title:b"),
        ("LEAD(a) AND BODY(b)", "lead:a AND body:b"),
        ("a AND BYLINE(b)", "a AND author:b"),
        ("hd=a AND lp=b AND by=c AND la=dari AND sn=bbc.com", "title:a AND lead:b AND author:c AND lang:fa AND source:bbc.com"),
    ],
)  # fmt: skip
def test_lexis_and_factiva_spellings_are_echoed_in_ours(theirs, ours):
    assert str(parsed(theirs)) == ours
    assert parsed(ours) == parsed(theirs)


@pytest.mark.parametrize(
    ("rule", "column", "part"),
    [
        ("a && b", 3, "&& is no operator"),
        ("a | b", 3, "| is no operator"),
        ("-a", 1, "means nothing here"),
        ("+a", 1, "means nothing here"),
        ("=@taliban", 1, "means nothing here"),
        ('"a b"~5', 6, "means nothing here"),
        ("a^2", 1, "means nothing here"),
        ("a AND [b OR c]", 7, "brackets are ( and )"),
        ("（a）", 1, "brackets are ( and )"),
    ],
)
def test_a_sign_that_would_be_lost_in_folding_is_refused(rule, column, part):
    error = refused(rule)
    assert error.column == column
    assert part in str(error)


@pytest.mark.parametrize(
    "rule", ["\u200eطالبان\u200f \u202bNEAR/5\u202c عفو", "طالبان NEAR/5 عفو\u2069", "\u2068طالبان\u2069 NEAR/\u200e5 \u2068عفو\u2069"]
)  # fmt: skip
def test_a_rule_copied_out_of_any_direction_is_the_same(rule):
    assert str(parsed(rule)) == "طالبان NEAR/5 عفو"


def test_a_drawn_tree_isolates_each_term_and_its_terms_read_back():
    tree = parsed("@taliban AND (title:طالبان NEAR/5 «عفو عمومی») AND NOT ATLEAST/2(a EXCEPT b)")
    lines = language.drawn(tree).split("\n")
    assert lines == [
        "AND", "  \u2068@taliban\u2069", "  NEAR/5", "    \u2068title:طالبان\u2069", '    \u2068"عفو عمومی"\u2069',
        "  NOT", "    ATLEAST/2", "      EXCEPT", "        \u2068a\u2069", "        \u2068b\u2069",
    ]  # fmt: skip
    assert parsed(lines[3].strip()) == Words(text="طالبان", scope="title")


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
        ('"Тaliban" OR "АND" OR "ＯＲ"', '"Тaliban" OR "АND" OR "ＯＲ"'),
    ],
)
def test_a_tree_writes_its_canonical_rule(rule, canonical):
    assert str(parsed(rule)) == canonical
    assert parsed(canonical) == parsed(rule)


def test_a_keyword_is_literal_text():
    assert language.literal("@taliban") == Words(text="@taliban")
    assert language.literal(" title:a \u200f AND  b ") == Words(text="title:a AND b")
    assert language.literal("=SIV") == Words(text="=SIV")
    for useless in ("", " … ", "relocat*"):
        with pytest.raises(RuleError):
            language.literal(useless)


def test_a_spelling_of_a_concept_takes_signs_and_wildcards_and_is_else_literal():
    assert language.entry("a AND  b") == Words(text="a AND b")
    assert language.entry("= P-2") == Words(text="P-2", mark="=")
    assert language.entry("~relocate") == Words(text="relocate", mark="~")
    assert language.entry("summary execution*") == Words(text="summary execution*")
    for useless in ("", "=", "=…", "ab*", "=abc*", "*abc"):
        with pytest.raises(RuleError):
            language.entry(useless)


# ---------------------------------------------------------------- laws

scopes = st.none() | st.sampled_from(sorted(language.SCOPES))
texts = (
    st.text(st.sampled_from("abzANDORTé ـطبک۱\u200c\u0301.:@/?'’-«»()#"))
    .map(lambda t: " ".join(t.split()))
    .filter(lambda t: folded(t) and "»" not in t and not wild(t))
)
terms = (
    st.builds(Words, text=texts | st.sampled_from(["and", "OR", "NEAR/5", "title", "a:b", "=x", "W/5", "SAME", "hd=a", "ATLEAST3"]), scope=scopes, mark=st.sampled_from(["", "=", "~"]))
    | st.builds(Words, text=st.sampled_from(["relocat*", "wom?n", "summary exec*", "عفو*", "near*", "AND?s"]), scope=scopes)
    | st.builds(Pattern, text=st.sampled_from(["a b", "[(]", "\\/x", '"', "عفو+", "=a:b"]), scope=scopes, any_case=st.booleans())
    | st.builds(ConceptRef, name=st.sampled_from(CONCEPTS), scope=scopes)
)  # fmt: skip
facts = st.builds(Fact, scope=st.sampled_from(["feed", "source", "author", "url"]), text=texts) | st.builds(
    Fact, scope=st.just("lang"), text=st.sampled_from(["fa", "ps", "en"])
)


def _close(nodes):
    pairs = st.tuples(nodes, nodes).filter(lambda pair: fields(pair[0]) & fields(pair[1]))
    either = st.lists(nodes, min_size=2, max_size=3).map(lambda parts: _flat(Or, parts))
    reach = st.integers(0, 500) | st.sampled_from(["s", "p"])
    return (
        either
        | st.builds(lambda pair, n, ordered: Near(left=pair[0], right=pair[1], reach=n, ordered=ordered), pairs, reach, st.booleans())
        | pairs.map(lambda pair: Except(left=pair[0], right=pair[1]))
    )  # fmt: skip


def _flat(kind, parts):
    flat = [p for part in parts for p in (part.parts if isinstance(part, kind) else (part,))]
    return kind(parts=tuple(flat)) if len(flat) > 1 else flat[0]


placed = st.recursive(terms, _close, max_leaves=4)
leaves = placed | st.builds(AtLeast, times=st.integers(1, 1000), part=placed)


def _groups(nodes):
    def joined(kind):
        def build(parts, nots):
            return _flat(kind, [*parts, *(Not(part=part) for part in nots)] if kind is And else parts)

        return st.builds(build, st.lists(nodes, min_size=1, max_size=3), st.lists(nodes | facts, max_size=2))

    return joined(And) | joined(Or) | st.builds(lambda node, fact: _flat(And, [node, fact]), nodes, facts)


trees = st.recursive(leaves, _groups, max_leaves=12)


@given(trees)
def test_the_canonical_rule_of_any_tree_reads_back_as_that_tree(tree):
    assert parsed(str(tree)) == tree


pieces = st.sampled_from(
    ["a", "b", "@taliban", "@x", "AND", "OR", "NOT", "and", "(", ")", '"', "«", "»", "title:", "body:", "NEAR/5", "EXCEPT", "ATLEAST/2", "w/3", "=", "~", "/", "feed:", "…", "*", "?", "\u200f", " ", " ", " "]
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
