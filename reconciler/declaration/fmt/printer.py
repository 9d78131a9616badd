"""Prints the nodes of a YAML text in the canonical style, every comment at its line."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.declaration.fmt.attach import BLANK, DEEPER, Attached, Element
from reconciler.declaration.fmt.blocks import block_lines
from reconciler.declaration.key_order import ANY, ITEM, ORDERS, TOP
from reconciler.model.text import is_harmless
from reconciler.yaml.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode, walk
from reconciler.yaml.text import scalar_text

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 120
"""A collection in brackets that makes a line longer than this is written in several lines."""

_LONGEST_KEY = 1000
"""A longer key gets a line of its own behind a question mark: a parser may take it for no key otherwise."""

_PROPERTY = re.compile(r"[&!][^ \t\n,\[\]{}]*")
_INDICATORS = frozenset("-?:")
"""Strings within brackets that mean something else in a line of their own."""

_COMMENT = re.compile(r"(?<![^ \t\n])#[^\n]*")
_LISTS = frozenset(TOP[TOP.index("members") :])

Path = tuple[str, ...]


class Printer:
    """Prints one file."""

    def __init__(self, text: str, attached: Attached) -> None:
        self._text = text
        self._attached = attached
        self._lines: list[str] = []
        self._has_aliases = True
        self._kept = 0
        """How many lines stay whatever comes: blank lines at the end of a block may be part of it."""

    def print(self, root: MappingNode) -> str:
        """Return the file's text in the canonical style."""
        self._lines = list(self._attached.preamble)
        self._has_aliases = any(isinstance(node, AliasNode) for node in walk(root))
        self._pairs(root, 0, (), first="")
        self._comments(self._attached.ending, 0)
        while len(self._lines) > self._kept and self._lines[-1] == BLANK:
            self._lines.pop()
        return "".join(f"{line}\n" for line in self._lines)

    def _pairs(self, node: MappingNode, indent: int, path: Path, *, first: str | None) -> None:
        """Print pairs; the first of them behind ``first``, a dash, if that is given."""
        has_tail = False
        for position, (key, value) in enumerate(self._ordered(node, path)):
            element = self._element(key)
            head = first if position == 0 and first else " " * indent
            above = element.leading if position else [line for line in element.leading if line != BLANK]
            if position and (has_tail or (not path and key.value in _LISTS)):
                above = [BLANK, *above]
            has_tail = any(line != BLANK and not line.startswith(DEEPER) for line in element.tail)
            self._comments(above, _margin(head))
            text = self._key(key)
            if len(text) > _LONGEST_KEY:
                self._comments([said for _, said in element.inline[1:]], _margin(head))
                element = replace(element, inline=element.inline[:1])
                self._lines.append(f"{head}? {text}")
                head, text = " " * indent, ""
            name = f"{head}{text}:"
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
            self._comments([*above, *pulled], _margin(head))
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
        elif isinstance(value, ScalarNode) and (block := block_lines(self._text, value)):
            self._put(f"{start} {block[0]}", element.inline)
            self._lines += [" " * (indent + 2) + line if line else BLANK for line in block[1:]]
            self._kept = len(self._lines)
        else:
            text = self._flow(value, path)
            self._put(f"{start} {text}" if text else start, element.inline)

    def _put(self, line: str, inline: list[tuple[str, str]]) -> None:
        """Print a line with the first comment behind it, and any further ones above it."""
        self._comments([text for _, text in inline[1:]], _margin(line))
        for gap, text in inline[:1]:
            line += f"{gap if len(gap) > 1 else '  '}{text}"
        self._lines.append(line)

    def _comments(self, lines: list[str], indent: int) -> None:
        for line in lines:
            if line != BLANK:
                self._lines.append(" " * indent + line)
            elif self._lines and self._lines[-1].strip():
                self._lines.append(BLANK)

    def _in_lines(self, node: Node, used: int, path: Path = ()) -> bool:
        """Return whether a collection is printed in lines: it was, has comments inside, or is too long."""
        if not isinstance(node, MappingNode | SequenceNode) or not node.children:
            return False
        if not node.flow or id(node) in self._attached.expanded:
            return True
        return used + len(self._flow(node, path)) > WIDTH

    def _element(self, node: Node) -> Element:
        found = self._attached.elements.get(id(node))
        return found if found is not None else Element(node, node.outer, node, None, node)

    def _properties(self, node: Node) -> str:
        """Return the anchor and the tag of a value; an empty string gets quotes, which do what its tag did."""
        if isinstance(node, AliasNode):
            return ""
        properties = _PROPERTY.findall(_COMMENT.sub("", self._text[node.outer : node.start]))
        return " ".join(one for one in properties if one[0] == "&" or not _is_tagged_nothing(node))

    def _key(self, node: Node) -> str:
        """Return a key with its anchor; a tag is made quotes, and a colon does not get too near to an alias."""
        if isinstance(node, AliasNode):
            return f"*{node.name} "
        if not isinstance(node, ScalarNode) or node.outer == node.start:
            return self._scalar(node, flow=False)
        text = _rewritten(node, flow=True)
        return f"&{node.anchor} {text}" if node.anchor is not None else text

    def _flow(self, node: Node, path: Path) -> str:
        """Return a value in one line, without its anchor."""
        if isinstance(node, MappingNode):
            pairs = self._ordered(node, path)
            inner = (
                f"{self._key(key)}: {self._with_properties(value, (*path, str(key.value)))}" for key, value in pairs
            )
            return "{" + ", ".join(inner) + "}"
        if isinstance(node, SequenceNode):
            return "[" + ", ".join(self._with_properties(item, (*path, ITEM)) for item in node.items) + "]"
        return self._scalar(node, flow=bool(path))

    def _with_properties(self, node: Node, path: Path) -> str:
        properties = self._properties(node)
        text = self._flow(node, path) or ("" if properties else "null")
        return f"{properties} {text}" if properties and text else properties or text

    def _scalar(self, node: Node, *, flow: bool = True) -> str:
        source = self._text[node.start : node.end]
        if not isinstance(node, ScalarNode):
            return source
        is_written_anew = "\n" in source or node.style in ("|", ">", "'") or source in _INDICATORS
        return _rewritten(node, flow=flow) if is_written_anew or _is_tagged_nothing(node) else source


def _margin(line: str) -> int:
    """Return how far a line is indented."""
    return len(line) - len(line.lstrip(" "))


def _rewritten(node: ScalarNode, *, flow: bool) -> str:
    """Return a scalar in one line, in double quotes rather than in single ones."""
    value = node.value
    if node.style == "'" and isinstance(value, str) and is_harmless(value):
        return f'"{value}"' if not re.search(r'["\\]', value) else scalar_text(value, "'")
    return scalar_text(value, '"' if node.style in ('"', "'") else "", flow=flow)


def _order(path: Path) -> tuple[str, ...] | None:
    if path in ORDERS:
        return ORDERS[path]
    return ORDERS.get((*path[:-1], ANY)) if path else None


def _is_tagged_nothing(node: Node) -> bool:
    """Return whether a node is an empty string because its tag says so."""
    return isinstance(node, ScalarNode) and node.start == node.end and node.value == ""


def _ties(node: MappingNode) -> bool:
    """Return whether an alias inside may stand for an anchor inside, so that their order matters."""
    inside: Iterator[Node] = walk(node)
    nodes = list(inside)
    return any(isinstance(one, AliasNode) for one in nodes) and any(one.anchor for one in nodes if one is not node)
