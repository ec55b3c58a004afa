"""Addresses: what may be fetched, what tells a page, whose site it is."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aggregator.text.urls import clean, origin, server, site, url_key

KEYS = [
    # what holds, address, key
    ("scheme, host and port", "HTTP://WWW.Example.COM:80/News", "https://example.com/News"),
    ("https port", "https://example.com:443/a", "https://example.com/a"),
    ("other port stays", "http://example.com:8080/a", "https://example.com:8080/a"),
    ("trailing slash", "https://example.com/a/", "https://example.com/a"),
    ("root", "https://example.com/", "https://example.com"),
    ("no path", "https://example.com?x=1", "https://example.com?x=1"),
    ("dot segments", "https://example.com/a/./b/../c", "https://example.com/a/c"),
    ("dot segments above the root", "https://example.com/../../a/..", "https://example.com"),
    ("dots in names stay", "https://example.com/a..b/.c/d.", "https://example.com/a..b/.c/d."),
    ("mirrors", "https://www.m.example.com/a", "https://example.com/a"),
    ("mirrors: amp", "https://amp.theguardian.com/a", "https://theguardian.com/a"),
    ("mirrors: numbered", "https://www2.example.com/a", "https://example.com/a"),
    ("a short name is no mirror", "https://m.me/a", "https://m.me/a"),
    ("fragment", "https://example.com/a#top", "https://example.com/a"),
    ("fragment that tells a page", "https://example.com/#!/a", "https://example.com#!/a"),
    ("parameters sorted", "https://example.com/a?b=2&a=1", "https://example.com/a?a=1&b=2"),
    ("real parameters stay", "https://example.com/?p=12&id=3&v=x&ref=4", "https://example.com?id=3&p=12&ref=4&v=x"),
    ("utm", "https://example.com/a?utm_source=rss&utm_medium=x", "https://example.com/a"),
    ("utm in capitals", "https://example.com/a?UTM_Source=rss&id=1", "https://example.com/a?id=1"),
    ("click ids", "https://example.com/a?fbclid=x&gclid=y&msclkid=z&yclid=0", "https://example.com/a"),
    ("bbc", "https://www.bbc.com/news/a?at_medium=RSS&at_campaign=KARANGA", "https://bbc.com/news/a"),
    ("daily mail", "https://www.dailymail.co.uk/a.html?ns_mchannel=rss&ito=1490", "https://dailymail.co.uk/a.html"),
    ("guardian, cnn", "https://example.com/a?CMP=twt_gu&cmpid=x&ocid=y", "https://example.com/a"),
    ("marked as feed", "https://example.com/a?source=rss&source=x", "https://example.com/a?source=x"),
    ("session", "https://example.com/a;jsessionid=1A2B?x=1", "https://example.com/a?x=1"),
    ("amp path", "https://example.com/a/amp/", "https://example.com/a"),
    ("amp parameter", "https://example.com/a?amp=1&outputType=amp&x=1", "https://example.com/a?x=1"),
    ("amp inside a name", "https://example.com/stamp", "https://example.com/stamp"),
    ("escapes", "https://example.com/%7euser/%e2%82%ac%2f", "https://example.com/~user/%E2%82%AC%2F"),
    ("persian path", "https://8am.media/fa/طالبان", "https://8am.media/fa/%D8%B7%D8%A7%D9%84%D8%A8%D8%A7%D9%86"),
    ("persian path, escaped", "https://8am.media/fa/%d8%b7%D8%a7", "https://8am.media/fa/%D8%B7%D8%A7"),
    ("blanks", "https://example.com/a b?q=c+d", "https://example.com/a%20b?q=c%20d"),
    ("stray percent", "https://example.com/100%", "https://example.com/100%25"),
    ("names of other scripts", "https://دری.example/", "https://xn--ugbe97b.example"),
    ("names in capitals", "https://MÜNCHEN.example/", "https://xn--mnchen-3ya.example"),
    ("last dot of a host", "https://example.com./a", "https://example.com/a"),
    ("IPv6", "http://[2001:DB8:0::1]:8080/a", "https://[2001:db8::1]:8080/a"),
    ("login", "https://user:secret@example.com/a", "https://example.com/a"),
    ("feed scheme", "feed://example.com/rss", "https://example.com/rss"),
    ("google", "https://www.google.com/url?sa=t&url=https%3A%2F%2Ftolonews.com%2Fa%3Fb%3D1&ved=2", "https://tolonews.com/a?b=1"),
    ("google, other country", "https://www.google.co.uk/url?q=https://tolonews.com/a&sa=D", "https://tolonews.com/a"),
    ("google, twice", "https://google.com/url?q=https://google.com/url?q=https://x.org/a", "https://x.org/a"),
    ("google without an address", "https://www.google.com/url?q=taliban", "https://google.com/url?q=taliban"),
    ("google amp", "https://www.google.com/amp/s/www.bbc.com/news/a", "https://bbc.com/news/a"),
    ("amp copy", "https://www-bbc-com.cdn.ampproject.org/c/s/www.bbc.com/news/a?x=1", "https://bbc.com/news/a?x=1"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "key"), [row[1:] for row in KEYS], ids=[row[0] for row in KEYS])
def test_all_addresses_of_a_page_have_one_key(url, key):
    assert url_key(url) == key
    assert url_key(key) == key


NO_ADDRESS = [
    "", "x", "/a", "//example.com/a", "www.example.com", "javascript:alert(1)", "data:text/html,x", "mailto:a@example.com",
    "ftp://example.com/", "file:///etc/passwd", "http://", "http:///a", "http:example.com", "http://a b.com/",
    "http://example.com:99999/", "http://example.com:x/", "http://example.com:0/", "http://[::1/", "http://[x]/",
    "http://good.example\\@evil.example/", "http://a..b/", "http://exa%00mple.com/", "http://x<y>.com/", "http://\ud800.com/",
    f"http://{'a' * 64}.com/", f"http://example.com/{'a' * 9000}", "feed:", "feed://", "feed:example.com",
]  # fmt: skip


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_web_address_has_no_key(url):
    assert url_key(url) is None
    assert clean(url) is None
    assert site(url) == ""
    assert origin(url) == ""


CLEAN = [
    ("https://example.com", "https://example.com/"),
    (" HTTPS://WWW.Example.com:443/A?b=2&a=1&utm_source=x#top\n", "https://www.example.com/A?b=2&a=1&utm_source=x"),
    ("http://example.com:443/", "http://example.com:443/"),
    ("https://example.com/a b/طا?q=د&x=%zz", "https://example.com/a%20b/%D8%B7%D8%A7?q=%D8%AF&x=%25zz"),
    ("https://example.com/a/../b/./", "https://example.com/b/"),
    ("https://example.com/a/b/..", "https://example.com/a/"),
    ("https://user:p%40ss@example.com/", "https://user:p%40ss@example.com/"),
    ("https://دری.example/", "https://xn--ugbe97b.example/"),
    ("http://ex%61mple.com/", "http://example.com/"),
    ("feed://example.com/rss", "http://example.com/rss"),
    ("feed:https://example.com/rss", "https://example.com/rss"),
    ("feed://https://example.com/rss", "https://example.com/rss"),
    ("https://example.com/a\\b\r\nc", "https://example.com/a%5Cbc"),
]


@pytest.mark.parametrize(("url", "fetched"), CLEAN)
def test_a_clean_address_means_what_it_meant(url, fetched):
    assert clean(url) == fetched
    assert clean(fetched) == fetched


@pytest.mark.parametrize(
    ("url", "host", "where"),
    [
        ("https://WWW.Example.com/a", "example.com", "https://www.example.com:443"),
        ("http://m.example.com:8080", "m.example.com", "http://m.example.com:8080"),
        ("http://[::1]/", "[::1]", "http://[::1]:80"),
        ("https://دری.example/", "xn--ugbe97b.example", "https://xn--ugbe97b.example:443"),
    ],
)
def test_site_and_origin(url, host, where):
    assert site(url) == host
    assert origin(url) == where


PIECES = [
    "http://", "https:", "feed:", "//", "/", "\\", "www.", "m.", "amp.", "example.com", "google.com", "/url?q=", "?url=", "url=",
    "cdn.ampproject.org", "/c/s/", "/amp/s/", "/amp", "..", "/./", "%2e", "%", "%41", "%zz", ";jsessionid=1", "?", "&", "=", "+",
    "utm_a=1", "a=1", "#", "#!", ":", "80", "443", "@", "[", "]", "::1", " ", "\t", "\n", "ß", "İ", "د", "。", "\ud800", "\x00", "x",
]  # fmt: skip
urls = st.one_of(
    st.text(),
    st.text().map("https://example.com/".__add__),
    st.lists(st.sampled_from(PIECES)).map("".join),
    st.lists(st.sampled_from(PIECES)).map(lambda pieces: "https://example.com" + "".join(pieces)),
    st.lists(st.sampled_from(PIECES)).map(lambda pieces: "https://www.google.com/url?q=" + "".join(pieces)),
)


@given(urls)
@example("https://x.org//\ud800")
@example("http://x.org:443/")
@example("https://x.org/.;jsessionid=1/amp/amp//")
@example("https://www.google.com/amp/s/x.y/%2e%2e/")
def test_the_key_of_a_key_is_the_key(url):
    key = url_key(url)
    assert key is None or url_key(key) == key
    assert (key is None) == (clean(url) is None) or "google" in url or "ampproject" in url


@given(urls)
def test_a_clean_address_is_clean(url):
    cleaned = clean(url)
    if cleaned is not None:
        assert clean(cleaned) == cleaned
        assert cleaned.isascii()
        assert cleaned.isprintable()
        assert " " not in cleaned
        assert site(cleaned) == site(url)
        assert origin(cleaned) == origin(url)


def test_a_server_is_a_site_and_its_unusual_port():
    assert [server(url) for url in ("https://www.example.org/a", "http://example.org:8080/a", "no address")] == [
        "example.org", "example.org:8080", "",
    ]  # fmt: skip
