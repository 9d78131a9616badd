"""Strings in several lines, as blocks of the canonical style, each proved to be the string that it was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.errors import SourceError
from reconciler.yaml.nodes import column, line_start
from reconciler.yaml.reader import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.yaml.nodes import ScalarNode

_INDENT = 2


def block_lines(text: str, node: ScalarNode) -> list[str]:
    """Return the lines of a block, its header first, the others without their indentation.

    Nothing for what is not a block, and for a string that no block of this style holds: one of blank lines only, or
    one line with blank lines below that count.
    """
    if node.style not in ("|", ">") or not node.value.strip():
        return []
    has_one_line = "\n" not in text[node.start : node.end].partition("\n")[2].strip()
    if has_one_line and node.value.endswith("\n\n"):
        return []
    return next((lines for lines in _candidates(text, node) if _is(lines, node.value)), [])


def _candidates(text: str, node: ScalarNode) -> Iterator[list[str]]:
    """Iterate over ways to write a block, the nearest to how it is written first."""
    value: str = node.value
    chomping = "-" if not value.endswith("\n") else "+" if value.endswith("\n\n") else ""
    given = re.search(r"[1-9]", text[node.start : node.end].partition("\n")[0].partition("#")[0])
    indents = [str(_INDENT)] if given else ["", str(_INDENT)]
    if node.style == ">":
        body = _folded(text, node, int(given.group()) if given else None)
        kept = len(value) - len(value.rstrip("\n")) - 1 if chomping == "+" else 0
        yield from ([f">{indent}{chomping}", *body, *[""] * kept] for indent in indents)
    literal = value.removesuffix("\n").split("\n")
    yield from ([f"|{indent}{chomping}", *literal] for indent in indents)


def _folded(text: str, node: ScalarNode, given: int | None) -> list[str]:
    """Return the lines of a folded block as they are written, without the indentation of the block."""
    lines = text[node.start : node.end].split("\n")[1:]
    first = next((line for line in lines if line.strip()), "")
    indent = len(first) - len(first.lstrip(" ")) if given is None else _parent_indent(text, node) + given
    return [line[indent:] for line in lines]


def _parent_indent(text: str, node: ScalarNode) -> int:
    """Return how far the line is indented that an explicit indentation counts from."""
    line = text[line_start(text, node.start) :][: column(text, node.start)]
    bare = re.match(r" *(?:- +)*", line)
    is_item = not line[bare.end() :].strip() if bare else False
    return line.rfind("-") if is_item else len(bare.group()) if bare else 0


def _is(lines: list[str], value: str) -> bool:
    """Return whether a block means a string."""
    header, *body = lines
    text = "".join(f"{line}\n" for line in (f"k: {header}", *(" " * _INDENT + line if line else "" for line in body)))
    try:
        return bool(read(text, "").root == {"k": value})
    except SourceError:
        return False
