"""Changes a YAML text so that it means something else, and touches no line that need not change.

The new meaning is given as plain values, made by changing :func:`plain_copy` of the old one in place: which list entry
became which is known by that, and so a comment stays with its entry whatever happens to the entry's name.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconciler.errors import SourceError
from reconciler.yaml.comments import has_comment, names_of, own_lines
from reconciler.yaml.flow import FlowChange
from reconciler.yaml.nodes import (
    AliasNode,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    column,
    line_end,
    line_start,
    read_nodes,
)
from reconciler.yaml.reader import read
from reconciler.yaml.text import block_text, entry_text, flow_text, literal_text, pair_text, scalar_text
from reconciler.yaml.values import plain_copy, same_values

if TYPE_CHECKING:
    from collections.abc import Sequence

TextEdit = tuple[int, int, str]


class CannotEditError(Exception):
    """The text cannot be changed at its own lines; the message says why."""


@dataclass(slots=True)
class EditableYaml:
    """A YAML text and a copy of its values to be changed in place."""

    text: str
    root: Node
    values: Any
    origins: dict[int, Node] = field(default_factory=dict)
    _copies: list[Any] = field(default_factory=list)

    @staticmethod
    def read(text: str) -> EditableYaml:
        """Read a text that :func:`reconciler.yaml.reader.read` accepts."""
        root = read_nodes(text)
        editable = EditableYaml(text, root, None)
        editable.values = editable._copy(root, root)
        return editable

    def _copy(self, node: Node, value_of: Node) -> Any:
        if isinstance(value_of, MappingNode):
            pairs = zip(value_of.keys, value_of.values, strict=True)
            copy: Any = {key.value: self._copy(value, value) for key, value in pairs}
        elif isinstance(value_of, SequenceNode):
            copy = [self._copy(item, item) for item in value_of.items]
        else:
            copy = plain_copy(value_of.value)
        if isinstance(copy, dict | list):
            self.origins[id(copy)] = node
            self._copies.append(copy)  # kept alive, so that nothing new gets its id
        return copy

    def edited(self) -> str:
        """Return the text with the changed values. Raises :class:`CannotEditError`."""
        change = EditGatherer(self.text, self.origins)
        change.node(self.root, self.values, flow=False)
        text = applied(self.text, change.edits)
        if not _means(text, self.values):
            raise CannotEditError("it shares its content with others (an anchor), or is written in an unusual way")
        return text


def _means(text: str, values: Any) -> bool:
    try:
        return same_values(read(text, "").root, values)
    except SourceError:
        return False


def applied(text: str, edits: Sequence[TextEdit]) -> str:
    """Return the text with edits, given by start, end and replacement. Raises :class:`CannotEditError`."""
    pieces, end = [], 0
    ordered = sorted(enumerate(edits), key=lambda item: (item[1][0], item[1][1] > item[1][0], item[0]))
    for _, (start, stop, replacement) in ordered:
        if start < end:
            raise CannotEditError("two changes are in the same place")
        pieces += [text[end:start], replacement]
        end = stop
    return "".join(pieces) + text[end:]


class EditGatherer:
    """Gathers the edits that turn one meaning into another."""

    def __init__(self, text: str, origins: dict[int, Node]) -> None:
        self.text = text
        self.edits: list[TextEdit] = []
        self._origins = origins
        self._anchored: dict[str, Any] = {}

    def node(self, node: Node, new: Any, *, flow: bool, key: Node | None = None) -> None:
        """Gather the edits of one node; ``key`` is the key that it stands under in a mapping in lines."""
        if node.anchor is not None:
            self._anchored[node.anchor] = new
        if isinstance(node, AliasNode) and not same_values(
            now := self._anchored.get(node.name, node.value), node.value
        ):
            if same_values(now, new):
                return
            raise CannotEditError("it shares its content with others (an anchor)")
        if same_values(node.value, new):
            return
        if isinstance(node, MappingNode) and isinstance(new, dict) and new.keys() & node.value.keys():
            self._mapping(node, new)
        elif isinstance(node, SequenceNode) and isinstance(new, list) and (node.flow or key is not None):
            self._sequence(node, new, key=key)
        elif isinstance(node, ScalarNode) and isinstance(new, str) and key is not None:
            self._replace_text(node, new, key)
        elif has_comment(self.text, node):
            raise CannotEditError("there are comments inside what would be replaced")
        else:
            self._replace(node, new, flow=flow, key=key)

    def _replace_text(self, node: ScalarNode, new: str, key: Node) -> None:
        """Replace a text under a key, in its own quotes or as a block."""
        is_block = node.style in ("|", ">")
        first = line_end(self.text, node.start)
        trailing = "" if is_block else self.text[node.end : line_end(self.text, node.end)]
        literal = literal_text(new, column(self.text, key.start) + 2) if is_block or node.style == "" else None
        if literal is None or trailing.strip():
            if is_block and has_comment(self.text, node):
                raise CannotEditError("there is a comment in the first line of the string")
            self._put(node, scalar_text(new, "" if is_block else node.style, flow=False), key)
            return
        header, _, body = literal.partition("\n")
        if is_block and self.text[node.start : first].partition("#")[0].strip() == header:
            self.edits.append((first, node.end, f"\n{body}"))
        elif has_comment(self.text, node):
            raise CannotEditError("there is a comment in the first line of the string")
        else:
            self._put(node, literal, key)

    def _replace(self, node: Node, new: Any, *, flow: bool, key: Node | None) -> None:
        if flow or key is None:
            style = node.style if isinstance(node, ScalarNode) else ""
            text = flow_text(new) if isinstance(new, dict | list) else scalar_text(new, style, flow=flow)
        else:
            text = pair_text("k", new, column(self.text, key.start))[2:].removeprefix(" ")
        self._put(node, text, key)

    def _put(self, node: Node, text: str, key: Node | None) -> None:
        if key is not None and (text.startswith("\n") or "\n" in self.text[key.end : node.outer]):
            self._replace_lines(node, key, text)
        else:
            blank = " " if self.text[: node.outer].endswith((":", "-")) else ""
            self.edits.append((node.outer, node.end, f"{blank}{text}"))

    def _replace_lines(self, node: Node, key: Node, text: str) -> None:
        """Replace what begins below its key, or what comes to begin there."""
        colon = self.text.index(":", key.end) + 1
        if "#" not in self.text[colon : node.outer]:
            self.edits.append((colon, node.end, text if text.startswith("\n") else f" {text}"))
        elif "\n" in text or "\n" not in self.text[colon : node.outer]:
            raise CannotEditError("there is a comment between the key and its value")
        else:
            end = min(line_end(self.text, node.end) + 1, len(self.text))
            self.edits += [(colon, colon, f" {text}"), (line_start(self.text, node.outer), end, "")]

    def _mapping(self, node: MappingNode, new: dict[str, Any]) -> None:
        kept = {key.value: index for index, key in enumerate(node.keys) if key.value in new}
        for name, index in kept.items():
            self.node(node.values[index], new[name], flow=node.flow, key=None if node.flow else node.keys[index])
        gone = [index for index, key in enumerate(node.keys) if key.value not in new]
        added: list[tuple[int | None, str, Any]] = []
        before: int | None = None
        for name, value in new.items():
            if name in kept:
                before = kept[name]
            else:
                added.append((before, name, value))
        if node.flow:
            spans = [(key.outer, value.end) for key, value in zip(node.keys, node.values, strict=True)]
            texts = [(after, f"{scalar_text(name)}: {flow_text(value)}") for after, name, value in added]
            self._flow(node, spans, gone, texts)
            return
        for index in gone:
            self._remove_pair(node, index)
        for after, name, value in added:
            self._add_pair(node, after, min(kept.values()), name, value)

    def _flow(
        self, node: Node, spans: list[tuple[int, int]], gone: list[int], added: list[tuple[int | None, str]]
    ) -> None:
        change = FlowChange(self.text, (node.start, node.end), spans)
        edits = change.edits(gone, added)
        if edits is None:
            raise CannotEditError("there are comments between the brackets")
        self.edits += edits

    def _remove_pair(self, node: MappingNode, index: int) -> None:
        key, value = node.keys[index], node.values[index]
        begin = line_start(self.text, key.outer)
        if self.text[begin : key.outer].strip():
            following = node.keys[index + 1].outer if index + 1 < len(node.keys) else None
            if following is None or "#" in self.text[value.end : following]:
                raise CannotEditError("its first line holds more than it")
            self.edits.append((key.outer, following, ""))
            return
        begin = own_lines(self.text, key.outer, names_of(key.value), alone=self._is_alone(node.keys, index))
        self.edits.append((begin, min(line_end(self.text, value.end) + 1, len(self.text)), ""))

    def _below(self, offset: int, lines: str) -> None:
        """Add lines below the line that holds an offset."""
        end = line_end(self.text, offset)
        at_end = end == len(self.text)
        self.edits.append((end, end, f"\n{lines}") if at_end else (end + 1, end + 1, f"{lines}\n"))

    def _is_alone(self, nodes: Sequence[Node], index: int) -> bool:
        """Return whether nothing of the same list follows directly: then a comment above is about this one only."""
        if index + 1 >= len(nodes):
            return True
        begin = line_start(self.text, nodes[index + 1].outer)
        above = self.text[line_start(self.text, max(begin - 1, 0)) : begin].strip()
        return not above or above.startswith("#")

    def _add_pair(self, node: MappingNode, after: int | None, first: int, name: str, value: Any) -> None:
        """Add a pair after another, or before the first one that stays."""
        indent = column(self.text, node.keys[0].outer)
        text = pair_text(name, value, indent)
        if after is not None:
            self._below(node.values[after].end, f"{' ' * indent}{text}")
            return
        place = node.keys[first].outer
        begin = line_start(self.text, place)
        if self.text[begin:place].strip():
            self.edits.append((place, place, f"{text}\n{' ' * indent}"))
        else:
            self.edits.append((begin, begin, f"{' ' * indent}{text}\n"))

    def _sequence(self, node: SequenceNode, new: list[Any], *, key: Node | None) -> None:
        pairs = self._matched(node, new)
        gone = [index for index in range(len(node.items)) if index not in pairs.values()]
        for position, index in pairs.items():
            self.node(node.items[index], new[position], flow=node.flow)
        added: list[tuple[int | None, Any]] = []
        before: int | None = None
        for position, value in enumerate(new):
            if position in pairs:
                before = pairs[position]
            else:
                added.append((before, value))
        if node.flow and not (not node.items and key is not None and isinstance(new[0], dict)):
            spans = [(item.outer, item.end) for item in node.items]
            self._flow(node, spans, gone, [(after, flow_text(value)) for after, value in added])
        elif node.flow and key is not None:
            self._first_items(node, key, [value for _, value in added])
        elif key is not None:
            self._block_items(node, key, gone, added)

    def _matched(self, node: SequenceNode, new: list[Any]) -> dict[int, int]:
        """Return which new position came from which old one, in the same order."""
        by_origin = {id(item): index for index, item in enumerate(node.items)}
        tokens_old = [_token(item.value, index) for index, item in enumerate(node.items)]
        tokens_new = []
        for value in new:
            origin = self._origins.get(id(value)) if isinstance(value, dict | list) else None
            index = by_origin.get(id(origin)) if origin is not None else None
            tokens_new.append(_token(value, index))
        matcher = difflib.SequenceMatcher(None, tokens_old, tokens_new, autojunk=False)
        return {
            block.b + shift: block.a + shift for block in matcher.get_matching_blocks() for shift in range(block.size)
        }

    def _first_items(self, node: SequenceNode, key: Node, values: list[Any]) -> None:
        """Turn ``key: []`` into a list in lines."""
        indent = column(self.text, key.outer) + 2
        colon = self.text.index(":", key.end) + 1
        self.edits.append((colon, node.end, self.text[colon : node.start].rstrip()))
        for value in values:
            self._below(node.end, f"{' ' * indent}- {entry_text(value, indent + 2)}")

    def _block_items(self, node: SequenceNode, key: Node, gone: list[int], added: list[tuple[int | None, Any]]) -> None:
        if len(gone) == len(node.items) and not added:
            colon = self.text.index(":", key.end) + 1
            place = colon if node.anchor is None else len(self.text[: node.start].rstrip())
            self.edits.append((place, place, " []"))
        for index in gone:
            self._remove_item(node, index)
        for after, value in added:
            self._add_item(node, after, value)

    def _remove_item(self, node: SequenceNode, index: int) -> None:
        dash, item = node.dashes[index], node.items[index]
        if self.text[line_start(self.text, dash) : dash].strip():
            raise CannotEditError("its first line holds more than it")
        begin = own_lines(self.text, dash, names_of(item.value), alone=self._is_alone(node.items, index))
        end = min(line_end(self.text, max(item.end, dash + 1)) + 1, len(self.text))
        blank = self.text[line_start(self.text, max(begin - 1, 0)) : begin].strip() == "" and begin > 0
        if blank and index + 1 < len(node.items):
            while self.text[end : line_end(self.text, end)].strip() == "" and end < len(self.text):
                end = line_end(self.text, end) + 1
        self.edits.append((begin, min(end, len(self.text)), ""))

    def _add_item(self, node: SequenceNode, after: int | None, value: Any) -> None:
        near = after if after is not None else 0
        indent = column(self.text, node.dashes[near])
        inner = column(self.text, node.items[near].outer) - indent if node.items[near].value is not None else 2
        width = inner if 1 < inner < 9 else 2
        head = "-" + " " * (width - 1)
        text = head + self._item_text(node, value, indent + width)
        if after is None:
            start = own_lines(
                self.text, node.dashes[0], names_of(node.items[0].value), alone=self._is_alone(node.items, 0)
            )
            if self.text[start : node.dashes[0]].strip() and start == line_start(self.text, node.dashes[0]):
                raise CannotEditError("the list begins in a line with something else")
            gap = "\n" if self._is_spaced(node, 0) else ""
            self.edits.append((start, start, f"{' ' * indent}{text}\n{gap}"))
            return
        gap = "\n" if self._is_spaced(node, after) else ""
        self._below(max(node.items[after].end, node.dashes[after] + 1), f"{gap}{' ' * indent}{text}")

    def _item_text(self, node: SequenceNode, value: Any, indent: int) -> str:
        """Write a new item as its neighbors are written: in one line, or in several."""
        neighbors = [item for item in node.items if isinstance(item, MappingNode)]
        if isinstance(value, dict) and neighbors and all(not item.flow for item in neighbors):
            return block_text(value, indent)
        return entry_text(value, indent)

    def _is_spaced(self, node: SequenceNode, index: int) -> bool:
        """Return whether blank lines stand between the items around this one."""
        first = min(index, len(node.items) - 2)
        if first < 0:
            return False
        between = self.text[node.items[first].end : node.dashes[first + 1]].split("\n")
        return any(not line.strip() for line in between[1:-1])


def _token(value: Any, index: int | None) -> str:
    """Return what an item is recognized by: where it comes from, or what it is."""
    return f"#{index}" if isinstance(value, dict | list) else f"{type(value).__name__}:{value}"
