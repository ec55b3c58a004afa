"""What a rule says, as a tree; `str` of any part is its canonical text, which reads back as that part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, get_args

from aggregator.model import FieldName
from aggregator.watch.tokens import bare, wild

FIELDS: Final[frozenset[FieldName]] = frozenset(get_args(FieldName))
SCOPES: Final[Mapping[str, frozenset[FieldName]]] = MappingProxyType(
    {
        "title": frozenset({"title"}),
        "summary": frozenset({"summary"}),
        "content": frozenset({"content"}),
        "article": frozenset({"article"}),
        "body": frozenset({"content", "article"}),
        "lead": frozenset({"summary", "content", "article"}),  # the first LEAD words of each
        "tags": frozenset({"tags"}),
    }
)
LEAD: Final = 80  # words
FACTS: Final = ("feed", "source", "lang", "author", "url")  # scopes that say where an item comes from

Mark = Literal["", "=", "~"]
Reach = int | Literal["s", "p"]  # words between, or: the same sentence, the same paragraph
_WILDCARDS: Final = re.compile(r"[*?]")
_STRAIGHT: Final = frozenset('"“”„')  # quotes that end each other; « is ended by »


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One word, or several in sequence, as written: with common endings, `=` exactly so, `~` with related forms."""

    text: str
    scope: str | None = None
    mark: Mark = ""

    def __str__(self) -> str:
        plain = bare(_WILDCARDS.sub("", self.text)) if wild(self.text) else bare(self.text)
        plain = plain and not (self.mark == "~" and self.text[0].isdecimal())  # ~5 is a distance elsewhere
        return _scoped(self.scope, self.mark + (self.text if plain else quoted(self.text)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A regular expression on the original text, case by case unless `any_case`. `text` stands as between the slashes."""

    text: str
    scope: str | None = None
    any_case: bool = False

    def __str__(self) -> str:
        return _scoped(self.scope, f"/{self.text}/{'i' if self.any_case else ''}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptRef:
    """Any spelling of a concept."""

    name: str
    scope: str | None = None

    def __str__(self) -> str:
        return _scoped(self.scope, f"@{self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What is known of an item beside its text. It has no place, so it never makes a rule true by itself."""

    scope: str  # one of FACTS
    text: str
    column: int = field(default=1, compare=False, repr=False)

    def __str__(self) -> str:
        return _scoped(self.scope, self.text if bare(self.text) else quoted(self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """What must not stand in the item. Always beside something that must."""

    part: Node
    column: int = field(default=1, compare=False, repr=False)

    def __str__(self) -> str:
        return f"NOT {bracketed(self.part)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """All of two or more parts, none of them an And."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " AND ".join(map(bracketed, self.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """Any of two or more parts, none of them an Or."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(map(bracketed, self.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Two places of one field that are close and do not overlap; `ordered`: the left one first."""

    left: Node
    right: Node
    reach: Reach
    ordered: bool = False

    @property
    def operator(self) -> str:
        """As it stands between its sides."""
        return f"{'O' if self.ordered else ''}NEAR/{self.reach}"

    def __str__(self) -> str:
        return f"{bracketed(self.left)} {self.operator} {bracketed(self.right)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Except:
    """The places of `left` that lie inside no place of `right`."""

    left: Node
    right: Node

    def __str__(self) -> str:
        return f"{bracketed(self.left)} EXCEPT {bracketed(self.right)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast:
    """At least so many places in the whole item; of places inside each other the longest counts."""

    times: int
    part: Node

    def __str__(self) -> str:
        return f"ATLEAST/{self.times}({self.part})"


Term = Words | Pattern | ConceptRef
Leaf = Term | Fact
Node = Leaf | Not | And | Or | Near | Except | AtLeast


def branches(node: Node) -> tuple[Node, ...]:
    """The parts of `node`, in the order of the rule; none of a leaf."""
    match node:
        case And(parts=parts) | Or(parts=parts):
            return parts
        case Near(left=left, right=right) | Except(left=left, right=right):
            return left, right
        case Not(part=part) | AtLeast(part=part):
            return (part,)
        case _:
            return ()


def leaves(node: Node) -> Iterator[Leaf]:
    """Every leaf of `node`, in the order of the rule."""
    if isinstance(node, Words | Pattern | ConceptRef | Fact):
        yield node
    for part in branches(node):
        yield from leaves(part)


def fields(node: Node) -> frozenset[FieldName]:
    """Where the places of `node` can be, if it has places."""
    match node:
        case Words(scope=scope) | Pattern(scope=scope) | ConceptRef(scope=scope):
            return SCOPES[scope] if scope else FIELDS
        case Near(left=left, right=right):
            return fields(left) & fields(right)
        case Except(left=left):
            return fields(left)
        case other:
            return frozenset(name for part in branches(other) for name in fields(part))


def drawn(node: Node, depth: int = 0) -> str:
    """The tree with one leaf a line, indented, each leaf isolated so that writing directions never mix in a line."""
    indent = "  " * depth
    parts = branches(node)
    if not parts:
        return f"{indent}\u2068{node}\u2069"
    match node:
        case Near():
            name = node.operator
        case AtLeast(times=times):
            name = f"ATLEAST/{times}"
        case other:
            name = type(other).__name__.upper()
    return "\n".join((f"{indent}{name}", *(drawn(part, depth + 1) for part in parts)))


def quoted(text: str) -> str:
    """`text` in quotes that it does not hold."""
    return f'"{text}"' if _STRAIGHT.isdisjoint(text) else f"«{text}»"


def bracketed(node: Node) -> str:
    """`node` so that it may stand beside any operator."""
    return f"({node})" if isinstance(node, And | Or | Near | Except) else str(node)


def _scoped(scope: str | None, term: str) -> str:
    return f"{scope}:{term}" if scope else term
