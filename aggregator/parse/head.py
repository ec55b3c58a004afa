"""What a feed says of itself, out of its elements."""

from __future__ import annotations

import re

from aggregator.parse.dates import WEEKDAYS
from aggregator.parse.entry import Entry, Header

_HOUR = re.compile(r"\b(?:[01]?\d|2[0-4])\b")
_DAY = re.compile(r">\s*([A-Za-z]{3})")
_PERIODS_S = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2592000, "yearly": 31536000}


def header(feed: Entry, version: str) -> Header:
    """The feed that was read; `version` is its format."""
    facts = feed.facts
    days = {day.lower() for day in _DAY.findall(facts.get("skipdays", ""))}
    hours = {int(hour) % 24 for hour in _HOUR.findall(facts.get("skiphours", ""))}
    return Header(
        format=version,
        title=feed.titles[0][1] if feed.titles else feed.texts[0][3] if feed.texts else "",
        link=feed.link,
        language=facts.get("language") or facts.get("dc:language") or feed.scope.lang,
        ttl_s=ttl_s(facts.get("ttl"), facts.get("sy:updateperiod"), facts.get("sy:updatefrequency")),
        update_base=None if facts.get("ttl") else facts.get("sy:updatebase"),
        guid=feed.guid,
        author=feed.author,
        tags=tuple(feed.tags),
        skip_hours=tuple(sorted(hours)),
        skip_days=tuple(sorted(WEEKDAYS[day] for day in days & WEEKDAYS.keys())),
        hub=facts.get("hub"),
        self_link=facts.get("self"),
        prev_archive=facts.get("prev-archive"),
        next_page=facts.get("next"),
    )


def ttl_s(minutes: str | None, period: str | None, frequency: str | None) -> float | None:
    """How long a publisher says that a document stays fresh: RSS `ttl`, else the syndication module's period."""
    if minutes and minutes.isascii() and minutes.isdigit() and int(minutes[:9]) > 0:
        return int(minutes[:9]) * 60.0
    if period and period.lower() in _PERIODS_S:
        times = int(frequency[:9]) if frequency and frequency.isascii() and frequency.isdigit() else 1
        return _PERIODS_S[period.lower()] / max(times, 1)
    return None
