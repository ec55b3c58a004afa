"""YAML text to plain values that remember where they stood.

The C parser's events are put together on a stack of our own, for the C composer recurses: 100,000 brackets (200 KB) end
the interpreter with a segmentation fault (PyYAML 6.0.3, libyaml 0.2.5). Scalars follow the YAML 1.2 core schema: `no`,
`on`, `2021-08-15` and `12:30` are text. Tags are refused; aliases may stand while they stay small.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import yaml

Path = tuple[str | int, ...]
Place = tuple[int, int]  # line and column, both from 1, in code points

MAX_DEPTH: Final = 40  # the deepest sensible feeds.yaml has 6
MAX_ALIASED: Final = 100_000  # nodes that aliases may stand for in all; a real file shares a few dozen

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT: Final = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT: Final = re.compile(
    r"[-+]?(\.[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,3})?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_QUOTED_CHAR: Final = {"'": re.compile(r"''|."), '"': re.compile(r"\\(?:x..|u.{4}|U.{8}|.)|.")}


class Block:
    """A mapping or a list, with its parts. A scalar needs no such thing: its event knows as much."""

    __slots__ = ("children", "closed", "end_mark", "key", "keys", "size", "start_mark", "value")

    def __init__(self, event: yaml.CollectionStartEvent, value: dict[str, Any] | list[Any]) -> None:
        self.value = value
        self.children: dict[str | int, Node] = {}
        self.keys: dict[str | int, Any] = {}
        self.start_mark: Any = event.start_mark
        self.end_mark: Any = event.end_mark
        self.key: str | None = None  # waits for its value
        self.size = 1  # nodes in it, aliases written out
        self.closed = False


Node = Block | yaml.ScalarEvent  # both have start_mark and end_mark, which the C parser always sets


class Document:
    """One text, read: `value` is plain data, `problems` what the YAML itself has wrong."""

    def __init__(self, text: str) -> None:
        reader = _Reader()
        try:
            reader.read(yaml.parse(text, Loader=yaml.CSafeLoader))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            reader.problems.append((_place(mark), (), f"cannot be read: {error.problem or error.context}"))
        except yaml.reader.ReaderError as error:
            place = (text.count("\n", 0, error.position) + 1, 1)
            reader.problems.append((place, (), "cannot be read: a character that no text holds"))
        self.text = text
        self.problems = reader.problems
        self._root = reader.root
        self.value = None if self._root is None else _value(self._root)

    def node(self, path: Path) -> Node | None:
        """What the text itself says at `path`."""
        node, depth = self._walk(path)
        return node if depth == len(path) else None

    def place(self, path: Path) -> Place:
        """Where the value at `path` stands, or the nearest thing round it."""
        node, _ = self._walk(path)
        return _place(node.start_mark if node else None)

    def key_place(self, path: Path) -> Place:
        """Where the key that ends `path` stands, or the nearest thing round it."""
        block, depth = self._walk(path[:-1])
        mark = block.keys.get(path[-1]) if isinstance(block, Block) and depth == len(path) - 1 else None
        return _place(mark) if mark else self.place(path)

    def span(self, path: Path) -> tuple[int, int]:
        """Start and end of the value at `path`, in code points of the text."""
        node: Any = self._walk(path)[0]
        return (node.start_mark.index, node.end_mark.index) if node else (0, 0)

    def column_in(self, path: Path, column: int) -> Place:
        """Where character `column` (from 1) of the text at `path` stands; of a text over several lines, its start."""
        line, start = self.place(path)
        source = self.text[slice(*self.span(path))]
        if "\n" in source:
            return line, start
        character = _QUOTED_CHAR.get(source[:1])
        if character is None:
            return line, start + column - 1
        starts = [found.start() for found in character.finditer(source, 1)]  # the last is the closing quote
        return line, start + starts[min(column, len(starts)) - 1]

    def _walk(self, path: Path) -> tuple[Node | None, int]:
        """The node at `path` or the last one on the way, and how far the way went."""
        node = self._root
        for depth, part in enumerate(path):
            child = node.children.get(part) if isinstance(node, Block) else None
            if child is None:
                return node, depth
            node = child
        return node, len(path)


class _Reader:
    """Events in, `root` and `problems` out."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[tuple[Place, Path, str]] = []
        self._open: list[Block] = []
        self._anchors: dict[str, Node] = {}
        self._aliased = 0

    def read(self, events: Iterable[yaml.Event]) -> None:
        """All events of the first document.

        Raises:
            yaml.MarkedYAMLError: it is no YAML, or more than we take.
        """
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.MappingStartEvent):
                self._start(event, Block(event, {}))
            elif isinstance(event, yaml.SequenceStartEvent):
                self._start(event, Block(event, []))
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
                self._wrong(event, "a second document (---): only one is read")
                return

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._note(event, event)
        block = self._open[-1] if self._open else None
        if block is None or block.key is not None or type(block.value) is list:
            self._put(event)
            return
        key = block.key = event.value
        if key in block.keys:
            self._wrong(event, f"written twice (first in line {block.keys[key].line + 1})")
        block.keys.setdefault(key, event.start_mark)

    def _start(self, event: yaml.CollectionStartEvent, block: Block) -> None:
        self._note(event, block)
        self._open.append(block)
        if len(self._open) > MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deep", problem_mark=block.start_mark)

    def _end(self, event: yaml.CollectionEndEvent) -> None:
        block = self._open.pop()
        block.end_mark = event.end_mark
        block.closed = True
        self._put(block)

    def _alias(self, event: yaml.AliasEvent) -> None:
        node = self._anchors.get(event.anchor or "")
        if node is None or (isinstance(node, Block) and not node.closed):
            self._wrong(event, f"there is no finished anchor &{event.anchor} before this")
            node = yaml.ScalarEvent(None, None, (True, False), "", event.start_mark, event.end_mark)
        self._aliased += _size(node)
        if self._aliased > MAX_ALIASED:
            mark: Any = event.start_mark
            raise yaml.MarkedYAMLError(problem="aliases stand for too much", problem_mark=mark)
        self._put(node)

    def _note(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, node: Node) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        if event.tag is not None:
            self._wrong(event, f"tags such as {event.tag} are refused: write the value alone")

    def _put(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        block = self._open[-1]
        block.size += _size(node)
        if isinstance(block.value, list):
            block.children[len(block.value)] = node
            block.value.append(_value(node))
        elif block.key is None:
            self._wrong(node, "a key must be plain text")
            block.key = "?"
        else:
            block.children[block.key] = node
            block.value[block.key] = _value(node)
            block.key = None

    def _wrong(self, node: yaml.Event | Block, text: str) -> None:
        path = (len(block.value) if type(block.value) is list else block.key for block in self._open)
        self.problems.append((_place(node.start_mark), tuple(part for part in path if part is not None), text))


def _size(node: Node) -> int:
    return node.size if isinstance(node, Block) else 1


def _place(mark: Any) -> Place:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _value(node: Node) -> Any:
    """What a node means: unquoted scalars by the YAML 1.2 core schema."""
    if isinstance(node, Block):
        return node.value
    text = node.value
    if not node.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-+.0123456789":
        return text
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    return float(text.replace(".inf", "inf").replace(".nan", "nan")) if _FLOAT.fullmatch(text) else text
