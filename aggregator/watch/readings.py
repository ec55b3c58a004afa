"""How a rule without a meaning could be written: the ways to bracket it, the operators that it lacks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aggregator.watch import advice
from aggregator.watch.tokens import OPERATORS, Token


def side_by_side(pieces: Sequence[str]) -> str:
    """What is wrong with terms that no operator parts, and what to write."""
    if inside := advice.quoted(pieces):
        return f'single quotes are no quotes here; write "{inside}"'
    if any(piece.upper() in OPERATORS for piece in pieces):
        return f"operators are upper case; write {_with_operators(pieces)}"
    called = re.fullmatch(r"([^\W\d][\w/]*)", pieces[0]) if pieces[1].startswith("(") else None
    if called and not pieces[0].islower():
        return f"{called[1]} does not go before a bracket; write {_with_operators(pieces)}, or ATLEAST/3(term) to count"
    for at, piece in enumerate(pieces[1:-1], 1):
        if meant := advice.operator(piece):
            tail = pieces[-1] if "NEAR" in meant else " ".join(pieces[at + 1 :])
            return f"{piece} is no operator; write {pieces[at - 1]} {meant} {tail}"
    return f"no operator stands between these terms; write {_with_operators(pieces)}"


def grouped(texts: Sequence[str], joints: Sequence[Token], order: Sequence[str]) -> str:
    """The level with brackets round everything that its operators join, the first kind of `order` binding first."""
    pieces, left = list(texts), list(joints)
    for kind in order:
        at = 0
        while at < len(left):
            end = at
            while end < len(left) and left[end].kind == kind and (end == at or kind in ("AND", "OR")):
                end += 1
            if end > at and end - at < len(left):
                pieces[at : end + 1] = [f"({_line(pieces[at : end + 1], left[at:end])})"]
                del left[at:end]
            else:
                at = max(end, at + 1)
    return _line(pieces, left)


def _line(pieces: Sequence[str], joints: Sequence[Token]) -> str:
    return pieces[0] + "".join(f" {joint.text} {piece}" for joint, piece in zip(joints, pieces[1:], strict=True))


def _with_operators(pieces: Sequence[str]) -> str:
    """The pieces with lower-case operators raised, and AND where there is none."""
    out: list[str] = []
    for piece in pieces:
        word = piece.upper() if piece.upper() in OPERATORS else piece
        if out and out[-1] not in OPERATORS and word not in ("AND", "OR", "EXCEPT"):
            out.append("AND")
        out.append(word)
    return " ".join(out)
