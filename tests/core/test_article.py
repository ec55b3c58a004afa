"""A page becomes its article's text, letter for letter, or a reason."""

from __future__ import annotations

import codecs
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.article import Extracted, extract
from aggregator.model import Reason

URL = "https://outlet.example/story"

ENGLISH = (
    "The caretaker administration said on Tuesday that the decision would be published within days.",
    "Officials described a general amnesty for former employees, and families asked about relocation to the north.",
    "A spokesman added that the commission had visited four provinces and spoken with more than two hundred people.",
)
DARI = (
    "سخنگوی اداره گفت که عفو عمومی شامل کارمندان پیشین می‌شود و خانواده‌ها می‌توانند به خانه‌های خود برگردند.",
    "باشندگان چهار ولایت از جابه‌جایی خانواده‌ها سخن گفتند و خواستار کمک‌های بیشتر برای آواره‌شدگان شدند.",
    "به گفتهٔ آنان، کمیسیون با بیش از دوصد تن دیدار کرده است و گزارش آن در روزهای آینده نشر می‌شود.",
)
PASHTO = (
    "ویاند وویل چې عمومي بښنه د پخوانیو کارکوونکو لپاره ده او کورنۍ کولای شي خپلو کورونو ته ستنې شي.",
    "د څلورو ولایتونو اوسېدونکو د کورنیو د لېږد په اړه خبرې وکړې او د لا زیاتو مرستو غوښتنه یې وکړه.",
    "د دوی په وینا کمېسیون له دوو سوو ډېرو کسانو سره کتلي دي او راپور به یې په راتلونکو ورځو کې خپور شي.",
)


def page(paragraphs, *, head='<meta charset="utf-8">'):
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    menu = "".join(f'<li><a href="/{n}">Section number {n}</a></li>' for n in range(12))
    return (
        f"<!doctype html><html><head>{head}<title>A title - Outlet</title></head><body><nav><ul>{menu}</ul></nav>"
        f"<main><article><h1>The headline of it</h1>{body}</article></main><footer>All rights reserved</footer></body></html>"
    )


def read(text, encoding="utf-8", charset=None):
    return extract(text.encode(encoding) if isinstance(text, str) else text, charset=charset, url=URL)


@pytest.mark.parametrize("paragraphs", [ENGLISH, DARI, PASHTO], ids=["en", "fa", "ps"])
@pytest.mark.parametrize("times", [1, 12], ids=["short", "long"])
def test_every_paragraph_is_a_line_with_its_letters_untouched(paragraphs, times):
    paragraphs = tuple(f"{paragraph} {n}" for n in range(times) for paragraph in paragraphs)
    lines = read(page(paragraphs)).text.split("\n")
    assert [line for line in lines if line in paragraphs] == list(paragraphs)
    assert "Section number 3" not in lines


@pytest.mark.parametrize("spelling", ["\u200c", "&zwnj;", "&#8204;", "&#x200C;"])
@pytest.mark.parametrize(
    "markup",
    [
        "<html><body><p>{}</p></body></html>",
        "<html><body><div>{}</div></body></html>",
        "<html><body><div>{}<br>{}</div></body></html>",
        "<html><body><table><tr><td>{}</td></tr></table></body></html>",
        "<html><body><article><p>{}</p></article></body></html>",
        "<html><body>{}</body></html>",
        '<html><head><script type="application/ld+json">{{"articleBody":"{}"}}</script></head><body><p>-</p></body>',
    ],
)
@pytest.mark.parametrize("sentences", [1, 3], ids=["short", "long"])
def test_zwnj_is_kept_on_every_path_of_the_extractor(markup, spelling, sentences):
    words = " ".join([*DARI[:sentences], "و " * (30 - 10 * sentences) + "پایان"])
    text = read(markup.replace("{}", words.replace("\u200c", spelling)).replace("{{", "{").replace("}}", "}")).text
    assert text.count("\u200c") == words.count("\u200c") * (2 if "<br>" in markup else 1)
    assert "می‌شود" in text


def test_zwnj_escaped_in_json_is_kept():
    words = " ".join(DARI).replace("\u200c", "\\u200C")
    text = read(
        f'<html><head><script type="application/ld+json">{{"articleBody": "{words}"}}</script></head><body><p>-'
    ).text
    assert text == " ".join(DARI)


def test_the_full_text_beside_a_teaser_is_the_article():
    full = json.dumps(
        [{"@graph": [{"@type": "NewsArticle", "articleBody": "<p>" + "</p><p>".join(ENGLISH * 8) + "</p>"}]}]
    )
    text = read(page(ENGLISH, head=f'<script type="application/ld+json">{full}</script>')).text
    assert text.split("\n") == list(ENGLISH * 8)


def test_words_stay_apart_and_whole_across_markup():
    text = read(
        page(
            [*ENGLISH, "A <b>general</b> <i>amnesty</i> for re<b>loca</b>tion<br>was <a href='/x'>announced</a> today."]
        )
    ).text
    assert text.endswith("A general amnesty for relocation\nwas announced today.")


def test_a_statement_quoted_from_a_post_is_part_of_the_article():
    post = '<div class="social-media-embed"><blockquote class="twitter-tweet"><p>The amnesty covers everyone.</p>— Spokesman</blockquote></div>'
    head, *rest = ENGLISH
    text = read(page([head]).replace("</article>", f"{post}<p>{rest[0]}</p><p>{rest[1]}</p></article>")).text
    assert "The amnesty covers everyone." in text


def test_text_repeated_on_other_pages_is_kept_every_time():
    texts = {read(page(ENGLISH * 2)).text for _ in range(6)}
    assert len(texts) == 1
    assert ENGLISH[1] in texts.pop()


@pytest.mark.parametrize(
    ("encoding", "declared", "charset"),
    [
        ("utf-8", "utf-8", None),
        ("utf-8", "utf-8", "iso-8859-1"),
        ("utf-8", "windows-1256", "windows-1256"),
        ("utf-8-sig", "windows-1252", None),
        ("utf-16", "utf-8", None),
        ("cp1256", "windows-1256", None),
        ("cp1256", "utf-8", None),
        ("cp1256", "windows-1256", "ISO-8859-1"),
        ("cp1256", "utf-8", '"windows-1256"'),
        ("cp1256", "no-such-charset", "idna"),
    ],
)
def test_arabic_script_is_decoded_whatever_is_declared(encoding, declared, charset):
    words = "وقال المتحدث إن القرار يشمل جميع الموظفين السابقين وعائلاتهم في أربع ولايات من البلاد والتقى الوفد مسؤولين"
    text = page(
        [f"{words} {n}" for n in range(3)],
        head=f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">',
    )
    assert words in (read(text, encoding, charset).text or "")


@pytest.mark.parametrize(
    ("encoding", "charset", "words"),
    [
        (
            "cp1252",
            None,
            "Les autorités ont annoncé une amnistie générale — « déjà préparée » — pour tous les anciens employés",
        ),
        (
            "cp1252",
            "latin1",
            "Les autorités ont annoncé une amnistie générale — « déjà préparée » — pour tous les anciens employés",
        ),
        (
            "cp1251",
            "windows-1251",
            "Власти объявили всеобщую амнистию для бывших сотрудников и членов их семей в четырёх областях",
        ),
        ("gb18030", "gb2312", "发言人周二表示该决定将在数日内公布并适用于所有前雇员及其家属"),
        ("iso2022_jp", "iso-2022-jp", "報道官は火曜日この決定は数日以内に公表されすべての元職員に適用されると述べた"),
    ],
)
def test_other_encodings_are_read_as_declared(encoding, charset, words):
    assert words in read(page([f"{words} {n}" for n in range(3)], head=""), encoding, charset).text


def test_one_torn_letter_does_not_spoil_a_utf8_page():
    body = page(DARI).encode().replace("سخنگوی".encode(), "سخنگوی".encode()[:-1] + b" ", 1)
    assert DARI[1] in extract(body, charset="windows-1256", url=URL).text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.NOT_HTML),
        (b"%PDF-1.7 <html>", Reason.NOT_HTML),
        (b"\x89PNG\r\n\x1a\n<html>", Reason.NOT_HTML),
        (b"GIF89a<html>", Reason.NOT_HTML),
        (b'{"headline": "text"}', Reason.NOT_HTML),
        (b"plain words only, a < b", Reason.NOT_HTML),
        (b'<?xml version="1.0"?>\n<!-- made by x -->\n<rss version="2.0"><channel/></rss>', Reason.NOT_HTML),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"/>', Reason.NOT_HTML),
        (b"<html></html>", Reason.NO_TEXT),
        (b"<html><body><p>Please enable JavaScript and cookies to continue reading this site.</p></body></html>", Reason.NO_TEXT),
        (page(ENGLISH[:1]).encode(), Reason.NO_TEXT),
    ],
)  # fmt: skip
def test_what_is_no_article_has_its_reason(body, reason):
    assert extract(body, charset=None, url=URL) == Extracted(reason=reason)


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>" * 50_000,
        "<p " + " ".join(f"a{n}='1'" for n in range(20_000)) + ">",
        "<h2>" + "word " * 200_000 + "</h2>",
        "<table><tr><td>" * 300,
        "&#x110000;&#xD800;&#0;\x00\x0b\ufffe",
        "<!--" + "-" * 1000,
        "<script>" * 100,
        "<ul><li>" * 5_000,
    ],
    ids=["D23 nested", "D22 attributes", "D24 long", "tables", "references", "comment", "script", "lists"],
)
def test_hostile_markup_ends_in_a_value(hostile):
    result = read(page([*ENGLISH, hostile]))
    assert (result.text is None) != (result.reason is None)


PIECES = st.lists(
    st.one_of(
        st.sampled_from(["<p>", "</p>", "<div class='x'>", "</div>", "<table>", "<td>", "<blockquote>", "<br>", "<a href='//['>", "<ul><li>", "<html/>", "<?xml version='1.0' encoding='x'?>", "<meta charset=utf-16>", "<script type='application/ld+json'>{", "<svg><title>", "<iframe srcdoc='<p>'>", " ".join(ENGLISH)]),
        st.text(max_size=30),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(PIECES.map("".join))
def test_any_markup_ends_in_text_or_a_reason(markup):
    result = read("<html><body>" + markup, "utf-8-sig") if markup.isprintable() else read("<html>" + markup)
    assert (result.text is None) != (result.reason is None)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([None, "utf-8", "hex", "undefined", "utf-7", "x" * 300, "\x00"]))
def test_any_bytes_end_in_text_or_a_reason(noise, charset):
    for body in (noise, b"<html><p>" + noise, codecs.BOM_UTF16_LE + noise):
        result = extract(body, charset=charset, url=URL)
        assert (result.text is None) != (result.reason is None)


def test_a_page_may_begin_with_any_number_of_comments():
    page = (
        b"<!-- made by a system -->" * 60
        + b"<html><body><article><p>"
        + " ".join(ENGLISH * 3).encode()
        + b"</p></article>"
    )
    assert read(page.decode()).text
