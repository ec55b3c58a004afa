"""Which entries are one item, and which items are one story, and by which rule.

Only exact rules stand here: they may silence a term that was already told, so a wrong "same" loses an alert while a
wrong "different" only repeats one. The traps they avoid were counted on real feeds: guids that are empty or shared by
a whole document, guids reused for another story, one link that carries several stories, and boilerplate ("Subscribe
to read ...") that stands word for word under every headline of one site.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b

from aggregator.model import FieldName, Item, StoryMarks
from aggregator.text import urls
from aggregator.text.fold import Folded, Folds

LONG_WORDS = 25  # a shorter text may be boilerplate by chance
TITLE_WORDS = 3  # a shorter title is told apart by its text as well
FULL_WORDS = 6  # title and text together; "Live updates" proves nothing


def identities(items: Iterable[Item]) -> tuple[str, ...]:
    """The key under which each item is looked up: its guid, else its URL key, else its text.

    Several items may share a key; which of them an entry is, the store decides (`same_item`). The key depends on the
    item alone, so that it is the same whether or not its neighbours were parsed this time.
    """
    return tuple(_identity(item) for item in items)


def _identity(item: Item) -> str:
    if item.guid and item.guid.strip():
        return f"guid:{item.guid.strip()}"
    link = _url_key(item)
    return f"url:{link}" if link else f"text:{content_hash(item).hex()}"


def content_hash(item: Item) -> bytes:
    """16 bytes that change when a reader would see a change; a moved date alone is none (a third of items do that)."""
    parts = (item.title, item.summary, item.content, item.link or "", "\n".join(item.tags))
    return _digest("\x1f".join(parts))


def marks(item: Item, site: str, folds: Mapping[FieldName, Folded]) -> StoryMarks:
    """What decides whether `item` and another carry one story; `folds` as `folded_fields(item)` gives them."""
    title = _words(folds, "title")
    text = max((_words(folds, "content"), _words(folds, "summary")), key=len)
    article = _words(folds, "article")
    full = f"{title}\n{text}"
    named = title.count(" ") + 1 >= TITLE_WORDS  # "Breaking news" names no story, and many posts have no title
    return StoryMarks(
        site=site,
        url_key=_url_key(item),
        title_hash=_digest(title if named else full),
        full_hash=_digest(full) if full.count(" ") + 2 >= FULL_WORDS else None,
        text_hash=_digest(text) if _is_long(text) else None,
        article_hash=_digest(article) if _is_long(article) else None,
    )


def folded_fields(item: Item) -> Folds:
    """Each field of the item, folded once for matching and marking."""
    return Folds(dict(item.texts()))


def same_item(known: StoryMarks, seen: StoryMarks, *, shared_key: bool) -> bool:
    """Whether an entry under a known key is a revision of that item.

    When title and link both changed, the guid was reused for another story. Where several items share the key, only
    the title tells them apart.
    """
    return known.title_hash == seen.title_hash or (not shared_key and known.url_key == seen.url_key)


def same_story(seen: StoryMarks, known: Iterable[tuple[int, StoryMarks]]) -> tuple[int, str] | None:
    """The story that `seen` belongs to and the rule that says so, or None when it is a new one.

    Rules, first match wins: "url" (one URL key, confirmed by title or text), "words" (title and text equal),
    "text" (a long text equal under another headline, on another site). On one site equal words under two links are
    two stories, since bulletins repeat their title and teaser every day; and a text that one site has under several
    titles is boilerplate.
    """
    candidates = list(known)
    for name, rule in (("url", _by_url), ("words", _by_words)):
        for story, other in candidates:
            if rule(seen, other):
                return story, name
    sharing = [(story, other) for story, other in candidates if _shared_text(seen, other)]
    if _boilerplate([seen, *(other for _, other in sharing)]):
        return None
    return next(((story, "text") for story, other in sharing if seen.site != other.site), None)


def _by_url(a: StoryMarks, b: StoryMarks) -> bool:
    return a.url_key is not None and a.url_key == b.url_key and (a.title_hash == b.title_hash or _shared_text(a, b))


def _by_words(a: StoryMarks, b: StoryMarks) -> bool:
    if a.full_hash is None or a.full_hash != b.full_hash:
        return False
    if None not in {a.article_hash, b.article_hash} and a.article_hash != b.article_hash:
        return False
    return a.site != b.site or a.url_key is None or b.url_key is None


def _boilerplate(sharing: list[StoryMarks]) -> bool:
    titles: dict[str, set[bytes]] = {}
    for marks in sharing:
        titles.setdefault(marks.site, set()).add(marks.title_hash)
    return any(len(of_one_site) > 1 for of_one_site in titles.values())


def _shared_text(a: StoryMarks, b: StoryMarks) -> bool:
    mine = {a.text_hash, a.article_hash} - {None}
    return bool(mine & {b.text_hash, b.article_hash})


def _url_key(item: Item) -> str | None:
    return urls.url_key(item.link) if item.link else None


def _words(folds: Mapping[FieldName, Folded], name: FieldName) -> str:
    folded = folds.get(name)
    return folded.text.strip() if folded else ""


def _is_long(text: str) -> bool:
    return text.count(" ") + 1 >= LONG_WORDS


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
