"""Drafts of watchlists into the text of feeds.yaml: lines at the end of `watchlists:`, every other byte stays."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aggregator import config as configs
from aggregator import subscriptions
from aggregator.config.yaml import Block, Document
from aggregator.errors import ConfigError, UsageError
from aggregator.settings import Config, Watchlist
from aggregator.watchimport.drafts import Draft, Refusal, numbered


def append(path: Path, drafts: Sequence[Draft]) -> tuple[tuple[Watchlist, ...], tuple[Refusal, ...]]:
    """The watchlists as they load, once the file on disk names them; and the drafts that it would not take.

    Raises:
        UsageError: with the new lines the file would say something else.
        ConfigError: the file cannot be used as it is.
    """
    if not drafts:
        return (), ()
    with subscriptions.editing(path) as file:
        named = _free(drafts, file.config)
        usable, refused = _usable(named, file.config)
        if not usable:
            return (), refused
        edited = _with_watchlists(file.content, usable)
        try:
            after = configs.parse(edited, file.path)
        except ConfigError as error:
            raise UsageError(f"{subscriptions.BY_HAND} ({error.problems[0]})") from error
        old = len(file.config.watchlists)
        if _others(after) != _others(file.config) or after.watchlists[:old] != file.config.watchlists:
            raise UsageError(subscriptions.BY_HAND)
        subscriptions.replace_file(file.path, edited)
        return after.watchlists[old:], refused


def _others(config: Config) -> Config:
    return replace(config, watchlists=(), warnings=())


def _free(drafts: Iterable[Draft], config: Config) -> list[Draft]:
    """The drafts under names that nobody has yet."""
    taken, named = {watchlist.name for watchlist in config.watchlists}, []
    for draft in drafts:
        wanted = " ".join(draft.name.split())[:180] or "imported"
        name = next(free for free in numbered(wanted) if free not in taken)
        taken.add(name)
        named.append(replace(draft, name=name))
    return named


def _usable(drafts: Iterable[Draft], config: Config) -> tuple[list[Draft], tuple[Refusal, ...]]:
    """The drafts that a feeds.yaml takes when each stands there alone; one fault shall not cost the others."""
    usable, refused = [], []
    for draft in drafts:
        try:
            configs.parse(_with_watchlists(b"", [draft]), config.path)
        except ConfigError as error:
            said = draft.rule or ", ".join(draft.keywords)
            refused.append(Refusal(place=draft.place, text=said, why=error.problems[0].partition(": ")[2]))
        else:
            usable.append(draft)
    return usable, tuple(refused)


def _with_watchlists(content: bytes, new: Iterable[Draft]) -> bytes:
    """The file's text with entries at the end of `watchlists:`; all else stays, byte for byte."""
    text = content.decode("utf-8-sig")
    there: Any = Document(text).node(("watchlists",))
    if isinstance(there, Block) and text[there.start_mark.index] == "[":
        at = there.end_mark.index - 1
        piece = ("" if there.value == [] else ", ") + ", ".join(map(_in_a_line, new))
    else:
        at = len(text) if there is None else subscriptions.line_end(text, there)
        indent = " " * (there.start_mark.column if isinstance(there, Block) else 2)
        entries = "".join(f"{indent}- " + f"\n{indent}  ".join(_lines(entry)) + "\n" for entry in new)
        head = ("" if text[:at].endswith("\n") or not text else "\n") + ("watchlists:\n" if there is None else "")
        piece = head + entries
    if "\r\n" in text:
        piece = piece.replace("\n", "\r\n")
    mark = content[: len(content) - len(content.removeprefix(codecs.BOM_UTF8))]
    return mark + (text[:at] + piece + text[at:]).encode()


def _lines(draft: Draft) -> list[str]:
    """A draft in lines, one keyword in each: two writing directions never share one."""
    lines = [f"name: {subscriptions.scalar(draft.name)}"]
    if draft.rule is not None:
        return [*lines, f"rule: {_quoted(draft.rule)}"]
    return [*lines, "keywords:", *(f"  - {subscriptions.scalar(keyword)}" for keyword in draft.keywords)]


def _in_a_line(draft: Draft) -> str:
    said = (
        f"rule: {_quoted(draft.rule)}"
        if draft.rule is not None
        else f"keywords: [{', '.join(map(subscriptions.scalar, draft.keywords))}]"
    )
    return f"{{name: {subscriptions.scalar(draft.name)}, {said}}}"


def _quoted(rule: str) -> str:
    """A rule as YAML: in single quotes, for it is full of double ones."""
    return "'" + rule.replace("'", "''") + "'" if rule.isprintable() else subscriptions.scalar(rule)
