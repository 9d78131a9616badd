"""Which comments and blank lines belong to which line of a file, so that they move with it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.yaml.comments import Comment, comments
from reconciler.yaml.nodes import MappingNode, Node, SequenceNode, column, line_start

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANK = ""
"""Stands for blank lines among comments, however many they are."""


@dataclass(slots=True, eq=False)
class Element:
    """A line of its own: a key with its value, or an item of a list.

    ``leading`` are the comments above it, ``inline`` those behind it with the blanks before them, ``tail`` those below
    that are indented like it and that nothing of the same list follows.
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
    """The elements by the identity of their key or item, the lines before the first, and what has to be in lines.

    ``expanded`` holds the identities of collections in brackets that have comments inside.
    """

    elements: dict[int, Element]
    preamble: list[str]
    expanded: frozenset[int]


def attach(text: str, root: Node) -> Attached:
    """Give every comment and blank line of a text its place."""
    found = list(comments(text, root))
    expanded = frozenset(_with_comments(root, [comment.start for comment in found]) | {id(root)})
    elements = sorted(_elements(root, None, expanded), key=lambda element: element.start)
    first = elements[0].start if elements else len(text)
    preamble = _preamble(text[: line_start(text, first)])
    inside = [comment for comment in found if comment.start >= first]
    starts = [element.start for element in elements]
    for comment in inside:
        position = bisect_right(starts, comment.start)
        before = elements[position - 1]
        after = elements[position] if position < len(elements) else None
        if not comment.own_line:
            above = text[line_start(text, comment.start) : comment.start]
            gap = above[len(above.rstrip(" \t")) :]
            _inline_owner(before, comment.start).inline.append((gap, comment.text))
            continue
        owner = _tail_owner(text, comment, before, after)
        target = after.leading if owner is None and after is not None else (owner or before).tail
        if _blank_above(text, comment.start):
            target.append(BLANK)
        target.append(comment.text)
    for element in elements[1:]:
        if not text[line_start(text, element.start) : element.start].strip() and _blank_above(text, element.start):
            element.leading.append(BLANK)
    return Attached({id(element.node): element for element in elements}, preamble, expanded)


def _elements(node: Node, parent: Element | None, expanded: frozenset[int]) -> Iterator[Element]:
    if isinstance(node, MappingNode) and (not node.flow or id(node) in expanded):
        for key, value in zip(node.keys, node.values, strict=True):
            element = Element(key, key.outer, value, parent, node)
            yield element
            yield from _elements(value, element, expanded)
    elif isinstance(node, SequenceNode) and (not node.flow or id(node) in expanded):
        for index, item in enumerate(node.items):
            element = Element(item, item.outer if node.flow else node.dashes[index], item, parent, node)
            yield element
            yield from _elements(item, element, expanded)


def _with_comments(node: Node, places: list[int]) -> set[int]:
    """Return the collections that have to be in lines, since a comment stands inside."""
    found: set[int] = set()
    if isinstance(node, MappingNode | SequenceNode):
        if bisect_right(places, node.end) > bisect_right(places, node.start):
            found.add(id(node))
        for child in node.children:
            found |= _with_comments(child, places)
    return found


def _preamble(text: str) -> list[str]:
    lines: list[str] = []
    for line in text.split("\n")[:-1]:
        if line.strip():
            lines.append(line.strip())
        elif lines and lines[-1] != BLANK:
            lines.append(BLANK)
    return lines


def _blank_above(text: str, offset: int) -> bool:
    begin = line_start(text, offset)
    return begin > 0 and not text[line_start(text, begin - 1) : begin - 1].strip()


def _tail_owner(text: str, comment: Comment, before: Element, after: Element | None) -> Element | None:
    """Return the element that a comment below it belongs to, or ``None`` if it belongs to the next one."""
    inner = before
    flow = next((one for one in _up(before) if _is_flow(one.container)), None)
    if flow is not None and comment.start < flow.container.end:
        chain = [one for one in _up(before) if one.container is flow.container]
        return None if after is not None and after.start < flow.container.end else chain[0]
    at = column(text, comment.start)
    if after is not None and at <= column(text, after.start):
        return None
    for inner in _up(before):
        if column(text, inner.start) <= at or inner.parent is None:
            return inner
    return inner


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
