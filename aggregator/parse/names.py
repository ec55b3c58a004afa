"""The names of the vocabularies that feeds are written in."""

from __future__ import annotations

import re
from functools import lru_cache

# Names are "namespace}local" here, and "local" where there is no namespace: as expat writes them.
XML = "http://www.w3.org/XML/1998/namespace}"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
XLINK = "http://www.w3.org/1999/xlink}"
ATOM10 = "http://www.w3.org/2005/Atom"
ATOM03 = "http://purl.org/atom/ns#"
_RSS090 = ("http://my.netscape.com/rdf/simple/0.9/", "http://channel.netscape.com/rdf/simple/0.9/")
# Prefixes by namespace, compared without case and without a slash at the end: publishers vary both.
_PREFIXES = {
    "": "",
    ATOM10.lower(): "",
    ATOM03.lower(): "",
    "http://purl.org/rss/1.0": "",
    "http://purl.org/net/rss1.1#": "",
    "http://my.netscape.com/rdf/simple/0.9": "",
    "http://channel.netscape.com/rdf/simple/0.9": "",
    "http://my.netscape.com/publish/formats/rss-0.91.dtd": "",
    "http://backend.userland.com/rss": "",
    "http://backend.userland.com/rss2": "",
    "http://blogs.law.harvard.edu/tech/rss": "",
    "http://cyber.law.harvard.edu/rss/rss.html": "",
    "http://purl.org/dc/elements/1.0": "dc:",
    "http://purl.org/dc/elements/1.1": "dc:",
    "http://purl.org/dc/terms": "dcterms:",
    "http://purl.org/rss/1.0/modules/content": "content:",
    "http://purl.org/rss/1.0/modules/syndication": "sy:",
    "http://search.yahoo.com/mrss": "media:",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
    "http://example.com/dtds/podcast-1.0.dtd": "itunes:",
    "http://www.w3.org/1999/xhtml": "xhtml:",
    "http://www.georss.org/georss": "georss:",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf:",
}

# What may stand where in a document that has to be repaired, by name as written.
ENTRIES = frozenset({"item", "entry"})
LEVEL = frozenset({"rss", "RDF", "feed", "channel"})  # where entries stand
BOXES = LEVEL | ENTRIES | {"items", "image", "textInput", "textinput"}
PEOPLE = frozenset({"author", "contributor", "source"})
FEED_ONLY = frozenset({  # names that HTML lacks: inside a text they mean that its end tag was lost
    "author", "category", "channel", "comments", "content:encoded", "contributor", "copyright", "created", "description", "docs",
    "enclosure", "entry", "fullitem", "generator", "guid", "issued", "item", "items", "lastBuildDate", "managingEditor", "modified",
    "pubDate", "pubdate", "published", "rights", "subtitle", "tagline", "ttl", "updated", "webMaster",
})  # fmt: skip
SHARED = frozenset({
    "content", "email", "height", "id", "language", "link", "name", "source", "summary", "title", "uri", "url", "width",
})  # fmt: skip
PLAIN_PREFIX = frozenset({"dc", "dcterms", "content", "sy", "slash", "wfw"})  # their elements hold text only
OWN_PREFIX = PLAIN_PREFIX | {"media", "itunes", "atom", "atom10", "feedburner", "thr"}
NAMESPACES = {
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "media": "http://search.yahoo.com/mrss/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "atom": "http://www.w3.org/2005/Atom",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}
TEXTS = frozenset({
    "title", "description", "summary", "content", "content:encoded", "fullitem", "subtitle", "tagline",
    "itunes:summary", "itunes:subtitle", "media:title", "media:description", "dc:title", "dc:description",
})  # fmt: skip


_NO_DIGIT = re.compile(r"\D")


def document_format(root: str, version: str, own: str) -> str:
    """What a document is, by its root, that one's version, and the namespace of its entries: "rss20", "atom10" and so on."""
    name = local(root)
    if name in {"feed", "entry"}:
        return {ATOM10: "atom10", ATOM03: "atom03"}.get(own, "atom")
    if name == "RDF":
        return "rss090" if own in _RSS090 else "rss10"
    number = _NO_DIGIT.sub("", version)[:3]
    return "rss20" if number[:1] == "2" else f"rss{number}"


def local(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]


def namespace(tag: str) -> str:
    """The namespace of a name, "" when it has none."""
    return tag.rpartition("}")[0]


@lru_cache(maxsize=4096)
def name_of(tag: str, own: str) -> str:
    """`tag` as "prefix:local"; the namespace of the entries themselves has no prefix, whatever it is."""
    space, _, name = tag.rpartition("}")
    prefix = "" if space == own else _PREFIXES.get(space.strip().lower().rstrip("/"), "?:")
    return prefix + name.lower()
