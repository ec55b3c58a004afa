"""An item and a watchlist, with all that is known of the two, for people and for programs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from aggregator import compose
from aggregator import watch as watching
from aggregator.cli import show
from aggregator.cli.items import NO_TITLE, STORY_RULES
from aggregator.cli.watch_shown import failing, passages
from aggregator.model import Alert, Hit
from aggregator.settings import Watchlist
from aggregator.store import Owed, RuleVersion, StoredItem, Verdict
from aggregator.watch import Branch, Stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An item and a watchlist, with all that is known of the two."""

    stored: StoredItem
    watchlist: Watchlist
    version: str
    hits: tuple[Hit, ...]
    stopped: str | None  # why it could not be judged
    tree: Branch
    first: StoredItem | None  # the item that brought the story, when this one did not
    alerts: list[tuple[Alert, list[Owed]]]  # of the story
    recorded: Verdict | None  # the last time it was a hit
    rule_then: RuleVersion | None  # in force when the item came to stand as it does

    @property
    def verdict(self) -> str:
        """What the watchlist says of the item."""
        return "stopped" if self.stopped else "hit" if self.hits else "miss"

    @property
    def decisive(self) -> tuple[Branch, ...]:
        """From the whole rule down to the branch that decides."""
        return watching.decisive(self.tree)

    @property
    def pending(self) -> bool:
        """Whether the text of its article is still to come."""
        return self.stored.article_state == "pending"


def record(case: Case) -> dict[str, Any]:
    """The stable fields of a case."""
    stored = case.stored
    return {
        "item": stored.id, "watchlist": case.watchlist.name, "verdict": case.verdict, "stopped": case.stopped,
        "rule": case.tree.rule, "version": case.version,
        "hits": [
            {"term": hit.term, "field": hit.field, "start": hit.start, "end": hit.end, "text": hit.text}
            for hit in case.hits
        ],
        "excerpts": [asdict(excerpt) for excerpt in compose.excerpts(stored.item, case.hits)],
        "decisive": [{"rule": branch.rule, "true": branch.true, "why": branch.why} for branch in case.decisive],
        "tree": asdict(case.tree),
        "article": {"state": stored.article_state, "reason": stored.article_reason},
        "story": stored.story, "duplicate_of": case.first.id if case.first else None, "story_rule": stored.story_rule,
        "alerts": [
            {**compose.record(alert), "deliveries": [asdict(one) for one in owed]} for alert, owed in case.alerts
        ],
        "recorded": {
            "version": case.recorded.rule.version, "revision": case.recorded.revision, "at": case.recorded.at,
        } if case.recorded else None,
        "version_then": case.rule_then.version if case.rule_then else None,
    }  # fmt: skip


def print_case(case: Case) -> None:
    """A case for people."""
    stored = case.stored
    show.heading(f"{case.verdict}   {case.watchlist.name}")
    show.fields((
        ("Item", f"{stored.id}, {stored.feed}, first seen {show.utc(stored.first_seen)} UTC"),
        ("Title", stored.item.title or NO_TITLE),
        ("Rule", case.tree.rule),
        *_failure(case),
        ("Article", _article(stored)),
        ("Story", _story(case)),
        *_told(case),
        ("Judged", _judged(case)),
    ))  # fmt: skip
    if case.hits:
        show.text()
        show.fields(passages(stored.item, case.hits))
    show.text()
    show.explaining_table(("TRUE", "RULE", "BECAUSE"), _rows(case.tree))


def _rows(branch: Branch, depth: int = 0) -> Iterator[tuple[str, str, str]]:
    """The tree with a branch a line; only terms show their text, so that writing directions never mix in one."""
    shown = _operator(branch) if branch.parts else branch.rule
    found = "" if branch.parts else ", ".join(dict.fromkeys(map(_found, branch.places)))
    yield "yes" if branch.true else "no", f"{'  ' * depth}{shown}", f"{branch.why}: {found}" if found else branch.why
    for part in branch.parts:
        yield from _rows(part, depth + 1)


def _operator(branch: Branch) -> str:
    """What joins the parts of a branch: the rule without them."""
    rest = branch.rule
    for part in branch.parts:
        rest = re.sub(rf"(?<![^\s(])\(?{re.escape(part.rule)}\)?(?![^\s)])", " ", rest, count=1)
    return " ".join(dict.fromkeys(rest.replace("(", " ").replace(")", " ").split()))


def _found(stand: Stand) -> str:
    """A spelling in the text, and how it comes from what was written."""
    return f"{stand.text} ({stand.how})" if stand.text == stand.term else f"{stand.text} ({stand.how}: {stand.term})"


def _failure(case: Case) -> Iterator[tuple[str, object]]:
    if case.verdict == "hit":
        return
    branch, why = failing(case.decisive)
    yield "Fails at", branch
    yield "Because", case.stopped or why
    if case.pending and case.verdict == "miss":
        yield "But", "its article is not read yet; the item is judged again when it is"


def _article(stored: StoredItem) -> str:
    match stored.article_state:
        case "read":
            return "read, and judged with the rest"
        case "pending":
            return f"not read yet{f' (last try: {stored.article_reason})' if stored.article_reason else ''}"
        case "failed":
            return f"not read: {stored.article_reason}; judged by the feed's text"
        case _:
            return "not wanted: judged by the feed's text"


def _story(case: Case) -> str:
    if case.first is None:
        return f"{case.stored.story}, which this item brought"
    rule = STORY_RULES.get(case.stored.story_rule, case.stored.story_rule)
    first = case.first
    return f"duplicate of item {first.id} ({first.feed}, {show.utc(first.first_seen)} UTC): {rule}"


def _told(case: Case) -> Iterator[tuple[str, object]]:
    """What was told of the story, and why nothing was told for this item."""
    for alert, owed in case.alerts:
        terms = ", ".join(dict.fromkeys(hit.term for hit in alert.terms))
        here = "" if alert.item == case.stored.id else f" for item {alert.item}"
        update = ", an update" if alert.update else ""
        yield f"Alert {alert.id}", f"{show.utc(alert.created)} UTC{here}{update}: {terms}"
        for one in owed:
            error = f" ({one.last_error})" if one.last_error else ""
            yield "", f"{one.channel} to {one.recipient}: {one.state}{error}"
    if case.verdict != "hit":
        return
    told = {hit.term for alert, _ in case.alerts for hit in alert.terms}
    untold = dict.fromkeys(hit.term for hit in case.hits if hit.term not in told)
    if untold:
        yield "Not told", f"{', '.join(untold)}: `aggregator watch backtest NAME --alert` tells what was missed"
    elif all(alert.item != case.stored.id for alert, _ in case.alerts):
        yield "Not told", "all of its terms were told of this story before"


def _judged(case: Case) -> str:
    now = f"now, by version {case.version} of the rule"
    if case.recorded:
        recorded = f"; a hit by version {case.recorded.rule.version} on {show.utc(case.recorded.at)} UTC"
        return now + recorded
    if case.rule_then is None:
        return f"{now}; no earlier verdict is kept"
    return f"{now}; a miss by version {case.rule_then.version} on {show.utc(case.stored.changed_at)} UTC"
