"""docs/watchlists.md: each example does what the page says, and each operator has one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aggregator import config, watch
from aggregator.model import Item
from aggregator.settings import Concept, Watchlist
from aggregator.watch import language
from aggregator.watch.tree import FACTS, SCOPES

PAGE = (Path(__file__).parents[2] / "docs" / "watchlists.md").read_text(encoding="utf-8")
CONCEPTS = (
    Concept(name="taliban", terms=(("en", ("Taliban",)), ("fa", ("طالبان",)))),
    Concept(name="amnesty", terms=(("en", ("amnesty",)), ("fa", ("عفو عمومی",))), excepts=("Amnesty International",)),
    Concept(name="relocation", terms=(("en", ("relocation",)),)),
)
EXAMPLES = [
    (rule, line[2:], line.startswith("+"))
    for block in re.findall(r"(?ms)^```rule\n(.*?)^```", PAGE)
    for rule, *lines in (block.splitlines(),)
    for line in lines
]
WORKED = [
    (yaml, text, line.startswith("+"))
    for yaml, items in re.findall(r"(?ms)^```yaml\n(.*?)^```\n+```items\n(.*?)^```", PAGE)
    for line in items.splitlines()
    for text in (line[2:].partition("  #")[0],)
]
TRANSLATED = [
    (their, our)
    for theirs, ours in re.findall(r"(?m)^\| (`[^|]+`) \| (`[^|]+`) \|$", PAGE.partition("## Lexis")[2])
    for their, our in zip(
        re.findall("`(.+?)`", theirs),
        (re.findall("`(.+?)`", ours) * 3)[: theirs.count("`") // 2],
        strict=True,
    )
]


@pytest.mark.parametrize(("rule", "text", "found"), EXAMPLES)
def test_an_example_is_found_or_not_as_the_page_says(rule, text, found):
    matcher = watch.compile([Watchlist(name="w", label="w", rule=rule)], CONCEPTS)
    assert bool(matcher.hits(Item(title=text.replace("¶", "\n")))) == found


@pytest.mark.parametrize(("yaml", "text", "found"), WORKED)
def test_a_worked_example_loads_and_finds_what_the_page_says(yaml, text, found, tmp_path):
    (tmp_path / "feeds.yaml").write_text(f"feeds: []\n{yaml}", encoding="utf-8")
    loaded = config.load(tmp_path / "feeds.yaml")
    assert bool(watch.compile(loaded.watchlists, loaded.concepts).hits(Item(title=text))) == found


@pytest.mark.parametrize(("theirs", "ours"), TRANSLATED)
def test_a_foreign_spelling_is_read_as_the_page_says(theirs, ours):
    assert str(language.parse(theirs, ())) == ours


def test_the_page_shows_everything():
    assert len(EXAMPLES) >= 40
    assert len(TRANSLATED) >= 14
    assert len(WORKED) >= 14
    rules = " ".join(rule for rule, _, _ in EXAMPLES)
    for sign in (
        "AND",
        "OR",
        "NOT",
        "NEAR/3",
        "NEAR/s",
        "NEAR/p",
        "ONEAR/",
        "EXCEPT",
        "ATLEAST/",
        "*",
        "?",
        "=",
        "~",
        "/",
        "@",
        '"',
    ):
        assert sign in rules, sign
    for scope in (*SCOPES, *FACTS):
        assert f"`{scope}:`" in PAGE, scope
