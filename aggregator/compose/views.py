"""What a person is shown of an alert, the same in mail and on the console, escaped for the sink."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from aggregator.compose.windows import merged
from aggregator.model import Alert, Excerpt, FieldName
from aggregator.text.escape import cut

TITLE = 300  # code points of a title in a body
_SPELLINGS = 5  # shown of one term
_RTL = frozenset({"ar", "ckb", "dv", "fa", "he", "pnb", "prs", "ps", "sd", "ug", "ur", "yi"})
_LANG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_PLACES: dict[FieldName, str] = {
    "title": "title",
    "summary": "summary",
    "content": "feed text",
    "article": "article",
    "tags": "tags",
}

Escape = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some text, and whether it is what was found."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A run of text in one direction."""

    place: str  # where it stands: "title", "article", ...
    pieces: tuple[Piece, ...]
    rtl: bool
    mixed: bool  # letters of the other direction stand in it
    lang: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A term and the other spellings of it that stood in the text."""

    term: Passage
    spellings: tuple[Passage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """An alert as a person reads it."""

    id: str
    label: str
    severity: str
    update: bool
    title: Passage
    found: tuple[Found, ...]
    passages: tuple[Passage, ...]
    feed: str
    href: str | None  # safe to click, ASCII; None when the link is no web address
    link: str  # as shown; "" when there is none
    published: str
    first_seen: str


def view(alert: Alert, escape: Escape) -> View:
    """`alert` in the words of its recipient; what is marked in the title is not repeated below it."""
    title = _title(alert, escape)
    whole_title = len(alert.title) <= TITLE
    href = address(alert.link)
    return View(
        id=escape(alert.id),
        label=escape(alert.label),
        severity=alert.severity,
        update=alert.update,
        title=title,
        found=_found(alert, escape),
        passages=tuple(
            _passage(excerpt, alert.lang, escape)
            for excerpt in alert.excerpts
            if not (whole_title and excerpt.field == "title")
        ),
        feed=escape(alert.feed),
        href=href,
        link=href or escape(cut(alert.link or "", TITLE)),
        published=f"{moment(alert.published)}, says the publisher" if alert.published else "the publisher does not say",
        first_seen=moment(alert.first_seen),
    )


def moment(at: datetime) -> str:
    """`at` for people, in UTC and to the minute: "2026-11-24 08:05 UTC"."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def address(link: str | None) -> str | None:
    """`link` as an ASCII web address that may be clicked, or None: other schemes and user names are not offered.

    A host in other letters is shown in punycode, so that a look-alike name is seen.
    """
    try:
        parts = urlsplit(link or "")
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
        return None
    netloc = f"[{host}]" if ":" in host else host
    rest = parts._replace(scheme="", netloc="").geturl()
    path = quote(rest, safe="%/:=&?~#+!$,;'@()*[]", errors="replace")
    return f"{parts.scheme}://{netloc}{f':{port}' if port else ''}{path}"


def direction(text: str, lang: str | None) -> tuple[bool, bool]:
    """Whether `text` runs from right to left, and whether letters of the other direction stand in it.

    Most letters decide; in a mixed text the language does, as Persian ones begin with "UNHCR"; in one without letters
    it does too.
    """
    classes = [unicodedata.bidirectional(character) for character in text]
    right, left = sum(c in {"R", "AL"} for c in classes), classes.count("L")
    rtl = right > left or (_is_rtl(lang) and (right > 0 or left == 0))
    return rtl, (left if rtl else right) > 0


def _is_rtl(lang: str | None) -> bool:
    return (lang or "").lower().partition("-")[0] in _RTL


def _title(alert: Alert, escape: Escape) -> Passage:
    text = cut(alert.title, TITLE).strip() or "(no title)"
    offset = len(alert.title) - len(alert.title.lstrip())
    marks = merged(
        (hit.start - offset, hit.end - offset)
        for hit in alert.terms
        if hit.field == "title" and alert.title[hit.start : hit.end] == hit.text
    )
    inside = [(start, end) for start, end in marks if 0 <= start < end <= len(text)]
    return _run("title", text, inside, alert.lang, escape)


def _passage(excerpt: Excerpt, lang: str | None, escape: Escape) -> Passage:
    run = _run(_PLACES[excerpt.field], excerpt.text, excerpt.marks, lang, escape)
    before = (Piece(text="… ", marked=False),) if excerpt.text[:1].isspace() else ()
    after = (Piece(text=" …", marked=False),) if excerpt.text[-1:].isspace() else ()
    return replace(run, pieces=before + run.pieces + after)


def _run(place: str, text: str, marks: Iterable[tuple[int, int]], lang: str | None, escape: Escape) -> Passage:
    pieces: list[Piece] = []
    at = 0
    for start, end in marks:
        pieces.append(Piece(text=text[at:start], marked=False))
        pieces.append(Piece(text=text[start:end], marked=True))
        at = end
    pieces.append(Piece(text=text[at:], marked=False))
    rtl, mixed = direction(text, lang)
    return Passage(
        place=place,
        pieces=tuple(_shown(pieces, escape)),
        rtl=rtl,
        mixed=mixed,
        lang=lang if _is_rtl(lang) == rtl and _LANG.fullmatch(lang or "") else None,
    )


def _shown(pieces: Iterable[Piece], escape: Escape) -> Iterable[Piece]:
    """Escaped, runs of white space as one space, none at the outer ends, empty pieces left out."""
    shown = [Piece(text=re.sub(r"\s+", " ", escape(piece.text)), marked=piece.marked) for piece in pieces]
    shown = [piece for piece in shown if piece.text]
    if shown:
        shown[0] = Piece(text=shown[0].text.lstrip(), marked=shown[0].marked)
        shown[-1] = Piece(text=shown[-1].text.rstrip(), marked=shown[-1].marked)
    return [piece for piece in shown if piece.text]


def _found(alert: Alert, escape: Escape) -> tuple[Found, ...]:
    spellings: dict[str, dict[str, None]] = {}
    for hit in alert.terms:
        spellings.setdefault(hit.term, {})[cut(hit.text, 80)] = None
    return tuple(
        Found(
            term=_run("", term, (), None, escape),
            spellings=tuple(
                _run("", text, (), alert.lang, escape)
                for text in list(texts)[:_SPELLINGS]
                if text.casefold() != term.casefold()
            ),
        )
        for term, texts in spellings.items()
    )
