"""The values of a YAML text, and where each of them stands."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from reconciler.errors import Place
from reconciler.model.placed_text import PlacedText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

YamlPath = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_BLOCK_SCALAR = re.compile(r"(?:[&!]\S*[ \t]+)*[|>]")


class Mark(Protocol):
    """Where something begins, as the parser says it."""

    @property
    def line(self) -> int:
        """The number of lines before it."""

    @property
    def column(self) -> int:
        """The number of characters before it in its line."""

    @property
    def index(self) -> int:
        """The number of characters before it in the text."""


class YamlTree:
    """One text's values, and where each of them stands.

    ``nulls`` holds the path's last key and the place of every key that has no value. ``marks`` leads from the ``id``
    of a list or mapping to the marks of what is in it: of each item, or of each key and its value; ``start`` is that
    of ``root``.
    """

    def __init__(
        self,
        file: str,
        text: str,
        root: Any,
        nulls: list[tuple[str, Place]],
        marks: Mapping[int, Sequence[Mark]],
        start: Mark,
    ) -> None:
        self.file = file
        self.text = text
        self.root = root
        self.nulls = nulls
        self._marks = marks
        self._start = start
        self._has_returns = "\r" in text
        self._lines: list[str] | None = None

    def place(self, path: YamlPath = (), *, key: bool = False) -> Place:
        """Return where the value at this path begins (``key``: its key), or the nearest parent that exists."""
        return place_of(self.file, self._mark(path, key=key))

    def _mark(self, path: YamlPath, *, key: bool) -> Mark:
        node, mark = self.root, self._start
        for depth, step in enumerate(path):
            marks = self._marks.get(id(node))
            index = _index(node, step)
            if marks is None or index is None:
                break
            wants_key = key and depth == len(path) - 1 and isinstance(node, dict)
            mark = marks[index * 2 + (not wants_key)] if isinstance(node, dict) else marks[index]
            node = node[step]
        return mark

    def places(self, key: str) -> list[Place]:
        """Return where each item of the list with this key at the top begins; for thousands of them at once."""
        return [place_of(self.file, mark) for mark in self._marks[id(self.root[key])]]

    def lines_from(self, path: YamlPath) -> Iterator[str]:
        """Iterate over the lines of the text, from the one that the value at this path begins in."""
        mark = self._mark(path, key=False)
        if self._has_returns:
            yield from lines_of(self.text)[mark.line :]
            return
        start = self.text.rfind("\n", 0, mark.index) + 1
        while (end := self.text.find("\n", start)) >= 0:
            yield self.text[start:end]
            start = end + 1
        yield self.text[start:]

    def line(self, number: int) -> str | None:
        """Return a line by its number, counted from 1."""
        if self._lines is None:
            self._lines = lines_of(self.text)
        return self._lines[number - 1] if 0 < number <= len(self._lines) else None


def placed_text(tree: YamlTree, path: YamlPath, text: str) -> PlacedText:
    """Return the string that is the value at a path with where it begins: plain, in quotes, or as a block."""
    place = tree.place(path)
    lines = tree.lines_from(path)
    line = next(lines)
    if not _BLOCK_SCALAR.match(line, place.column - 1):
        quoted = line[place.column - 1 : place.column] in {'"', "'"}
        return PlacedText(text, tree.file, place.line, first_column=place.column - 1 + quoted)
    first = next((part for part in text.split("\n") if part.strip()), "")
    offset = text.split("\n").index(first) if first else 0
    source = next(islice(lines, offset, None), "")
    indent = max(len(source) - len(source.lstrip(" ")) - (len(first) - len(first.lstrip(" "))), 0)
    return PlacedText(text, tree.file, place.line + 1, indent, indent)


def place_of(file: str, mark: Mark) -> Place:
    """Return the place of a mark."""
    return Place(file, mark.line + 1, mark.column + 1)


def place_at(text: str, offset: int, file: str) -> Place:
    """Return the place of a character offset."""
    ends = [match.end() for match in _LINE_END.finditer(text, 0, offset)]
    return Place(file, len(ends) + 1, offset - (ends[-1] if ends else 0) + 1)


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, split the way the YAML parser counts them."""
    return _LINE_END.split(text) if "\r" in text else text.split("\n")


def _index(node: object, step: str | int) -> int | None:
    if isinstance(node, dict):
        return list(node).index(step) if step in node else None
    if isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
        return step
    return None
