import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator import config, watchimport

KEYWORDS = """# people at risk
Taliban
- general amnesty
"طالبان",
خبر\u200cنگار
taliban
relocat*
!!!
"""
GOOGLE = """"general amnesty" Taliban -football
Taliban (amnesty OR relocation) site:afintl.com
intitle:Taliban OR Haqqani | "Islamic Emirate"
Taliban AROUND(5) amnesty
-football
"general * amnesty"
related:example.org Taliban
Taliban (amnesty
"general amnesty
Taliban 2020..2022
"""
MINIFLUX = r"""EntryTitle=(?i)taliban|general\s+amnesty
(?i)\b(pardon|USRAP)\b
EntryContent=(?i)evacuat(ed|ion)
EntryDate=max-age:7d
EntryAuthor=Smith
EntryTitle=(?i)(unclosed
"""
EMM = """// a category of the OSINT Suite
define alert Amnesty
  words threshold 30
  define patterns
    general+amnesty 30, clemency 20,
    decree 10,
    football -99
  end patterns
  define combination
    proximity 5
    begin or Taliban, Talib% end or
    begin or amnesty, "pardon" end or
    begin not football end not
  end combination
end alert
define alert Rain define combination begin or rain end or begin or Herat, هرات end or end combination end alert
define alert Broken
  define combination
    begin or snow ice end or
  end combination
end alert
define alert Last define patterns hail 1 end patterns end alert
"""


@pytest.fixture
def brought(records, here):
    """What `watch import` makes of a text: rules and keywords by name, and what was refused."""

    def brought(text, *args, name="list.txt", exit_code=0):
        (here / name).write_text(text, encoding="utf-8")
        lines = records("watch", "import", name, *args, exit_code=exit_code)
        added = {one["watchlist"]: one["rule"] or one["keywords"] for one in lines if one["type"] == "added"}
        refused = {one["place"]: one["why"] for one in lines if one["type"] == "refused"}
        assert (lines[-1]["added"], lines[-1]["refused"]) == (len(added), len(lines) - 1 - len(added))
        return lines[-1]["form"], added, refused

    return brought


@pytest.mark.usefixtures("newsroom")
def test_a_flat_list_becomes_keywords_and_its_wildcards_a_rule(brought):
    form, added, refused = brought(KEYWORDS, name="people.txt")
    assert form == "keywords"
    assert added == {
        "people": ["Taliban", "general amnesty", "طالبان", "خبر\u200cنگار"],
        "people-wild": "relocat*",
    }
    assert refused.keys() == {"line 6", "line 8"}
    assert "the same as line 2" in refused["line 6"]


@pytest.mark.usefixtures("newsroom")
def test_a_list_as_people_keep_it_is_read_piece_by_piece(brought):
    """Commas of both scripts part keywords, quotes keep them; what looks like a rule is not taken for a phrase."""
    text = 'Taliban, amnesty;relocation\nطالبان، عفو عمومی\n1. Haqqani\n"Kabul, Afghanistan", "P-1"\n,;\n// men\nsnow AND ice\n"AND"\n'
    _, added, refused = brought(text, name="people.csv")
    assert added == {
        "people": [
            "Taliban",
            "amnesty",
            "relocation",
            "طالبان",
            "عفو عمومی",
            "Haqqani",
            "Kabul, Afghanistan",
            "P-1",
            "AND",
        ]
    }
    assert {place: why.partition(";")[0] for place, why in refused.items()} == {
        "line 5": "holds no word",
        "line 6": "a comment begins with #",
        "line 7": "AND, OR, NOT and NEAR mean nothing in a list",
    }


@pytest.mark.usefixtures("newsroom")
def test_google_alerts_become_rules_with_its_precedence(brought):
    form, added, refused = brought(GOOGLE, "--name", "alert")
    assert form == "google"
    assert added == {
        "alert": '"general amnesty" AND Taliban AND NOT football',
        "alert-2": "Taliban AND (amnesty OR relocation) AND source:afintl.com",
        "alert-3": 'title:Taliban OR Haqqani OR "Islamic Emirate"',
        "alert-4": "Taliban NEAR/5 amnesty",
    }
    assert refused.keys() == {"line 5", "line 6", "line 7", "line 8", "line 9", "line 10"}
    assert "never closed" in refused["line 8"]
    assert "quote is never closed" in refused["line 9"]
    assert "range of numbers" in refused["line 10"]


@pytest.mark.usefixtures("newsroom")
def test_miniflux_rules_become_words_where_they_list_words(brought):
    form, added, refused = brought(MINIFLUX, name="keep.txt")
    assert form == "miniflux"
    assert added == {
        "keep": 'title:taliban OR title:"general amnesty" OR pardon OR USRAP OR summary:/evacuat(ed|ion)/i'
        " OR body:/evacuat(ed|ion)/i"
    }
    assert refused.keys() == {"line 4", "line 5", "line 6"}


@pytest.mark.usefixtures("newsroom")
def test_categories_of_the_emm_osint_suite_become_watchlists_of_their_names(brought):
    form, added, refused = brought(EMM, name="category.adf")
    assert form == "emm"
    assert added == {
        "Amnesty": '"general amnesty" OR ATLEAST/2(clemency) OR ATLEAST/3(clemency OR decree) OR (clemency AND decree)'
        " OR (((Taliban OR Talib*) NEAR/5 (amnesty OR pardon)) AND NOT football)",
        "Rain": "rain AND (Herat OR هرات)",
        "Last": "hail",
    }
    assert refused.keys() == {"line 7", "line 19"}
    assert "takes away" in refused["line 7"]
    assert refused["line 19"] == "a comma or `end or` is wanted here"


@pytest.mark.usefixtures("newsroom")
@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("define alert A\n define patterns\n x\n end patterns end alert", "line 4", "a number is wanted"),
        ("define alert A\n define patterns x 1", "line 2", "a comma or `end patterns` is wanted"),
        ("define alert A\n colour red\nend alert", "line 2", "`define patterns`, `define combination` or `end alert`"),
        (
            "define alert A\n define combination\n begin or end or\n end combination\nend alert",
            "line 2",
            "a group of it holds no word",
        ),
        (
            "define alert A define combination begin not x end not end combination end alert",
            "line 1",
            "nothing in it must be",
        ),
        ("define alert A define patterns %x 1 end patterns end alert", "line 1", "begins with a wildcard"),
        ("define alert A\nend alert", "line 1", "it looks for nothing"),
        ("\n\nsomething else", "line 3", "`define alert` is wanted"),
    ],
)
def test_a_fault_of_a_category_file_is_named_with_its_line(brought, text, place, why):
    _, added, refused = brought(text, "--form", "emm", exit_code=1)
    assert added == {}
    assert why in refused[place]


@pytest.mark.usefixtures("newsroom")
@pytest.mark.parametrize("text", [KEYWORDS, GOOGLE, MINIFLUX, EMM], ids=["keywords", "google", "miniflux", "emm"])
@pytest.mark.parametrize(
    "last",
    [
        "  - {name: rain, keywords: [rain]}  # wet\n\n# the end\n",
        "  - {name: rain, keywords: [rain]}\r\n# the end",
        "watchlists: [{name: rain, keywords: [rain]}]\n",
        "",
    ],
    ids=["block", "crlf", "flow", "none"],
)
def test_every_other_byte_of_the_file_stays(brought, here, last, text):
    path = here / "feeds.yaml"
    head = path.read_text().partition("watchlists:")[0]
    path.write_bytes((head + ("watchlists:\n" if last.startswith("  -") else "") + last).encode())
    before, old = path.read_bytes(), config.load(path)
    _, added, _ = brought(text)
    after, new = path.read_bytes(), config.load(path)
    assert new.watchlists[: len(old.watchlists)] == old.watchlists
    assert [one.name for one in new.watchlists[len(old.watchlists) :]] == list(added)
    shared = next((n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), len(before))
    assert after.endswith(before[shared:])
    assert len(after) > len(before)
    assert after.count(b"\r\n") - before.count(b"\r\n") == (after.count(b"\n") - before.count(b"\n")) * (
        b"\r" in before
    )


@pytest.mark.usefixtures("newsroom")
@pytest.mark.parametrize("text", ["{feeds: []}\n", "feeds: []\n...\n"])
def test_a_file_that_only_a_person_can_add_to_stays(run, here, text):
    (here / "feeds.yaml").write_text(text)
    (here / "list").write_text("snow")
    result = run("watch", "import", "list")
    assert (result.exit_code, "only a person" in result.stderr) == (2, True)
    assert (here / "feeds.yaml").read_text() == text


@pytest.mark.usefixtures("newsroom")
def test_names_that_are_taken_get_a_number(brought):
    assert brought("snow", "--name", "rain")[1] == {"rain-2": ["snow"]}
    assert brought("snow", "--name", "rain")[1] == {"rain-3": ["snow"]}


@pytest.mark.usefixtures("newsroom")
def test_where_nothing_can_be_converted_the_file_stays_and_the_exit_code_says_so(brought, here):
    before = (here / "feeds.yaml").read_bytes()
    assert brought("!!!\n???\n", exit_code=1)[1] == {}
    assert (here / "feeds.yaml").read_bytes() == before


@pytest.mark.usefixtures("newsroom")
@pytest.mark.parametrize(
    ("text", "args"),
    [("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", ()), ("<alerts><alert name='a'/></alerts>", ()), ("// x", ("--form", "emm"))],
)  # fmt: skip
def test_xml_and_what_defines_nothing_is_a_usage_error(run, here, text, args):
    (here / "list").write_text(text)
    before = (here / "feeds.yaml").read_bytes()
    assert run("watch", "import", "list", *args).exit_code == 2
    assert (here / "feeds.yaml").read_bytes() == before


@pytest.mark.usefixtures("newsroom")
def test_standard_input_in_any_unicode_encoding(run, records):
    assert run("watch", "import", "-", stdin="طالبان\n".encode("utf-16")).exit_code == 0
    (*_, mine) = records("watch", "list")
    assert (mine["watchlist"], mine["keywords"]) == ("imported", ["طالبان"])
    result = run("watch", "import", "-", stdin=b"caf\xe9")
    assert (result.exit_code, "UTF-8" in result.stderr) == (2, True)


@pytest.mark.usefixtures("newsroom")
def test_people_see_what_was_not_converted_and_why(run, here):
    (here / "list").write_text(GOOGLE, encoding="utf-8")
    result = run("watch", "import", "list")
    assert "NOT CONVERTED" in result.stdout
    assert "line 5" in result.stdout
    assert "OR binds tighter" in result.stderr


PIECES = st.sampled_from(
    ["Taliban", "طالبان", '"', "“", "(", ")", " OR ", " AND ", " -", "*", "?", "|", "AROUND(3)", "site:", "intitle:", "\n", " ",
     "EntryTitle=", "(?i)", "\\b", "/", "'", "#", "- ", ": ", "{", "}", "\x00", "\u202e", "=", "~", "@x", "begin or", "end or", ", ", "end", "&"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join), st.sampled_from(["keywords", "google", "miniflux", "emm"]))
@settings(max_examples=150, deadline=None)
def test_whatever_a_list_holds_every_line_is_accounted_for(text, form):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feeds.yaml"
        path.write_text("feeds: []\n")
        if form == "emm":
            text = f"define alert A define combination {text} end combination end alert"
        done = watchimport.import_watchlists(path, text.encode(), "list", form)
        assert config.load(path).watchlists == done.added
        said = sum(len(one.keywords) or 1 for one in done.added) + len(done.refused)
        lines = [
            line
            for line in text.splitlines()
            if line.strip("\ufeff \t") and not line.strip("\ufeff \t").startswith("#")
        ]
        assert said >= len(lines) if form == "google" else bool(said) == bool(lines)


def test_brackets_without_end_are_refused_in_one_line():
    reading = watchimport.FORMS["google"]("(" * 5000 + "x", "list")
    assert [piece.place for piece in reading.refused] == ["line 1"]
    reading = watchimport.FORMS["keywords"]("x" * 501 + "\nrain", "list")
    assert [draft.keywords for draft in reading.drafts] == [("rain",)]


@pytest.mark.usefixtures("fetched")
def test_the_list_shows_alerts_by_day(records, run):
    amnesty, rain = records("watch", "list")
    assert (amnesty["alerts"], rain["alerts"]) == (3, 1)
    assert sum(amnesty["days"].values()) == 3
    assert "█" in run("watch", "list").stdout
