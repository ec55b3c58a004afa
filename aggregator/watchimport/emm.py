"""Definition files of the Europe Media Monitor (EMM): each alert becomes a watchlist.

An alert lists weighted patterns with a threshold, or combinations: OR groups that must all be there, perhaps within a
distance, and one group that must not. `+` joins the words of a phrase, `%` stands for any letters, `_` for one. The
schema is not public any more (emm.jrc.it/AlertEditor is gone), so elements are known by the words in their names, and
what has another name is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

from lxml import etree

from aggregator.errors import UsageError
from aggregator.watchimport.drafts import (
    Reading,
    Unconvertible,
    bracketed,
    canonical,
    either,
    every,
    numbered,
    packed,
    term,
)

_ALERT: Final = re.compile("alert|category|definition")
_COMBINATION: Final = re.compile("combination")
_NOT: Final = re.compile("not|none|exclu|without")
_GROUP: Final = re.compile("or|any|group|and|all|list|keywords|weights|patterns")
_PATTERN: Final = re.compile("keyword|pattern|word|term|entry|item")
_SILENT: Final = re.compile("title|name|description|label|language|meta.*|comment|id")
_WEIGHTS: Final = "weights are kept as ATLEAST and AND: sums over three or more different weights are not"
_SPLIT: Final = re.compile(r"[\n,;]+")


def read(text: str, name: str) -> Reading:
    """A watchlist of each alert, named by its own name.

    Raises:
        UsageError: it is no XML, or declares entities.
    """
    if "<!ENTITY" in text:
        raise UsageError("the definition file declares entities: refused")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise UsageError(f"this is no EMM definition file: {error.msg}") from error
    reading, names = Reading(), numbered(name)
    for alert in _alerts(root):
        _read_alert(alert, alert.get("name") or alert.get("id") or alert.get("title") or next(names), reading)
    if not reading.drafts and not reading.refused:
        raise UsageError("this XML names no alert of the EMM")
    return reading


def _alerts(root: Any) -> Iterator[Any]:
    """The innermost elements that are alerts."""
    found = [element for element in root.iter() if _ALERT.search(_name(element))]
    return (one for one in found if not any(_ALERT.search(_name(inner)) for inner in one.iterdescendants()))


def _name(element: Any) -> str:
    return etree.QName(element).localname.lower() if isinstance(element.tag, str) else ""


def _read_alert(alert: Any, name: str, reading: Reading) -> None:
    alternatives: list[str] = []
    place = f"line {alert.sourceline}"
    for part in alert:
        part_name = _name(part)
        if not part_name or _SILENT.fullmatch(part_name):
            continue
        where, said = f"line {part.sourceline}", f"{name}: {_said(part)}"
        if not any(known.search(part_name) for known in (_COMBINATION, _PATTERN, _GROUP)):
            reading.refuse(where, said, f"<{part_name}> is not known")
            continue
        try:
            if _COMBINATION.search(part_name):
                alternatives.append(canonical(_combination(part, reading)))
            else:
                alternatives += _weighted(part, alert, reading)
        except Unconvertible as why:
            reading.refuse(where, said, str(why))
    drafts = list(packed(name, place, alternatives))
    if not drafts:
        reading.refuse(place, name, "nothing of it could be converted")
    reading.drafts += drafts


def _combination(element: Any, reading: Reading) -> str:
    """OR groups that must all be there, within a distance when one is given, and what must not be there."""
    groups: list[str] = []
    unwanted: list[str] = []
    for part in element:
        part_name = _name(part)
        if not part_name or _SILENT.fullmatch(part_name):
            continue
        if not (_NOT.search(part_name) or _GROUP.search(part_name) or _PATTERN.search(part_name)):
            raise Unconvertible(f"<{part_name}> is not known")
        (unwanted if _NOT.search(part_name) else groups).append(either(_terms(part)))
    if not groups:
        raise Unconvertible("nothing in it must be there")
    distance = element.get("proximity") or element.get("distance")
    if distance and len(groups) == 2:  # noqa: PLR2004  # left and right
        wanted = [f"{bracketed(groups[0])} NEAR/{_number(distance)} {bracketed(groups[1])}"]
    else:
        wanted = groups
        if distance and len(groups) > 1:
            reading.remarks.append("a distance over three or more groups is not kept: they may stand anywhere")
    return every([*wanted, *(f"NOT {bracketed(each)}" for each in unwanted)])


def _weighted(element: Any, alert: Any, reading: Reading) -> Iterator[str]:
    """What reaches the threshold: one pattern alone, several places of equal or more weight, or two of different weight."""
    threshold = _number(element.get("threshold") or alert.get("threshold") or "1")
    classes: dict[int, list[str]] = {}
    for pattern in element.iter():
        if not _name(pattern) or len(pattern) or not (pattern.text or "").strip():
            continue
        where, weight = f"line {pattern.sourceline}", _number(pattern.get("weight") or f"{threshold}")
        if weight <= 0:
            reading.refuse(
                where, _said(pattern), f"a weight of {weight} takes away, which has no counterpart; write NOT"
            )
            continue
        try:
            classes.setdefault(min(weight, threshold), []).extend(_terms(pattern))
        except Unconvertible as fault:
            reading.refuse(where, _said(pattern), str(fault))
    yield from classes.pop(threshold, ())
    if classes:
        reading.remarks.append(_WEIGHTS)
    for weight in sorted(classes, reverse=True):
        as_heavy = [term for other, terms in classes.items() if other >= weight for term in terms]
        yield canonical(f"ATLEAST/{-(-threshold // weight)}({either(as_heavy)})")
    for heavy, light in combinations(sorted(classes, reverse=True), 2):
        if heavy + light >= threshold:
            yield canonical(every((either(classes[heavy]), either(classes[light]))))


def _terms(element: Any) -> Iterator[str]:
    """The patterns in an element, as our language writes them."""
    texts = [piece for inner in element.iter() for piece in _SPLIT.split(inner.text or "") if piece.strip()]
    if not texts:
        raise Unconvertible("it names no word")
    for said in texts:
        words = " ".join(said.replace("+", " ").split())
        if "%" in words or "_" in words:
            wild = words.replace("%", "*").replace("_", "?")
            yield canonical(wild if " " not in wild else f'"{wild}"')
        else:
            yield term(words)


def _number(text: str) -> int:
    try:
        return int(float(text))
    except ValueError as error:
        raise Unconvertible(f"{text} is no number") from error


def _said(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())[:200]
