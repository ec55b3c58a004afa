"""Sitemaps: what each form says, what is cut, and bytes that were made to hurt."""

import gzip
import time
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import parse
from aggregator.parse import sitemap, slices

URL = "https://example.org/maps/news.xml"
PLAIN = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
NEWS = f'{PLAIN} xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'


def urlset(*entries, spaces=NEWS):
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {spaces}>{"".join(entries)}</urlset>'.encode()


def url(loc, *, lastmod=None, title=None, date=None, lang="en", keywords="", more=""):
    said = f"<loc>{loc}</loc>" + (f"<lastmod>{lastmod}</lastmod>" if lastmod else "")
    if title is not None:
        said += (
            f"<news:news><news:publication><news:name>The Courier</news:name><news:language>{lang}</news:language>"
            f"</news:publication><news:publication_date>{date}</news:publication_date><news:title>{title}</news:title>"
            f"<news:keywords>{keywords}</news:keywords></news:news>"
        )
    return f"<url>{said}{more}</url>"


def read(body, **more):
    return parse.feed(body, url=URL, **more)


def test_a_news_sitemap_says_title_date_language_and_keywords():
    found = read(
        urlset(
            url("https://example.org/1?a=b&amp;c=d", title="Taliban &amp; elders", date="2026-11-24T08:00:00+04:30", keywords="kabul, رادیو، amnesty"),
            url("/2", title="عفو عمومی", date="2026-11-24", lang="fa"),
        )
    )  # fmt: skip
    assert (found.format, found.title, found.flags) == ("news-sitemap", "The Courier", ())
    one, two = found.items
    assert (one.title, one.link, one.guid) == ("Taliban & elders", "https://example.org/1?a=b&c=d", "https://example.org/1?a=b&c=d")  # fmt: skip
    assert (one.published, one.tags, one.lang) == (datetime(2026, 11, 24, 3, 30, tzinfo=UTC), ("kabul", "رادیو", "amnesty"), "en")  # fmt: skip
    assert (two.title, two.link, two.lang, two.tags) == ("عفو عمومی", "https://example.org/2", "fa", ())


def test_captions_of_images_are_text_that_can_match():
    caption = "<image:image><image:loc>https://example.org/1.jpg</image:loc><image:caption>A queue for visas</image:caption></image:image>"
    found = read(urlset(url("https://example.org/1", more=caption)))
    assert [(one.title, one.summary) for one in found.items] == [("", "A queue for visas")]


def test_a_plain_sitemap_says_address_and_date_and_invents_no_title():
    found = read(urlset(url("https://example.org/a-long-name-of-a-page", lastmod="2026-11-23T10:00Z"), spaces=PLAIN))
    (one,) = found.items
    assert (found.format, one.title, one.published) == ("sitemap", "", None)
    assert (one.link, one.updated) == (
        "https://example.org/a-long-name-of-a-page",
        datetime(2026, 11, 23, 10, tzinfo=UTC),
    )


def test_an_entry_without_an_address_is_rejected_and_costs_its_neighbours_nothing():
    found = read(urlset("<url><lastmod>2026-11-23</lastmod></url>", url("mailto:x@example.org"), url("/2")))
    assert [one.link for one in found.items] == ["https://example.org/2"]
    assert [one.reason for one in found.rejected] == ["sitemap-entry-without-address"] * 2
    assert found.entries == 3


def test_an_index_names_its_parts_the_newest_first_those_without_a_date_last():
    parts = "".join(
        f"<sitemap><loc>{loc}</loc>{f'<lastmod>{date}</lastmod>' if date else ''}</sitemap>"
        for loc, date in (("/a", None), ("/b", "2026-11-01"), ("/c", "2026-11-24T01:00:00Z"), ("/c", "2026-11-23"))
    )
    found = read(f"<sitemapindex {PLAIN}>{parts}</sitemapindex>".encode())
    assert (found.format, found.items) == ("sitemap-index", ())
    assert found.sitemaps == ("https://example.org/c", "https://example.org/b", "https://example.org/a")


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body.replace(b"&amp;", b"&"),
        lambda body: body.replace(b'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"', b""),
        lambda body: body.replace(b"<urlset", b"<!DOCTYPE urlset><urlset"),
        lambda body: body.removesuffix(b"</url></urlset>"),
        lambda body: body.replace(b"elders", b"elders&nbsp;"),
        lambda body: b"\n\n" + body,
        lambda body: body.replace(b"Taliban &amp; elders", b"<![CDATA[Taliban & elders]]>"),
        lambda body: body.decode().encode("utf-16"),
        gzip.compress,
    ],
    ids=["bare &", "undeclared prefix", "doctype", "cut", "html entity", "blank lines", "cdata", "utf-16", "gz"],
)
def test_a_damaged_sitemap_gives_its_entries_all_the_same(damage):
    body = urlset(
        url("https://example.org/1?a=b&amp;c=d", title="Taliban &amp; elders", date="2026-11-24"),
        url("https://example.org/2", title="Rain", date="2026-11-24"),
    )
    found = read(damage(body))
    assert [one.title.strip() for one in found.items] == ["Taliban & elders", "Rain"]
    assert found.items[0].link == "https://example.org/1?a=b&c=d"


def test_what_is_known_is_counted_and_not_read_again():
    body = urlset(*(url(f"/{n}", lastmod="2026-11-23") for n in range(5)))
    marks = slices.hashes(body)
    assert len(marks) == 5
    found = read(body, known=marks[:3])
    assert [one.link for one in found.items] == ["https://example.org/3", "https://example.org/4"]
    assert (found.known, found.entries) == (3, 5)
    assert [one.slice_hash for one in read(body).items] == list(marks)


def test_of_a_long_sitemap_the_newest_thousand_are_its_window_and_it_is_flagged():
    days = [f"2025-{1 + n % 11:02}-{1 + n % 28:02}" for n in range(1500)]
    body = urlset(*(url(f"/{n}", lastmod=day) for n, day in enumerate(days)))
    found = read(body)
    assert (found.entries, found.flags) == (sitemap.WINDOW, (sitemap.CUT,))
    kept = [f"{one.updated:%Y-%m-%d}" for one in found.items]
    assert sorted(kept) == sorted(days)[-sitemap.WINDOW :]
    known = set(slices.hashes(body)[:700])
    again = read(body, known=known)
    assert (again.entries, {one.link for one in again.items} <= {one.link for one in found.items}) == (
        sitemap.WINDOW,
        True,
    )


def test_more_than_a_sitemap_may_hold_is_left_and_flagged():
    found = read(b"<urlset>" + b"<url><loc>/1</loc></url>" * (sitemap.MOST + 5) + b"</urlset>")
    assert sitemap.OVERFULL in found.flags


def test_a_bomb_in_a_gz_file_is_no_document():
    bomb = gzip.compress(urlset(" " * (sitemap.UNZIPPED_MOST + 10)))
    assert len(bomb) < 100_000
    found = read(bomb)
    assert (found.format, sitemap.TOO_LARGE in found.flags) == ("", True)


@pytest.mark.parametrize("rest", [b"\0" * 50, b"noise", gzip.compress(b"")], ids=["zeros", "noise", "empty member"])
def test_what_follows_in_a_gz_file_costs_nothing(rest):
    found = read(gzip.compress(urlset(url("/1"))) + rest)
    assert [one.link for one in found.items] == ["https://example.org/1"]


def test_other_documents_are_no_sitemaps():
    rss = b"<rss version='2.0'><channel><title>About &lt;urlset></title><item><title>a</title></item></channel></rss>"
    assert read(rss).format == "rss20"
    assert read(b"<rss><channel><description><![CDATA[<urlset >]]></description><item><guid>1</guid></item></channel></rss>").format.startswith("rss")  # fmt: skip
    assert read(b"<html><body><pre><urlset ></pre></body></html>").format == ""


# ---------------------------------------------------------------- hostile bytes


def attacks(n):
    """Attacks that grow with n."""
    return {
        "deep": urlset("<a>" * n + "</a>" * n, url("/1")),
        "deep and open": urlset("<a>" * n, url("/1")),
        "open, then other ends": b"<urlset>" + b"<a>" * n + b"</b>" * n,
        "open entries": b"<urlset>" + b"<url>" * n,
        "ends alone": b"<urlset>" + b"</url>" * n,
        "unclosed tags": b"<urlset>" + b"<url " * n,
        "a long name": b"<urlset><" + b"a" * n * 10,
        "unclosed comments": b"<urlset>&" + b"<!-- " * n,
        "comments": b"<urlset>&" + b"<!-- -->" * n,
        "many roots": b"<urlset>" * n,
        "one address often": urlset("<url>" + "<loc>/1</loc>" * n + "</url>"),
        "bare ampersands": urlset("<url><loc>" + "& " * n + "</loc></url>"),
        "a long title": urlset(url("/1", title="word " * n * 2, date="2026-11-24")),
        "many keywords": urlset(url("/1", title="t", date="2026-11-24", keywords="a, " * n)),
        "long dates": urlset(*(url("/1", lastmod="2026-" * 20) for _ in range(n // 20))),
        "entries": urlset(*(url(f"/{k}", lastmod="2026-11-24") for k in range(n // 4))),
        "empty entries": urlset("<url/>" * n),
        "empty members": gzip.compress(b"") * n,
    }


N = 20_000


@pytest.mark.parametrize("name", attacks(8))
def test_hostile_sitemaps_are_read_in_linear_time(name):
    def cost(n):
        body = attacks(n)[name]

        def once():
            began = time.process_time()
            slices.hashes(body)
            read(body)
            return time.process_time() - began

        return min(once() for _ in range(3))

    small, large = cost(N), cost(4 * N)
    assert large < max(2.5**2 * small, 0.1)


@given(st.binary(max_size=300))
def test_any_bytes_in_a_sitemap_are_answered(noise):
    found = read(b"<urlset><url><loc>/1</loc>" + noise + b"</url></urlset>")
    assert found.entries == len(found.items) + len(found.rejected)
    read(zlib.compress(noise, wbits=31) + noise)


@given(st.lists(st.sampled_from(["<url>", "</url>", "<loc>", "</loc>", "/1", "&", "<![CDATA[", "]]>", "<!--", "-->", "<news:title>", "<", "</urlset>"]), max_size=40))  # fmt: skip
def test_any_order_of_tags_is_answered(tags):
    read(("<urlset>" + "".join(tags)).encode())
