"""HTML to text: what a reader would see, whatever the markup does."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.text.html import plain

ROWS = [
    # what holds, html, text
    ("text stays", "The Taliban said", "The Taliban said"),
    ("lines of plain text stay", "one\ntwo\r\n\n three", "one\ntwo\nthree"),
    ("lines stay where a sign is no tag", "a < b\nc &amp; d", "a < b\nc & d"),
    ("lines of the source are none of the text", "<b>one</b>\ntwo", "one two"),
    ("blanks collapse", "<p> a \t b&nbsp;&nbsp;c </p>", "a b c"),
    ("blocks part", "<p>One<br>two</p><p>three</p>", "One\ntwo\nthree"),
    ("list items part", "<ul><li>one<li>two</ul>", "one\ntwo"),
    ("cells part", "<table><tr><td>A</td><td>B</td></tr></table>", "A\nB"),
    ("cells without a table part", "<td>A</td><td>B</td>", "A\nB"),
    ("headings part", "<h2>Head</h2>text", "Head\ntext"),
    ("unknown tags part", "one<o:p></o:p>two<x-y>three", "one\ntwo\nthree"),
    ("prefixed tags part", "<xhtml:p>one</xhtml:p><xhtml:p>two</xhtml:p>", "one\ntwo"),
    ("upper case", "<P>One<BR>Tali<B>ban</B></P>", "One\nTaliban"),
    ("tags inside a word do not part it", "Tali<b>b</b>a<wbr>n T<span class='x'>aliban</span>", "Taliban Taliban"),
    ("tags inside a persian word", "طا<em>لبا</em>ن", "طالبان"),
    ("comments inside a word", "Tali<!-- x > y -->ban", "Taliban"),
    ("non-joiner stays", "<p>می\u200cگوید &zwnj;</p>", "می\u200cگوید \u200c"),
    ("direction marks stay", "<p>\u200fطالبان\u202a</p>", "\u200fطالبان\u202a"),
    ("letters stay as they are", "<p>كابل ﷲ ﬁ</p>", "كابل ﷲ ﬁ"),
    ("named entities", "Taliban&rsquo;s &quot;amnesty&quot; &mdash; &lt;5", 'Taliban’s "amnesty" — <5'),
    ("numbered entities", "&#1591;&#x627;&#1604;&#1576;&#1575;&#1606;", "طالبان"),
    ("windows entities", "&#146;", "’"),
    ("bare ampersand", "R&D, AT&T & <b>co</b>", "R&D, AT&T & co"),
    ("escaped twice", "&lt;p&gt;One&amp;nbsp;two&lt;/p&gt;&lt;p&gt;three&lt;/p&gt;", "One two\nthree"),
    ("entities escaped twice", "Taliban&amp;rsquo;s", "Taliban’s"),
    ("tags escaped twice", "&lt;p&gt;One&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;", "One\ntwo"),
    ("escaped twice, no more", "&amp;amp;amp;", "&amp;"),
    ("escaped signs are not tags", "1 &lt; 2 &gt; 0", "1 < 2 > 0"),
    ("scripts are silent", "a<script>x='<p>taliban</p>'</script>b", "ab"),
    ("scripts, any case", "a<SCRIPT type=x>1</Script >b", "ab"),
    ("scripts without end", "a<script>taliban", "a"),
    ("scripts of XHTML", '<script src="x"/>text<iframe/>more', "textmore"),
    ("styles are silent", "<style>p{content:'taliban'}</style>text", "text"),
    ("frames are silent", "<iframe src=x>no frames</iframe>text", "text"),
    ("tags that begin like them are not silent", "<scripture>a</scripture> <s>b</s> <stylex>c", "a\nb\nc"),
    ("comments are silent", "a<!-- taliban --> b<!--> c<!---> d", "a b c d"),
    ("comments without end", "a<!-- taliban", "a"),
    ("conditional comments", "<!--[if mso]>x<![endif]-->a<!--[if !mso]><!-->b<!--<![endif]-->", "ab"),
    ("doctype and instructions", "<!DOCTYPE html><?xml version='1'?>text</ >", "text"),
    ("character data is text", "<![CDATA[Hello <b>there</b>]]> you", "Hello there you"),
    ("titles are text", "<html><head><title>T</title></head><body>text</body></html>", "T\ntext"),
    ("images speak", 'a<img src="x.jpg" alt="Taliban &amp; co">b', "a Taliban & co b"),
    ("images speak unquoted", "<IMG alt=Kabul src=x/>", "Kabul"),
    ("images speak with signs", "<img alt='a > b' src=x>", "a > b"),
    ("images without a word", '<img src="x"><img alt=""><imgs alt="no">x', "x"),
    ("other words for alt", '<img data-alt2="no" default="no" src="alt">x', "x"),
    ("another alt before it", '<img data-alt="no" alt="yes">', "yes"),
    ("attributes hold signs", '<a title="a > b" href=x>link</a>', "link"),
    ("attributes hold tags", '<figure data-x="<p>no</p>">text', "text"),
    ("stray quotation mark in a tag", '<a href="x"">he said "yes"</a>', 'he said "yes"'),
    ("quotation mark without end", '<a href="x>text</a> more', "text more"),
    (
        "quotation mark lost before another",
        '<a href="/x>one two</a> <p>three <a href="/y">four</a>',
        "one two\nthree four",
    ),
    (
        "quotation mark lost before a said word",
        '<a href="/x>the</a> "amnesty" <b class="y">now</b>',
        'the "amnesty" now',
    ),
    ("apostrophe lost before another", "<a href='/x>one</a> <a href='/y'>two</a>", "one two"),
    ("apostrophe in a tag", "<p it's>text's", "text's"),
    ("tag cut off", 'text <a href="https://example.org/', "text"),
    ("tag cut by a tag", "<a href=x <b>text</b>", "text"),
    ("less than", "a < b, 3<5 <3", "a < b, 3<5 <3"),
    ("less than before a letter, to the end", "Profit <Q3 figures; Taliban", "Profit <Q3 figures; Taliban"),
    ("less than before a letter, before a tag", "if x <y then <b>Taliban</b>", "if x <y then Taliban"),
    ("nul and escape go", "Tali\x00ban\x1b \x7f\x85x", "Taliban x"),
    ("nul by number", "&#0;Taliban", "\ufffdTaliban"),
    ("surrogate by number", "&#xD800;Taliban", "\ufffdTaliban"),
    ("number too large", "&#99999999999;Taliban", "\ufffdTaliban"),
    ("number far too large", f"&#{'9' * 5000};Taliban", "\ufffdTaliban"),
    ("number with many zeros", f"&#{'0' * 5000}65;Taliban", "\ufffdTaliban"),
    ("lone surrogate", "\ud800Taliban", "\ufffdTaliban"),
    ("emoji joined", "👩🏽\u200d💻 x", "👩🏽\u200d💻 x"),
    ("nothing", "", ""),
    ("nothing but markup", "<p><br/></p> \n ", ""),
]


@pytest.mark.parametrize(("html", "text"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_case_reads_as_a_reader_would(html, text):
    assert plain(html) == text


PIECES = [
    "<p>", "</p>", "<b>", "</b>", "<br/>", "<a href='", '<a href="', "<img alt=", "<!--", "-->", "<script>", "</script>",
    "<![CDATA[", "]]>", "&amp;", "&lt;", "&#x", "&#0;", "<", ">", "/", "=", '"', "'", "\n", " ", "\u200c", "\ud800", "\x00",
    "Taliban", "طالبان", "1",
]  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)))
def test_any_text_is_read_without_a_word_of_complaint(html):
    text = plain(html)
    text.encode()
    assert not set(text) & set(map(chr, [*range(10), *range(11, 32), *range(127, 160)]))
    assert all(line and line == " ".join(line.split()) for line in text.split("\n")) or not text


@given(
    st.lists(st.sampled_from(["<p>", "</p>", "<b>", "</div>", "<br>", "<i class='x'>", "<!-- x -->", "<img alt='z'>"]))
)
def test_no_sound_markup_hides_a_word(tags):
    assert "Taliban" in plain("".join(tags) + "Taliban" + "".join(tags)).replace("\n", " ").split()


@given(st.text("abc &<>\"'/=", min_size=1))
def test_escaped_text_reads_as_itself(text):
    escaped = text.replace("&", "&#38;").replace("<", "&#60;").replace(">", "&#62;")
    once_more = {"<a", "<b", "</"} & {text[at : at + 2] for at in range(len(text))}  # looks escaped twice
    assert once_more or plain(escaped) == " ".join(text.split())


UNITS = [
    "<div>", "<a ", '<a b="', '<a b="<a" c=', "<a b='>' ", "<!--", "<!-", "<script>", "<script ", "</script", "<style/>",
    "<![CDATA[", "&", "&#", "&#1", "&amp;", "<", "</", "<!", "<?", '="', "<p>x", "<img alt=", '<img alt="x" ', "<a =",
    "&lt;p&gt;", "<a\t", "\n", " ", "<iframe", "<a b=' \" ", "&lt;", "&#38;lt;", "<b><p>", "<table><tr><td>", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_hostile_markup_takes_linear_time(unit):
    """1 MB of each takes a fraction of a second; with quadratic reading it would take hours."""
    start = time.process_time()
    plain(unit * (1_000_000 // len(unit)))
    assert time.process_time() - start < 20


def test_fifty_thousand_nested_blocks_are_read():
    assert plain("<div>" * 50_000 + "Taliban" + "</div>" * 50_000) == "Taliban"
