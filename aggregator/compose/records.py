"""An alert for programs: the record of `alerts list --json` and the body of a webhook."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain

from aggregator.model import Alert, Hit, Message
from aggregator.text.escape import cut

TITLE = 2_000  # code points: a title of 1 MB would be refused by most receivers
PLACES = 200  # a term that stands a thousand times in a page is listed so often at most


def record(alert: Alert) -> dict[str, object]:
    """The stable fields of an alert, without its deliveries."""
    return {
        "id": alert.id,
        "watchlist": alert.watchlist,
        "severity": alert.severity,
        "item": alert.item,
        "title": cut(alert.title, TITLE),
        "link": alert.link,
        "feed": alert.feed,
        "created": stamp(alert.created),
        "update": alert.update,
        "terms": _terms(alert.terms),
    }


def webhook(message: Message, *, minimal: bool) -> bytes:
    """The JSON body that tells `message`, the same on every attempt, pure ASCII so that no letter can act on its way.

    `timestamp` is when the alert arose. A minimal body holds id, label and link, never a watched term.
    Several alerts in one message become `alert.batch` with the bodies in `data.alerts`.
    """
    events = [_event(alert, minimal=minimal) for alert in message.alerts]
    if len(events) == 1:
        return as_body(events[0])
    latest = max(alert.created for alert in message.alerts)
    return as_body({"type": "alert.batch", "timestamp": stamp(latest), "data": {"id": message.id, "alerts": events}})


def stamp(at: datetime | None) -> str | None:
    """`at` in ISO 8601, UTC, ending in Z; None stays None."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _event(alert: Alert, *, minimal: bool) -> dict[str, object]:
    return {
        "type": "alert.updated" if alert.update else "alert.created",
        "timestamp": stamp(alert.created),
        "data": {"id": alert.id, "label": alert.label, "link": alert.link} if minimal else _data(alert),
    }


def _data(alert: Alert) -> dict[str, object]:
    return {
        "id": alert.id,
        "watchlist": alert.watchlist,
        "label": alert.label,
        "severity": alert.severity,
        "title": cut(alert.title, TITLE),
        "link": alert.link,
        "feed": alert.feed,
        "published": stamp(alert.published),
        "first_seen": stamp(alert.first_seen),
        "terms": _terms(alert.terms),
        "snippet": _snippet(alert),
    }


def _snippet(alert: Alert) -> str:
    """The passage that says most beside the title."""
    beside = (excerpt for excerpt in alert.excerpts if excerpt.field != "title")
    return next(chain(beside, alert.excerpts)).text.strip() if alert.excerpts else ""


def _terms(hits: Sequence[Hit]) -> list[dict[str, object]]:
    return [
        {"term": hit.term, "field": hit.field, "start": hit.start, "end": hit.end, "text": hit.text}
        for hit in _listed(hits)
    ]


def _listed(hits: Sequence[Hit]) -> Iterable[Hit]:
    """At most `PLACES` of `hits` in their order, the first place of every term always among them."""
    if len(hits) <= PLACES:
        return hits
    first = {hit.term: i for i, hit in reversed(list(enumerate(hits)))}
    kept = sorted(range(len(hits)), key=lambda i: (first[hits[i].term] != i, i))[: max(PLACES, len(first))]
    return [hits[i] for i in sorted(kept)]


def as_body(body: dict[str, object]) -> bytes:
    """`body` as JSON in ASCII, the same for the same fields."""
    return json.dumps(body, separators=(",", ":")).encode("ascii")
