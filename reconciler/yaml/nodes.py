"""A YAML file as nodes that know where they stand, so that a change can be made in the text at a node's own lines.

:mod:`reconciler.yaml.reader` reads what a file *means*; this module keeps how it is *written*, from the same events.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from reconciler.yaml.events import AliasEvent, MappingStartEvent, ScalarEvent, parsed
from reconciler.yaml.reader import tree_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PROPERTIES: Final = re.compile(r"(?:[&!][^ \t\n,\[\]{}]*|[ \t\n]+|(?<=[ \t\n])#[^\n]*)*")
"""Anchors and tags before a value, with the comments and blanks between them and it."""


@dataclass(slots=True, eq=False)
class Node:
    """A value in the text. ``outer`` is where its anchor begins, ``start`` and ``end`` enclose the value itself."""

    outer: int
    start: int
    end: int
    value: Any
    anchor: str | None = None

    @property
    def children(self) -> list[Node]:
        """The values inside it."""
        return []


@dataclass(slots=True, eq=False)
class ScalarNode(Node):
    """A single value; ``style`` is ``"``, ``'``, ``|``, ``>`` or nothing for a plain one."""

    style: str = ""


@dataclass(slots=True, eq=False)
class AliasNode(Node):
    """Stands for what an anchor names."""

    name: str = ""


@dataclass(slots=True, eq=False)
class MappingNode(Node):
    """Keys and values, in braces (``flow``) or in lines."""

    flow: bool = False
    keys: list[Node] = field(default_factory=list)
    values: list[Node] = field(default_factory=list)

    @property
    def children(self) -> list[Node]:
        """The values inside it."""
        return self.values


@dataclass(slots=True, eq=False)
class SequenceNode(Node):
    """Items, in brackets (``flow``) or in lines, whose dashes stand at ``dashes``."""

    flow: bool = False
    items: list[Node] = field(default_factory=list)
    dashes: list[int] = field(default_factory=list)

    @property
    def children(self) -> list[Node]:
        """The values inside it."""
        return self.items


def read_nodes(text: str) -> Node:
    """Return the nodes of a YAML text that is not empty. Raises :class:`reconciler.errors.SourceError`."""
    return parsed(text, "", lambda following: _nodes(following, text))


def _nodes(following: Callable[[], Any], text: str) -> Node:
    recorded: list[Any] = []

    def recording() -> Any:
        recorded.append(following())
        return recorded[-1]

    root = tree_of(recording, text, "").root
    return _Builder(text, iter(recorded)).root(root)


def walk(node: Node) -> Iterator[Node]:
    """Iterate over a node and all that is inside it, keys included, in the order of the text."""
    yield node
    if isinstance(node, MappingNode):
        for key, value in zip(node.keys, node.values, strict=True):
            yield key
            yield from walk(value)
    else:
        for child in node.children:
            yield from walk(child)


def line_start(text: str, offset: int) -> int:
    """Return where the line begins that holds an offset."""
    return text.rfind("\n", 0, offset) + 1


def line_end(text: str, offset: int) -> int:
    """Return where the line ends that holds an offset: at its line break, or at the end of the text."""
    end = text.find("\n", offset)
    return len(text) if end < 0 else end


def column(text: str, offset: int) -> int:
    """Return how many characters stand before an offset in its line."""
    return offset - line_start(text, offset)


class _Builder:
    """Builds the nodes of values that were read; each method consumes exactly the events of its node."""

    def __init__(self, text: str, events: Iterator[Any]) -> None:
        self._text = text
        self._events = events

    def root(self, value: Any) -> Node:
        next(self._events)
        next(self._events)
        return self._node(value)

    def _node(self, value: Any) -> Node:
        event = next(self._events)
        kind = type(event)
        start, end = event.start_mark.index, event.end_mark.index
        if kind is AliasEvent:
            return AliasNode(start, start, end, value, name=event.anchor)
        inner = start
        if event.anchor is not None or event.tag is not None:
            match = _PROPERTIES.match(self._text, start)
            inner = match.end() if match else start
        if kind is ScalarEvent:
            node: Node = self._scalar(event, value, start, min(inner, max(end, start)))
        elif kind is MappingStartEvent:
            node = self._mapping(value, start, inner, flow=bool(event.flow_style))
        else:
            node = self._sequence(value, start, inner, flow=bool(event.flow_style))
        node.anchor = event.anchor
        return node

    def _scalar(self, event: Any, value: Any, outer: int, start: int) -> Node:
        end = event.end_mark.index
        style = event.style or ""
        if style in ("|", ">"):
            end = line_end(self._text, start + len(self._text[start:end].rstrip(" \t\n")))
        elif start == end and event.anchor is None:
            outer = start = end = len(self._text[:start].rstrip(" \t\n"))
        return ScalarNode(outer, start, end, value, style=style)

    def _mapping(self, values: dict[str, Any], outer: int, start: int, *, flow: bool) -> Node:
        node = MappingNode(outer, start, start, values, flow=flow)
        for key, value in values.items():
            node.keys.append(self._node(key))
            node.values.append(self._node(value))
        event = next(self._events)
        node.end = event.end_mark.index if flow else node.values[-1].end
        if not flow:
            node.start = min(start, node.keys[0].outer)  # what stands in lines of their own may be its first key's
        return node

    def _sequence(self, values: list[Any], outer: int, start: int, *, flow: bool) -> Node:
        node = SequenceNode(outer, start, start, values, flow=flow)
        for value in values:
            item = self._node(value)
            if not flow:
                node.dashes.append(self._dash(item.outer, column(self._text, start)))
            node.items.append(item)
        event = next(self._events)
        node.end = event.end_mark.index if flow else node.items[-1].end
        return node

    def _dash(self, offset: int, at: int) -> int:
        """Return where the dash of an item stands: in its line, or above it, in the column of all dashes."""
        begin = line_start(self._text, offset)
        while begin > 0 and not (begin + at <= offset and self._text[begin + at : begin + at + 1] == "-"):
            begin = line_start(self._text, begin - 1)
        return begin + at
