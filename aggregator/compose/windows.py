"""Where to look: short windows of the original text round what was found."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from aggregator.model import Excerpt, FieldName, Hit, Item

MOST = 5  # excerpts of one alert
WIDTH = 240  # code points of one excerpt: about three lines of a mail
_CONTEXT = 60  # of them kept for what stands round the hits when one window shows several
_REACH = 40  # code points in which a border between words is looked for
_SENTENCE_START = re.compile(r"(?:[.!?؟۔]['\"”»)]*\s+|\n\s*)(?=\S)")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    excerpt: Excerpt
    terms: frozenset[str]


def excerpts(item: Item, hits: Sequence[Hit]) -> tuple[Excerpt, ...]:
    """At most five passages of `item` that show `hits`, in the order of its fields.

    A passage is a slice of the field, at most 240 code points, with the places of the hits in it as marks. One that is
    cut inside a sentence begins or ends with the white space of the cut, so that whoever shows it knows. When there
    are more than five, those that show a term not shown yet go first. The title is shown once: where a page repeats it
    as its first line, passages begin after that. Never raises.
    """
    windows: list[_Window] = []
    for field, text in item.texts():
        found = sorted((hit for hit in hits if hit.field == field), key=lambda hit: (hit.start, hit.end))
        floor = 0 if field == "title" else _past_heading(text, item.title)
        below = [hit for hit in found if hit.start >= floor]
        windows.extend(_windows(field, text, deque(below), floor) if below else _windows(field, text, deque(found), 0))
    return tuple(window.excerpt for window in _most_telling(windows))


def _past_heading(text: str, title: str) -> int:
    """Where `text` goes on after a first line that says the title again; 0 when it does not."""
    heading, newline, _ = text.partition("\n")
    return len(heading) + 1 if newline and heading.split() == title.split() else 0


def _windows(field: FieldName, text: str, hits: deque[Hit], floor: int) -> Iterator[_Window]:
    while hits:
        group = [hits.popleft()]
        while hits and hits[0].end - group[0].start <= WIDTH - _CONTEXT:
            group.append(hits.popleft())
        start, end = _bounds(text, group[0].start, max(hit.end for hit in group), min(floor, group[0].start))
        while hits and hits[0].end <= end:
            group.append(hits.popleft())
        marks = merged((hit.start - start, min(hit.end, end) - start) for hit in group)
        excerpt = Excerpt(field=field, text=text[start:end], marks=marks)
        yield _Window(excerpt=excerpt, terms=frozenset(hit.term for hit in group))
        floor = end


def _bounds(text: str, start: int, end: int, floor: int) -> Span:
    """The window round [start, end), not before `floor`: it opens with a sentence when one begins near."""
    end = min(end, start + WIDTH)
    lead = (WIDTH - (end - start)) // 2
    left = max(floor, min(start - lead, len(text) - WIDTH), 0)
    left = _opening(text, max(floor, left - _REACH, end - WIDTH, 0), left, start)
    return left, _closing(text, min(len(text), left + WIDTH), end)


def _opening(text: str, earliest: int, left: int, start: int) -> int:
    """The first beginning of a sentence in [earliest, start], else of a word from `left` on."""
    if earliest == 0:
        return 0
    # Two code points back may stand the full stop and the space before a sentence that begins exactly at `earliest`.
    sentences = (match.end() for match in _SENTENCE_START.finditer(text, max(0, earliest - 2), start))
    words = (at for at in range(left, min(left + _REACH, start)) if text[at].isspace())
    return next((at for at in sentences if at >= earliest), None) or next(words, left)


def _closing(text: str, right: int, end: int) -> int:
    if right == len(text):
        return right
    return next((at + 1 for at in range(right - 1, max(right - _REACH, end) - 1, -1) if text[at].isspace()), right)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """`spans` in order, those that touch made one."""
    whole: list[Span] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = whole[-1][0], max(whole[-1][1], end)
        else:
            whole.append((start, end))
    return tuple(whole)


def _most_telling(windows: Iterable[_Window]) -> Sequence[_Window]:
    """Up to `MOST` of them in their order, each the one that adds most terms; a text that is repeated counts once."""
    fresh: dict[str, _Window] = {}
    for window in windows:
        fresh.setdefault(window.excerpt.text.strip(), window)
    left = list(enumerate(fresh.values()))
    chosen: list[tuple[int, _Window]] = []
    told: frozenset[str] = frozenset()
    while left and len(chosen) < MOST:
        best = max(left, key=lambda entry: len(entry[1].terms - told))  # the first of equals
        left.remove(best)
        chosen.append(best)
        told |= best[1].terms
    return [window for _, window in sorted(chosen, key=lambda entry: entry[0])]
