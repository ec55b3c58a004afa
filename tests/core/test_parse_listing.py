"""Listing pages: which links become entries, what they say, and bytes that were made to hurt."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import parse
from aggregator.errors import SelectorError
from aggregator.parse import listing
from aggregator.text import selectors

URL = "https://example.org/news/"
PAGE = """<!doctype html><html lang="en"><head><title>News | The Courier</title></head><body>
<header><a href="/a-prize-for-the-whole-newsroom">A prize for the whole newsroom</a></header>
<nav><a href="/about/us">All about us and our work</a></nav>
<main>
  <article><a href="/2026/amnesty"><img alt="A crowd in Kabul" src="x.jpg"></a>
    <h2><a href="/2026/amnesty">Taliban announce general amnesty</a></h2>
    <time datetime="2026-11-24T08:00:00+04:30">today</time> <a href="/2026/amnesty#more">Read more of this long story</a></article>
  <article><a href="fa/2"><h3>عفو عمومی در کابل اعلام شد</h3><p>A teaser that is much longer than the headline is</p></a></article>
  <article><header><h2><a href="/2026/3?id=7&amp;x=1">Rain <b>again</b> in the north</a></h2></header><time>no date</time></article>
  <a href="/tag/kabul">Everything we have about Kabul</a> <a href="/2026/short">More</a> <a href="#top">Back to the top again</a>
  <a href="https://other.example/1">What another outlet says of it</a> <a href="mailto:a@example.org">Write to us at any time</a>
</main>
<aside><a href="/2026/old">What was read most this week</a></aside>
<footer><a href="/imprint/full">Who is responsible for this site</a></footer></body></html>"""


def read(page, select=None, **more):
    return parse.page(page.encode() if isinstance(page, str) else page, select=select, url=URL, **more)


def test_links_that_read_like_headlines_become_entries_in_the_order_of_the_page():
    found = read(PAGE)
    assert (found.format, found.title, found.link, found.language, found.flags) == ("page", "News | The Courier", URL, "en", ())  # fmt: skip
    assert [(one.title, one.link) for one in found.items] == [
        ("Taliban announce general amnesty", "https://example.org/2026/amnesty"),
        ("عفو عمومی در کابل اعلام شد", "https://example.org/news/fa/2"),
        ("Rain again in the north", "https://example.org/2026/3?id=7&x=1"),
    ]
    assert {one.guid == one.link for one in found.items} == {True}
    assert {one.lang for one in found.items} == {"en"}


@pytest.mark.parametrize(
    ("words", "is_one"),
    [
        ("Taliban speak of amnesty", True), ("Read more here", False), ("Órgãos Municipais", False), ("صحت او ټولنه", False),
        ("طالبان د عمومي بښنې خبره کوي", True), ("塔利班宣布对前政府人员实行大赦", True), ("政治新闻", False), ("ตาลีบันประกาศนิรโทษกรรม", True),
    ],
)  # fmt: skip
def test_what_reads_like_a_headline_in_any_script(words, is_one):
    assert bool(read(f"<a href='/1'>{words}</a>").items) == is_one


def test_the_date_is_that_of_the_card_and_never_of_a_neighbour():
    assert [one.published for one in read(PAGE).items] == [datetime(2026, 11, 24, 3, 30, tzinfo=UTC), None, None]


def test_a_date_that_stands_over_several_links_is_nobody_s():
    page = "<div><time datetime='2026-11-24'></time><p><a href='/1'>One headline of four words</a></p><p><a href='/2'>Two headline of four words</a></p></div>"
    assert [one.published for one in read(page).items] == [None, None]


@pytest.mark.parametrize(
    ("select", "links"),
    [
        ("article h2 > a", ["/2026/amnesty", "/2026/3?id=7&x=1"]),
        ("article", ["/2026/amnesty", "/news/fa/2", "/2026/3?id=7&x=1"]),
        ("h3", ["/news/fa/2"]),
        ("aside a, footer a", ["/2026/old", "/imprint/full"]),
        ("a[href^='/tag']", ["/tag/kabul"]),
        (".none", []),
    ],
    ids=["links", "what holds links", "what stands in a link", "furniture too", "attributes", "nothing"],
)
def test_a_selector_says_which_links(select, links):
    assert [one.link.removeprefix("https://example.org") for one in read(PAGE, select).items] == links


def test_an_image_is_a_title_where_there_are_no_words():
    found = read("<a class=x href=/1><img alt='A queue'></a>", ".x")
    assert [one.title for one in found.items] == ["A queue"]


@pytest.mark.parametrize("select", ["a[", "", "> a", "a::text", "a:nosuch", "(" * 2000])
def test_what_is_no_selector_is_told(select):
    with pytest.raises(SelectorError, match="is no CSS selector"):
        selectors.xpath(select)


def test_links_stand_where_the_page_says():
    page = "<base href='/deep/'><a href='story'>A headline of some length</a>"
    assert [one.link for one in read(page).items] == ["https://example.org/deep/story"]


@pytest.mark.parametrize(("encoding", "charset", "meta"), [("cp1256", "windows-1256", ""), ("cp1256", None, "<meta charset=windows-1256>"), ("utf-8", None, ""), ("utf-8", "windows-1256", "")])  # fmt: skip
def test_letters_of_any_charset(encoding, charset, meta):
    words = "وزير خارجه در كابل سخن راند"
    page = f"<html>{meta}<a href='/1'>{words}</a><p>{words * 30}".encode(encoding)
    assert [one.title for one in read(page, charset=charset).items] == [words]


@pytest.mark.parametrize("body", [b"", b"   ", b"\0\0"])
def test_nothing_is_no_page(body):
    assert read(body).items == ()


def test_a_long_list_is_cut_and_flagged():
    page = "".join(f"<p><a href='/{n}'>Headline number {n} of many</a></p>" for n in range(listing.MOST + 3))
    found = read(page)
    assert (len(found.items), found.flags) == (listing.MOST, (listing.CUT,))


# ---------------------------------------------------------------- hostile bytes


def attacks(n):
    """Attacks that grow with n."""
    link = "<a href='/{}'>A headline of some length</a>"
    return {
        "deep": "<div>" * n + link.format(1) + "</div>" * n,
        "deep links": "<a href='/x'>word word word word " * n,
        "many links": "".join(map(link.format, range(n // 10))),
        "one address": link.format(1) * (n // 5),
        "one card": "<div>" + "".join(map(link.format, range(n // 10))) + "<time datetime='2026-11-24'></time>" * n + "</div>",
        "furniture": "<nav><article><header>" * n + link.format(1),
        "attributes": "<a " + "".join(f"a{k}='1' " for k in range(n)) + "href='/1'>A headline of some length</a>",
        "unclosed": "<a href='" * n,
        "less than": "< " * n,
        "comments": "<!-- " * n,
        "metas": "<meta charset" * n,
        "a long title": f"<a href='/1'>{'word ' * n}</a>",
        "headings": "<h1><a href='/1'>" * n,
        "entities": "<a href='/1'>" + "&amp;&nosuch;" * n + "</a>",
    }  # fmt: skip


N = 8000


@pytest.mark.parametrize("name", attacks(8))
def test_hostile_pages_are_read_in_linear_time(name):
    def cost(n):
        page = attacks(n)[name].encode()

        def once():
            began = time.process_time()
            read(page)
            return time.process_time() - began

        return min(once() for _ in range(3))

    small, large = cost(N), cost(4 * N)
    assert large < max(2.5**2 * small, 0.1)


@given(st.lists(st.sampled_from(["<a href='/1'>", "</a>", "<h2>", "</h2>", "<nav>", "</nav>", "<time datetime='x'>", "<article>", "</article>", "four words are enough", "&", "<!--", "<script>", "<svg>", "<base href='//['>", "<html>", "<frameset>"]), max_size=30))  # fmt: skip
def test_any_markup_is_answered(pieces):
    found = read("".join(pieces))
    assert found.entries == len(found.items) + len(found.rejected)


@given(st.binary(max_size=300))
def test_any_bytes_are_answered(noise):
    read(noise)
    read(b"<a href='/1'>A headline of some length" + noise)
