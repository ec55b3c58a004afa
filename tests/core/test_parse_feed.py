"""What stands where in the vocabularies, what is known is not read again, and no entry is unaccounted for."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import parse
from aggregator.model import Enclosure
from aggregator.parse import slices

URL = "https://example.org/feeds/news.xml"
NS = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
    'xmlns:dcterms="http://purl.org/dc/terms/"'
)


def rss(items, head="<title>News</title>", version='version="2.0"'):
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<rss {version} {NS}><channel>{head}{items}</channel></rss>'.encode()
    )


def atom(entries, attributes=""):
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {attributes}><title>News</title>{entries}</feed>'.encode()


def one(body, **given):
    (item,) = parse.feed(body, url=URL, **given).items
    return item


# ---------------------------------------------------------------- RSS


def test_an_rss_item_is_read_whole():
    item = one(
        rss(
            "<item><title>Amnesty &amp;amp; return</title><link>/a?x=1&amp;y=2</link><guid isPermaLink='false'> id 1 </guid>"
            "<pubDate>Mon, 05 Feb 2024 10:00:00 +0430</pubDate><dc:creator>A. Writer</dc:creator><category>Kabul</category>"
            "<category><![CDATA[Kabul]]></category><dc:subject>Politics</dc:subject><description><![CDATA[<p>Short.</p>]]></description>"
            "<content:encoded>&lt;p&gt;Long&lt;/p&gt;&lt;p&gt;text.&lt;/p&gt;</content:encoded>"
            "<enclosure url='clip.mp3' type='audio/mpeg' length='12'/></item>"
        )
    )
    assert item.title == "Amnesty & return"
    assert item.link == "https://example.org/a?x=1&y=2"
    assert item.guid == "id 1"
    assert item.published == datetime(2024, 2, 5, 5, 30, tzinfo=UTC)
    assert item.author == "A. Writer"
    assert item.tags == ("Kabul", "Politics")
    assert item.summary == "Short."
    assert item.content.split() == ["Long", "text."]
    assert item.enclosures == (Enclosure(url="https://example.org/feeds/clip.mp3", type="audio/mpeg", length=12),)
    assert item.flags == ()
    assert len(item.slice_hash) == 16


def test_the_header_of_a_channel_is_read():
    found = parse.feed(
        rss(
            "",
            "<title>A &amp; B</title><link>/</link><language>fa-IR</language><ttl>45</ttl><sy:updatePeriod>daily</sy:updatePeriod>",
        ),
        url=URL,
    )
    assert (found.format, found.title, found.link, found.language, found.ttl_s) == (
        "rss20",
        "A & B",
        "https://example.org/",
        "fa-IR",
        2700,
    )
    assert found.flags == ()


@pytest.mark.parametrize(
    ("said", "ttl"),
    [
        ("<ttl>60</ttl>", 3600),
        ("<ttl> 60 </ttl>", 3600),
        ("<ttl>0</ttl>", None),
        ("<ttl>soon</ttl>", None),
        ("<ttl>99999999999999999999</ttl>", 999999999 * 60.0),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 900),
        ("<sy:updatePeriod>Daily</sy:updatePeriod>", 86400),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", 86400),
        ("", None),
    ],
)
def test_how_long_a_feed_says_it_stays_fresh(said, ttl):
    assert parse.feed(rss("", said)).ttl_s == ttl


@pytest.mark.parametrize(
    ("said", "base"),
    [
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateBase>2000-01-01T12:00+04:30</sy:updateBase>", (7, 30)),
        ("<sy:updateBase>2000-01-01T07:30Z</sy:updateBase><sy:updatePeriod>daily</sy:updatePeriod>", (7, 30)),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateBase>noon</sy:updateBase>", None),
        ("<ttl>60</ttl><sy:updateBase>2000-01-01T07:30Z</sy:updateBase>", None),  # the beats of something else
    ],
)
def test_from_when_a_feed_counts_its_updates(said, base):
    found = parse.feed(rss("", said)).update_base
    assert (found and (found.hour, found.minute)) == base


def test_when_and_where_a_feed_asks_to_be_read():
    found = parse.feed(
        rss(
            "",
            "<skipHours><hour>3</hour><hour> 24 </hour><hour>x</hour><hour>25</hour></skipHours><skipDays><day>Sunday</day><day>monday</day></skipDays>"
            "<atom:link rel='hub' href='https://hub.example/'/><atom:link rel='self' href='/news.xml'/><atom:link rel='prev-archive' href='2.xml'/>",
        ),
        url=URL,
    )
    assert (found.skip_hours, found.skip_days) == ((0, 3), (0, 6))
    assert (found.hub, found.self_link) == ("https://hub.example/", "https://example.org/news.xml")
    assert (found.prev_archive, found.link) == ("https://example.org/feeds/2.xml", None)


def test_a_feed_that_asks_nothing_has_no_wishes():
    found = parse.feed(rss(""), url=URL)
    assert (found.skip_hours, found.skip_days, found.hub, found.self_link, found.prev_archive) == (
        (),
        (),
        None,
        None,
        None,
    )


def test_an_item_without_a_language_has_that_of_its_feed():
    items = "<item><title>a</title></item><item><title>b</title><dc:language>ps</dc:language></item>"
    assert [item.lang for item in parse.feed(rss(items, "<language>fa-AF</language>")).items] == ["fa-AF", "ps"]


def test_a_text_beyond_two_million_characters_is_cut_and_flagged():
    item = one(rss(f"<item><title>t</title><description>{'long ' * 500_000}</description></item>"))
    assert (len(item.summary), item.flags) == (2_000_000, ("text-cut",))


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("<description>one</description><content:encoded>two</content:encoded>", ("one", "two")),
        ("<content:encoded>two</content:encoded><description>one</description>", ("one", "two")),
        ("<description>one</description><description>other</description>", ("one", "other")),
        ("<description>one two</description><content:encoded>one</content:encoded>", ("one two", "")),
        ("<content:encoded>only</content:encoded>", ("", "only")),
        (
            "<media:group><media:content url='x'><media:description>deep</media:description></media:content></media:group>",
            ("deep", ""),
        ),
        (
            "<description>one</description><media:description>two</media:description><itunes:summary>three</itunes:summary>",
            ("one", "two\n\nthree"),
        ),
        ("<description>one</description><dc:description>two</dc:description>", ("one", "two")),
        ("<description>one</description><media:title>another headline</media:title>", ("one", "another headline")),
        ("<title>second title</title>", ("", "second title")),
        ("<description>a<b>b</b>c &amp; d</description>", ("abc & d", "")),
        ("<description>a<p>b</p><p>c</p></description>", ("a\nb\nc", "")),
        ("<body xmlns='http://www.w3.org/1999/xhtml'><p>x</p><p>y</p></body>", ("", "x\ny")),
        ("<x:p xmlns:x='http://www.w3.org/1999/xhtml'>no</x:p><description>one</description>", ("one", "")),
        (
            "<description><x:p xmlns:x='http://www.w3.org/1999/xhtml'>a</x:p><x:p xmlns:x='http://www.w3.org/1999/xhtml'>b</x:p></description>",
            ("a\nb", ""),
        ),
    ],
)
def test_no_text_is_lost_between_summary_and_content(inside, words):
    item = one(rss(f"<item><title>t</title>{inside}</item>"))
    assert (item.summary, item.content) == words


def test_a_second_title_is_kept_and_flagged():
    assert one(rss("<item><title>a</title><title>b</title></item>")).flags == ("title-repeated",)


@pytest.mark.parametrize(
    ("inside", "link"),
    [
        ("<link>https://other.example/x</link>", "https://other.example/x"),
        ("<link> \n https://other.example/x \n</link>", "https://other.example/x"),
        ("<link>feed://other.example/x</link>", "http://other.example/x"),
        ("<link>//other.example/x</link>", "https://other.example/x"),
        ("<link>https://a.example/?a=1&amp;amp;b=2</link>", "https://a.example/?a=1&b=2"),
        ("<link>javascript:alert(1)</link>", None),
        ("<link>http://[</link>", "http://["),
        ("<guid>https://a.example/g</guid>", "https://a.example/g"),
        ("<guid isPermaLink='false'>https://a.example/g</guid>", None),
        ("<guid>https://a.example/g</guid><link>https://a.example/l</link>", "https://a.example/l"),
        ("<guid>12</guid>", None),
        ("<guid>/g</guid>", "https://example.org/g"),
        ("<atom:link rel='self' href='https://a.example/s'/>", None),
        ("<atom:link href='https://a.example/s'/>", "https://a.example/s"),
        ("<atom:link rel='related' href='https://a.example/s'/>", "https://a.example/s"),
    ],
)
def test_the_link_of_an_item(inside, link):
    assert one(rss(f"<item>{inside}</item>")).link == link


def test_rdf_items_stand_beside_the_channel_and_are_known_by_what_they_are_about():
    found = parse.feed(
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        b'<channel rdf:about="https://example.org/"><title>R</title><items><rdf:Seq><rdf:li resource="https://example.org/1"/></rdf:Seq></items></channel>'
        b'<item rdf:about="https://example.org/1"><title>one</title><dc:date>2024-02-05T10:00:00Z</dc:date><dc:language>ps</dc:language></item></rdf:RDF>'
    )
    (item,) = found.items
    assert found.format == "rss10"
    assert (item.guid, item.link, item.lang) == ("https://example.org/1", "https://example.org/1", "ps")
    assert item.published == datetime(2024, 2, 5, 10, tzinfo=UTC)


# ---------------------------------------------------------------- Atom


def test_an_atom_entry_is_read_whole():
    item = one(
        atom(
            "<author><name>Desk</name></author>"
            "<entry xml:base='sub/' xml:lang='fa'><title type='html'>A &amp;lt; &lt;i&gt;c&lt;/i&gt;</title><id>tag:x</id><link rel='enclosure' href='a.mp3' length='x'/>"
            "<link rel='alternate' type='application/json' href='j'/><link rel='alternate' type='text/html' href='h'/>"
            "<category term='t' label='T'/><published>2024-02-05T10:00:00Z</published><updated>2024-02-06T10:00:00Z</updated>"
            "<summary>5 &lt; 6</summary><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>x</p><p>y<img alt='pic' src='z'/></p></div></content></entry>",
            "xml:base='https://base.example/' xml:lang='en'",
        )
    )
    assert item.title == "A < c"
    assert (item.guid, item.lang, item.author) == ("tag:x", "fa", "Desk")
    assert item.link == "https://base.example/sub/h"
    assert item.enclosures == (Enclosure(url="https://base.example/sub/a.mp3"),)
    assert item.tags == ("t", "T")
    assert (item.published.day, item.updated.day) == (5, 6)
    assert item.summary == "5 < 6"
    assert item.content.split() == ["x", "y", "pic"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<content type='text'>a &lt; b</content>", "a < b"),
        ("<content type='text'>&lt;p&gt;mislabelled&lt;/p&gt;</content>", "mislabelled"),
        ("<content type='application/octet-stream' mode='base64'>S2FidWw=</content>", "Kabul"),
        ("<content type='image/png'>iVBORw0KGgo=</content>", ""),
        ("<content type='html'>&lt;script&gt;x&lt;/script&gt;seen</content>", "seen"),
        ("<content type='application/xml'><a><b>in</b></a></content>", "in"),
        ("<content src='x'/>", ""),
    ],
)
def test_atom_content_types(content, text):
    assert one(atom(f"<entry><title>t</title>{content}</entry>")).content == text


def test_a_prefixed_atom_feed_and_a_single_entry_are_read():
    body = b"<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:title>N</a:title><a:entry><a:title>one</a:title></a:entry></a:feed>"
    assert [item.title for item in parse.feed(body).items] == ["one"]
    assert one(b"<entry xmlns='http://www.w3.org/2005/Atom'><title>one</title></entry>").title == "one"


# ---------------------------------------------------------------- JSON Feed


def test_a_json_feed_is_read():
    document = {
        "version": "https://jsonfeed.org/version/1.1", "title": "N", "home_page_url": "/", "language": "fa",
        "items": [
            {"id": 7, "url": "/7", "title": "a < b", "content_html": "<p>x</p>", "summary": "s", "date_published": "2024-02-05T10:00:00Z",
             "authors": [{"name": "A"}, {"name": "B"}], "tags": ["t", 3], "attachments": [{"url": "a.mp3", "size_in_bytes": 5}]},
            "no object",
            {"id": "8", "content_text": "1 < 2", "author": {"name": "C"}, "external_url": "https://o.example/"},
        ],
    }  # fmt: skip
    found = parse.feed(json.dumps(document).encode(), url=URL)
    first, second = found.items
    assert (found.format, found.title, found.link, found.language) == ("json11", "N", "https://example.org/", "fa")
    assert (first.guid, first.link, first.title, first.summary, first.content) == (
        "7",
        "https://example.org/7",
        "a < b",
        "s",
        "x",
    )
    assert (first.author, first.tags) == ("A, B", ("t", "3"))
    assert first.enclosures == (Enclosure(url="https://example.org/feeds/a.mp3", length=5),)
    assert (second.content, second.author, second.link) == ("1 < 2", "C", "https://o.example/")
    assert [(entry.reason, entry.position) for entry in found.rejected] == [("entry-not-an-object", 1)]
    assert found.entries == 3


def test_a_json_feed_names_its_hub_and_itself():
    document = {"items": [], "feed_url": "/f.json", "hubs": [{"type": "WebSub", "url": "https://hub.example/"}]}
    found = parse.feed(json.dumps(document).encode(), url=URL)
    assert (found.hub, found.self_link) == ("https://hub.example/", "https://example.org/f.json")


def test_a_json_feed_cut_short_keeps_its_whole_items():
    body = (
        b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "title": "a\x01"}, {"id": "2"}, {"id": "3'
    )
    found = parse.feed(body)
    assert [item.guid for item in found.items] == ["1", "2"]
    assert found.flags == ("not-well-formed",)


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"items": 1}', b"[]", b"{", b"[" * 100_000, b'{"items": [' + b"9" * 5000 + b"]", b'{"a": ' * 100_000],
)
def test_other_json_is_no_feed(body):
    assert parse.feed(body).flags == ("not-a-feed",)


# ---------------------------------------------------------------- what is no feed, and what only feedparser reads


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"\0" * 50,
        b"plain text",
        b"<html><body><p>Just a moment</p></body></html>",
        b"<!DOCTYPE html><html><head><title>x",
        b"<a/>",
        b"\xff\xfe",
    ],
)
def test_what_is_no_feed_is_named_so(body):
    found = parse.feed(body)
    assert (found.format, found.flags, found.entries) == ("", ("not-a-feed",), 0)


def test_an_empty_feed_is_a_feed():
    assert parse.feed(rss("")).format == "rss20"


def test_a_feed_inside_a_page_is_found():
    found = parse.feed(
        b"<html><body><rss version='2.0'><channel><title>x</title><item><title>one</title></item></channel></rss></body></html>"
    )
    assert [item.title for item in found.items] == ["one"]


@pytest.mark.filterwarnings("ignore")  # feedparser's own
def test_cdf_is_read_by_the_fallback():
    found = parse.feed(
        b'<?xml version="1.0"?><CHANNEL HREF="http://example.com/"><ITEM HREF="http://example.com/1"><TITLE>one</TITLE></ITEM></CHANNEL>'
    )
    assert [item.title for item in found.items] == ["one"]
    assert "fallback" in found.flags


# ---------------------------------------------------------------- known entries


def numbered(*numbers, head="<title>News</title>"):
    return rss(
        "\n".join(
            f"<item><title>n {n}</title><guid>{n}</guid><description><![CDATA[<p>{n}</p>]]></description></item>"
            for n in numbers
        ),
        head,
    )


def test_only_unknown_entries_are_read_and_all_are_counted():
    seen = parse.feed(numbered(1, 2, 3))
    known = {item.slice_hash for item in seen.items}
    found = parse.feed(numbered(4, 3, 1), known=known)
    assert [item.guid for item in found.items] == ["4"]
    assert found.known == 2
    assert found.entries == 3
    assert found.title == "News"
    assert found.flags == ()


def test_hashes_stand_in_the_order_of_the_items_and_are_theirs():
    body = numbered(3, 1, 2)
    assert slices.hashes(body) == tuple(item.slice_hash for item in parse.feed(body).items)


def test_nothing_new_costs_no_entry_and_keeps_the_header():
    body = numbered(1, 2)
    found = parse.feed(body, known=frozenset(slices.hashes(body)))
    assert (found.items, found.known, found.title, found.format) == ((), 2, "News", "rss20")


def test_a_new_build_date_changes_no_hash_and_a_new_namespace_or_base_all():
    body = numbered(1, 2)
    dated = numbered(1, 2, head="<title>News</title><lastBuildDate>Mon, 05 Feb 2024 10:00:00 GMT</lastBuildDate>")
    based = body.replace(b'version="2.0"', b'version="2.0" xml:base="https://other.example/"')
    assert slices.hashes(dated) == slices.hashes(body)
    assert not set(slices.hashes(based)) & set(slices.hashes(body))


def test_an_edited_entry_is_unknown():
    known = set(slices.hashes(numbered(1, 2)))
    found = parse.feed(numbered(1, 2).replace(b"n 2", b"n 2!"), known=known)
    assert [item.title for item in found.items] == ["n 2!"]


@pytest.mark.parametrize(
    "body",
    [
        numbered(1).replace(b"</item>", b""),
        numbered(1, 2).replace(b"</item>", b"</item></item>", 1),
        numbered(1).replace(b"<rss", b"<!DOCTYPE rss [<!ENTITY a 'b'>]><rss"),
        numbered(1) + b"\x1b",
        b'{"items": [{"content_html": "<item></item>"}]}',
        "﻿".join(["", numbered(1).decode()]).encode("utf-16"),
        b"",
    ],
    ids=["no end", "end twice", "entities", "ISO 2022", "JSON", "UTF-16", "empty"],
)
def test_what_cannot_be_cut_has_no_hashes(body):
    assert slices.hashes(body) == ()
    assert all(item.slice_hash is None for item in parse.feed(body).items)


TRAPS = {
    "entry tags inside CDATA": "<item><title>a</title><description><![CDATA[ x </item><item> y ]]></description></item>",
    "a whole entry inside CDATA": "<item><title>a</title><description><![CDATA[ <item><title>no</title></item> ]]></description></item>",
    "an entry in a comment": "<!-- <item><title>no</title></item> --><item><title>a</title></item>",
    "a comment over two": "<item><title>a</title><!-- </item><item> --></item>",
    "an end tag in CDATA": "<item><title>a</title><description><![CDATA[ </item> ]]>tail</description></item>",
    "an instruction over two": "<item><title>a</title><?x </item><item> ?></item>",
    "prefixed and false one": "<!-- <item></item> --><r:item xmlns:r='http://purl.org/rss/1.0/'><title>a</title></r:item>",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_item_tags_that_are_none_fool_nobody(trap):
    body = rss(TRAPS[trap] + "<item><title>b</title></item>")
    found = parse.feed(body)
    assert [item.title for item in found.items] == ["a", "b"]
    known = {item.slice_hash for item in found.items if item.slice_hash}
    assert parse.feed(body, known=known).entries == 2
    for old, new in ((b"<title>a", b"<title>edited a"), (b"tail", b"tail edited")):
        again = parse.feed(body.replace(old, new), known=known)
        assert again.entries == 2
        assert old not in body or any("edited" in item.title + item.summary for item in again.items)


def test_an_entry_that_shows_an_item_tag_can_be_known_too():
    body = rss("<item><title>a</title><description><![CDATA[<item> x]]></description></item>")
    known = {item.slice_hash for item in parse.feed(body).items}
    assert parse.feed(body, known=known).known == 1


def test_an_entry_that_stood_in_a_comment_is_new_once_it_is_published():
    later = "<item><title>later</title></item>"
    before = parse.feed(rss(f"<!-- {later} --><r:item xmlns:r='http://purl.org/rss/1.0/'><title>a</title></r:item>"))
    assert [item.title for item in before.items] == ["a"]
    known = {item.slice_hash for item in before.items}
    assert [item.title for item in parse.feed(rss(later), known=known).items] == ["later"]


@given(st.lists(st.integers(0, 9), max_size=8), st.sets(st.integers(0, 9)))
def test_known_and_items_always_make_up_the_document(numbers, known):
    marks = {mark for number in known for mark in slices.hashes(numbered(number))}
    found = parse.feed(numbered(*numbers), known=marks)
    assert [int(item.guid) for item in found.items] == [number for number in numbers if number not in known]
    assert found.known == sum(number in known for number in numbers)
