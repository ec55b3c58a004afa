"""Real feeds, ours against feedparser: no entry fewer, no word fewer, nothing damaged unflagged. Every difference has a reason."""

import csv
import io
import re
from collections import Counter
from pathlib import Path

import feedparser
import pytest

from aggregator import parse
from aggregator.parse import slices
from aggregator.text.html import plain

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
FEEDS = CORPUS / "feeds"
pytestmark = [
    pytest.mark.skipif(not FEEDS.is_dir(), reason="../shared/corpus is not here"),
    pytest.mark.filterwarnings("ignore"),  # feedparser's own
]
URL = "https://example.org/feed"

# Where our words differ from feedparser's, by what the document is.
WORDS = {
    "headlines__dailymail.xml": "letters cut in half: feedparser then reads all UTF-8 as Latin",
    "feedparser__tests_encoding_bozo_linenoise.xml": "bytes in no encoding: feedparser reads Latin-2, we say U+FFFD",
    "feedparser__tests_illformed_chardet_koi8r.xml": "undeclared KOI8-R: feedparser reads Latin letters, we read Russian",
    "feedparser__tests_illformed_chardet_windows1255.xml": "undeclared windows-1255: feedparser reads Latin letters, we read Hebrew",
    "feedparser__tests_illformed_chardet_shiftjis.xml": "undeclared Shift JIS: both guess, both wrong, ours is flagged",
}
# Where our date differs from feedparser's.
DATES = {
    "RSS-Parser__rssparser_src_commonTest_resources_feed-test-hindi-channel-image.xml": "feedparser cannot read 'January 29, 2021 04:42 PM'",
    "RSS-Parser__rssparser_src_commonTest_resources_feed-test-time.xml": "feedparser cannot read 'Fri, 05/03/2019 - 15:21', whose weekday tells day and month apart",
    "RSS-Parser__rssparser_src_commonTest_resources_feed-test-xsl.xml": "feedparser does not know BST and is an hour wrong",
    "anarcat-feed2exec__feed2exec_tests_files_weird-dates.xml": "feedparser cannot read 'Tue,19 Feb 2019' and a date without zone",
    "feed-rs__feed-rs_fixture_rss1_rss_1.0_example_1.xml": "a zone cut in half: unknown to us",
    "feed-rs__feed-rs_fixture_rss2_rss_2.0_ilmessaggero.xml": "feedparser cannot read an Italian weekday",
    "feed-rs__feed-rs_fixture_rss2_rss_2.0_nbcny.xml": "feedparser ignores PM and is 12 hours wrong",
    "huginn__spec_data_fixtures_podcast.rss": "a zone of 30 hours: unknown to us",
    "rome__rome-modules_src_test_resources_xml_yweather.xml": "feedparser ignores pm and CEST",
}


@pytest.fixture(scope="module")
def pairs():
    """(file name, what feedparser reads, what we read), each document once."""
    read = []
    for path in sorted(FEEDS.iterdir()):
        body = path.read_bytes()
        theirs = feedparser.parse(
            io.BytesIO(body),
            sanitize_html=False,
            resolve_relative_uris=False,
            response_headers={"content-location": URL},
        )
        read.append((path.name, theirs, parse.feed(body, url=URL)))
    return read


def test_no_entry_is_lost(pairs):
    lost = {
        name: (len(theirs.entries), ours.entries) for name, theirs, ours in pairs if ours.entries < len(theirs.entries)
    }
    assert lost == {}
    assert sum(len(ours.items) for _, _, ours in pairs) >= 3158
    assert all(ours.rejected == () for _, _, ours in pairs)


def test_no_word_is_lost(pairs):
    missing = Counter()
    for name, theirs, ours in pairs:
        for entry, item in zip(theirs.entries, ours.items, strict=False):
            said = [entry.get("title"), entry.get("summary"), *(content.value for content in entry.get("content", ()))]
            wanted = words(" ".join(plain(text) for text in said if text))
            missing[name] += len(wanted - words(" ".join((item.title, item.summary, item.content, *item.tags))))
    assert {name for name, count in missing.items() if count} == set(WORDS)


def words(text):
    return set(re.findall(r"\w+", text.lower()))


def test_titles_are_the_same(pairs):
    differing = {
        name
        for name, theirs, ours in pairs
        for entry, item in zip(theirs.entries, ours.items, strict=False)
        if plain(entry.get("title", "")).split() != item.title.split()
    }
    assert differing <= {
        *WORDS,
        "rome__rome-modules_src_test_resources_xml_v_v6.xml",  # feedparser gives the entry's title to the feed
        "feedparser__tests_illformed_rss_incomplete_cdata.xml",  # "<![CD" ends the document: we keep it
    }


def test_dates_are_the_same_or_better(pairs):
    differing = set()
    for name, theirs, ours in pairs:
        for entry, item in zip(theirs.entries, ours.items, strict=False):
            their = entry.get("published_parsed") or entry.get("updated_parsed")
            our = item.published or item.updated
            if (their and their[:5]) != (our and our.utctimetuple()[:5]):
                differing.add(name)
    assert differing == set(DATES)


def test_what_feedparser_calls_damaged_is_flagged(pairs):
    silent = [
        (name, str(theirs.bozo_exception))
        for name, theirs, ours in pairs
        if damaged(theirs)
        if not ours.flags and not ours.format.startswith("json")
    ]
    assert {
        name for name, _ in silent
    } == {  # blanks round a namespace are well-formed; feedparser's declaration of it is not
        "gofeed__testdata_parser_rss_issue_309_namespace_whitespace.xml",
        "rome__rome-modules_src_test_resources_test3.xml",
    }


def damaged(theirs):
    return theirs.bozo and not isinstance(
        theirs.bozo_exception, feedparser.exceptions.NonXMLContentType
    )  # we sent no headers


def test_what_is_well_formed_and_well_declared_is_not_flagged(pairs):
    flagged = {
        name: ours.flags
        for name, theirs, ours in pairs
        if set(ours.flags) - {"charset-guessed"} and not damaged(theirs)
    }
    assert flagged == {
        "feed-rs__feed-rs_fixture_xml_xml_iso8859.xml": ("fallback",),  # an <rdf> of its own
        "feedparser__tests_illformed_chardet_shiftjis.xml": ("bytes-replaced", "charset-guessed"),
        "v2__internal_reader_encoding_testdata_utf8-incorrect-prolog.xml": ("charset-wrong",),
        "v2__internal_reader_encoding_testdata_windows-1252-incorrect-prolog.xml": ("charset-wrong",),
    }


def test_what_is_known_changes_nothing_of_what_is_read():
    """Each feed again without its first half of hashes: the same items, the rest counted."""
    cut = 0
    for path in sorted(FEEDS.iterdir()):
        body = path.read_bytes()
        marks = slices.hashes(body)
        whole = parse.feed(body, url=URL)
        known = set(marks[len(marks) // 2 :]) & {item.slice_hash for item in whole.items}
        part = parse.feed(body, url=URL, known=known)
        assert part.items == tuple(item for item in whole.items if item.slice_hash not in known), path.name
        assert part.known == sum(item.slice_hash in known for item in whole.items), path.name
        cut += bool(known)
    assert cut > 250


def test_the_manifest_names_as_many_feeds():
    with (CORPUS / "MANIFEST.csv").open(newline="", encoding="utf-8") as table:
        assert sum(row["path"].startswith("feeds/") for row in csv.DictReader(table)) == sum(1 for _ in FEEDS.iterdir())
