"""Rule text to tree. Every error says what is wrong, where, and what to write instead.

    rule     = level
    level    = operand, {"AND", operand} | operand, {"OR", operand} | operand, pair, operand     never two kinds
    pair     = "NEAR/" reach | "ONEAR/" reach | "EXCEPT"                reach = number | "s" | "p"
    operand  = ["NOT"], [scope], ("ATLEAST/" number, operand | term | "(", level, ")")
    term     = "@", concept name | ["=" | "~"], (word | quoted phrase) | "/", regular expression, "/", ["i"]
    scope    = "title:" | "lead:" | ... | "feed:" | "lang:" | ...

What the same text means differs from system to system (`general amnesty` is a phrase, AND, or OR), so nothing is
guessed: two readings are an error that offers both. docs/watchlists.md is the page for people.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from typing import Final

from aggregator.errors import RuleError
from aggregator.watch import advice, readings, terms
from aggregator.watch.terms import entry, literal
from aggregator.watch.tokens import UNSEEN, Token, tokens
from aggregator.watch.tree import (
    FACTS,
    SCOPES,
    And,
    AtLeast,
    ConceptRef,
    Except,
    Fact,
    Near,
    Node,
    Not,
    Or,
    Pattern,
    Words,
    bracketed,
    drawn,
    fields,
)

__all__ = [
    "SCOPES", "And", "AtLeast", "ConceptRef", "Except", "Fact", "Near", "Node", "Not", "Or", "Pattern", "Words", "drawn",
    "entry", "literal", "parse",
]  # fmt: skip

MAX_DEPTH: Final = 50  # of brackets and NOTs; people write 3
_OPEN: Final = "this bracket is never closed; write ) where it ends, or leave it out"
_CLOSED: Final = "this bracket was never opened; write ( where it begins, or leave it out"
_JOINTS: Final = ("NEAR", "EXCEPT", "AND", "OR")  # in the order in which most people would bind them


def parse(rule: str, concepts: Collection[str]) -> Node:
    """The tree of `rule`, whose `@names` are among `concepts`; `str(tree)` is its canonical form.

    Invisible direction marks (U+061C, U+200E/F, U+202A-E, U+2066-9) are dropped, yet columns count them.

    Raises:
        RuleError: the rule has no meaning, or more than one. `column` counts code points of `rule` from 1.
    """
    return _Parser(rule, concepts).tree()


class _Parser:
    """One rule, read once from left to right."""

    def __init__(self, rule: str, concepts: Collection[str]) -> None:
        self.rule = rule.translate(UNSEEN)
        self.concepts = concepts
        self.tokens = tuple(tokens(rule))
        self.at = 0

    def tree(self) -> Node:
        if not self.tokens:
            raise RuleError("the rule is empty; write what to look for, such as Taliban AND amnesty", 1)
        node = self.level(None, 0)
        if rest := self.peek():
            raise RuleError(_CLOSED, rest.column)
        if lone := _lone_not(node):
            advice = f"write what must be there: … AND {lone}"
            raise RuleError(f"{lone} stands alone, so nearly every item would match; {advice}", lone.column)
        if fact := _lone_fact(node):
            advice = f"write what must be there: … AND {fact}"
            raise RuleError(f"{fact} says where an item comes from and shows no place in it; {advice}", fact.column)
        return node

    def peek(self, ahead: int = 0) -> Token | None:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else None

    def level(self, scope: str | None, depth: int) -> Node:
        """Operands with one kind of operator between them, up to a closing bracket or the end."""
        operands: list[Node] = []
        starts: list[int] = []
        texts: list[str] = []
        joints: list[Token] = []
        while True:
            starts.append(self.at)
            operands.append(self.operand(scope, depth))
            texts.append(self.written(starts[-1]))
            joint = self.joint()
            if joint is None or joint.kind == ")":
                break
            if joint.kind not in _JOINTS:
                raise self.side_by_side(starts[-1], joint, depth)
            joints.append(joint)
        if fault := _other_kind(joints):
            raise RuleError(self.readings(texts, joints), fault.column)
        if not joints:
            return operands[0]
        if joints[0].kind in ("AND", "OR"):
            return _joined(operands, And if joints[0].kind == "AND" else Or)
        columns = [self.tokens[start].column for start in starts]
        return _pair(operands, joints[0], columns)

    def joint(self) -> Token | None:
        """What follows an operand; an operator is taken. Lexis's NOT W/n is one operator."""
        token, following = self.peek(), self.peek(1)
        if token and token.kind == "NOT" and following and following.kind == "NEAR":
            self.at += 2
            return Token("EXCEPT", f"EXCEPT {following.text}", token.start, following.end, token.column)
        if token and token.kind in _JOINTS:
            self.at += 1
        return token

    def operand(self, scope: str | None, depth: int) -> Node:
        token = self.peek()
        if token is None or token.kind in (")", *_JOINTS):
            raise self.missing_operand(token)
        if depth > MAX_DEPTH:
            raise RuleError(f"more than {MAX_DEPTH} brackets or NOTs inside each other", token.column)
        self.at += 1
        match token.kind:
            case "NOT":
                return Not(part=self.operand(scope, depth + 1), column=token.column)
            case "ATLEAST":
                start = self.at
                part = self.operand(scope, depth + 1)
                _must_have_places(part, f"ATLEAST/{token.text}", self.tokens[start].column)
                return AtLeast(times=int(token.text), part=part)
            case "scope":
                return self.operand(self.scope(token, scope), depth + 1)
            case "(":
                node = self.level(scope, depth + 1)
                if self.peek() is None:
                    raise RuleError(_OPEN, token.column)
                self.at += 1
                return node
        return self.leaf(token, scope)

    def leaf(self, token: Token, scope: str | None) -> Node:
        if scope in FACTS:
            return terms.fact(token, scope)
        match token.kind:
            case "concept":
                return ConceptRef(name=self.concept(token), scope=scope)
            case "regex":
                return terms.pattern(token, scope)
            case _:
                return terms.words(token.text, token.mark, scope, token.column)

    def scope(self, token: Token, outer: str | None) -> str:
        known = (*SCOPES, *FACTS)
        if token.text not in known:
            if token.text.lower() in ("http", "https"):
                raise RuleError(
                    f'{token.text}: begins an address; write it in quotes: url:"{token.text}://…"', token.column
                )
            near = advice.scope(token.text) or next(
                iter(difflib.get_close_matches(token.text.lower(), known, n=1)), None
            )
            fix = f"did you mean {near}: ?" if near else f"there are {': '.join(known)}: (a word is put in quotes)"
            raise RuleError(f"{token.text}: is no part of an item; {fix}", token.column)
        if outer:
            raise RuleError(f"{token.text}: stands inside {outer}: but a term has one scope", token.column)
        return token.text

    def concept(self, token: Token) -> str:
        if not token.text:
            raise RuleError("the name of a concept must follow @ at once: @name", token.column)
        if token.text not in self.concepts:
            names = {name.casefold(): name for name in self.concepts}
            near = difflib.get_close_matches(token.text.casefold(), names, n=1)
            fix = f" (did you mean @{names[near[0]]}?)" if near else "; define it under `concepts:`"
            raise RuleError(f"there is no concept @{token.text}{fix}", token.column)
        return token.text

    # ------------------------------------------------------------ what to write instead

    def written(self, first: int) -> str:
        """The rule's own text from token `first` to the last one taken, in one line."""
        return " ".join(self.rule[self.tokens[first].start : self.tokens[self.at - 1].end].split())

    def missing_operand(self, here: Token | None) -> RuleError:  # noqa: PLR0911  # one for each fault
        """What to say when no operand stands where one must."""
        before = self.tokens[self.at - 1] if self.at else Token("start", "", 0, 0, 1)
        match before.kind, here:
            case "start", Token(kind=")", column=column):
                return RuleError(_CLOSED, column)
            case "start" | "(", Token(kind="AND" | "OR" | "NEAR" | "EXCEPT", text=operator, column=column):
                return RuleError(f"{operator} has nothing on its left; write a term before it, or leave it out", column)
            case "(", None:
                return RuleError(_OPEN, before.column)
            case "(", _:
                return RuleError(
                    "there is nothing in these brackets; write a term in them, or leave them out", before.column
                )
            case "scope", _:
                return RuleError(
                    f"{before.text}: has nothing on its right; write a term behind it, or leave it out", before.column
                )
            case "ATLEAST", _:
                return RuleError(
                    f"ATLEAST/{before.text} has nothing on its right; write what to count: ATLEAST/{before.text}(term)",
                    before.column,
                )
        return RuleError(
            f"{before.text} has nothing on its right; write a term behind it, or leave it out", before.column
        )

    def readings(self, texts: Sequence[str], joints: Sequence[Token]) -> str:
        """A level with several kinds of operator, in each way that it can be read and has a meaning."""
        kinds = sorted({joint.kind for joint in joints}, key=_JOINTS.index)
        names = [next(joint.text for joint in joints if joint.kind == kind) for kind in kinds]
        ways = [readings.grouped(texts, joints, kinds), readings.grouped(texts, joints, kinds[::-1])]
        if len(kinds) == 1:
            ways[1] = f"{texts[0]} {joints[0].text} ({readings.grouped(texts[1:], joints[1:], kinds)})"
        fault = f"{' and '.join(names)} stand side by side" if len(kinds) > 1 else f"{names[0]} joins two, not more"
        return f"{fault}; write {' or '.join(filter(self.has_meaning, ways)) or ways[0]}"

    def has_meaning(self, rule: str) -> bool:
        try:
            _Parser(rule, self.concepts).level(None, 0)
        except RuleError:
            return False
        return True

    def side_by_side(self, first: int, second: Token, depth: int) -> RuleError:
        """No operator between two operands: one began at token `first`, the other begins with `second`."""
        kinds = {each.kind for each in self.tokens[first : self.at]}
        pieces = [self.written(first)]
        while (token := self.peek()) and token.kind not in (")", *_JOINTS):
            kinds.add(token.kind)
            start = self.at
            self.operand(None, depth)
            pieces.append(self.written(start))
        phrase = f', or "{" ".join(pieces)}" for the phrase' if kinds == {"word"} else ""
        return RuleError(f"{readings.side_by_side(pieces)}{phrase}", second.column)


# ---------------------------------------------------------------- operators


def _pair(operands: Sequence[Node], joint: Token, columns: Sequence[int]) -> Node:
    """NEAR, ONEAR or EXCEPT of two operands, both of which have places."""
    left, right = operands
    for side, column in zip(operands, columns, strict=True):
        _must_have_places(side, joint.text, column)
    _, _, distance = joint.text.rpartition(" ")
    node: Node = Except(left=left, right=right)
    if distance != "EXCEPT":
        name, _, reach = distance.partition("/")
        node = Near(
            left=left,
            right=right,
            reach="s" if reach == "s" else "p" if reach == "p" else int(reach),
            ordered=name == "ONEAR",
        )
    if not fields(left) & fields(right):
        raise RuleError(
            f"{left} and {right} stand in different parts of an item, so {joint.text} is never true", joint.column
        )
    return Except(left=left, right=node) if isinstance(node, Near) and joint.kind == "EXCEPT" else node


def _must_have_places(node: Node, operator: str, column: int) -> None:
    """Refuse what has no place of its own in a text."""
    fault = _placeless(node)
    if fault is None:
        return
    match fault:
        case Not(part=part):
            advice = f"write … AND {fault} for the whole item, … EXCEPT {bracketed(part)} for single places"
        case And():
            advice = "write an operator for each of its parts, with AND between"
        case _:
            advice = f"write it outside: … AND {bracketed(fault)}"
    raise RuleError(f"{operator} compares places in a text, and {fault} has none; {advice}", column)


def _placeless(node: Node) -> Node | None:
    """The first part of `node` that has no place of its own, if there is one."""
    match node:
        case Words() | Pattern() | ConceptRef():
            return None
        case Or(parts=parts):
            return next((fault for part in parts if (fault := _placeless(part))), None)
        case Near(left=left, right=right) | Except(left=left, right=right):
            return _placeless(left) or _placeless(right)
        case other:
            return other


def _lone_not(node: Node) -> Not | None:
    """The first NOT with nothing positive beside it, if there is one."""
    match node:
        case Not():
            return node
        case And(parts=parts):
            beside = [part.part if isinstance(part, Not) else part for part in parts]
            if isinstance(parts[0], Not) and all(isinstance(part, Not) for part in parts):
                return parts[0]
        case Or(parts=parts):
            beside = list(parts)
        case _:
            return None
    return next((lone for part in beside if (lone := _lone_not(part))), None)


def _lone_fact(node: Node) -> Fact | None:
    """The first fact by which alone `node` could be true, if there is one."""
    match node:
        case Fact():
            return node
        case And(parts=parts):
            lone = [_lone_fact(part) for part in parts if not isinstance(part, Not)]
            return lone[0] if all(lone) else None
        case Or(parts=parts):
            return next((fact for part in parts if (fact := _lone_fact(part))), None)
        case _:
            return None


def _joined(operands: Sequence[Node], kind: type[And | Or]) -> Node:
    """One And or Or of all operands; those of the same kind are taken apart, for they mean the same."""
    parts: list[Node] = []
    for operand in operands:
        parts += operand.parts if isinstance(operand, kind) else (operand,)
    return kind(parts=tuple(parts))


def _other_kind(joints: Sequence[Token]) -> Token | None:
    """The first operator of a level that may not follow the one before it."""
    if len(joints) > 1 and joints[0].kind in ("NEAR", "EXCEPT"):
        return joints[1]
    return next((joint for joint in joints if joint.kind != joints[0].kind), None)
