"""Rule text to tree, and back. Every error says what is wrong, where, and what to write instead.

    rule     = level
    level    = operand, {"AND", operand} | operand, {"OR", operand}     never both without brackets
    operand  = ["NOT"], [scope], (term | "(", level, ")")
    term     = "@", concept name | word | quoted phrase
    scope    = "title:" | "summary:" | "content:" | "article:" | "body:" | "tags:"

What the same text means differs from system to system (`general amnesty` is a phrase, AND, or OR), so nothing is
guessed: two readings are an error that offers both.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass, field

from aggregator.errors import RuleError
from aggregator.model import FieldName
from aggregator.text.fold import folded
from aggregator.watch.tokens import OPERATORS, UNSEEN, WILDCARD, Token, bare, tokens

SCOPES: dict[str, frozenset[FieldName]] = {
    "title": frozenset({"title"}),
    "summary": frozenset({"summary"}),
    "content": frozenset({"content"}),
    "article": frozenset({"article"}),
    "body": frozenset({"content", "article"}),
    "tags": frozenset({"tags"}),
}
_STRAIGHT = frozenset('"“”„')  # quotes that end each other; « is ended by »
MAX_DEPTH = 50  # of brackets and NOTs; people write 3

# ---------------------------------------------------------------- the tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One word, or several in sequence, as written."""

    text: str
    scope: str | None = None

    def __str__(self) -> str:
        return _scoped(self.scope, self.text if bare(self.text) else _quoted(self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptRef:
    """Any spelling of a concept."""

    name: str
    scope: str | None = None

    def __str__(self) -> str:
        return _scoped(self.scope, f"@{self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """What must not stand in the item. Always beside something that must."""

    part: Node
    column: int = field(default=1, compare=False, repr=False)

    def __str__(self) -> str:
        return f"NOT {_bracketed(self.part)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """All of two or more parts, none of them an And."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " AND ".join(map(_bracketed, self.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """Any of two or more parts, none of them an Or."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(map(_bracketed, self.parts))


Node = Words | ConceptRef | Not | And | Or


def _scoped(scope: str | None, term: str) -> str:
    return f"{scope}:{term}" if scope else term


def _quoted(text: str) -> str:
    return f'"{text}"' if _STRAIGHT.isdisjoint(text) else f"«{text}»"


def _bracketed(node: Node) -> str:
    return f"({node})" if isinstance(node, And | Or) else str(node)


# ---------------------------------------------------------------- reading a rule


def parse(rule: str, concepts: Collection[str]) -> Node:
    """The tree of `rule`, whose `@names` are among `concepts`; `str(tree)` is its canonical form.

    Invisible direction marks (U+061C, U+200E/F, U+202A-E, U+2066-9) are dropped, yet columns count them.

    Raises:
        RuleError: the rule has no meaning, or more than one. `column` counts code points of `rule` from 1.
    """
    return _Parser(rule, concepts).tree()


def literal(text: str) -> Words:
    """A keyword as a leaf: its words in sequence, whatever else they may look like.

    Raises:
        RuleError: nothing of it can stand in a text, or it holds a wildcard.
    """
    return Words(text=_findable(" ".join(text.translate(UNSEEN).split()), 1))


class _Parser:
    """One rule, read once from left to right."""

    def __init__(self, rule: str, concepts: Collection[str]) -> None:
        self.rule = rule.translate(UNSEEN)
        self.concepts = concepts
        self.tokens = tuple(tokens(rule))
        self.at = 0

    def tree(self) -> Node:
        if not self.tokens:
            raise RuleError("the rule is empty", 1)
        node = self.level(None, 0)
        if rest := self.peek():
            raise RuleError("this bracket was never opened", rest.column)
        if lone := _lone_not(node):
            advice = f"write what must be there: … AND {lone}"
            raise RuleError(f"{lone} stands alone, so nearly every item would match; {advice}", lone.column)
        return node

    def peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def level(self, scope: str | None, depth: int) -> Node:
        """Operands with one kind of operator between them, up to a closing bracket or the end."""
        operands: list[Node] = []
        texts: list[str] = []
        joints: list[Token] = []
        while True:
            first = self.at
            operands.append(self.operand(scope, depth))
            texts.append(self.written(first))
            joint = self.peek()
            if joint is None or joint.kind == ")":
                break
            if joint.kind not in ("AND", "OR"):
                raise self.side_by_side(first, joint, depth)
            joints.append(joint)
            self.at += 1
        for joint in joints:
            if joint.kind != joints[0].kind:
                raise RuleError(_two_readings(texts, [each.kind for each in joints]), joint.column)
        return _joined(operands, And if joints[0].kind == "AND" else Or) if joints else operands[0]

    def operand(self, scope: str | None, depth: int) -> Node:
        token = self.peek()
        if token is None or token.kind in (")", "AND", "OR"):
            raise self.missing_operand(token)
        if depth > MAX_DEPTH:
            raise RuleError(f"more than {MAX_DEPTH} brackets or NOTs inside each other", token.column)
        self.at += 1
        match token.kind:
            case "NOT":
                return Not(part=self.operand(scope, depth + 1), column=token.column)
            case "scope":
                return self.operand(self.scope(token, scope), depth + 1)
            case "(":
                node = self.level(scope, depth + 1)
                if self.peek() is None:
                    raise RuleError("this bracket is never closed", token.column)
                self.at += 1
                return node
            case "concept":
                return ConceptRef(name=self.concept(token), scope=scope)
            case _:
                return Words(text=_findable(token.text, token.column), scope=scope)

    def scope(self, token: Token, outer: str | None) -> str:
        if token.text not in SCOPES:
            near = difflib.get_close_matches(token.text.lower(), SCOPES, n=1)
            advice = (
                f"did you mean {near[0]}: ?" if near else f"there are {': '.join(SCOPES)}: (a word is put in quotes)"
            )
            raise RuleError(f"{token.text}: is no part of an item; {advice}", token.column)
        if outer:
            raise RuleError(f"{token.text}: stands inside {outer}: but a term has one scope", token.column)
        return token.text

    def concept(self, token: Token) -> str:
        if not token.text:
            raise RuleError("the name of a concept must follow @", token.column)
        if token.text not in self.concepts:
            names = {name.casefold(): name for name in self.concepts}
            near = difflib.get_close_matches(token.text.casefold(), names, n=1)
            guess = f" (did you mean @{names[near[0]]}?)" if near else ""
            raise RuleError(f"there is no concept @{token.text}{guess}", token.column)
        return token.text

    # ------------------------------------------------------------ what to write instead

    def written(self, first: int) -> str:
        """The rule's own text from token `first` to the last one taken."""
        return self.rule[self.tokens[first].start : self.tokens[self.at - 1].end]

    def missing_operand(self, here: Token | None) -> RuleError:
        before = self.tokens[self.at - 1] if self.at else Token("start", "", 0, 0, 1)
        match before.kind, here:
            case "start", Token(kind=")", column=column):
                return RuleError("this bracket was never opened", column)
            case "start" | "(", Token(kind="AND" | "OR" as operator, column=column):
                return RuleError(f"{operator} has nothing on its left", column)
            case "(", None:
                return RuleError("this bracket is never closed", before.column)
            case "(", _:
                return RuleError("there is nothing in these brackets", before.column)
            case "scope", _:
                return RuleError(f"{before.text}: has nothing on its right", before.column)
        return RuleError(f"{before.text} has nothing on its right", before.column)

    def side_by_side(self, first: int, second: Token, depth: int) -> RuleError:
        """No operator between two operands: one began at token `first`, the other begins with `second`."""
        kinds = {each.kind for each in self.tokens[first : self.at]}
        pieces = [self.written(first)]
        while (token := self.peek()) and token.kind not in (")", "AND", "OR"):
            kinds.add(token.kind)
            start = self.at
            self.operand(None, depth)
            pieces.append(self.written(start))
        phrase = f', or "{" ".join(pieces)}" for the phrase' if kinds == {"word"} else ""
        lower = any(piece.upper() in OPERATORS for piece in pieces)
        fault = "operators are upper case" if lower else "no operator stands between these terms"
        return RuleError(f"{fault}; write {_with_operators(pieces)}{phrase}", second.column)


def _findable(text: str, column: int) -> str:
    """`text`, when it can stand somewhere."""
    if "*" in text:
        raise RuleError(f"{text}: {WILDCARD}", column)
    if not folded(text):
        raise RuleError(f"{_quoted(text)} holds no letter or digit, so it can stand nowhere", column)
    return text


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


def _joined(operands: list[Node], kind: type[And | Or]) -> Node:
    """One And or Or of all operands; those of the same kind are taken apart, for they mean the same."""
    parts: list[Node] = []
    for operand in operands:
        parts += operand.parts if isinstance(operand, kind) else (operand,)
    return kind(parts=tuple(parts))


def _two_readings(texts: list[str], joints: list[str]) -> str:
    first, second = _grouped(texts, joints, "AND"), _grouped(texts, joints, "OR")
    return f"AND and OR stand side by side; write {first} or {second}"


def _grouped(texts: list[str], joints: list[str], tight: str) -> str:
    """The level with brackets round everything that `tight` joins."""
    groups = [[texts[0]]]
    for joint, text in zip(joints, texts[1:], strict=True):
        if joint == tight:
            groups[-1].append(text)
        else:
            groups.append([text])
    loose = "OR" if tight == "AND" else "AND"
    return f" {loose} ".join(f"({f' {tight} '.join(group)})" if len(group) > 1 else group[0] for group in groups)


def _with_operators(pieces: list[str]) -> str:
    """The pieces with lower-case operators raised, and AND where there is none."""
    out: list[str] = []
    for piece in pieces:
        word = piece.upper() if piece.upper() in OPERATORS else piece
        if out and out[-1] not in OPERATORS and word not in ("AND", "OR"):
            out.append("AND")
        out.append(word)
    return " ".join(out)
