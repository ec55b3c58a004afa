"""What a watchlist finds in an item, and where."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter

import pytest

from aggregator import watch
from aggregator.errors import RuleError
from aggregator.model import Hit, Item
from aggregator.settings import Concept, Watchlist
from aggregator.text.fold import Folds, folded
from aggregator.watch import plan

TALIBAN = Concept(
    name="taliban", terms=(("en", ("Taliban", "Taleban")), ("fa", ("طالبان", "امارت اسلامی")), ("ps", ("طالبان",)))
)
AMNESTY = Concept(
    name="amnesty",
    terms=(("en", ("amnesty", "general amnesty")), ("fa", ("عفو عمومی", "عفو"))),
    excepts=("Amnesty International", "عفو بین‌الملل", "tax amnesty"),
)
RELOCATION = Concept(name="relocation", terms=(("en", ("relocation",)), ("fa", ("انتقال",))))
CONCEPTS = (TALIBAN, AMNESTY, RELOCATION)


def ruled(rule: str, name: str = "w") -> Watchlist:
    return Watchlist(name=name, label=name, rule=rule)


def worded(*keywords: str) -> Watchlist:
    return Watchlist(name="w", label="w", keywords=keywords)


def found(watchlist: Watchlist, item: Item) -> list[tuple[str, str, str]]:
    hits = watch.compile([watchlist], CONCEPTS).hits(item)
    for hit in hits:
        assert dict(item.texts())[hit.field][hit.start : hit.end] == hit.text
    return [(hit.term, hit.field, hit.text) for hit in hits]


# ---------------------------------------------------------------- the guiding case


def test_a_rule_is_true_by_a_headline_and_an_article_that_arrives_later():
    rule = ruled("@taliban AND (@amnesty OR @relocation)")
    item = Item(title="Taliban issue decree")
    assert found(rule, item) == []
    read = Item(title=item.title, article="A general amnesty, they say, and relocation for those who served.")
    assert found(rule, read) == [
        ("amnesty", "article", "general amnesty"),
        ("relocation", "article", "relocation"),
        ("taliban", "title", "Taliban"),
    ]


# ---------------------------------------------------------------- rules

ITEM = Item(
    title="Kabul: Taliban and trade",
    summary="A general amnesty",
    content="No visa",
    article="Relocation, visa",
    tags=("asia", "rights"),
)


@pytest.mark.parametrize(
    ("rule", "terms"),
    [
        ("kabul", ["kabul"]),
        ("KABUL", ["kabul"]),
        ("kab", []),
        ("kabul AND visa", ["kabul", "visa"]),
        ("kabul AND herat", []),
        ("kabul OR herat", ["kabul"]),
        ("kabul AND NOT herat", ["kabul"]),
        ("kabul AND NOT visa", []),
        ("kabul AND NOT title:visa", ["kabul"]),
        ("kabul AND NOT (visa AND herat)", ["kabul"]),
        ("kabul AND NOT (visa AND NOT herat)", []),
        ("(kabul AND herat) OR visa", ["visa"]),
        ("(kabul AND trade) OR visa", ["kabul", "trade", "visa"]),
        ("(kabul AND NOT visa) OR trade", ["trade"]),
        ('"taliban and trade"', ["taliban and trade"]),
        ('"taliban trade"', []),
        ('"Kabul Taliban"', ["kabul taliban"]),
        ('"trade a general"', []),  # the end of the title and the beginning of the summary
        ("title:kabul", ["kabul"]),
        ("summary:kabul", []),
        ("title:visa OR summary:visa OR tags:visa", []),
        ("content:visa", ["visa"]),
        ("body:relocation", ["relocation"]),
        ("body:kabul OR body:amnesty OR body:asia", []),
        ("tags:rights", ["rights"]),
        ("tags:(asia AND rights)", ["asia", "rights"]),
        ('"asia rights"', []),  # two tags
        ("@taliban AND @amnesty", ["amnesty", "taliban"]),
        ("title:@amnesty", []),
    ],
)
def test_a_rule_is_judged_over_the_whole_item_and_a_term_in_one_field(rule, terms):
    assert sorted({term for term, _, _ in found(ruled(rule), ITEM)}) == terms


def test_a_true_rule_tells_every_place_of_its_terms_and_of_no_other():
    item = Item(title="Visa, visa", article="visa; kabul; herat")
    assert found(ruled("(visa AND NOT ghazni) OR (kabul AND ghazni)"), item) == [
        ("visa", "article", "visa"),
        ("visa", "title", "Visa"),
        ("visa", "title", "visa"),
    ]


def test_one_term_named_twice_is_told_once():
    assert found(ruled("visa OR title:visa OR (visa AND title:visa)"), Item(title="visa")) == [
        ("visa", "title", "visa")
    ]


# ---------------------------------------------------------------- keywords


def test_any_keyword_makes_a_hit_under_its_folded_name():
    item = Item(title="Taliban: a General Amnesty", content="طالبان عفو عمومي")
    assert found(worded("TALIBAN", "general amnesty", "عفو عمومی", "visa"), item) == [
        ("عفو عمومی", "content", "عفو عمومي"),
        ("taliban", "title", "Taliban"),
        ("general amnesty", "title", "General Amnesty"),
    ]


@pytest.mark.parametrize("keyword", ["@taliban", "title:taliban", "taliban", '"Taliban"'])
def test_a_keyword_is_literal_text(keyword):
    texts = {text for _, _, text in found(worded(keyword), Item(content="Taliban, title: Taliban, طالبان"))}
    assert texts == ({"title: Taliban"} if "title" in keyword else {"Taliban"})


def test_keywords_that_fold_to_one_term_are_one():
    assert found(worded("Taliban", "TALIBAN", "táliban"), Item(title="Taliban")) == [("taliban", "title", "Taliban")]


# ---------------------------------------------------------------- spellings and places


@pytest.mark.parametrize(
    ("keyword", "text", "hit"),
    [
        ("taliban", "The Ta\u200bliban.", "Ta\u200bliban"),
        ("كابل", "در کابل، امروز", "کابل"),
        ("طالبان", "طــالبـان آمدند", "طــالبـان"),
        ("طالبان", "طالبان\u200cها", "طالبان"),
        ("جابه\u200cجایی", "خبر جابه جایی", "جابه جایی"),
        ("Müller", "MULLER said", "MULLER"),
        ("strasse", "Die Straße hier", "Straße"),
        ("塔利班", "阿富汗塔利班宣布大赦", "塔利班"),
        ("ตาลีบัน", "รัฐบาลตาลีบันประกาศ", "ตาลีบัน"),
        ("۱۴۰۲", "سال ١٤٠٢ بود", "١٤٠٢"),
        ("U.S.", "the U.S. army", "U.S"),
    ],
)
def test_a_hit_is_the_original_slice_behind_the_folded_term(keyword, text, hit):
    assert found(worded(keyword), Item(title=text)) == [(folded(keyword), "title", hit)]


def test_a_concept_takes_the_endings_of_its_language_and_a_keyword_those_of_its_script():
    pashto = Item(title="د طالبانو وياند")
    for code, texts in (("ps", ["طالبانو"]), ("fa", [])):
        hits = watch.compile([ruled("@t")], [Concept(name="t", terms=((code, ("طالبان",)),))]).hits(pashto)
        assert [hit.text for hit in hits] == texts
    assert found(worded("طالبان"), pashto) == [("طالبان", "title", "طالبانو")]


@pytest.mark.parametrize(("word", "text"), [("country", "countries"), ("پناهنده", "پناهندگان"), ("د عفوه", "د عفوې")])
def test_an_ending_that_replaces_letters_is_found_early_and_late(word, text):
    item = Item(title=text, article="xylophone")
    assert (folded(word), "title", text) in found(worded(word), item)
    assert (folded(word), "title", text) in found(ruled(f'xylophone AND "{word}"'), item)


def test_neighbours_that_share_a_space_are_both_found():
    assert len(found(worded("taliban"), Item(title="taliban taliban Taliban"))) == 3
    assert len(found(worded("taliban taliban"), Item(title="taliban taliban Taliban"))) == 2
    assert len(found(ruled("a AND zz"), Item(title="zz zz", article="a a a"))) == 5  # also when looked for late


def test_of_places_inside_each_other_one_term_keeps_the_longest():
    assert found(ruled("@amnesty"), Item(title="general amnesty, amnesty")) == [
        ("amnesty", "title", "general amnesty"),
        ("amnesty", "title", "amnesty"),
    ]


def test_terms_that_overlap_are_all_told():
    assert found(worded("general amnesty", "amnesty", "amnesty decree"), Item(title="general amnesty decree")) == [
        ("general amnesty", "title", "general amnesty"),
        ("amnesty", "title", "amnesty"),
        ("amnesty decree", "title", "amnesty decree"),
    ]


def test_a_word_that_begins_one_spelling_and_ends_another_tells_both_early_and_late():
    amnesty = Concept(name="amnesty", terms=(("ps", ("عمومي عفوه",)), ("fa", ("عفو عمومی", "عفو", "بخشش"))))
    item = Item(title="عفو عمومی", content="عمومی عفوه", article="xylophone")
    spellings = ["عمومی عفوه", "عفو عمومی"]
    for rule in ("@amnesty", "xylophone AND @amnesty"):
        hits = watch.compile([ruled(rule)], [amnesty]).hits(item)
        assert [hit.text for hit in hits if hit.term == "amnesty"] == spellings


# ---------------------------------------------------------------- excepts


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("Amnesty International reports", []),
        ("AMNESTY  INTERNATIONAL reports", []),
        ("Amnesty International on the Taliban's amnesty", ["amnesty"]),
        ("An amnesty; Amnesty International objects to the amnesty", ["amnesty", "amnesty"]),
        ("general amnesty international", ["general amnesty"]),
        ("Amnesty Internationally known", ["Amnesty"]),
        ("a tax amnesty; an amnesty tax", ["amnesty"]),
        ("عفو بین‌الملل", []),
        ("عفو بين الملل از عفو", ["عفو"]),
    ],
)
def test_a_place_inside_an_except_is_no_hit(text, hits):
    assert [hit for _, _, hit in found(ruled("@amnesty"), Item(title=text))] == hits
    late = found(
        ruled("xylophone AND @amnesty"), Item(title=text, article="xylophone")
    )  # not an anchor, looked for late
    assert [hit for term, _, hit in late if term == "amnesty"] == hits


def test_an_except_shields_its_own_field_only():
    item = Item(article="At great length, Amnesty International", title="amnesty")
    assert found(ruled("@amnesty"), item) == [("amnesty", "title", "amnesty")]


def test_an_except_is_no_not():
    item = Item(title="Amnesty International", article="on the amnesty")
    assert found(ruled("@amnesty"), item) == [("amnesty", "article", "amnesty")]
    assert found(ruled("visa AND NOT @amnesty"), Item(title="visa, says Amnesty International")) == [
        ("visa", "title", "visa")
    ]


def test_a_rule_is_not_true_by_a_place_that_is_excepted():
    matcher = watch.compile(
        [ruled("@amnesty", "anchor"), ruled("@amnesty AND visa"), ruled("herat OR @amnesty", "or")], CONCEPTS
    )
    assert matcher.hits(Item(title="visa, says Amnesty International")) == ()


def test_an_except_counts_for_its_concept_only():
    assert found(ruled("amnesty"), Item(title="Amnesty International")) == [("amnesty", "title", "Amnesty")]


def test_a_line_break_parts_tags_and_nothing_else():
    assert found(ruled('"trade union"'), Item(content="trade\nunion", tags=("trade", "union", "trade union"))) == [
        ("trade union", "content", "trade\nunion"),
        ("trade union", "tags", "trade union"),
    ]


def test_two_tags_are_no_except_phrase():
    assert found(ruled("@amnesty"), Item(tags=("amnesty", "international"))) == [("amnesty", "tags", "amnesty")]
    assert found(ruled("@amnesty"), Item(tags=("amnesty international",))) == []


# ---------------------------------------------------------------- the matcher


def test_hits_are_sorted_and_distinct_over_all_watchlists():
    lists = [ruled("a AND b", "two"), ruled("b OR a", "one"), ruled("c", "none"), worded("a")]
    hits = watch.compile(lists, ()).hits(Item(title="a b a", summary="b", article="a"))
    assert hits == tuple(sorted(set(hits)))
    assert {hit.watchlist for hit in hits} == {"one", "two", "w"}
    assert hits[0] == Hit(watchlist="one", field="article", start=0, end=1, term="a", text="a")


def test_nothing_watched_finds_nothing():
    assert watch.compile((), ()).hits(ITEM) == ()
    assert watch.compile([ruled("kabul")], ()).hits(Item()) == ()


def test_folds_at_hand_are_used():
    matcher = watch.compile([ruled("kabul AND visa")], ())
    assert matcher.hits(ITEM, Folds(dict(ITEM.texts()))) == matcher.hits(ITEM)
    assert matcher.hits(ITEM, Folds({**dict(ITEM.texts()), "title": "Herat"})) == ()


def test_a_concept_of_many_spellings_is_found_late_too():
    many = Concept(name="many", terms=(("en", tuple(f"name{n}" for n in range(5 * plan.FEW))),))
    matcher = watch.compile([ruled("xylophone AND @many")], [many])
    hits = matcher.hits(Item(title="Name37, name7; name777", summary="xylophone"))
    assert [hit.text for hit in hits] == ["xylophone", "Name37", "name7"]


def test_a_matcher_crosses_a_process_border():
    matcher = watch.compile([ruled("@taliban AND trade")], CONCEPTS)
    again = pickle.loads(pickle.dumps(matcher))
    assert again.watchlists == matcher.watchlists
    assert again.hits(ITEM) == matcher.hits(ITEM) != ()


def test_threads_share_a_matcher():
    matcher = watch.compile([ruled("@taliban AND @amnesty"), ruled("visa AND NOT herat", "v")], CONCEPTS)
    items = [Item(title=f"Taliban {n}", article="amnesty " * (n % 7) + "visa") for n in range(200)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(matcher.hits, items)) == list(map(matcher.hits, items))


def test_a_title_of_a_megabyte_costs_no_more_than_its_length():
    lists = [
        ruled("taliban AND a", "x"),
        worded("taliban taliban"),
        ruled("@amnesty", "y"),
        ruled("NOT b AND taliban", "z"),
    ]
    item = Item(title="taliban " * 125_000 + "a", article="amnesty international " * 40_000 + "amnesty")
    hits = watch.compile(lists, CONCEPTS).hits(item)
    told = {name: [hit for hit in hits if hit.watchlist == name] for name in "wxyz"}
    assert {name: len(places) for name, places in told.items()} == {"w": 1000, "x": 1001, "y": 1, "z": 1000}
    assert [hit.start for hit in told["z"]] == [8 * n for n in range(1000)]
    assert told["y"][0].start == 22 * 40_000


@pytest.mark.parametrize(
    ("watchlist", "concepts", "message"),
    [
        (worded("visa", "…"), (), '"…" holds no letter or digit, so it can stand nowhere; leave it out'),
        (worded(), (), "watchlist w has neither keywords nor a rule"),
        (ruled("@gone"), (), "there is no concept @gone; define it under `concepts:`"),
        (
            ruled("@odd"),
            (Concept(name="odd", terms=(("en", ("a", "!")),)),),
            '"!" holds no letter or digit, so it can stand nowhere; leave it out',
        ),
        (
            ruled("@odd"),
            (Concept(name="odd", terms=(("en", ("a",)),), excepts=("!",)),),
            '"!" holds no letter or digit, so it can stand nowhere; leave it out',
        ),
        (ruled("@odd"), (Concept(name="odd", terms=()),), "concept odd has no spellings"),
    ],
)
def test_what_can_find_nothing_is_refused(watchlist, concepts, message):
    with pytest.raises(RuleError) as caught:
        watch.compile([watchlist], concepts)
    assert str(caught.value) == message


def test_hit_order_is_the_order_of_the_record():
    hits = watch.compile([worded("a", "b", "a b")], ()).hits(Item(title="a b a b", tags=("b",)))
    assert list(hits) == sorted(hits, key=attrgetter("watchlist", "field", "start", "end", "term", "text"))
