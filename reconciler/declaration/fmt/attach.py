"""Which comments and blank lines belong to which line of a file, so that they move with it."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.yaml.comments import Comment, comments
from reconciler.yaml.nodes import (
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    column,
    line_end,
    line_start,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANK = ""
"""Stands for blank lines among comments, however many they are."""


DEEPER = "  "
"""Stands before a comment that is indented more than what it belongs to."""

_QUESTION_MARK = re.compile(r"\?[ \t]+\Z")
_DOCUMENT_END = re.compile(r"^\.\.\.(?=\s|$)", re.MULTILINE)


@dataclass(slots=True, eq=False)
class Element:
    """A line of its own: a key with its value, or an item of a list.

    ``leading`` are the comments above it, ``inline`` those behind it with the blanks before them, ``tail`` those below
    it that are not about what follows.
    """

    node: Node
    start: int
    value: Node
    parent: Element | None
    container: Node
    leading: list[str] = field(default_factory=list)
    inline: list[tuple[str, str]] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)


class Attached(Frozen):
    """The elements by the identity of their key or item, the lines around them, and what has to be in lines.

    ``preamble`` are the lines before the first element, ``ending`` those at the end of the file. ``expanded`` holds the
    identities of collections in brackets that have comments inside.
    """

    elements: dict[int, Element]
    preamble: list[str]
    ending: list[str]
    expanded: frozenset[int]


def attach(text: str, root: MappingNode) -> Attached:
    """Give every comment and blank line of a text its place; ``root`` is not empty."""
    marker = _DOCUMENT_END.search(text, root.end)
    end = marker.start() if marker else len(text)
    found = [comment for comment in comments(text, root) if comment.start < end]
    expanded = frozenset(_with_comments(root, [comment.start for comment in found]) | {id(root)})
    elements = sorted(_elements(text, root, None, expanded), key=lambda element: element.start)
    attaching = _Attaching(text, elements, expanded)
    for comment in found:
        if root.flow and comment.start >= root.end:
            attaching.ending.append(comment.text)
        elif comment.start >= root.start:
            attaching.comment(comment)
    attaching.blank_lines()
    ending = [*attaching.ending, *(line.rstrip() for line in text[end:].split("\n"))]
    by_node = {id(element.node): element for element in elements}
    return Attached(by_node, _preamble(text, root), ending, expanded)


class _Attaching:
    """Gives the comments of a text to its elements, one after the other."""

    def __init__(self, text: str, elements: list[Element], expanded: frozenset[int]) -> None:
        self.ending: list[str] = []
        self._text = text
        self._elements = elements
        self._expanded = expanded
        self._starts = [element.start for element in elements]
        self._between: list[tuple[Element, str]] = []
        self._above: tuple[Element | None, Element | None] = (None, None)
        """The last element that has comments below it, and who owns the last of these; nobody: the next element."""

    def comment(self, comment: Comment) -> None:
        """Give a comment to an element, or to the end of the file."""
        position = bisect_right(self._starts, comment.start)
        after = self._elements[position] if position < len(self._elements) else None
        if position == 0:
            self._elements[0].leading.append(comment.text)
            return
        before = self._elements[position - 1]
        if not comment.own_line:
            above = self._text[line_start(self._text, comment.start) : comment.start]
            gap = above[len(above.rstrip(" \t")) :]
            _inline_owner(before, comment.start).inline.append((gap, comment.text))
        elif comment.start < before.value.end and not self._is_in_lines(before.value):
            self._inside(comment, before)
        else:
            self._own_line(comment, before, after)

    def blank_lines(self) -> None:
        """Give the blank lines to the elements below them; to be called after all comments."""
        for element in self._elements[1:]:
            alone = not self._text[line_start(self._text, element.start) : element.start].strip()
            if alone and _blank_above(self._text, element.start):
                element.leading.append(BLANK)
        for element, text in self._between:
            element.leading.append(text)

    def _is_in_lines(self, node: Node) -> bool:
        return bool(node.children) and (not _is_flow(node) or id(node) in self._expanded)

    def _inside(self, comment: Comment, element: Element) -> None:
        """Give a comment to an element that stands between its key and its value, or within empty brackets."""
        if comment.start < element.value.start:
            self._between.append((element, comment.text))
        else:
            element.tail.append(DEEPER + comment.text)

    def _own_line(self, comment: Comment, before: Element, after: Element | None) -> None:
        at = column(self._text, comment.start)
        blank = [BLANK] if _blank_above(self._text, comment.start) else []
        if after is None and at <= column(self._text, self._elements[0].start) and (blank or self.ending):
            self.ending += [*blank, comment.text]
            return
        owner = self._in_order(self._tail_owner(comment, before, after), before)
        self._above = (before, owner)
        if owner is None and after is not None:
            after.leading += [*blank, comment.text]
            return
        owner = owner or before
        is_block = isinstance(owner.value, ScalarNode) and owner.value.style in ("|", ">")
        is_deeper = at > column(self._text, owner.start) and not is_block and not _is_flow(owner.container)
        is_deeper = is_deeper and all(line == BLANK or line.startswith(DEEPER) for line in owner.tail)
        owner.tail += [*blank, f"{DEEPER if is_deeper else ''}{comment.text}"]

    def _in_order(self, owner: Element | None, before: Element) -> Element | None:
        """Return who owns a comment so that it stays below those that stand above it below the same element."""
        element, last = self._above
        if element is before and (last is None or (owner is not None and last in _up(owner))):
            return last
        return owner

    def _tail_owner(self, comment: Comment, before: Element, after: Element | None) -> Element | None:
        """Return the element that a comment below it belongs to, or ``None`` if it belongs to the next one."""
        flow = next((one for one in _up(before) if _is_flow(one.container)), None)
        if flow is not None and comment.start < flow.container.end:
            chain = [one for one in _up(before) if one.container is flow.container]
            return None if after is not None and after.start < flow.container.end else chain[0]
        if after is not None and after.parent is before:
            return None
        at = column(self._text, comment.start)
        if after is not None and at <= column(self._text, after.start):
            sibling = next((one for one in _up(before) if one.container is after.container), None)
            return sibling if self._belongs_above(comment) else None
        inner = before
        for inner in _up(before):
            if column(self._text, inner.start) <= at or inner.parent is None:
                return inner
        return inner

    def _belongs_above(self, comment: Comment) -> bool:
        """Return whether a comment follows the lines above it directly, and a blank line follows it.

        Comments that are indented more are among the lines above it.
        """
        begin, at = line_start(self._text, comment.start), column(self._text, comment.start)
        while begin and (above := self._line(begin - 1)).startswith("#"):
            if column(self._text, self._text.rindex(above, 0, begin)) > at:
                break
            begin = line_start(self._text, begin - 1)
        end = comment.start
        while self._line(end).startswith("#"):
            end = line_end(self._text, end) + 1
        return bool(begin) and bool(self._line(begin - 1)) and not self._line(end)

    def _line(self, offset: int) -> str:
        return self._text[line_start(self._text, offset) : line_end(self._text, offset)].strip()


def _elements(text: str, node: Node, parent: Element | None, expanded: frozenset[int]) -> Iterator[Element]:
    if isinstance(node, MappingNode) and (not node.flow or id(node) in expanded):
        for key, value in zip(node.keys, node.values, strict=True):
            element = Element(key, _key_start(text, key), value, parent, node)
            yield element
            yield from _elements(text, value, element, expanded)
    elif isinstance(node, SequenceNode) and (not node.flow or id(node) in expanded):
        for index, item in enumerate(node.items):
            element = Element(item, item.outer if node.flow else node.dashes[index], item, parent, node)
            yield element
            yield from _elements(text, item, element, expanded)


def _key_start(text: str, key: Node) -> int:
    """Return where a key begins: at the question mark before it, if there is one."""
    mark = _QUESTION_MARK.search(text, line_start(text, key.outer), key.outer)
    return mark.start() if mark else key.outer


def _with_comments(node: Node, places: list[int]) -> set[int]:
    """Return the collections that have to be in lines, since a comment stands inside."""
    found: set[int] = set()
    if isinstance(node, MappingNode | SequenceNode):
        if bisect_right(places, node.end) > bisect_right(places, node.start):
            found.add(id(node))
        for child in node.children:
            found |= _with_comments(child, places)
    return found


def _preamble(text: str, root: Node) -> list[str]:
    """Return the lines before the root, and what stands before it in its line: the start of the document."""
    begin = line_start(text, root.start)
    lines: list[str] = []
    for line in text[:begin].split("\n")[:-1]:
        if line.strip():
            lines.append(line.strip())
        elif lines and lines[-1] != BLANK:
            lines.append(BLANK)
    start = text[begin : root.start].strip()
    return [*lines, start] if start else lines


def _blank_above(text: str, offset: int) -> bool:
    begin = line_start(text, offset)
    return begin > 0 and not text[line_start(text, begin - 1) : begin - 1].strip()


def _inline_owner(element: Element, offset: int) -> Element:
    """Return the element that a comment behind it belongs to: one whose brackets have not been closed before."""
    while _is_flow(element.container) and offset >= element.container.end and element.parent is not None:
        element = element.parent
    return element


def _is_flow(node: Node) -> bool:
    return isinstance(node, MappingNode | SequenceNode) and node.flow


def _up(element: Element) -> Iterator[Element]:
    one: Element | None = element
    while one is not None:
        yield one
        one = one.parent
