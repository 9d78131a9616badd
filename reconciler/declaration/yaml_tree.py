"""The values of a YAML file, and where each of them stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.declaration.source import lines_of
from reconciler.errors import Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMN_BITS: Final = 24
"""How many bits of a packed mark are the column; the others are the line."""

_COLUMN_MASK: Final = (1 << COLUMN_BITS) - 1

YamlPath = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""


class YamlTree:
    """One file's values, and where each of them stands.

    ``nulls`` holds the path's last key and the place of every key that has no value. ``marks`` leads from the ``id``
    of a list or mapping to the packed marks of what is in it: of each item, or of each key and its value; ``start`` is
    the mark of ``root``.
    """

    def __init__(
        self,
        file: str,
        text: str,
        root: Any,
        nulls: list[tuple[str, Place]],
        marks: Mapping[int, Sequence[int]],
        start: int,
    ) -> None:
        self.file = file
        self.text = text
        self.root = root
        self.nulls = nulls
        self._marks = marks
        self._start = start
        self._lines: list[str] | None = None

    def place(self, path: YamlPath = (), *, key: bool = False) -> Place:
        """Return where the value at this path begins (``key``: its key), or the nearest parent that exists."""
        node, mark = self.root, self._start
        for depth, step in enumerate(path):
            marks = self._marks.get(id(node))
            index = _index(node, step)
            if marks is None or index is None:
                break
            wants_key = key and depth == len(path) - 1 and isinstance(node, dict)
            mark = marks[index * 2 + (not wants_key)] if isinstance(node, dict) else marks[index]
            node = node[step]
        return place_of(self.file, mark)

    def places(self, key: str) -> list[Place]:
        """Return where each item of the list with this key at the top begins; for thousands of them at once."""
        return [place_of(self.file, mark) for mark in self._marks[id(self.root[key])]]

    def line(self, number: int) -> str | None:
        """Return a line by its number, counted from 1."""
        if self._lines is None:
            self._lines = lines_of(self.text)
        return self._lines[number - 1] if 0 < number <= len(self._lines) else None


def packed(mark: Any) -> int:
    """Return a mark of the parser, line and column counted from 0, as one number."""
    number: int = mark.line << COLUMN_BITS | mark.column
    return number


def place_of(file: str, mark: int) -> Place:
    """Return the place that a packed mark stands for."""
    return Place(file, (mark >> COLUMN_BITS) + 1, (mark & _COLUMN_MASK) + 1)


def _index(node: object, step: str | int) -> int | None:
    if isinstance(node, dict):
        return list(node).index(step) if step in node else None
    if isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
        return step
    return None
