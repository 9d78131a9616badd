"""A YAML file as nodes that know where they stand, so that a change can be made in the text at a node's own lines.

:mod:`reconciler.declaration.yaml_reader` reads what a file *means*, and refuses what a declaration has no use for; this
module is for files that it has accepted, and keeps how they are *written*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent

from reconciler.declaration.scalars import plain_value
from reconciler.declaration.yaml_events import new_parser
from reconciler.declaration.yaml_reader import INNER_COLON, unused_character

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROPERTIES: Final = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]*(?:#[^\n]*)?\s*)*")


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
    """Return the nodes of a YAML text that :func:`reconciler.declaration.yaml_reader.read_yaml` accepts."""
    try:
        return _Builder(text).root()
    except MarkedYAMLError:
        return _Builder(text, unused_character(text)).root()


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
    """Builds the nodes; each method consumes exactly the events of its node."""

    def __init__(self, text: str, colon: str | None = None) -> None:
        self._text = text
        self._colon = colon
        self._next = new_parser(text if colon is None else INNER_COLON.sub(colon, text)).get_event
        self._anchors: dict[str, Any] = {}

    def root(self) -> Node:
        self._next()
        self._next()
        return self._node(self._next())

    def _node(self, event: Any) -> Node:
        kind = type(event)
        start, end = event.start_mark.index, event.end_mark.index
        if kind is AliasEvent:
            return AliasNode(start, start, end, self._anchors[event.anchor], name=event.anchor)
        inner = start
        if event.anchor is not None or event.tag is not None:
            match = _PROPERTIES.match(self._text, start)
            inner = match.end() if match else start
        if kind is ScalarEvent:
            node = self._scalar(event, start, min(inner, max(end, start)), end)
        elif kind is MappingStartEvent:
            node = self._mapping(event, start, inner)
        else:
            node = self._sequence(event, start, inner)
        node.anchor = event.anchor
        if event.anchor is not None:
            self._anchors[event.anchor] = node.value
        return node

    def _scalar(self, event: Any, outer: int, start: int, end: int) -> Node:
        text = event.value if self._colon is None else event.value.replace(self._colon, ":")
        style = event.style or ""
        value = plain_value(text) if event.tag is None and event.implicit[0] else text
        if style in ("|", ">"):
            end = start + len(self._text[start:end].rstrip())
        elif start == end and event.anchor is None:
            outer = start = end = len(self._text[:start].rstrip(" \t\n"))
        return ScalarNode(outer, start, end, value, style=style)

    def _mapping(self, event: Any, outer: int, start: int) -> Node:
        node = MappingNode(outer, start, start, {}, flow=bool(event.flow_style))
        event = self._next()
        while type(event) is not MappingEndEvent:
            key = self._node(event)
            value = self._node(self._next())
            node.keys.append(key)
            node.values.append(value)
            node.value[key.value] = value.value
            event = self._next()
        node.end = event.end_mark.index if node.flow else node.values[-1].end
        return node

    def _sequence(self, event: Any, outer: int, start: int) -> Node:
        node = SequenceNode(outer, start, start, [], flow=bool(event.flow_style))
        event = self._next()
        while type(event) is not SequenceEndEvent:
            item = self._node(event)
            if not node.flow:
                node.dashes.append(self._dash(item.outer, column(self._text, start)))
            node.items.append(item)
            node.value.append(item.value)
            event = self._next()
        node.end = event.end_mark.index if node.flow else node.items[-1].end
        return node

    def _dash(self, offset: int, at: int) -> int:
        """Return where the dash of an item stands: in its line, or above it, in the column of all dashes."""
        begin = line_start(self._text, offset)
        while begin > 0 and not (begin + at <= offset and self._text[begin + at : begin + at + 1] == "-"):
            begin = line_start(self._text, begin - 1)
        return begin + at
