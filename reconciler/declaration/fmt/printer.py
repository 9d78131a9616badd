"""Prints the nodes of a YAML text in the canonical style, every comment at its line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.declaration.fmt.attach import BLANK, Attached, Element
from reconciler.declaration.key_order import ANY, ITEM, ORDERS, TOP
from reconciler.model.text import is_harmless
from reconciler.yaml.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode, walk
from reconciler.yaml.text import scalar_text

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 120
"""A collection in brackets that makes a line longer than this is written in several lines."""

_PROPERTY = re.compile(r"[&!][^\s,\[\]{}]*")
_LISTS = frozenset(TOP[TOP.index("members") :])

Path = tuple[str, ...]


class Printer:
    """Prints one file."""

    def __init__(self, text: str, attached: Attached) -> None:
        self._text = text
        self._attached = attached
        self._lines: list[str] = []
        self._has_aliases = True

    def print(self, root: Node) -> str:
        """Return the file's text in the canonical style."""
        self._lines = list(self._attached.preamble)
        self._has_aliases = any(isinstance(node, AliasNode) for node in walk(root))
        if isinstance(root, MappingNode):
            self._pairs(root, 0, (), first="")
        while self._lines and self._lines[-1] == BLANK:
            self._lines.pop()
        return "".join(f"{line}\n" for line in self._lines)

    def _pairs(self, node: MappingNode, indent: int, path: Path, *, first: str | None) -> None:
        """Print pairs; the first of them behind ``first``, a dash, if that is given."""
        for position, (key, value) in enumerate(self._ordered(node, path)):
            element = self._element(key)
            head = first if position == 0 and first else " " * indent
            above = element.leading if position else [line for line in element.leading if line != BLANK]
            if not path and position and key.value in _LISTS:
                above = [BLANK, *above]
            self._comments(above, indent if not (position == 0 and first) else len(first) - 2)
            name = f"{head}{self._scalar(key, flow=False)}:"
            self._value(name, value, element, indent, (*path, str(key.value)))
            self._comments(element.tail, indent)

    def _ordered(self, node: MappingNode, path: Path) -> list[tuple[Node, Node]]:
        pairs = list(zip(node.keys, node.values, strict=True))
        order = _order(path)
        if order is None or (self._has_aliases and _ties(node)):
            return pairs
        places = {name: position for position, name in enumerate(order)}
        return sorted(pairs, key=lambda pair: places.get(pair[0].value, len(places)))

    def _items(self, node: SequenceNode, indent: int, path: Path, *, first: str = "") -> None:
        for position, item in enumerate(node.items):
            element = self._element(item)
            above = element.leading if position else [line for line in element.leading if line != BLANK]
            head = first if position == 0 and first else " " * indent
            in_lines = self._in_lines(item, indent + 2) and not self._properties(item)
            pulled = [text for _, text in element.inline] if in_lines else []
            self._comments([*above, *pulled], len(head) if not first else indent)
            where = (*path, ITEM)
            if in_lines and isinstance(item, MappingNode):
                self._pairs(item, indent + 2, where, first=f"{head}- ")
            elif in_lines and isinstance(item, SequenceNode):
                self._items(item, indent + 2, where, first=f"{head}- ")
            else:
                self._value(f"{head}-", item, element, indent, where)
            self._comments(element.tail, indent)

    def _value(self, head: str, value: Node, element: Element, indent: int, path: Path) -> None:
        """Print a value behind its key or dash, in the same line or below."""
        properties = self._properties(value)
        start = f"{head} {properties}" if properties else head
        if isinstance(value, MappingNode | SequenceNode) and self._in_lines(value, len(head) + 1, path):
            self._put(start, element.inline[:1])
            inner = indent + 2
            self._comments([text for _, text in element.inline[1:]], inner)
            if isinstance(value, MappingNode):
                self._pairs(value, inner, path, first=None)
            else:
                self._items(value, inner, path)
        elif isinstance(value, ScalarNode) and value.style in ("|", ">") and (block := self._block(value, indent)):
            self._put(f"{start} {block[0]}", element.inline)
            self._lines += block[1:]
        else:
            text = self._flow(value, path)
            self._put(f"{start} {text}" if text else start, element.inline)

    def _put(self, line: str, inline: list[tuple[str, str]]) -> None:
        """Print a line with the first comment behind it, and any further ones above it."""
        self._comments([text for _, text in inline[1:]], len(line) - len(line.lstrip(" ")))
        for gap, text in inline[:1]:
            line += f"{gap if len(gap) > 1 else '  '}{text}"
        self._lines.append(line)

    def _comments(self, lines: list[str], indent: int) -> None:
        for line in lines:
            if line != BLANK:
                self._lines.append(" " * indent + line)
            elif self._lines and self._lines[-1] != BLANK:
                self._lines.append(BLANK)

    def _in_lines(self, node: Node, used: int, path: Path = ()) -> bool:
        """Tell whether a collection is printed in lines: it was, has comments inside, or is too long."""
        if not isinstance(node, MappingNode | SequenceNode) or not node.children:
            return False
        if not node.flow or id(node) in self._attached.expanded:
            return True
        return used + len(self._flow(node, path)) > WIDTH

    def _element(self, node: Node) -> Element:
        found = self._attached.elements.get(id(node))
        return found if found is not None else Element(node, node.outer, node, None, node)

    def _properties(self, node: Node) -> str:
        if isinstance(node, AliasNode):
            return ""
        return " ".join(_PROPERTY.findall(self._text[node.outer : node.start].partition("#")[0]))

    def _flow(self, node: Node, path: Path) -> str:
        """Return a value in one line, without its anchor."""
        if isinstance(node, MappingNode):
            pairs = self._ordered(node, path)
            inner = (
                f"{self._scalar(key)}: {self._with_properties(value, (*path, str(key.value)))}" for key, value in pairs
            )
            return "{" + ", ".join(inner) + "}"
        if isinstance(node, SequenceNode):
            return "[" + ", ".join(self._with_properties(item, (*path, ITEM)) for item in node.items) + "]"
        return self._scalar(node, flow=bool(path))

    def _with_properties(self, node: Node, path: Path) -> str:
        properties = self._properties(node)
        text = self._flow(node, path) or ("" if properties else "null")
        return f"{properties} {text}".strip()

    def _scalar(self, node: Node, *, flow: bool = True) -> str:
        source = self._text[node.start : node.end]
        if isinstance(node, AliasNode) or not isinstance(node, ScalarNode):
            return source
        value = node.value
        if "\n" in source:
            return scalar_text(value, node.style if node.style in ('"', "'") else "", flow=flow)
        if node.style == "'" and isinstance(value, str) and not re.search(r'["\\]', value) and is_harmless(value):
            return f'"{value}"'
        return source

    def _block(self, node: ScalarNode, indent: int) -> list[str]:
        """Return the lines of a block, its header first; nothing if its end is made of blank lines that count."""
        header, _, body = self._text[node.start : node.end].partition("\n")
        header = header.partition("#")[0].strip()
        lines = body.split("\n")
        if "+" in header or not body.strip():
            return []
        given = re.search(r"[1-9]", header)
        first = next(line for line in lines if line.strip())
        old = len(first) - len(first.lstrip(" "))
        if given is not None:
            old = self._parent_indent(node) + int(given.group())
            header = header.replace(given.group(), "2")
        pad = " " * (indent + 2)
        return [header, *(pad + line[old:] if line[old:] else "" for line in lines)]

    def _parent_indent(self, node: ScalarNode) -> int:
        """Return how far the line is indented that an explicit indentation counts from."""
        line = self._text[self._text.rfind("\n", 0, node.start) + 1 : node.start]
        bare = re.match(r" *(?:- +)*", line)
        is_item = not line[bare.end() :].strip() if bare else False
        return line.rfind("-") if is_item else len(bare.group()) if bare else 0


def _order(path: Path) -> tuple[str, ...] | None:
    if path in ORDERS:
        return ORDERS[path]
    return ORDERS.get((*path[:-1], ANY)) if path else None


def _ties(node: MappingNode) -> bool:
    """Tell whether an alias inside may stand for an anchor inside, so that their order matters."""
    inside: Iterator[Node] = walk(node)
    nodes = list(inside)
    return any(isinstance(one, AliasNode) for one in nodes) and any(one.anchor for one in nodes if one is not node)
