"""Notices put into words for the operator: what is wrong, since when, and what to do. They never hold a watched term.

A crowd is told in one message, kind by kind; of each kind the first LISTED are named, and all are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from aggregator.compose.blocks import Paint
from aggregator.compose.letter import SUBJECT, Mail, template
from aggregator.compose.records import as_body, stamp
from aggregator.compose.views import moment
from aggregator.model import Message, Notice, Trouble
from aggregator.text import escape

LISTED = 100  # of a kind in one mail; 500 feeds behind one dead line are one piece of news
SENT = 1_000  # in one webhook: 300 KB, which receivers take
DETAIL = 300  # code points: it may hold what a server said

ADVICE: dict[Trouble, tuple[str, str]] = {  # what it means, what to do
    Trouble.SILENT: (
        "Nothing new for far longer than the feed's own rhythm makes plausible.",
        "Open the outlet's site. If it has news, the feed is dead or moved: `aggregator feeds add SITE` finds another.",
    ),
    Trouble.UNCHANGING: (
        'The server says "not modified" although there is something new.',
        "Nothing is lost as long as this is known: the feed is asked for whole once a day. Look for another address.",
    ),
    Trouble.OVERFLOW: (
        "Nothing in the document was known, so items may have come and gone between two visits.",
        "Visit it more often: `every: 5m` or a higher `weight` in feeds.yaml. Read the outlet's site for the gap.",
    ),
    Trouble.EMPTY: (
        "The feed holds no entry, where it had some. What was stored stays.",
        "Open the feed in a browser. If it stays empty, the outlet has moved it: look for another address.",
    ),
    Trouble.NOT_A_FEED: (
        "A page came in place of the feed.",
        "Open the feed in a browser. A captcha or a firewall refuses this machine: ask the outlet, or use another feed.",
    ),
    Trouble.FAILING: (
        "No visit went well for more than a day.",
        "Try `aggregator fetch NAME`. If others fail as well, look at this machine's network first.",
    ),
    Trouble.NOT_FOUND: (
        "The address has led nowhere for a week (404).",
        "The outlet has moved its feed: `aggregator feeds add SITE` finds the new one; then remove the old entry.",
    ),
    Trouble.GONE: (
        "The server says that the feed is gone for good (410). It is asked again each 30 days.",
        "`aggregator feeds add SITE` looks for another; then remove the old entry.",
    ),
    Trouble.REFUSED: (
        "The server refuses us (401, 402, 403 or 451).",
        "It wants a login (`headers` in feeds.yaml) or blocks this machine: ask the outlet, with `contact` set.",
    ),
    Trouble.PAUSED: (
        "The server asked for more than a day without a visit.",
        "We keep to it. Ask the outlet why, or watch it through another feed until then.",
    ),
    Trouble.FALLBACK: (
        "The feed's own address brings nothing, and another one stands in. Nothing is missed as far as that one has it.",
        "Open the feed in a browser. If it is gone for good, write the address that works into feeds.yaml.",
    ),
    Trouble.BROKEN: (
        "The feed's document broke our program; nothing of it is stored.",
        "This is a fault of ours: keep the log and report it. Watch the outlet through another feed until then.",
    ),
    Trouble.ENTRIES_LOST: (
        "Some entries of the feed cannot be read.",
        "Open the feed in a browser and look at what it says there. Tell the outlet; if the feed is sound, tell us.",
    ),
    Trouble.SLICES_DIFFER: (
        "Reading the whole document found new items that the quick way had taken for known.",
        "They are stored and were matched, late. This is a fault of ours: report it with the feed's address.",
    ),
    Trouble.OFFLINE: (
        "Hardly any host can be reached, so nothing is read. No feed is blamed; all are read when hosts answer again.",
        "Look at this machine's network, its proxy and its name server.",
    ),
    Trouble.WATCHLIST_STOPPED: (
        "A rule cost too much for an item and did not judge it. The other watchlists did.",
        "`aggregator watch lint NAME` shows what is costly: a regex without a fixed word, or a wildcard that fits much.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Notices of one kind, as a person reads them."""

    title: str
    meaning: str
    advice: str
    lines: tuple[str, ...]


def mail(message: Message) -> Mail:
    """The notices of `message` as a mail, what began before what ended."""
    subject, groups = _subject(message.notices), _groups(message.notices, escape.body)
    text = "\n\n".join("\n".join(_plain(group)) for group in groups)
    return Mail(
        subject=subject,
        text=f"{text}\n",
        html=template("notice.html").render(subject=subject, groups=groups, number=message.id),
    )


def block(message: Message, paint: Paint) -> str:
    """The notices of `message` on a terminal or in a plain file, ending with a line break."""
    rows: list[str] = []
    for group in _groups(message.notices, escape.terminal):
        rows += [f"{paint.loud[0]}NOTICE{paint.loud[1]}  {paint.head[0]}{group.title}{paint.head[1]}"]
        rows += [f"  {line}" for line in list(_plain(group))[1:]]
    return "\n".join(rows) + "\n"


def webhook(message: Message, *, minimal: bool) -> bytes:
    """The JSON body that tells the notices of `message`. A minimal one names neither feed nor watchlist."""
    events = [_event(notice, minimal=minimal) for notice in message.notices[:SENT]]
    if len(events) == 1:
        return as_body(events[0])
    latest = max(notice.created for notice in message.notices)
    data = {"id": message.id, "count": len(message.notices), "notices": events}
    return as_body({"type": "notice.batch", "timestamp": stamp(latest), "data": data})


def _event(notice: Notice, *, minimal: bool) -> dict[str, object]:
    data: dict[str, object] = {"id": notice.id, "kind": notice.kind}
    if minimal:
        data["label"] = notice.label
    else:
        data |= {
            "feed": notice.feed, "watchlist": notice.watchlist, "detail": escape.cut(notice.detail, DETAIL),
            "since": stamp(notice.since), "advice": None if notice.over else ADVICE[notice.kind][1],
        }  # fmt: skip
    kind = "notice.resolved" if notice.over else "notice.created"
    return {"type": kind, "timestamp": stamp(notice.created), "data": data}


def _subject(notices: Sequence[Notice]) -> str:
    began = [notice for notice in notices if not notice.over]
    over = len(notices) - len(began)
    if len(notices) == over == 1:
        said = f"{_name(notices[0])}: over: {notices[0].kind}"
    elif not began:
        said = f"{over} troubles are over"
    elif len(began) == 1:
        said = f"{_name(began[0])}: {began[0].kind}"
    else:
        kinds = Counter(notice.kind for notice in began)
        said = f"{len(began)} in trouble: {', '.join(f'{kind} {count}' for kind, count in kinds.most_common())}"
    said += f", {over} over" if began and over else ""
    return escape.cut(escape.header(f"[monitor] {said}"), SUBJECT)


def _groups(notices: Sequence[Notice], safe: Callable[[str], str]) -> list[Group]:
    order = sorted(notices, key=lambda notice: (notice.over, list(Trouble).index(notice.kind), _name(notice)))
    return [
        _group(over, kind, list(some), safe)
        for (over, kind), some in groupby(order, key=lambda notice: (notice.over, notice.kind))
    ]


def _group(over: bool, kind: Trouble, notices: Sequence[Notice], safe: Callable[[str], str]) -> Group:
    meaning, advice = ADVICE[kind]
    lines = [safe(_line(notice)) for notice in notices[:LISTED]]
    if len(notices) > LISTED:
        lines.append(f"and {len(notices) - LISTED:,} more: `aggregator status --json` names them all")
    return Group(
        title=f"{'Over: ' * over}{kind}" + (f", {len(notices):,} times" if len(notices) > 1 else ""),
        meaning="" if over else meaning,
        advice="" if over else advice,
        lines=tuple(lines),
    )


def _line(notice: Notice) -> str:
    if notice.over:
        return f"{_name(notice)}: from {moment(notice.since)} to {moment(notice.created)}"
    return f"{_name(notice)}, since {moment(notice.since)}: {escape.cut(notice.detail, DETAIL)}"


def _name(notice: Notice) -> str:
    if notice.feed is not None:
        return notice.feed
    return "the network" if notice.watchlist is None else f"watchlist {notice.watchlist}"


def _plain(group: Group) -> Iterator[str]:
    yield group.title
    if group.meaning:
        yield group.meaning
    yield from (f"- {line}" for line in group.lines)
    if group.advice:
        yield f"What to do: {group.advice}"
