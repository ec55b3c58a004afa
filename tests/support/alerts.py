"""Alerts and messages as the store hands them out, with as few words as a test needs."""

from datetime import UTC, datetime

from aggregator import compose
from aggregator.model import Alert, Hit, Item, Message

NOW = datetime(2026, 11, 24, 8, 5, 11, tzinfo=UTC)

ENGLISH = Item(
    title="Taliban Says Officials Won’t Be Harmed",
    link="https://news.example.org/a?id=1",
    lang="en",
    content=(
        "Kabul. The deputy spokesman said on Monday that the general amnesty announced in August 2021 still stands, and "
        "that nobody who worked for the former government would be prosecuted. “The general amnesty is for all,” he "
        "told reporters. Rights groups disagree; the mission has documented hundreds of cases. A relocation programme "
        "for former interpreters was halted in January, and thousands of families wait for relocation in Doha."
    ),
)
DARI = Item(
    title="سخنگوی طالبان: عفو عمومی پابرجاست و کارمندان پیشین آسیب نمی‌بینند",
    link="https://news.example.org/fa/عفو-عمومی/",
    lang="fa",
    content=(
        "کابل. سخنگوی طالبان روز دوشنبه گفت که عفو عمومی اعلام‌شده در ماه اوت ۲۰۲۱ همچنان پابرجاست. "
        "UNAMA اما صدها مورد نقض عفو عمومی را ثبت کرده است (گزارش ۲۰۲۵)."
    ),
)
PASHTO = Item(
    title="طالبان: عمومي بښنه پر ځای ده",
    link="https://news.example.org/ps?id=5",
    lang="ps",
    content="د طالبانو ویاند وویل چې عمومي بښنه لا هم پر ځای ده. د HRW په راپور کې د عمومي بښنې پېښې ثبت شوې دي.",
)
TERMS = (
    ("amnesty", "general amnesty"),
    ("amnesty", "عفو عمومی"),
    ("amnesty", "عمومي بښنه"),
    ("amnesty", "عمومي بښنې"),
    ("relocation", "relocation"),
)


def places(item, terms=TERMS):
    """The hits of a plain search for each spelling."""
    hits = []
    for field, text in item.texts():
        for term, spelling in terms:
            at = text.find(spelling)
            while at >= 0:
                end = at + len(spelling)
                hits.append(Hit(watchlist="w", field=field, start=at, end=end, term=term, text=text[at:end]))
                at = text.find(spelling, end)
    return tuple(sorted(hits))


def alert(item=ENGLISH, terms=TERMS, **more):
    hits = places(item, terms)
    given = {
        "id": "17", "watchlist": "amnesty-watch", "label": "Desk 1", "severity": "normal", "item": "9", "story": "4",
        "feed": "Example News", "title": item.title, "link": item.link, "lang": item.lang,
        "published": datetime(2026, 11, 24, 7, 58, tzinfo=UTC), "first_seen": NOW, "created": NOW, "update": False,
        "terms": hits, "excerpts": compose.excerpts(item, hits),
    }  # fmt: skip
    return Alert(**(given | more))


def message(*alerts, **more):
    given = {"id": "3f2a.12", "token": "t", "channel": "desk", "recipient": "desk@example.org", "attempts": 0}
    return Message(**(given | more), alerts=alerts or (alert(),))
