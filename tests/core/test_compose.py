import json
import re
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.alerts import DARI, ENGLISH, NOW, PASHTO, alert, message, places

from aggregator import compose
from aggregator.compose import lines, views
from aggregator.model import Hit, Item

HOSTILE = "\r\nBcc: x@y\x1b]52;c;QQ\x07\u202e\u2028=?utf-8?q?a?= [/x] {{7*7}} {0.__class__} @everyone <script>alert(1)</script>"
ANSI = re.compile("\x1b\\[[0-9;]*m")


# ---------------------------------------------------------------- excerpts


WORDS = st.sampled_from(("amnesty", "relocation", "Kabul", "the", "said.", "گفت", "عفو", "x" * 90, "\n", "a", "۔"))


@given(st.lists(WORDS, max_size=200), st.lists(WORDS, max_size=200))
def test_excerpts_are_slices_whose_marks_show_what_was_found(summary, article):
    item = Item(title="amnesty", summary=" ".join(summary), article=" ".join(article))
    hits = places(item, (("a", "amnesty"), ("r", "relocation"), ("f", "عفو")))
    passages = compose.excerpts(item, hits)
    fields = dict(item.texts())
    assert len(passages) <= 5
    assert bool(passages) == bool(hits)
    for passage in passages:
        assert passage.text in fields[passage.field]
        assert 0 < len(passage.text) <= 240
        assert passage.marks == tuple(sorted(passage.marks))
        shown = {passage.text[start:end] for start, end in passage.marks}
        assert shown
        assert shown <= {"amnesty", "relocation", "عفو"}
        unmarked = "".join(
            passage.text[end:start]
            for (_, end), (start, _) in zip(
                ((0, 0), *passage.marks), (*passage.marks, (len(passage.text), 0)), strict=True
            )
        )
        assert "amnesty" not in unmarked, "a hit inside an excerpt is marked"
    shown = {passage.text[start:end] for passage in passages for start, end in passage.marks}
    assert shown == {hit.text for hit in hits}, "every term is shown before one is shown twice"


@given(st.text(max_size=600), st.data())
def test_excerpts_never_raise_and_stay_short(text, data):
    spans = data.draw(st.lists(st.tuples(st.integers(0, 599), st.integers(1, 400)), max_size=8))
    hits = [
        Hit(watchlist="w", field="content", start=start, end=min(start + size, len(text)), term="t", text="")
        for start, size in spans
        if start < len(text)
    ]
    for passage in compose.excerpts(Item(content=text), hits):
        assert passage.text in text
        assert len(passage.text) <= 240
        assert all(0 <= start < end <= len(passage.text) for start, end in passage.marks)


def test_an_excerpt_opens_with_its_sentence_and_merges_near_hits():
    first, second = compose.excerpts(ENGLISH, places(ENGLISH))
    assert first.text.startswith("Kabul. The deputy spokesman")
    assert [first.text[start:end] for start, end in first.marks] == ["general amnesty"] * 2
    assert second.text.startswith(("Rights groups", "A relocation"))
    assert [second.text[start:end] for start, end in second.marks] == ["relocation"] * 2


def test_the_white_space_of_a_cut_tells_that_something_is_missing():
    text = "word " * 100 + "amnesty " + "word " * 100
    (passage,) = compose.excerpts(Item(content=text), places(Item(content=text), (("a", "amnesty"),)))
    assert passage.text[0] == passage.text[-1] == " "
    shown = compose.block(alert(excerpts=(passage,)))
    assert "… word word" in shown
    assert "word …" in shown


def test_a_hit_that_stands_in_the_window_of_another_is_marked_there_too():
    item = Item(content="amnesty " + "word " * 42 + "relocation " + "word " * 60)
    (passage,) = compose.excerpts(item, places(item, (("a", "amnesty"), ("r", "relocation"))))
    assert [passage.text[start:end] for start, end in passage.marks] == ["amnesty", "relocation"]


def test_a_hit_across_the_end_of_a_window_is_whole_in_the_next():
    long = "and so on " * 6 + "end"
    item = Item(content="amnesty " + "word " * 40 + long + " word" * 60)
    first, second = compose.excerpts(item, places(item, (("a", "amnesty"), ("l", long))))
    assert [first.text[start:end] for start, end in first.marks] == ["amnesty"]
    assert [second.text[start:end] for start, end in second.marks] == [long]


def test_a_text_that_two_fields_share_is_shown_once():
    item = Item(summary="A general amnesty.", content="A general amnesty.")
    assert [passage.field for passage in compose.excerpts(item, places(item))] == ["summary"]


def test_the_fifth_excerpt_shows_the_term_that_comes_last():
    item = Item(article=" ".join(f"amnesty {n} {'word ' * 80}" for n in range(30)) + "relocation")
    passages = compose.excerpts(item, places(item, (("a", "amnesty"), ("r", "relocation"))))
    assert len(passages) == 5
    assert "relocation" in passages[-1].text


def test_a_page_that_repeats_the_title_is_shown_from_below_it():
    item = Item(title="Amnesty  announced", article="Amnesty announced\nThe general amnesty holds. More was not said.")
    title, article = compose.excerpts(item, places(item, (("a", "Amnesty"), ("g", "amnesty"))))
    assert (title.field, article.text) == ("title", "The general amnesty holds. More was not said.")
    assert [article.text[start:end] for start, end in article.marks] == ["amnesty"]


def test_a_heading_that_alone_holds_the_term_is_shown():
    item = Item(title="Amnesty", article="Amnesty\nMore was not said.")
    hits = [hit for hit in places(item, (("a", "Amnesty"),)) if hit.field == "article"]
    (passage,) = compose.excerpts(item, hits)
    assert passage.text.startswith("Amnesty")


# ---------------------------------------------------------------- mail


def test_subject_names_label_title_severity_and_update():
    assert compose.mail(message(alert())).subject == f"[Desk 1] {ENGLISH.title}"
    assert compose.mail(message(alert(severity="high"))).subject == f"[Desk 1, high] {ENGLISH.title}"
    updated = compose.mail(message(alert(severity="critical", update=True))).subject
    assert updated == f"Update: [Desk 1, critical] {ENGLISH.title}"
    assert compose.mail(message(alert(title=""))).subject == "[Desk 1] (no title)"


def test_text_shows_what_was_found_in_the_original_sentence():
    text = compose.mail(message()).text
    assert text.startswith(f"{ENGLISH.title}\n\nFound: amnesty (“general amnesty”)\nFound: relocation\n")
    assert "that the *general amnesty* announced in August 2021" in text
    for line in (
        "Watchlist:  Desk 1 (normal)",
        "Feed:       Example News",
        "Published:  2026-11-24 07:58 UTC, says the publisher",
        "First seen: 2026-11-24 08:05 UTC",
        "Link:       https://news.example.org/a?id=1",
        "Alert:      17",
    ):
        assert line in text.splitlines()
    assert "amnesty-watch" not in text, "the label stands for the watchlist"


def test_times_are_shown_in_utc_and_an_unknown_one_as_unknown():
    kabul = datetime(2026, 11, 24, 12, 35, tzinfo=timezone(timedelta(hours=4, minutes=30)))
    text = compose.mail(message(alert(first_seen=kabul, published=None))).text
    assert "First seen: 2026-11-24 08:05 UTC" in text
    assert "Published:  the publisher does not say" in text


@pytest.mark.parametrize(("item", "marked"), [(DARI, "*عفو عمومی*"), (PASHTO, "*عمومي بښنه*")])
def test_right_to_left_text_is_isolated_and_marked(item, marked):
    mail = compose.mail(message(alert(item)))
    runs = re.findall("\u2067([^\u2066-\u2069]*)\u2069", mail.text)
    assert mail.text.count("\u2067") == mail.text.count("\u2069") == len(runs)
    assert any(marked in run for run in runs)
    outside = re.sub("\u2067[^\u2069]*\u2069", "", mail.text)
    assert not re.search("[\u0600-\u06ff]", outside), "letters that could reorder their line"
    assert f'<h1 dir="rtl" lang="{item.lang}"' in mail.html
    assert f'<blockquote dir="rtl" lang="{item.lang}"' in mail.html
    assert f">{marked.strip('*')}</mark>" in mail.html


@pytest.mark.parametrize(
    ("title", "lang", "direction"),
    [
        ("UNHCR, IOM and WFP: بازگشت", "fa", 'dir="rtl" lang="fa"'),  # a language beats the count of its letters
        ("طالبان", None, 'dir="rtl"'),
        ("Taliban (طالبان)", "en", 'dir="ltr" lang="en"'),
        ("Plain English", "fa", 'dir="ltr"'),  # a feed's language is often wrong
        ("2026", "ps", 'dir="rtl" lang="ps"'),
        ("Plain", '"><script>', 'dir="ltr"'),
    ],
)
def test_direction_follows_letters_and_language(title, lang, direction):
    html = compose.mail(message(alert(title=title, lang=lang))).html
    assert f"<h1 {direction} style" in html


def test_a_title_with_a_find_is_marked_and_not_repeated_below():
    item = Item(title="  A general amnesty\nfor all  ", link="https://e.org/")
    text = compose.mail(message(alert(item))).text
    assert text.startswith("A *general amnesty* for all\n")
    assert text.count("general amnesty*") == 1


class Page(HTMLParser):
    """Elements with their attributes, and the text between them."""

    def __init__(self, html):
        super().__init__()
        self.elements = []
        self.said = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.said += data


def test_a_hostile_title_acts_nowhere_and_is_seen_everywhere():
    given = alert(
        Item(title=HOSTILE + " general amnesty", content=HOSTILE + " relocation"), label=HOSTILE, feed=HOSTILE
    )
    mail = compose.mail(message(given))
    assert "\n" not in mail.subject
    assert "=?" not in mail.subject
    page = Page(mail.html)
    assert {tag for tag, _ in page.elements} <= {
        "html", "head", "meta", "title", "body", "p", "div", "h1", "b", "bdi", "mark", "blockquote", "table", "tr", "td", "a",
    }  # fmt: skip
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    forms = (mail.subject, mail.text, page.said, compose.block(given), compose.line(given))
    for form in forms:
        assert "\x1b" not in form
        assert "\u202e" not in form
        for shown in ("\\x1b]52", "\\u202e", "{{7*7}}", "{0.__class__}", "[/x]", "@everyone"):
            assert shown in form, shown
    for form in forms[1:]:
        assert "<script>alert(1)</script>" in form


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)", "data:text/html,x", "vbscript:x", " javascript:x", "file:///etc/passwd", "//host/x", "https://",
        "https://bank.example.org@evil.example.org/", "http://[::1", "https://e.org:99999/", "nothing", "https://" + "a" * 70,
    ],
)  # fmt: skip
def test_a_link_that_is_no_web_address_is_shown_and_never_active(link):
    mail = compose.mail(message(alert(link=link)))
    assert not [tag for tag, _ in Page(mail.html).elements if tag == "a"]
    assert f"{link.strip()} (not a web address)" in Page(mail.html).said
    assert f"Link:       {link}" in mail.text


@pytest.mark.parametrize(
    ("link", "href"),
    [
        ("https://e.org/a?b=c&d=%20#x", "https://e.org/a?b=c&d=%20#x"),
        ("https://e.org/عفو\u202e\n\"'<>", "https://e.org/%D8%B9%D9%81%D9%88%E2%80%AE%22'%3C%3E"),
        ("http://münchen.example:8080/ü", "http://xn--mnchen-3ya.example:8080/%C3%BC"),
        ("HTTP://E.org", "http://e.org"),
        ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
    ],
)
def test_a_link_is_offered_in_ascii_without_a_referrer(link, href):
    mail = compose.mail(message(alert(link=link)))
    links = [attributes for tag, attributes in Page(mail.html).elements if tag == "a"]
    assert {attributes["href"] for attributes in links} == {href}
    assert all("noreferrer" in attributes["rel"] for attributes in links)
    assert f"Link:       {href}" in mail.text


def test_mail_html_fetches_nothing():
    html = compose.mail(message(alert(DARI), alert())).html
    assert not re.search(r"src=|@import|url\(|<link|<img|<script", html)


def test_a_title_of_a_megabyte_is_cut_in_every_form():
    title = "general amnesty " * 65_536
    given = alert(Item(title=title, link="https://e.org/"))
    mail = compose.mail(message(given))
    assert len(mail.subject) <= 200
    assert mail.subject.endswith("…")
    assert max(len(mail.text), len(mail.html), len(compose.block(given)), len(compose.line(given))) < 30_000
    assert len(compose.webhook(message(given), minimal=False)) < 40_000
    assert "*general amnesty*" in mail.text


def test_many_alerts_are_all_named_in_one_mail_the_most_severe_first():
    alerts = [alert(title=f"Story number {n}", id=str(n), label=f"Desk {n % 2}") for n in range(24)]
    mail = compose.mail(message(*alerts, alert(DARI, severity="critical", label="Desk 9", update=True)))
    assert mail.subject == "25 alerts, critical: Desk 0 12, Desk 1 12, Desk 9 1"
    assert mail.text.splitlines()[2].startswith("1. [Desk 9, critical] update: \u2067سخنگوی")
    for n in range(24):
        assert f"Story number {n}\n" in mail.text
        assert f"Story number {n}<" in mail.html
    assert mail.text.count("https://news.example.org/") == 25


# ---------------------------------------------------------------- for programs


def test_webhook_body_is_the_contract():
    body = json.loads(compose.webhook(message(), minimal=False))
    terms = body["data"].pop("terms")
    snippet = body["data"].pop("snippet")
    assert body == {
        "type": "alert.created",
        "timestamp": "2026-11-24T08:05:11Z",
        "data": {
            "id": "17", "watchlist": "amnesty-watch", "label": "Desk 1", "severity": "normal", "title": ENGLISH.title,
            "link": ENGLISH.link, "feed": "Example News", "published": "2026-11-24T07:58:00Z",
            "first_seen": "2026-11-24T08:05:11Z",
        },
    }  # fmt: skip
    assert len(terms) == 4
    assert all(ENGLISH.content[term["start"] : term["end"]] == term["text"] for term in terms)
    assert set(terms[0]) == {"term", "field", "start", "end", "text"}
    assert snippet.startswith("Kabul. The deputy")
    assert snippet in ENGLISH.content


def test_a_minimal_webhook_names_no_term_and_no_title():
    body = compose.webhook(message(alert(update=True)), minimal=True)
    assert json.loads(body) == {
        "type": "alert.updated",
        "timestamp": "2026-11-24T08:05:11Z",
        "data": {"id": "17", "label": "Desk 1", "link": ENGLISH.link},
    }


def test_a_webhook_keeps_every_letter_and_is_plain_ascii():
    title = HOSTILE + DARI.title
    body = compose.webhook(message(alert(title=title)), minimal=False)
    assert body.isascii()
    assert not re.search(rb"[\x00-\x1f\x7f]", body)
    assert json.loads(body)["data"]["title"] == title


def test_several_alerts_in_one_webhook_are_all_there():
    body = json.loads(compose.webhook(message(alert(id="1"), alert(id="2", update=True)), minimal=True))
    assert body["type"] == "alert.batch"
    assert [(one["type"], one["data"]["id"]) for one in body["data"]["alerts"]] == [
        ("alert.created", "1"),
        ("alert.updated", "2"),
    ]


def test_ten_thousand_places_are_listed_in_part_and_no_term_is_left_out():
    item = Item(content="amnesty " * 10_000 + "relocation")
    given = alert(item, (("a", "amnesty"), ("r", "relocation")))
    terms = compose.record(given)["terms"]
    assert len(terms) == 200
    assert terms[-1]["term"] == "r"
    assert terms[0]["start"] == 0


def test_record_has_the_fields_of_alerts_list_in_the_order_of_the_contract():
    assert list(compose.record(alert())) == [
        "id", "watchlist", "severity", "item", "title", "link", "feed", "created", "update", "terms",
    ]  # fmt: skip
    assert compose.record(alert(link=None, created=NOW.astimezone(UTC)))["created"] == "2026-11-24T08:05:11Z"


# ---------------------------------------------------------------- console


def test_line_says_when_how_severe_for_whom_where_and_what():
    assert compose.line(alert(title="A\nB")) == "2026-11-24 08:05 UTC  normal  Desk 1  Example News  A B"


def test_block_in_colour_says_the_same_as_without():
    for one in (alert(severity="critical", update=True), alert(DARI), alert(PASHTO)):
        plain = compose.block(one)
        coloured = compose.block(one, compose.COLOURED)
        assert ANSI.sub("", coloured) == plain.replace("*", "")
        assert "\x1b[1;33m" in coloured
        assert plain.endswith("\n")


# ---------------------------------------------------------------- what stands in colour, and in which direction


FORMS = {
    "console": lambda one: re.findall("\x1b\\[1;33m(.*?)\x1b\\[0m", compose.block(one, compose.COLOURED)),
    "terminal of 40 columns": lambda one: re.findall(
        "\x1b\\[1;33m(.*?)\x1b\\[0m", compose.block(one, compose.COLOURED, 40)
    ),
    "pipe": lambda one: re.findall(r"\*(.*?)\*", compose.block(one)),
    "mail as text": lambda one: re.findall(r"\*(.*?)\*", compose.mail(message(one)).text),
    "mail as HTML": lambda one: re.findall("<mark[^>]*>(.*?)</mark>", compose.mail(message(one)).html),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    ("item", "found"),
    [
        (ENGLISH, ["general amnesty"] * 2 + ["relocation"] * 2),
        (DARI, ["عفو عمومی"] * 3),
        (PASHTO, ["عمومي بښنه"] * 2 + ["عمومي بښنې"]),
    ],
    ids=["English", "Dari", "Pashto"],
)
def test_the_highlight_stands_round_exactly_what_was_found(item, found, form):
    shown = form(alert(item))
    if form is FORMS["terminal of 40 columns"]:  # a phrase may go on in the next line
        assert sorted(" ".join(shown).split()) == sorted(" ".join(found).split())
        return
    assert shown == found


@given(
    st.lists(
        st.tuples(st.sampled_from(["عفو", "a", "amnesty", "大赦", "بښ\u064eنه", "x" * 50, " ", "  "]), st.booleans()),
        min_size=1,
    ),
    st.integers(20, 60),
)
def test_a_passage_in_lines_is_the_passage_and_no_line_is_too_long(parts, columns):
    pieces = tuple(views.Piece(text=f"{text} ", marked=marked) for text, marked in parts)
    passage = views.Passage(place="", pieces=pieces, rtl=False, mixed=True, lang=None)
    got = list(lines.wrapped(passage, columns))
    assert all(lines.width("".join(piece.text for piece in line)) <= columns for line in got)
    for marked in (True, False):
        wanted = "".join("".join(piece.text.split()) for piece in pieces if piece.marked == marked)
        assert (
            "".join("".join(piece.text.split()) for line in got for piece in line if piece.marked == marked) == wanted
        )
    assert all(line for line in got)


def test_each_line_on_a_terminal_keeps_its_direction_to_itself():
    shown = compose.block(alert(DARI, link=None), compose.PLAIN, 60).splitlines()
    assert max(map(lines.width, shown)) <= 60
    rtl = [line for line in shown if re.search("[\u0620-\u06d3]", line)]
    assert len(rtl) >= 5
    assert all(line.count("\u2067") == line.count("\u2069") == 1 for line in rtl)
    assert not re.search("[\u2066-\u2069]", compose.block(alert(DARI)))
