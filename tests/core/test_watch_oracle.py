"""The matcher against a naive evaluator that asks every rule about every word: no difference, ever."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator import watch
from aggregator.model import Hit, Item
from aggregator.settings import Concept, Watchlist
from aggregator.text.fold import fold, folded, unspaced
from aggregator.text.variants import spellings
from aggregator.watch import language
from aggregator.watch.language import And, ConceptRef, Node, Not, Or, Words

# ---------------------------------------------------------------- the oracle


def oracle(watchlists: list[Watchlist], concepts: list[Concept], item: Item) -> tuple[Hit, ...]:
    hits: set[Hit] = set()
    for watchlist in watchlists:
        if watchlist.rule:
            true, told = judged(language.parse(watchlist.rule, [c.name for c in concepts]), concepts, item)
        else:
            words = [Words(text=keyword) for keyword in watchlist.keywords]
            true, told = judged(Or(parts=tuple(words)), concepts, item)
        if true:
            hits |= {
                Hit(watchlist=watchlist.name, field=f, start=s, end=e, term=t, text=dict(item.texts())[f][s:e])
                for f, s, e, t in told
            }
    return tuple(sorted(hits))


def judged(node: Node, concepts: list[Concept], item: Item) -> tuple[bool, set]:
    """The truth of a tree, and the places it rests on."""
    if isinstance(node, Not):
        return not judged(node.part, concepts, item)[0], set()
    if isinstance(node, And | Or):
        parts = [judged(part, concepts, item) for part in node.parts]
        true = all(t for t, _ in parts) if isinstance(node, And) else any(t for t, _ in parts)
        return true, {place for t, told in parts if t for place in told} if true else set()
    told = set(stands(node, concepts, item))
    return bool(told), told


def stands(leaf: Words | ConceptRef, concepts: list[Concept], item: Item) -> Iterator[tuple[str, int, int, str]]:
    if isinstance(leaf, Words):
        name, forms, excepts = folded(leaf.text), spellings(leaf.text, None), ()
    else:
        concept = next(c for c in concepts if c.name == leaf.name)
        name, excepts = concept.name, [folded(phrase) for phrase in concept.excepts]
        forms = {form for code, terms in concept.terms for term in terms for form in spellings(term, code)}
    for field, text, offset in pieces(item):
        if leaf.scope and field not in language.SCOPES[leaf.scope]:
            continue
        whole = fold(text)
        places = {place for form in forms for place in occurrences(whole.text, form)}
        shields = {place for phrase in excepts for place in occurrences(whole.text, phrase)}
        for place in places:
            if not any(inside(place, other) for other in places - {place}) and not any(
                inside(place, s) for s in shields
            ):
                start, end = whole.span(*place)
                yield field, start + offset, end + offset, name


def pieces(item: Item) -> Iterator[tuple[str, str, int]]:
    """Each text that stands for itself: fields, and tags one by one."""
    for field, text in item.texts():
        if field != "tags":
            yield field, text, 0
    offset = 0
    for tag in item.tags:
        yield "tags", tag, offset
        offset += len(tag) + 1


def occurrences(text: str, form: str) -> Iterator[tuple[int, int]]:
    if unspaced(form):
        yield from ((at, at + len(form)) for at in range(len(text)) if text[at : at + len(form)] == form)
        return
    places, words = parted(text)
    wanted = tuple(form.split(" "))
    for n, start in enumerate(places):
        if words[n : n + len(wanted)] == wanted:
            yield start, start + len(form)


@cache
def parted(text: str) -> tuple[list[int], tuple[str, ...]]:
    """The words of a text and where each begins."""
    places, at = [], 0
    for word in text.split(" "):
        places.append(at)
        at += len(word) + 1
    return places, tuple(text.split(" "))


def inside(place: tuple[int, int], other: tuple[int, int]) -> bool:
    return other[0] <= place[0] and place[1] <= other[1]


# ---------------------------------------------------------------- a small world where terms collide

CONCEPTS = [
    Concept(
        name="taliban",
        terms=(
            ("en", ("Taliban", "Islamic Emirate")),
            ("fa", ("طالبان", "امارت اسلامی")),
            ("ps", ("طالبان", "اسلامي امارت")),
        ),
    ),
    Concept(
        name="amnesty",
        terms=(
            ("en", ("amnesty", "general amnesty", "amnesty decree")),
            ("fa", ("عفو", "عفو عمومی")),
            ("ps", ("عمومي عفوه",)),
        ),
        excepts=("Amnesty International", "عفو بین‌الملل", "the amnesty"),
    ),
    Concept(
        name="general",
        terms=(("en", ("general",)), ("ps", ("جنرال", "عمومي"))),
        excepts=("general amnesty", "general general"),
    ),
    Concept(name="塔", terms=(("zh", ("塔利班", "塔利班塔利班")), ("en", ("Taliban",))), excepts=("反塔利班",)),
]
WORDS = [
    *("Taliban", "TALIBAN'S", "Ta\u00adliban", "general", "amnesty", "Amnesty International", "decree", "the", "islamic emirate", "kabul", "Kabul,", "visa"),
    *("طالبان", "طالبانو", "طــالبان", "طالبان\u200cها", "عفو", "عفو عمومی", "عفو عمومي", "عفوه", "عمومي", "بین‌الملل", "بين الملل", "امارت", "اسلامی", "اسلامي", "د", "كابل", "کابل"),
    *("country", "countries", "amnesties", "پناهنده", "پناهندگان", "塔利班", "反", "兵"),
]  # fmt: skip
GLUE = [" ", " ", " ", " ", " ", ", ", ". ", "\n", "-", "\u200c", "", "  "]
SCOPES = [None, None, None, *language.SCOPES]
PHRASES = [
    "general amnesty",
    "amnesty amnesty",
    "the taliban",
    "taliban taliban",
    "عفو عمومی",
    "اسلامي امارت",
    "د طالبانو",
    "kabul visa",
    "塔利班",
]

words = st.sampled_from(WORDS) | st.sampled_from(
    ["general", "amnesty", "the", "Taliban", "عفو", "عمومي"]
)  # these collide most
texts = st.lists(st.tuples(words, st.sampled_from(GLUE)), max_size=14).map(
    lambda pairs: "".join(word + glue for word, glue in pairs)
)
tags = st.lists(st.sampled_from(WORDS), max_size=3).map(tuple)
items = st.builds(Item, title=texts, summary=texts, content=texts, article=st.none() | texts, tags=tags)
leaves = st.builds(Words, text=st.sampled_from([*WORDS[:-2], *PHRASES]), scope=st.sampled_from(SCOPES)) | st.builds(
    ConceptRef, name=st.sampled_from([c.name for c in CONCEPTS]), scope=st.sampled_from(SCOPES)
)  # fmt: skip


def _groups(nodes):
    def conjunction(parts, nots):
        return And(parts=(*parts, *(Not(part=part) for part in nots)))

    return (
        st.lists(nodes, min_size=2, max_size=4).map(lambda parts: Or(parts=tuple(parts)))
        | st.builds(conjunction, st.lists(nodes, min_size=2, max_size=3), st.just([]))
        | st.builds(conjunction, st.lists(nodes, min_size=1, max_size=2), st.lists(nodes, min_size=1, max_size=2))
    )


rules = st.recursive(leaves, _groups, max_leaves=8).map(str)
keywords = st.lists(st.sampled_from([*WORDS[:-2], *PHRASES]), min_size=1, max_size=4).map(tuple)
lists = st.lists(rules | keywords, min_size=1, max_size=6).map(
    lambda given_: [
        Watchlist(name=f"w{n}", label="w", rule=r)
        if isinstance(r, str)
        else Watchlist(name=f"w{n}", label="w", keywords=r)
        for n, r in enumerate(given_)
    ]
)


@settings(deadline=None)
@given(lists, st.lists(items, min_size=1, max_size=3))
def test_the_matcher_finds_what_asking_every_rule_finds(watchlists, some):
    matcher = watch.compile(watchlists, CONCEPTS)
    for item in some:
        assert matcher.hits(item) == oracle(watchlists, CONCEPTS, item)


def test_many_rules_at_once_find_what_each_finds_alone():
    """Anchors are shared and chosen by how many rules use them: with others or alone, a rule finds the same."""
    draw = random.Random(7)
    vocabulary = [f"w{n}" for n in range(60)]

    def tree(depth: int) -> Node:
        if depth == 0 or draw.random() < 0.3:
            return Words(
                text=" ".join(draw.choices(vocabulary, k=draw.choice([1, 1, 1, 2]))), scope=draw.choice(SCOPES)
            )
        if draw.random() < 0.5:
            return Or(parts=tuple(tree(depth - 1) for _ in range(draw.randint(2, 5))))
        return And(
            parts=(tree(depth - 1), tree(depth - 1), *(Not(part=tree(depth - 1)) for _ in range(draw.randint(0, 2))))
        )

    watchlists = [Watchlist(name=str(n), label="w", rule=str(tree(draw.randint(0, 3)))) for n in range(100)]
    alone = [watch.compile([watchlist], ()) for watchlist in watchlists]
    together = watch.compile(watchlists, ())
    for _ in range(8):
        item = Item(
            title=" ".join(draw.choices(vocabulary, k=10)),
            content=" ".join(draw.choices(vocabulary, k=80)),
            tags=tuple(draw.choices(vocabulary, k=4)),
        )
        hits = together.hits(item)
        assert hits == tuple(sorted(hit for matcher in alone for hit in matcher.hits(item)))
        assert hits == oracle(watchlists, [], item)
