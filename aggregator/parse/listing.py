"""A listing page as a feed: its links are the entries, in the order of the page, one for each address.

A link's words are its title, the `<time datetime>` of the card it stands in is its date. Nothing is guessed beyond that:
the page behind the link says the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from lxml import etree

from aggregator.parse import decode
from aggregator.parse.entry import TEXT, Entry, Header, Reading, Scope
from aggregator.parse.links import absolute
from aggregator.text import selectors, urls

MOST: Final = 500  # links of one page; more are an archive
CUT: Final = "page-cut"
MOST_LETTERS: Final = 4 << 20  # of markup; the longest of 61 real pages has 1.2 million

_CARD_HEIGHT = 5  # elements from a link up to the card it stands in
_HEADLINE_WORDS = 4  # fewer are a section's name, a button, a person
_UNPARTED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
)  # Thai to Chinese: no spaces
_HEADLINE_LETTERS = 10  # of such
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_HIDDEN = ("script", "style", "template", "noscript")
_FURNITURE = etree.XPath(  # what stands on every page of a site; a header inside an article is the article's own
    "//*[self::nav or self::aside or ((self::header or self::footer) and not(ancestor::article)) or @role='navigation'"
    " or @role='banner' or @role='contentinfo' or @role='search' or @role='complementary']"
)
_LISTS = re.compile(r"/(?:tags?|topics?|categor(?:y|ies)|authors?|page|search|login|contact)(?:/|$)", re.IGNORECASE)
_CHARSET = re.compile(rb"""<meta[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE | re.ASCII)
_HUGE_TAG = re.compile("<[^<>]{65536,}+>")  # libxml2 compares each attribute with all before: 32,000 take a second
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class _Link(NamedTuple):
    """A link of the page and what it says."""

    href: str  # absolute, without fragment
    element: Any
    title: str
    rank: tuple[bool, int]  # whether a heading says it, and how long it is


def read(body: bytes, select: str | None, charset: str | None, url: str | None) -> Reading | None:
    """The links of a page that `select` names, else those that look like articles; None when it is no page."""
    said = _CHARSET.search(body, 0, 4096)
    page = decode.utf8(body, charset or (said[1].decode() if said else None)).body.decode("utf-8", "replace")
    root = _root(_HUGE_TAG.sub(" ", _NO_XML.sub(" ", page[:MOST_LETTERS])))
    if root is None:
        return None
    base = absolute(next((one.get("href") for one in root.iter("base")), None), url) or url
    if select:
        links = _once(_selected(root, select), base, url)
    else:
        for one in _FURNITURE(root):
            one.getparent().remove(one)
        links = [link for link in _once(_linked(root), base, url) if _is_article(link, url)]
    cards = _Cards(root, [link.element for link in links])
    return Reading(
        header=Header(format="page", title=_words(root.find(".//title")), link=url, language=root.get("lang")),
        entries=[_entry(link, cards.date(link.element)) for link in links[:MOST]],
        flags=(CUT,) if len(links) > MOST else (),
    )


def _entry(link: _Link, date: str | None) -> Entry:
    entry = Entry(Scope())
    entry.titles.append((TEXT, link.title))
    entry.guid = link.href
    entry.add_link(0, link.href)
    entry.published.extend([date] if date else [])
    return entry


def _root(page: str) -> Any:
    """The page's tree without what nobody sees; libxml2 ends at a depth of 256 elements, so climbing up is bounded."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(page.encode(), parser)
    except etree.XMLSyntaxError:
        return None
    if root is not None:
        etree.strip_elements(root, *_HIDDEN, with_tail=False)
    return root


# ---------------------------------------------------------------- which links


@lru_cache(maxsize=256)
def _path(select: str) -> etree.XPath:
    return etree.XPath(selectors.xpath(select))


def _selected(root: Any, select: str) -> Iterator[tuple[Any, str]]:
    """Each link that is selected, or stands in what is selected, or round it; with the words for it."""
    for element in _path(select)(root):
        around = (one for one in element.iterancestors("a") if one.get("href"))
        link = element if element.get("href") else next(chain((one for one, _ in _linked(element)), around), None)
        if link is not None:
            yield link, _words(link) or _words(element)


def _linked(element: Any) -> Iterator[tuple[Any, str]]:
    """Each link in an element, with its words."""
    return ((link, _words(link)) for link in element.iter("a") if link.get("href"))


def _once(links: Iterable[tuple[Any, str]], base: str | None, url: str | None) -> list[_Link]:
    """One link for each address, where it stands first, with the best words: an image and "Read more" link there too."""
    found: dict[str, _Link] = {}
    for element, words in links:
        href = (absolute(element.get("href"), base) or "").partition("#")[0]
        if not href or href == url:
            continue
        link = _Link(href, element, words, (_is_heading(element), len(words)))
        first = found.setdefault(href, link)
        if link.rank > first.rank:
            found[href] = link._replace(element=first.element)
    return list(found.values())


def _is_article(link: _Link, url: str | None) -> bool:
    """Whether a link reads like a headline and leads to a page of the same site that is none of its lists."""
    if len(link.title.split()) < _HEADLINE_WORDS and len(_UNPARTED.findall(link.title)) < _HEADLINE_LETTERS:
        return False
    if url and (urls.site(link.href) != urls.site(url) or urls.url_key(link.href) == urls.url_key(url)):
        return False
    path = urlsplit(link.href).path
    return path.strip("/") != "" and not _LISTS.search(path)


# ---------------------------------------------------------------- what they say


def _words(element: Any) -> str:
    """The heading in an element, else its text, else what its image shows."""
    if element is None:
        return ""
    heading = next(element.iter(*_HEADINGS), element)
    text = " ".join("".join(heading.itertext()).split())
    return text or " ".join(" ".join(image.get("alt") or "" for image in element.iter("img")).split())


def _is_heading(link: Any) -> bool:
    return next(link.iter(*_HEADINGS), None) is not None or any(one.tag in _HEADINGS for one in _climb(link))


def _climb(element: Any) -> Iterator[Any]:
    return chain((element,), islice(element.iterancestors(), _CARD_HEIGHT))


class _Cards:
    """Which date stands beside a link: the first in the smallest element round both that holds no other link."""

    def __init__(self, root: Any, links: Sequence[Any]) -> None:
        self._dates: dict[Any, str] = {}
        for time in root.iter("time"):
            if date := time.get("datetime"):
                for around in _climb(time):
                    self._dates.setdefault(around, date)
        self._links = Counter(around for link in links for around in _climb(link))

    def date(self, link: Any) -> str | None:
        """Its date as written."""
        for around in _climb(link):
            if self._links[around] > 1:
                break
            if around in self._dates:
                return self._dates[around]
        return None
