"""Feeds in four formats and their pages, served on loopback as outlets do, with validators, robots.txt and mishaps."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from html import escape

from aggregator.demo.http import Answer, Asked
from aggregator.demo.stories import OUTLETS, Outlet, Story

_TYPES = {
    "rss20": "application/rss+xml; charset=utf-8",
    "truncated": "application/rss+xml; charset=utf-8",
    "rss10": "application/rdf+xml; charset=utf-8",
    "atom10": "application/atom+xml; charset=utf-8",
    "json11": "application/feed+json; charset=utf-8",
    "error page": "text/html; charset=utf-8",
}
_RTL = frozenset({"fa", "ps"})


class Newsroom:
    """All outlets. Fill `bases` with the address of each before it is asked; set `second_edition` to publish the edits."""

    def __init__(self, opened: datetime) -> None:
        self.bases: dict[str, str] = {}  # by the slug of the outlet: each has a server of its own, as in life
        self.second_edition = False
        self.asked: Counter[str] = Counter()  # by path
        self.unchanged: Counter[str] = Counter()  # answers 304, by path
        self._opened = opened
        self._outlets = {outlet.path: outlet for outlet in OUTLETS}
        self._pages = {
            f"/{outlet.slug}/{story.slug}": (outlet, story) for outlet in OUTLETS for story in outlet.stories
        }

    def answer(self, asked: Asked) -> Answer:
        """What the newsroom says to a request."""
        self.asked[asked.path] += 1
        if asked.path == "/robots.txt":
            return Answer(type="text/plain", body=b"User-agent: *\nDisallow: /editors/\n")
        if asked.path in self._outlets:
            return self._feed_answer(self._outlets[asked.path], asked)
        if asked.path in self._pages:
            return Answer(body=page(*self._pages[asked.path]).encode())
        return Answer(status=404, body=b"<html><body><h1>Not found</h1></body></html>")

    def _feed_answer(self, outlet: Outlet, asked: Asked) -> Answer:
        body = self._document(outlet)
        tag = f'"{sha256(body).hexdigest()[:16]}"'
        if asked.headers.get("if-none-match") == tag:
            self.unchanged[asked.path] += 1
            return Answer(status=304, headers={"ETag": tag})
        return Answer(type=_TYPES[outlet.format], body=body, headers={"ETag": tag})

    def _document(self, outlet: Outlet) -> bytes:
        edits = {story.slug: story for story in outlet.edits} if self.second_edition else {}
        stories = tuple(edits.get(story.slug, story) for story in outlet.stories)
        entries = [
            (
                story,
                f"{self.bases[outlet.slug]}/{outlet.slug}/{story.slug}",
                self._opened - timedelta(minutes=7 * n + 3),
            )
            for n, story in enumerate(stories)
        ]
        match outlet.format:
            case "rss20":
                return _rss20(outlet, entries).encode()
            case "rss10":
                return _rss10(outlet, entries).encode()
            case "atom10":
                return _atom10(outlet, entries).encode()
            case "json11":
                return _json11(outlet, entries).encode()
            case "truncated":
                whole = _rss20(outlet, entries)
                return whole[: whole.rindex("<description>") + 30].encode()
            case "error page":
                return b"<!doctype html><html><body><h1>Error establishing a database connection</h1></body></html>"


Entries = list[tuple[Story, str, datetime]]  # a story, its link, when it was published


def _rss20(outlet: Outlet, entries: Entries) -> str:
    items = "".join(
        f"<item><title>{escape(story.title)}</title><link>{link}</link><guid isPermaLink='true'>{link}</guid>"
        f"<pubDate>{format_datetime(at)}</pubDate><description>{escape(story.summary)}</description></item>\n"
        for story, link, at in entries
    )
    return (
        f"<?xml version='1.0' encoding='utf-8'?>\n<rss version='2.0'><channel><title>{escape(outlet.name)}</title>"
        f"<language>{outlet.lang}</language>\n{items}</channel></rss>\n"
    )


def _rss10(outlet: Outlet, entries: Entries) -> str:
    listed = "".join(f"<rdf:li rdf:resource='{link}'/>" for _, link, _ in entries)
    items = "".join(
        f"<item rdf:about='{link}'><title>{escape(story.title)}</title><link>{link}</link>"
        f"<description>{escape(story.summary)}</description><dc:date>{at.isoformat()}</dc:date></item>\n"
        for story, link, at in entries
    )
    return (
        "<?xml version='1.0' encoding='utf-8'?>\n<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
        "xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'>\n"
        f"<channel><title>{escape(outlet.name)}</title><dc:language>{outlet.lang}</dc:language>"
        f"<items><rdf:Seq>{listed}</rdf:Seq></items></channel>\n{items}</rdf:RDF>\n"
    )


def _atom10(outlet: Outlet, entries: Entries) -> str:
    items = "".join(
        f"<entry><id>{link}</id><title>{escape(story.title)}</title><link rel='alternate' href='{link}'/>"
        f"<updated>{at.isoformat()}</updated><summary>{escape(story.summary)}</summary></entry>\n"
        for story, link, at in entries
    )
    return (
        f"<?xml version='1.0' encoding='utf-8'?>\n<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='{outlet.lang}'>"
        f"<id>urn:demo:{outlet.slug}</id><title>{escape(outlet.name)}</title>\n{items}</feed>\n"
    )


def _json11(outlet: Outlet, entries: Entries) -> str:
    items = [
        {"id": link, "url": link, "title": story.title, "content_text": story.summary, "date_published": at.isoformat()}
        for story, link, at in entries
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.name,
        "language": outlet.lang,
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False, indent=1)


def page(outlet: Outlet, story: Story) -> str:
    """The page of a story, with the menu and the footer that pages have."""
    direction = "rtl" if outlet.lang in _RTL else "ltr"
    menu = "".join(
        f"<li><a href='/{outlet.slug}/{name}'>{name.title()}</a></li>" for name in ("home", "sport", "weather")
    )
    text = "".join(f"<p>{escape(paragraph)}</p>\n" for paragraph in story.page)
    return (
        f"<!doctype html>\n<html lang='{outlet.lang}' dir='{direction}'><head><meta charset='utf-8'>"
        f"<title>{escape(story.title)} - {escape(outlet.name)}</title></head>\n<body><nav><ul>{menu}</ul></nav>\n"
        f"<main><article><h1>{escape(story.title)}</h1>\n{text}</article></main>\n"
        "<footer>This outlet, its people, places and news are invented for a demonstration.</footer></body></html>\n"
    )
