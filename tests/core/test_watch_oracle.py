"""The matcher against a naive evaluator that asks every rule about every word: no difference, ever.

A longer run: ORACLE_PAIRS=1000000 ORACLE_EXAMPLES=5000 python -m pytest tests/core/test_watch_oracle.py --timeout 3600
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import groupby

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator import watch
from aggregator.model import Hit, Item
from aggregator.settings import Concept, Watchlist
from aggregator.text.fold import fold, folded, unspaced
from aggregator.text.variants import related, spellings
from aggregator.watch import language
from aggregator.watch.language import And, AtLeast, ConceptRef, Except, Fact, Near, Node, Not, Or, Pattern, Words
from aggregator.watch.tokens import wild
from aggregator.watch.tree import fields

EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", "100"))
PAIRS = int(os.environ.get("ORACLE_PAIRS", "4000"))  # documents times rules
SEED = int(os.environ.get("ORACLE_SEED", "1"))
SOURCE = watch.Source(feed="Kabul Daily", site="kabul.example", lang="ps")

# ---------------------------------------------------------------- the oracle: texts are lists of words, rules are asked one by one


class Piece:
    """A text that stands for itself (a field, or one tag), as its words with their places in the folded text."""

    def __init__(self, field: str, text: str, offset: int) -> None:
        self.field, self.text, self.offset = field, text, offset
        self.whole = fold(text)

    @property
    def folded(self) -> str:
        return self.whole.text

    def original(self, start: int, end: int) -> tuple[int, int]:
        first, last = self.whole.span(start, end)
        return first + self.offset, last + self.offset

    def words_between(self, left_end: int, right_start: int) -> int:
        """Whole words between two places; in scripts without spaces, letters."""
        return sum(left_end <= start and end <= right_start for start, end in self.words)

    def words_to(self, end: int) -> int:
        """Words up to a place, and with the one in which it ends."""
        return sum(start < end for start, _ in self.words)

    @cached_property
    def words(self) -> list[tuple[int, int]]:
        """Where each word is: a run of letters with spaces round it, or one letter of a script without spaces."""
        found, at = [], 0
        for alone, letters in groupby(self.folded, key=lambda letter: letter if letter == " " else unspaced(letter)):
            size = len(list(letters))
            if alone != " ":
                found += [(at + n, at + n + 1) for n in range(size)] if alone else [(at, at + size)]
            at += size
        return found

    def part(self, at: int, ends: re.Pattern[str]) -> int:
        """In which sentence or paragraph the folded letter `at` stands."""
        return sum(found.end() <= self.whole.origin[at] for found in ends.finditer(self.text))


SENTENCE = re.compile(
    r"[!?؟](?=\s|$)|(?<!\b\w)\.(?=\s+[^\sa-z]|\s*$)|\n+"
)  # the texts below hold no titles and no other stops
PARAGRAPH = re.compile(r"\n+")

Spot = tuple[int, int, int, tuple]  # number of the piece, start, end, ((term, piece, first, last), ...)


def oracle(watchlists: list[Watchlist], concepts: list[Concept], item: Item) -> tuple[Hit, ...]:
    asked = Asked(concepts, item)
    hits: set[Hit] = set()
    for watchlist in watchlists:
        if watchlist.rule:
            true, told = asked.judged(language.parse(watchlist.rule, [c.name for c in concepts]))
        else:
            true, told = asked.judged(Or(parts=tuple(Words(text=keyword) for keyword in watchlist.keywords)))
        if true:
            hits |= {
                Hit(watchlist=watchlist.name, field=f, start=s, end=e, term=t, text=dict(item.texts())[f][s:e])
                for t, f, s, e in told
            }
    return tuple(sorted(hits))


class Asked:
    """One item, asked about everything."""

    def __init__(self, concepts: list[Concept], item: Item) -> None:
        self.concepts = {concept.name: concept for concept in concepts}
        self.item = item
        self.pieces = list(pieces(item))
        self.seen: dict[Node, set[Spot]] = {}

    def judged(self, node: Node) -> tuple[bool, set]:
        """The truth of a tree, and the places it rests on."""
        if isinstance(node, Fact):
            return self.known(node), set()
        if isinstance(node, Not):
            return not self.judged(node.part)[0], set()
        if isinstance(node, And | Or):
            parts = [self.judged(part) for part in node.parts]
            true = all(t for t, _ in parts) if isinstance(node, And) else any(t for t, _ in parts)
            return true, {place for t, told in parts if t for place in told} if true else set()
        if isinstance(node, AtLeast):
            spots = self.spots(node.part)
            places = {spot[:3] for spot in spots}
            true = sum(not any(covers(other, place) for other in places - {place}) for place in places) >= node.times
            return true, {told for spot in spots for told in spot[3]} if true else set()
        told = {told for spot in self.spots(node) for told in spot[3]}
        return bool(told), told

    def known(self, fact: Fact) -> bool:
        if fact.scope == "feed":
            return f" {folded(fact.text)} " in f" {folded(SOURCE.feed)} "
        if fact.scope == "source":
            return fact.text in (SOURCE.site, "example") or (fact.text == "news.example" and bool(self.item.link))
        if fact.scope == "author":
            return f" {folded(fact.text)} " in f" {folded(self.item.author or '')} "
        if fact.scope == "url":
            return fact.text in (self.item.link or "")
        return watch.spoken(self.item, SOURCE) == fact.text

    def spots(self, node: Node) -> set[Spot]:
        if node not in self.seen:
            self.seen[node] = self.looked_for(node)
        return self.seen[node]

    def looked_for(self, node: Node) -> set[Spot]:
        if isinstance(node, Or):
            return {spot for part in node.parts for spot in self.spots(part)}
        if isinstance(node, Except):
            right = self.spots(node.right)
            return {spot for spot in self.spots(node.left) if not any(covers(other, spot) for other in right)}
        if isinstance(node, Near):
            return {
                (one[0], min(one[1], other[1]), max(one[2], other[2]), one[3] + other[3])
                for one in self.spots(node.left)
                for other in self.spots(node.right)
                if self.near(node, one, other)
            }
        return set(self.stands(node))

    def near(self, node: Near, one: Spot, other: Spot) -> bool:
        if one[0] != other[0] or (one[1] > other[1] and node.ordered):
            return False
        first, second = (one, other) if one[1] <= other[1] else (other, one)
        if first[2] > second[1]:
            return False
        piece = self.pieces[one[0]]
        if isinstance(node.reach, int):
            return piece.words_between(first[2], second[1]) <= node.reach
        ends = SENTENCE if node.reach == "s" else PARAGRAPH
        return piece.part(first[2] - 1, ends) == piece.part(second[1], ends)

    def stands(self, leaf: Words | ConceptRef | Pattern) -> Iterator[Spot]:  # noqa: C901  # naive on purpose
        if isinstance(leaf, Pattern):
            yield from self.matched(leaf)
            return
        concept = self.concepts[leaf.name] if isinstance(leaf, ConceptRef) else None
        if concept is None:
            name, entries, excepts = None, [(leaf, None, 1)], ()
        else:
            name, excepts = concept.name, [folded(phrase) for phrase in concept.excepts]
            weights = dict(concept.weights)
            entries = [
                (language.entry(f"={term}" if concept.case else term), code, weights.get(term, 1))
                for code, terms in concept.terms
                for term in terms
            ]
        found: dict[tuple[int, int, int], set] = {}
        shields = set()
        for n, piece in enumerate(self.pieces):
            if leaf.scope and piece.field not in language.SCOPES[leaf.scope]:
                continue
            shields |= {(n, *place) for phrase in excepts for place in occurrences(piece.folded, phrase)}
            for words, code, _ in entries:
                for place in self.of_entry(words, code, piece):
                    if leaf.scope != "lead" or piece.words_to(place[1]) <= 80:
                        found.setdefault((n, *place), set()).add((words.mark, folded(words.text)))
        kept = {
            place: which
            for place, which in found.items()
            if not any(covers(other, place) for other in found.keys() - {place})
            and not any(covers(shield, place) for shield in shields)
        }
        if concept is not None:
            standing = set().union(*kept.values()) if kept else set()
            least = {(words.mark, folded(words.text)): weight for words, _, weight in entries}
            if sum(weight for which, weight in least.items() if which in standing) < concept.least:
                return
        for n, start, end in kept:
            span = self.pieces[n].original(start, end)
            yield n, start, end, ((name or watch.term_of(leaf), self.pieces[n].field, *span),)

    def of_entry(self, words: Words, code: str | None, piece: Piece) -> Iterator[tuple[int, int]]:
        if wild(words.text):
            pattern = folded(words.text.replace("*", "ꙁ").replace("?", "ꙃ")).replace("ꙁ", r"[^ ]*").replace("ꙃ", "[^ ]")
            for at in range(len(piece.folded)):
                if piece.folded[at - 1 : at] == " " and (
                    match := re.compile(rf"{pattern}(?= )").match(piece.folded, at)
                ):
                    yield match.span()
            return
        forms = {"": spellings, "~": related, "=": lambda text, _: (folded(text),)}[words.mark](words.text, code)
        for place in {place for form in forms for place in occurrences(piece.folded, form)}:
            start, end = piece.original(*place)
            written = " ".join(piece.text[start - piece.offset : end - piece.offset].replace("\u00ad", "").split())
            if words.mark != "=" or written == words.text.strip(".,"):
                yield place

    def matched(self, leaf: Pattern) -> Iterator[Spot]:
        for n, piece in enumerate(self.pieces):
            if leaf.scope and piece.field not in language.SCOPES[leaf.scope]:
                continue
            for match in re.finditer(leaf.text, piece.text, re.IGNORECASE if leaf.any_case else 0):
                letters = [
                    at for at, origin in enumerate(piece.whole.origin) if at and match.start() <= origin < match.end()
                ]
                place = (letters[0], letters[-1] + 1)
                if leaf.scope == "lead" and piece.words_to(place[1]) > 80:
                    continue
                span = (match.start() + piece.offset, match.end() + piece.offset)
                yield n, *place, ((watch.term_of(leaf), piece.field, *span),)


def pieces(item: Item) -> Iterator[Piece]:
    for field, text in item.texts():
        if field != "tags":
            yield Piece(field, text, 0)
    offset = 0
    for tag in item.tags:
        yield Piece("tags", tag, offset)
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


def covers(other: tuple, place: tuple) -> bool:
    return other[0] == place[0] and other[1] <= place[1] and place[2] <= other[2]


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
        terms=(("en", ("general", "=KABUL", "decre*")), ("ps", ("جنرال", "عمومي"))),
        excepts=("general amnesty", "general general"),
    ),
    Concept(name="塔", terms=(("zh", ("塔利班", "塔利班塔利班")), ("en", ("Taliban",))), excepts=("反塔利班",)),
    Concept(
        name="weighed",
        terms=(("en", ("visa", "kabul", "~relocate", "general amnesty")), ("fa", ("کابل", "ویزه")), ("ps", ("کابل",)), ("ur", ("ویزا",))),
        weights=(("general amnesty", 3), ("visa", 2)), least=3, excepts=("the visa",),
    ),
    Concept(name="cased", terms=(("en", ("Visa", "Kabul", "Taliban")), ("ar", ("عفو",))), case=True),
]  # fmt: skip
WORDS = [
    *("Taliban", "TALIBAN'S", "Ta\u00adliban", "general", "amnesty", "Amnesty International", "decree", "decreed", "the", "islamic emirate", "kabul", "Kabul,", "KABUL", "visa", "Visa", "relocating"),
    *("طالبان", "طالبانو", "طــالبان", "طالبان\u200cها", "عفو", "عفو عمومی", "عفو عمومي", "عفوه", "عمومي", "بین‌الملل", "بين الملل", "امارت", "اسلامی", "اسلامي", "د", "كابل", "کابل", "ویزه", "ویزا", "والعفو"),
    *("country", "countries", "amnesties", "پناهنده", "پناهندگان", "مہاجروں", "塔利班", "反", "兵"),
]  # fmt: skip
GLUE = [" ", " ", " ", " ", " ", " ", ", ", ". ", "؟ ", ".\n", "\n", "-", "\u200c", "", "  "]
SCOPES = [None, None, None, None, *language.SCOPES]
PHRASES = ["general amnesty", "amnesty amnesty", "the taliban", "taliban taliban", "عفو عمومی", "اسلامي امارت", "د طالبانو", "kabul visa", "塔利班"]  # fmt: skip
SPECIAL = [
    *(Words(text=text, mark="=") for text in ("Kabul", "KABUL", "Visa", "عفو", "عمومي", "کابل", "Amnesty International", "U.S.")),
    *(Words(text=text, mark="~") for text in ("relocate", "country", "طالبان", "amnesty")),
    *(Words(text=text) for text in ("decre*", "tal?ban", "tali*", "countr?es", "general amn*", "عفو*", "طالب??", "amnest??", "kabul vis*", "مہاجر*")),
    *(Pattern(text=text, any_case=any_case) for text in ("[Kk]abul", "visa|general", "طالبان(و|ها)?", "am[a-z]+y", "[ك-ک]ابل", "利班?") for any_case in (False, True)),
]  # fmt: skip
FACTS = [
    Fact(scope="feed", text="kabul"), Fact(scope="feed", text="daily kabul"), Fact(scope="source", text="kabul.example"),
    Fact(scope="source", text="news.example"), Fact(scope="author", text="ali"), Fact(scope="url", text="/fa/"),
    *(Fact(scope="lang", text=code) for code in ("en", "fa", "ps", "ar", "ur", "zh")),
]  # fmt: skip


def drawn(some):
    """Like sampled_from, with a short name in hypothesis' own messages, which may not be longer than 30 KB."""
    return st.integers(0, len(some) - 1).map(lambda n: some[n])


words = drawn(WORDS) | drawn(
    ["general", "amnesty", "the", "Taliban", "عفو", "عمومي", "kabul", "visa"]
)  # these collide most
texts = st.lists(st.tuples(words, drawn(GLUE)), max_size=14).map(
    lambda pairs: "".join(word + glue for word, glue in pairs)
)
long = st.tuples(st.integers(70, 80), texts).map(lambda pair: "word " * pair[0] + pair[1])
tags = st.lists(drawn(WORDS), max_size=3).map(tuple)
items = st.builds(
    Item, title=texts, summary=texts, content=texts | long, article=st.none() | texts, tags=tags,
    author=drawn([None, "Ali Latifi", "Alia"]), link=drawn([None, "https://news.example/fa/1"]),
    lang=drawn([None, "fa", "ur"]),
)  # fmt: skip
leaves = (
    st.builds(Words, text=drawn([*WORDS[:-2], *PHRASES]), scope=drawn(SCOPES))
    | st.builds(ConceptRef, name=drawn([c.name for c in CONCEPTS]), scope=drawn(SCOPES))
    | st.builds(lambda leaf, scope: type(leaf)(**{**parts(leaf), "scope": scope}), drawn(SPECIAL), drawn(SCOPES))
)  # fmt: skip


def parts(leaf):
    return {name: getattr(leaf, name) for name in leaf.__slots__}


def _close(nodes):
    pairs = st.tuples(nodes, nodes).filter(lambda pair: fields(pair[0]) & fields(pair[1]))
    reach = st.integers(0, 4) | drawn(["s", "p"])
    return (
        st.lists(nodes, min_size=2, max_size=3).map(lambda some: Or(parts=tuple(some)))
        | st.builds(lambda pair, n, ordered: Near(left=pair[0], right=pair[1], reach=n, ordered=ordered), pairs, reach, st.booleans())
        | pairs.map(lambda pair: Except(left=pair[0], right=pair[1]))
    )  # fmt: skip


placed = leaves | st.recursive(leaves, _close, max_leaves=4)
operands = placed | st.builds(AtLeast, times=st.integers(1, 4), part=placed)


def _groups(nodes):
    def conjunction(parts, nots):
        return And(parts=(*parts, *(Not(part=part) for part in nots)))

    return (
        st.lists(nodes, min_size=2, max_size=4).map(lambda parts: Or(parts=tuple(parts)))
        | st.builds(conjunction, st.lists(nodes, min_size=2, max_size=3), st.just([]))
        | st.builds(conjunction, st.lists(nodes, min_size=1, max_size=2), st.lists(nodes, min_size=1, max_size=2))
        | st.builds(lambda node, fact: And(parts=(node, fact)), nodes, drawn(FACTS))
        | st.builds(
            lambda node, some: And(parts=(node, Or(parts=tuple(some)))), nodes, st.lists(drawn(FACTS), min_size=2, max_size=2)
        )
        | st.builds(lambda node, fact: And(parts=(node, Not(part=fact))), nodes, drawn(FACTS))
    )  # fmt: skip


rules = st.recursive(operands, _groups, max_leaves=8).map(str)
keywords = st.lists(drawn([*WORDS[:-2], *PHRASES]), min_size=1, max_size=4).map(tuple)
lists = st.lists(rules | keywords, min_size=1, max_size=6).map(
    lambda given_: [
        Watchlist(name=f"w{n}", label="w", rule=r)
        if isinstance(r, str)
        else Watchlist(name=f"w{n}", label="w", keywords=r)
        for n, r in enumerate(given_)
    ]
)


@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(lists, st.lists(items, min_size=1, max_size=3))
def test_the_matcher_finds_what_asking_every_rule_finds(watchlists, some):
    matcher = watch.compile(watchlists, CONCEPTS)
    for item in some:
        verdict = matcher.verdict(item, source=SOURCE)
        assert verdict.hits == oracle(watchlists, CONCEPTS, item)
        assert verdict.stopped == ()


class World:
    """Rules and items by a seeded die: many more of them a second than hypothesis draws."""

    def __init__(self, seed: int) -> None:
        self.die = random.Random(seed)
        self.common = ["general", "amnesty", "the", "Taliban", "عفو", "عمومي", "kabul", "visa"]

    def text(self) -> str:
        return "".join(
            self.die.choice(self.die.choice((WORDS, self.common))) + self.die.choice(GLUE)
            for _ in range(self.die.randint(0, 14))
        )

    def item(self) -> Item:
        long = "word " * self.die.randint(70, 80) if self.die.random() < 0.1 else ""
        return Item(
            title=self.text(), summary=self.text(), content=long + self.text(),
            article=self.die.choice((None, self.text())), tags=tuple(self.die.choices(WORDS, k=self.die.randint(0, 3))),
            author=self.die.choice((None, "Ali Latifi", "Alia")), link=self.die.choice((None, "https://news.example/fa/1")),
            lang=self.die.choice((None, "fa", "ur")),
        )  # fmt: skip

    def leaf(self) -> Node:
        scope, kind = self.die.choice(SCOPES), self.die.random()
        if kind < 0.5:
            return Words(text=self.die.choice([*WORDS[:-2], *PHRASES]), scope=scope)
        if kind < 0.75:
            return ConceptRef(name=self.die.choice(CONCEPTS).name, scope=scope)
        special = self.die.choice(SPECIAL)
        return type(special)(**{**parts(special), "scope": scope})

    def placed(self, depth: int) -> Node:
        if depth == 0 or self.die.random() < 0.4:
            return self.leaf()
        if self.die.random() < 0.3:
            return Or(parts=tuple(self.placed(depth - 1) for _ in range(self.die.randint(2, 3))))
        left, right = self.placed(depth - 1), self.placed(depth - 1)
        if not fields(left) & fields(right):
            return left
        if self.die.random() < 0.3:
            return Except(left=left, right=right)
        reach = self.die.choice((0, 1, 2, 3, 4, "s", "p"))
        return Near(left=left, right=right, reach=reach, ordered=self.die.random() < 0.3)

    def tree(self, depth: int) -> Node:
        kind = self.die.random()
        if depth == 0 or kind < 0.3:
            part = self.placed(2)
            return AtLeast(times=self.die.randint(1, 4), part=part) if self.die.random() < 0.1 else part
        if kind < 0.6:
            return Or(parts=tuple(self.tree(depth - 1) for _ in range(self.die.randint(2, 4))))
        more = [self.tree(depth - 1)] if self.die.random() < 0.5 else []
        nots = [Not(part=self.tree(depth - 1)) for _ in range(self.die.randint(0 if more else 1, 2))]
        known = [self.die.choice(FACTS)] if self.die.random() < 0.3 else []
        return And(parts=(self.tree(depth - 1), *more, *known, *nots))


def test_thousands_of_pairs_differ_in_nothing():
    world = World(SEED)
    lists = [Watchlist(name=f"w{n}", label="w", rule=str(world.tree(2))) for n in range(min(1000, PAIRS // 20))]
    matcher = watch.compile(lists, CONCEPTS)
    true = 0
    for _ in range(PAIRS // len(lists)):
        item = world.item()
        verdict = matcher.verdict(item, source=SOURCE)
        assert verdict.hits == oracle(lists, CONCEPTS, item)
        true += len({hit.watchlist for hit in verdict.hits})
    assert true > PAIRS / 20, "rules that are never true prove nothing"


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
