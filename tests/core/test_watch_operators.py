"""What stops a costly rule, what a rule may ask of an item's source, why a rule is true or false, and what looks wrong."""

from __future__ import annotations

import pickle
import time

import pytest

from aggregator import watch
from aggregator.errors import RuleError, UsageError
from aggregator.model import Item
from aggregator.settings import Concept, Watchlist
from aggregator.text.language import code, language
from aggregator.watch import decisive


def ruled(rule: str, name: str = "w") -> Watchlist:
    return Watchlist(name=name, label=name, rule=rule)


def texts(rule: str, item: Item, concepts=(), source=None) -> list[str]:
    return [hit.text for hit in watch.compile([ruled(rule)], concepts).hits(item, source=source)]


# ---------------------------------------------------------------- places that are told


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("a NEAR/0 b", ["a", "b"]),
        ("a NEAR/1 b", ["a", "b", "a"]),
        ("b ONEAR/1 a", ["b", "a"]),
        ("a EXCEPT (a ONEAR/0 b)", ["a"]),
        ("ATLEAST/2(a)", ["a", "a"]),
        ("ATLEAST/3(a)", []),
        ("(a NEAR/0 b) ONEAR/1 a", ["a", "b", "a"]),
        ("a NEAR/5 a", ["a", "a"]),
        ("b NEAR/5 b", []),
        ("(b OR a) NEAR/0 b", ["a", "b"]),
        ("/[ab] b/", ["a b"]),
        ("/[ab] B/i AND x", ["a b", "x"]),
        ("/b/ NEAR/1 a", ["a", "b", "a"]),
        ("a EXCEPT /a b/", ["a"]),
    ],
)
def test_only_places_that_make_a_rule_true_are_told(rule, told):
    assert texts(rule, Item(title="a b x a")) == told


def test_distance_never_leads_from_one_part_or_tag_to_the_next():
    item = Item(title="taliban", summary="amnesty", tags=("taliban", "amnesty"))
    assert texts("taliban NEAR/500 amnesty", item) == []
    assert texts("taliban NEAR/p amnesty", item) == []
    assert texts("taliban NEAR/1 amnesty", Item(tags=("taliban", "taliban on amnesty"))) == ["taliban", "amnesty"]


def test_the_lead_is_the_first_eighty_words_of_each_text():
    words = "word " * 79
    assert texts("lead:kabul", Item(content=f"{words}Kabul")) == ["Kabul"]
    assert texts("lead:kabul", Item(content=f"{words}in Kabul", article="Kabul")) == ["Kabul"]
    assert texts("lead:kabul", Item(title="Kabul", content=f"{words}in Kabul", tags=("Kabul",))) == []


@pytest.mark.parametrize(
    ("text", "together"),
    [
        ("Taliban met. Amnesty came.", False),
        ("Taliban met Mr. Amnesty.", True),
        ("Taliban of the U.S. amnesty.", True),
        ("Taliban and 3.5 amnesty", True),
        ("Taliban! Amnesty", False),
        ("“Taliban.” Amnesty", False),
        ("Taliban e.g. amnesty", True),
        ("Taliban\nAmnesty", False),
        ("Taliban؟ Amnesty", False),
        ("Taliban۔ Amnesty", False),
        ("Taliban؛ Amnesty", False),
        ("Taliban، Amnesty", True),
        ("塔利班。大赦", False),
        ("塔利班，大赦", True),
    ],
)
def test_a_sentence_ends_where_a_reader_would_say(text, together):
    rule = "塔利班 NEAR/s 大赦" if "塔" in text else "taliban NEAR/s amnesty"
    assert bool(texts(rule, Item(title=text))) == together


def test_in_a_script_without_spaces_each_letter_is_a_word():
    assert texts("塔利班 NEAR/2 大赦", Item(title="塔利班宣布大赦")) == ["塔利班", "大赦"]
    assert texts("塔利班 NEAR/1 大赦", Item(title="塔利班宣布大赦")) == []


def test_spans_of_an_expression_are_code_points_of_the_original():
    item = Item(title="قیمت «۵۰ دالر» 🙂 is $500!", tags=("x", "$9 now"))
    assert texts(r"/\$[0-9]+/", item) == ["$9", "$500"]  # tags before title
    assert texts(r"/[۰-۹]+ دالر/", item) == ["۵۰ دالر"]
    assert texts(r"/x\s/", item) == []  # not from one tag into the next
    assert texts(r"/!+/", item) == ["!"]


# ---------------------------------------------------------------- concepts that weigh and compare letters


def test_a_concept_is_found_when_its_different_spellings_weigh_enough():
    concept = Concept(
        name="c", terms=(("en", ("visa", "relocation", "=SIV")), ("fa", ("ویزه",)), ("ps", ("ویزه",))),
        weights=(("=SIV", 3),), least=3, excepts=("visa card",),
    )  # fmt: skip
    for text, hits in (
        ("visa, visa and visa", []),
        ("visa and relocation", []),
        ("visa, relocation, ویزه", ["visa", "relocation", "ویزه"]),
        ("ویزه", []),
        ("SIV", ["SIV"]),
        ("siv", []),
        ("visa card, relocation, ویزه", []),
    ):
        assert texts("@c", Item(title=text), [concept]) == hits, text
        assert texts("x AND @c", Item(title=text, article="x"), [concept]) == (["x", *hits] if hits else [])


def test_a_concept_with_case_takes_no_other_letters():
    concept = Concept(name="c", terms=(("en", ("ARAP", "US")), ("fa", ("کابل",))), case=True)
    assert texts("@c", Item(title="ARAP, Arap, us, US, USs, كابل کابل"), [concept]) == ["ARAP", "US", "کابل"]
    with pytest.raises(RuleError):
        watch.compile([ruled("@c")], [Concept(name="c", terms=(("en", ("rel*",)),), case=True)])


# ---------------------------------------------------------------- what is known beside the text

SOURCE = watch.Source(feed="Pajhwok Dari", site="pajhwok.com", lang="fa")


@pytest.mark.parametrize(
    ("fact", "with_source", "without"),
    [
        ("feed:pajhwok", True, False),
        ("feed:pajh", False, False),
        ('feed:"Pajhwok Dari"', True, False),
        ("source:pajhwok.com", True, False),
        ("source:wok.com", False, False),
        ("source:news.example", True, True),
        ("source:example", True, True),
        ("lang:en", True, True),
        ("lang:dari", False, False),
        ("author:latifi", True, True),
        ('author:"ali latifi"', True, True),
        ("author:ali-latif", False, False),
        ('url:"/FA/2021"', True, True),
        ("url:persian", False, False),
    ],
)
def test_a_fact_is_true_of_what_is_known(fact, with_source, without):
    item = Item(
        title="It is said that the Taliban are in Kabul", author="Ali Latifi", link="https://www.news.example/fa/2021/1"
    )
    rule = f"taliban AND {fact}"
    assert bool(texts(rule, item, source=SOURCE)) == with_source
    assert bool(texts(rule, item)) == without
    assert bool(texts(f"taliban AND NOT {fact}", item, source=SOURCE)) != with_source
    assert bool(texts(f"taliban AND (herat OR {fact})", item, source=SOURCE)) == with_source


@pytest.mark.parametrize(
    ("text", "declared", "spoken"),
    [
        ("د طالبانو ویاند وویل چې ښځې به کار ته ځي", None, "ps"),
        ("طالبان می‌گویند که زنان در خانه بمانند", None, "fa"),
        ("طالبان مي‌گويند که زنان در خانه بمانند", "ar", "fa"),
        ("قالت حركة طالبان إن العفو العام يشمل الجميع", None, "ar"),
        ("طالبان نے کہا ہے کہ عام معافی کا اعلان کیا جائے", None, "ur"),
        ("طالبان", None, None),
        ("طالبان", "prs", "fa"),
        ("طالبان", "en", None),
        ("The Taliban said on Monday", None, "en"),
        ("Die Taliban sagten am Montag", "de", "de"),
        ("Die Taliban sagten am Montag", None, None),
        ("塔利班宣布大赦", None, "zh"),
        ("アフガンのタリバン", None, "ja"),
        ("탈레반", None, "ko"),
        ("Талибан", "ru", "ru"),
        ("", "ps", "ps"),
        ("", None, None),
    ],
)
def test_letters_and_words_say_the_language_and_the_declaration_comes_last(text, declared, spoken):
    assert language(text, declared) == spoken


def test_language_codes_have_one_form():
    assert [code(name) for name in ("fa-AF", "prs", "Dari", "PUS", "en_GB", "x", "pashto!")] == [
        "fa", "fa", "fa", "ps", "en", None, None,
    ]  # fmt: skip


# ---------------------------------------------------------------- what costs too much

COSTLY = r"/(a|b|ab)*[a-t ]{300}x/"


def test_a_costly_expression_is_stopped_and_the_others_still_match():
    matcher = watch.compile(
        [ruled(f"taliban AND {COSTLY}", "costly"), ruled("taliban", "plain"), ruled(f"herat AND {COSTLY}", "other")], ()
    )
    item = Item(title="Taliban", article="ab cd " * 200_000)
    before = time.process_time()
    verdict = matcher.verdict(item)
    assert time.process_time() - before < 5
    assert {hit.watchlist for hit in verdict.hits} == {"plain"}
    assert [one.watchlist for one in verdict.stopped] == ["costly"]
    assert "too costly for this item" in verdict.stopped[0].why
    assert matcher.verdict(Item(title="Taliban", article="ab cd " * 20)).stopped == ()
    assert matcher.hits(item) == verdict.hits
    assert "too costly" in decisive(matcher.explain(item, "costly"))[-1].why


def test_a_rule_of_many_expressions_has_one_budget():
    rule = "taliban AND (" + " OR ".join(f"/[^x-z]{{40}}{n}x/" for n in range(60)) + ")"
    verdict = watch.compile([ruled(rule)], ()).verdict(Item(title="taliban", article="ab cd " * 10_000))
    assert [one.watchlist for one in verdict.stopped] == ["w"]


def test_places_without_number_cost_no_more_than_their_length_until_they_are_paired():
    item = Item(title="taliban amnesty " * 30_000)
    lists = [ruled("taliban NEAR/100 amnesty", "near"), ruled("(taliban NEAR/400 amnesty) NEAR/400 herat OR herat".replace(" OR herat", ""), "none"),
             ruled("((taliban NEAR/400 amnesty) NEAR/400 taliban) OR amnesty", "pairs"), ruled("tali*", "wild")]  # fmt: skip
    before = time.process_time()
    verdict = watch.compile(lists, ()).verdict(item)
    assert time.process_time() - before < 10
    assert {hit.watchlist for hit in verdict.hits} == {"near", "wild"}
    assert [one.watchlist for one in verdict.stopped] == ["pairs"]


def test_verdicts_cross_a_process_border():
    verdict = watch.compile([ruled("taliban")], ()).verdict(Item(title="Taliban"))
    assert pickle.loads(pickle.dumps(verdict)) == verdict


# ---------------------------------------------------------------- why


def way(rule: str, item: Item, concepts=(), source=None) -> list[tuple[str, bool, str]]:
    branch = watch.compile([ruled(rule)], concepts).explain(item, "w", source=source)
    return [(one.rule, one.true, one.why) for one in decisive(branch)]


@pytest.mark.parametrize(
    ("rule", "rest"),
    [
        ("kabul AND herat", [("herat", False, "stands nowhere in title, content")]),
        ("kabul AND NOT visa", [("NOT visa", False, "what must not stand there does"), ("visa", True, "2 places")]),
        ("herat OR ghazni", [("herat", False, "stands nowhere in title, content")]),
        ("herat OR kabul", [("kabul", True, "1 place")]),
        ("kabul AND (herat OR (visa AND summary:visa))", [("herat OR (visa AND summary:visa)", False, "0 of 2 parts are true"), ("herat", False, "stands nowhere in title, content")]),
        ("summary:visa", []),
        ("kabul NEAR/2 trade", []),
        ("kabul AND feed:bbc", [("feed:bbc", False, "it is Pajhwok Dari")]),
        ("kabul AND lang:ps", [("lang:ps", False, "it is en")]),
        ("kabul AND author:ali", [("author:ali", False, "unknown")]),
    ],
)  # fmt: skip
def test_an_explanation_leads_to_the_branch_that_decides(rule, rest):
    item = Item(title="Kabul: a word on some trade that is said", content="Visa, visa")
    assert way(rule, item, source=SOURCE)[1:] == rest


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("summary:visa", "the item has no such part"),
        ("kabul NEAR/2 trade", "at best 4 words between, 2 are allowed"),
        ("trade ONEAR/9 kabul", "never in one field in this order"),
        ("kabul NEAR/2 visa", "never in one field"),
        ("kabul NEAR/2 herat", "stands nowhere in title, content"),
        ("kabul NEAR/s trade", "never in one sentence"),
        ("visa EXCEPT /[Vv]isa/", "every place is inside /[Vv]isa/"),
        ("ATLEAST/3(visa)", "2 places, 3 are needed"),
        ("=VISA", "never written VISA"),
        ("@a", "every place is inside an except"),
        ("@b", "its spellings in this item weigh 1, 2 are needed"),
    ],
)
def test_a_part_that_fails_says_what_is_missing(rule, why):
    concepts = [
        Concept(name="a", terms=(("en", ("trade",)),), excepts=("some trade",)),
        Concept(name="b", terms=(("en", ("trade", "herat")),), least=2),
    ]
    item = Item(title="Kabul. A word on some trade", content="Visa, visa")
    assert way(rule, item, concepts)[-1][1:] == (False, why)


def test_an_explanation_shows_how_each_place_was_found():
    concept = Concept(name="c", terms=(("en", ("Taliban", "=SIV", "relocat*", "~evacuate")), ("ps", ("طالبان",))))
    item = Item(title="TALIBAN Taliban SIV relocated evacuee د طالبانو طــالبان")
    branch = watch.compile([ruled("@c AND /T.LIBAN/")], [concept]).explain(item, "w")
    ways = {place.text: (place.term, place.how) for place in branch.parts[0].places}
    assert ways == {
        "TALIBAN": ("Taliban", "in other letters"), "Taliban": ("Taliban", "as written"), "SIV": ("SIV", "as written"),
        "relocated": ("relocat*", "wildcard"), "evacuee": ("evacuate", "related form"),
        "طالبانو": ("طالبان", "with an ending"), "طــالبان": ("طالبان", "in other letters"),
    }  # fmt: skip
    assert [(place.text, place.how) for place in branch.parts[1].places] == [("TALIBAN", "expression")]
    for part in branch.parts:
        for place in part.places:
            assert item.title[place.start : place.end] == place.text


def test_an_explanation_of_a_watchlist_that_there_is_not_is_refused():
    with pytest.raises(UsageError):
        watch.compile([ruled("a")], ()).explain(Item(title="a"), "x")


# ---------------------------------------------------------------- what looks wrong


def test_what_looks_like_a_mistake_is_told_with_what_to_write():
    concepts = [
        Concept(name="one", terms=(("en", ("SIV", "visa", "Visa")),)),
        Concept(name="two", terms=(("en", ("=SIV",)), ("fa", ("ویزه",)), ("ps", ("ويزه",)))),
        Concept(name="three", terms=(("en", ("US",)), ("prs", ("کابل",)), ("ps", ("کابل",))), case=True),
    ]
    lists = [ruled("@one AND US", "a"), ruled("/x.z/ OR kabul", "b"), ruled("/x.z/ AND kabul", "c"),
             Watchlist(name="d", label="d", keywords=("Taliban", "TALIBAN", "=IEA"))]  # fmt: skip
    found = [(one.kind, one.where) for one in watch.warnings(lists, concepts)]
    assert found == [
        ("acronym", "concept one"), ("alike", "concept one"), ("language", "concept one"), ("acronym", "watchlist a"),
        ("anchor", "watchlist b"), ("alike", "watchlist d"),
    ]  # fmt: skip
    told = {one.kind: one.text for one in watch.warnings(lists[:1], concepts[:1])}
    assert told["language"] == "has no spelling in fa, ps: what is written in that language is not found"
    assert "write =US" in told["acronym"]


def test_a_rule_is_spread_into_all_that_it_looks_for():
    concept = Concept(name="c", terms=(("en", ("visa", "=SIV", "relocat*")),))
    terms = watch.spread(ruled("@c AND title:country AND NOT (/x/ OR trade) AND feed:x"), [concept])
    assert [(one.term, one.written, one.forms, one.negated) for one in terms] == [
        ("c", "@c", ("visa", "visas", "siv"), False),
        ("country", "title:country", ("country", "countrys", "countries"), False),
        ("/x/", "/x/", (), True),
        ("trade", "trade", ("trade", "trades"), True),
    ]


def spelled(**terms):
    return [Concept(name="c", terms=tuple(terms.items()))]


ALL = {"fa": ("ویزه",), "ps": ("ویزه",)}


@pytest.mark.parametrize(
    ("kind", "rule", "concepts", "mended_rule", "mended_concepts"),
    [
        ("acronym", "visa AND SIV", (), "visa AND =SIV", ()),
        ("acronym", "@c", spelled(en=("SIV",), **ALL), "@c", spelled(en=("=SIV",), **ALL)),
        ("language", "@c", spelled(en=("visa",)), "@c", spelled(en=("visa",), **ALL)),
        ("alike", "visa OR Vísa", (), "visa OR title:visa", ()),
        ("alike", "@c", spelled(en=("visa",), fa=("ويزه", "ویزه"), ps=("ویزه",)), "@c", spelled(en=("visa",), **ALL)),
        ("letters", '"Тaliban visa"', (), '"Taliban visa"', ()),
        ("letters", "@c", spelled(en=("Κabul",), **ALL), "@c", spelled(en=("Кабул", "Kabul"), **ALL)),
        ("anchor", "/vis[ae]/", (), "/vis[ae]/ AND visa", ()),
        ("anchor", "visa OR /x./", (), "visa AND /x./", ()),
    ],
)
def test_each_warning_comes_of_its_cause_and_goes_with_it(kind, rule, concepts, mended_rule, mended_concepts):
    assert [one.kind for one in watch.warnings([ruled(rule)], concepts)] == [kind]
    assert [one.kind for one in watch.warnings([ruled(mended_rule)], mended_concepts)] == []
