"""An alert as a mail: subject, plain text and HTML, readable in both directions of writing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, get_args

from aggregator.compose.lines import isolated
from aggregator.compose.views import Found, Passage, View, view
from aggregator.model import Alert, Message
from aggregator.settings import Severity
from aggregator.text import escape

if TYPE_CHECKING:
    from jinja2 import Template

SUBJECT = 200  # code points
_LOUD: tuple[Severity, ...] = ("high", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What one mail says. Addresses and headers belong to who sends it."""

    subject: str
    text: str
    html: str


def mail(message: Message) -> Mail:
    """`message` as a mail; more than one alert are all named, the most severe first, in shorter form."""
    alerts = sorted(message.alerts, key=lambda alert: -get_args(Severity).index(alert.severity))
    views = [view(alert, escape.body) for alert in alerts]
    subject = _subject(alerts)
    text = _one(views[0]) if len(views) == 1 else _many(subject, views)
    return Mail(
        subject=subject,
        text="\n".join(text) + "\n",
        html=template("mail.html").render(subject=subject, views=views, many=len(views) > 1),
    )


def _subject(alerts: Sequence[Alert]) -> str:
    first = alerts[0]
    loud = f", {first.severity}" if first.severity in _LOUD else ""
    if len(alerts) > 1:
        labels = Counter(alert.label for alert in alerts)
        said = ", ".join(f"{label} {n}" for label, n in labels.most_common())
        return escape.cut(escape.header(f"{len(alerts)} alerts{loud}: {said}"), SUBJECT)
    update = "Update: " if first.update else ""
    title = first.title.strip() or "(no title)"
    # Cut before escaping too: a title may be 1 MB long.
    return escape.cut(escape.header(escape.cut(f"{update}[{first.label}{loud}] {title}", SUBJECT * 2)), SUBJECT)


def _one(shown: View) -> Iterator[str]:
    if shown.update:
        yield "New in a story that you were told of before:"
        yield ""
    yield _plain(shown.title)
    yield ""
    yield from _found(shown)
    for passage in shown.passages:
        yield ""
        yield f"In the {passage.place}:"
        yield f"  {_plain(passage)}"
    yield ""
    yield f"Watchlist:  {shown.label} ({shown.severity})"
    yield f"Feed:       {shown.feed}"
    yield f"Published:  {shown.published}"
    yield f"First seen: {shown.first_seen}"
    yield f"Link:       {shown.link or 'none'}"
    yield f"Alert:      {shown.id}"


def _many(subject: str, views: Sequence[View]) -> Iterator[str]:
    yield subject
    for n, shown in enumerate(views, 1):
        yield ""
        yield f"{n}. [{shown.label}, {shown.severity}]{' update:' if shown.update else ''} {_plain(shown.title)}"
        yield from (f"   {row}" for row in _found(shown))
        yield from (f"   In the {passage.place}: {_plain(passage)}" for passage in shown.passages[:1])
        yield f"   {shown.feed}, first seen {shown.first_seen}, alert {shown.id}"
        yield f"   {shown.link or 'no link'}"


def _found(shown: View) -> Iterator[str]:
    for found in shown.found:
        yield f"Found: {_named(found)}"


def _named(found: Found) -> str:
    spellings = ", ".join(f"“{_plain(spelling)}”" for spelling in found.spellings)
    term = _plain(found.term)
    return f"{term} ({spellings})" if spellings else term


def _plain(passage: Passage) -> str:
    """The passage in one line: what was found between asterisks, isolated where right-to-left letters stand."""
    return isolated("".join(f"*{piece.text}*" if piece.marked else piece.text for piece in passage.pieces), passage)


@cache
def template(name: str) -> Template:
    """The template of that name, which escapes what is put into it."""
    # Imported late: jinja2 costs start-up time that most commands need not pay.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # see above

    loader = PackageLoader("aggregator", "compose/templates")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
