"""Bytes that were made to hurt: ten good items beside each attack are read, in time that grows no faster than the bytes."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator import parse
from aggregator.parse import decode, elements, repair, slices

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HEAD = '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>t</title>'
END = "</channel></rss>"


def item(guid, *, title="", inside=""):
    return f"<item><title>good {guid}{title}</title><guid>{guid}</guid><description>text {guid}</description>{inside}</item>"


GOOD = "".join(item(n) for n in range(10))


def beside(bad, declaration='<?xml version="1.0"?>'):
    return f"{declaration}{HEAD}{bad}{GOOD}{END}".encode("utf-8", "surrogatepass")


def entities(*defined):
    return '<?xml version="1.0"?><!DOCTYPE rss [' + "".join(f"<!ENTITY {name} {text}>" for name, text in defined) + "]>"


def attacks(n):
    """Attacks that grow with n."""
    content = "<content:encoded>{}</content:encoded>".format
    return {
        "nested elements": beside(item("x", inside=content("<a>" * n + "deep" + "</a>" * n))),
        "nested foreign elements": beside(item("x", inside='<q:a xmlns:q="u:q">' * n + "</q:a>" * n)),
        "nested groups": beside(
            item("x", inside='<m:group xmlns:m="http://search.yahoo.com/mrss/">' * n + "</m:group>" * n)
        ),
        "a feed deep in a page": f"{'<div>' * n}{HEAD}{GOOD}{END}{'</div>' * n}".encode(),
        "nested div in CDATA": beside(item("x", inside=content(f"<![CDATA[{'<div>' * n}deep{'</div>' * n}]]>"))),
        "a huge attribute": beside(item("x", inside=f'<q a="{"x" * n * 50}"/>')),
        "many attributes": beside(item("x", inside="<q " + "".join(f'a{k}="1" ' for k in range(n)) + "/>")),
        "one attribute often": beside(item("x", inside="<q " + 'a="1" ' * n + "/>")),
        "author address": beside(item("x", inside=f"<author>{'a@' * n}</author>")),
        "bare ampersands": beside(item("x", inside=content("& " * n * 3 + "end"))),
        "bare less-than": beside(item("x", inside=content("< " * n * 3 + "end"))),
        "unclosed tags": beside(item("x", inside=content("<a " * n + "end"))),
        "unclosed quotes": beside(item("x", inside=content('<a b="' * n))),
        "unclosed CDATA": beside(item("x") + "<description><![CDATA[ " * n),
        "CDATA outside of items": beside(item("x") + "<![CDATA[ " * n),
        "unclosed comments": beside(item("x") + "<!-- " * n),
        "unclosed instructions": beside(item("x") + "<? " * n),
        "many DOCTYPE": beside("<!DOCTYPE a [" * n),
        "a wide internal subset": beside(
            item("x", title="&e1;"), entities(*((f"e{k}", f'"{k}"') for k in range(n // 4)))
        ),
        "end tags alone": beside("<title>a</title></item>" * (n // 8)),
        "start tags alone": beside("<item>" * (n // 8)),
        "prefixes": beside(item("x", inside="".join(f"<p{k}:a>x" for k in range(n // 4)))),
        "a text often": beside(item("x", inside="".join(f"<description>{k}</description>" for k in range(n)))),
        "long dates": beside(item("x", inside=f"<pubDate>{'1 ' * n}</pubDate>")),
        "long references": beside(item("x", title=f"&#{'9' * n};&{'a' * n};")),
        "blanks": beside(item("x", inside=content(" " * n * 10 + "&"))),
        "closing brackets": beside(item("x", inside=content("]" * n * 10 + "&"))),
    }


@pytest.mark.parametrize("name", attacks(1))
def test_an_attack_costs_no_good_item_and_little_time(name):
    body = attacks(10_000)[name]
    begin = time.process_time()
    found = parse.feed(body)
    slices.hashes(body)
    assert time.process_time() - begin < 3  # 0.01 to 0.15 s on an idle machine
    assert {entry.guid for entry in found.items} >= {str(n) for n in range(10)}
    assert found.rejected == ()


@pytest.mark.parametrize("name", attacks(1))
def test_twice_the_attack_takes_about_twice_the_time(name):
    once, twice = attacks(4_000)[name], attacks(8_000)[name]
    ratios = (timed(twice) / (timed(once) + 0.002) for _ in range(5))
    assert any(ratio < 2.5 for ratio in ratios)  # the square gives 4 each time


def timed(body):
    begin = time.process_time()
    parse.feed(body)
    return time.process_time() - begin


POISON = {  # what else an entry can hold, and what its title must become
    "surrogate": (item("x", title="&#xD800; after"), "good x after"),
    "surrogate as bytes": (item("x", title="\ud800 after"), None),
    "reference beyond Unicode": (item("x", title="&#99999999999; after"), "good x after"),
    "a reference of 5,000 digits": (item("x", title=f"&#{'9' * 5000}; after"), "good x after"),
    "NUL reference": (item("x", title="&#0; after"), "good x after"),
    "NUL": (item("x", title="\0 after"), "good x after"),
    "escape sign": (item("x", title="\x1b[31m after"), "good x[31m after"),
    "undefined entity": (item("x", title="&nbsp;&laquo;so&raquo; &unknown; AT&T"), "good x «so» &unknown; AT&T"),
    "date in year 10000": (item("x", inside="<pubDate>9999-12-31T23:59:59-14:00</pubDate>"), "good x"),
    "no such day": (item("x", inside="<pubDate>2024-13-45</pubDate>"), "good x"),
    "a bad base": (
        item("x", inside='<link xml:base="http://[">a</link>').replace("<item", '<item xml:base="http://["'),
        "good x",
    ),
    "one attribute under two prefixes": (item("x", inside="<a:q xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>"), "good x"),
    "undeclared prefix": (item("x", inside="<q:a b:c='1'>y</q:a>"), "good x"),
    "empty namespace": (item("x", inside="<q:a xmlns:q=''/>"), "good x"),
    "colons": (item("x", inside="<a:b:c>y</a:b:c>"), "good x"),
    "unclosed comment": ("<!--" + item("x"), "good x"),
    "unclosed CDATA in the first": ("<item><title>good x</title><description><![CDATA[ y", "good x"),
    "no end tag": ("<item><title>good x</title>", "good x"),
    "no end tags": ("<item><title>good x", "good x"),
    "georss position": (item("x", inside="<g:point xmlns:g='http://www.georss.org/georss'>nan</g:point>"), "good x"),
}


@pytest.mark.parametrize("name", POISON)
def test_poison_in_one_item_silences_no_other(name):
    bad, title = POISON[name]
    found = parse.feed(beside(bad), url="https://example.org/", now=NOW)
    titles = [entry.title for entry in found.items]
    assert titles[-10:] == [f"good {n}" for n in range(10)]
    assert len(titles) == 11
    assert title is None or titles[0] == title
    assert all(character.isprintable() for character in titles[0])


@pytest.mark.parametrize(
    "declaration",
    [
        entities(("a", '"ha"'), *((chr(98 + k), '"' + f"&{chr(97 + k)};" * 10 + '"') for k in range(9))),
        entities(("j", 'SYSTEM "file:///etc/passwd"')),
        entities(("j", 'PUBLIC "x" "http://127.0.0.1:9/"')),
        '<?xml version="1.0"?><!DOCTYPE rss SYSTEM "http://127.0.0.1:9/x.dtd">',
        entities(("% j", 'SYSTEM "file:///etc/passwd"')) + "%j;",
    ],
    ids=["billion laughs", "file", "network", "external subset", "parameter entity"],
)
def test_no_entity_is_fetched_or_grows(declaration):
    found = parse.feed(beside(item("x", title="&j; after"), declaration))
    assert len(found.items) == 11
    assert found.items[0].title == "good x&j; after"


def test_no_entity_grows_behind_a_long_comment():
    declaration = entities(("j", '"grown"')).replace("<!DOCTYPE", f"<!--{'x' * 5000}--><!DOCTYPE")
    assert parse.feed(beside(item("x", title="&j; after"), declaration)).items[0].title == "good x&j; after"


def test_a_cdata_whose_end_is_lost_swallows_no_item_though_all_is_well_formed():
    found = parse.feed(
        beside(
            "<item><title>a</title><description><![CDATA[x</description></item>"
            "<item><title>b</title><description><![CDATA[y]]></description></item>"
        )
    )
    assert [entry.title for entry in found.items][:2] == ["a", "b"]
    assert found.flags == ("not-well-formed",)


def test_a_plain_entity_of_the_document_is_read():
    found = parse.feed(beside(item("x", title=" &org;"), entities(("org", '"Kabul Times"'))))
    assert found.items[0].title == "good x Kabul Times"


@pytest.mark.parametrize("encoding", ["punycode", "undefined", "idna", "base64", "utf-16", "utf-7", "x-nothing"])
def test_a_false_encoding_name_silences_nothing(encoding):
    found = parse.feed(beside("", f'<?xml version="1.0" encoding="{encoding}"?>'))
    assert len(found.items) == 10


@pytest.mark.parametrize("when", ["9999-12-31T23:59:59-14:00", "2024-13-45", "2099-01-01T00:00:00Z"])
def test_an_impossible_date_is_none_and_flagged(when):
    (found,) = parse.feed(f"{HEAD}{item('x', inside=f'<pubDate>{when}</pubDate>')}{END}".encode(), now=NOW).items
    assert found.published is None
    assert found.flags[0].startswith("date-")


def test_an_entry_that_only_a_guess_can_read_is_flagged_and_costs_no_other():
    found = parse.feed(beside(POISON["one attribute under two prefixes"][0]))
    assert len(found.items) == 11
    assert set(found.flags) == {"entries-recovered", "not-well-formed"}


def test_twenty_thousand_items_are_twenty_thousand():
    assert len(parse.feed(f"{HEAD}{''.join(item(n) for n in range(20_000))}{END}".encode()).items) == 20_000


def test_a_document_of_random_tags_does_not_stay_in_the_memory():
    parse.feed(f"{HEAD}{item('x', inside=''.join(f'<t{n}/>' for n in range(5000)))}{END}".encode())
    assert len(elements.readers("entry", "")) <= 1000


def test_one_guid_for_all_or_none_at_all_keeps_all():
    same = "".join(f"<item><title>{n}</title><guid>1</guid></item>" for n in range(10))
    none = "".join(f"<item><title>{n}</title><guid></guid></item>" for n in range(10))
    assert [entry.guid for entry in parse.feed(f"{HEAD}{same}{END}".encode()).items] == ["1"] * 10
    assert [entry.guid for entry in parse.feed(f"{HEAD}{none}{END}".encode()).items] == [None] * 10


def test_a_truncated_feed_keeps_what_came_and_says_so():
    body = beside(item("x"))
    for at in range(body.index(b"</item>") + 7, len(body) - len("</rss>"), 7):
        found = parse.feed(body[:at])
        assert len(found.items) >= body[:at].count(b"</item>")
        assert "truncated" in found.flags


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            "<item>",
            "</item>",
            "<entry>",
            "</entry>",
            "<title>",
            "</title>",
            "<description>",
            "</description>",
            "<![CDATA[",
            "]]>",
            "<!--",
            "-->",
            "<?",
            "?>",
            "&",
            "&amp;",
            "&nbsp;",
            "&#1;",
            "<",
            ">",
            '"',
            "'",
            "=",
            "<rss>",
            "</rss>",
            "<feed>",
            "</feed>",
            "<channel>",
            "</channel>",
            "<a>",
            "</a>",
            "<a:b>",
            "</a:b>",
            "<link/>",
            "<dc:date>",
            "<!DOCTYPE",
            "[",
            "]>",
            "<item/>",
            "xml:base='http://['",
            "\x00",
            "ی",
        ]
    )
    | st.text(max_size=5),
    max_size=60,
)


@settings(max_examples=300)
@given(
    FRAGMENTS,
    st.sampled_from(
        [
            "",
            "<rss <channel>",
            "<rss><channel>",
            "<x:feed ",
            "<item ",
            "<rss/>",
            "<feed xmlns='http://www.w3.org/2005/Atom'>",
            "<?xml version='1.0'?>",
        ]
    ),
)
def test_no_text_makes_it_raise_and_all_is_accounted_for(fragments, start):
    body = (start + "".join(fragments)).encode("utf-8", "surrogatepass")
    found = parse.feed(body, url="https://example.org/", now=NOW)
    known = {entry.slice_hash for entry in found.items} - {None}
    assert known <= set(slices.hashes(body))
    again = parse.feed(body, url="https://example.org/", now=NOW, known=known)
    assert again.entries == found.entries
    assert again.known in {0, sum(entry.slice_hash in known for entry in found.items)}  # 0: read whole after all


@settings(max_examples=200)
@given(FRAGMENTS)
def test_a_repaired_text_is_well_formed_but_for_names_and_depth(fragments):
    text = decode.utf8("".join(["<rss><channel>", *fragments]).encode("utf-8", "surrogatepass"), None).body.decode()
    fixed = repair.repaired(text, {})
    assert fixed is not None
    assert len(fixed.parts) < 4 * len(text)
    opened = [
        part
        for part in fixed.parts
        if part.startswith("<") and not part.startswith(("</", "<!")) and not part.endswith("/>")
    ]
    assert len(opened) == sum(part.startswith("</") for part in fixed.parts)


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(body):
    parse.feed(body, now=NOW)
