"""Where a text that stands in a YAML file begins, so that what is said of its lines and columns leads into the file."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from reconciler.declaration.yaml_tree import YamlPath, YamlTree

_BLOCK_SCALAR = re.compile(r"(?:[&!]\S*[ \t]+)*[|>]")


class Origin(Frozen):
    """The line that a text begins in; how many characters stand before its first line, and before each other one."""

    line: int
    first_column: int = 0
    indent: int = 0


def origin(tree: YamlTree, path: YamlPath, text: str) -> Origin:
    """Return where the text begins that is the value at a path: plain, in quotes, or as a block."""
    place = tree.place(path)
    lines = tree.lines_from(path)
    line = next(lines)
    if not _BLOCK_SCALAR.match(line, place.column - 1):
        quoted = line[place.column - 1 : place.column] in {'"', "'"}
        return Origin(place.line, place.column - 1 + quoted)
    first = next((part for part in text.split("\n") if part.strip()), "")
    offset = text.split("\n").index(first) if first else 0
    source = next(islice(lines, offset, None), "")
    indent = max(len(source) - len(source.lstrip(" ")) - (len(first) - len(first.lstrip(" "))), 0)
    return Origin(place.line + 1, indent, indent)
