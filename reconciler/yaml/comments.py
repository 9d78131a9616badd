"""Comments in a YAML text: where they are, and which of them belong to what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.yaml.nodes import AliasNode, Node, ScalarNode, column, line_end, line_start, walk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_WORD = re.compile(r"\w{3,}")


class Comment(Frozen):
    """A comment: its text from the ``#`` on, where it begins, and whether it has a line of its own."""

    text: str
    start: int
    own_line: bool


def comments(text: str, root: Node, within: tuple[int, int] | None = None) -> Iterator[Comment]:
    """Iterate over all comments of a text, or over those between two offsets, in order."""
    position, last = within if within is not None else (0, len(text))
    spans = sorted(_uncommented(text, node) for node in walk(root) if isinstance(node, ScalarNode | AliasNode))
    for start, end in (*spans, (last, last)):
        yield from _in_gap(text, position, start)
        position = max(position, end)


def _uncommented(text: str, node: Node) -> tuple[int, int]:
    """Return where in a scalar no comment can be: the first line of a block may have one."""
    is_block = isinstance(node, ScalarNode) and node.style in ("|", ">")
    return (min(line_end(text, node.start), node.end) if is_block else node.start), node.end


def _in_gap(text: str, start: int, end: int) -> Iterator[Comment]:
    position = start
    while (position := text.find("#", position, end)) >= 0:
        if position == 0 or text[position - 1] in " \t\n":
            stop = line_end(text, position)
            begin = line_start(text, position)
            yield Comment(text[position:stop].rstrip(), position, not text[begin:position].strip())
            position = stop
        else:
            position += 1


def has_comment(text: str, node: Node) -> bool:
    """Return whether a comment stands inside of a node, or between its anchor and the value."""
    return any(True for _ in comments(text, node, (node.outer, node.end)))


def own_lines(text: str, offset: int, names: Collection[str], *, alone: bool) -> int:
    """Return where the line begins that holds an offset, or the comment lines above it that are about it.

    A comment right above several entries (not ``alone``) is their heading and belongs to none of them, unless it says
    one of the first entry's ``names``.
    """
    first = begin = line_start(text, offset)
    at = column(text, offset)
    while begin > 0:
        above = line_start(text, begin - 1)
        line = text[above : begin - 1]
        if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) != at:
            break
        begin = above
    said = set(_WORD.findall(text[begin:first].lower()))
    return begin if alone or said & set(names) else first


def names_of(value: object) -> frozenset[str]:
    """Return the words of the name of an entry: of an e-mail only those before the ``@``."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("email", "name", "label") if isinstance(value.get(key), str)), "")
    name = value.partition("@")[0] if isinstance(value, str) else ""
    return frozenset(_WORD.findall(name.lower()))
