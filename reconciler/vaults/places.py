"""Which line of a document says a value: for people, so that they find it; nothing depends on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reconciler.model.resources import DocumentFormat
from reconciler.vaults.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.resources import Document
    from reconciler.vaults.tree import Path

_LEXEME = re.compile(
    r'(?P<text>"""[\s\S]*?"*"""|"(?:[^"\\\n]|\\.)*")|(?P<comment>#[^\n]*|(?<![^\s,{}\[\]])//[^\n]*)'
    r"|(?P<reference>[@$]\{[^}\n]*\})|(?P<mark>[{}\[\],\n:=])|(?P<word>[^\s{}\[\],:=\"#@$]+|[@$])"
)


def value_lines(document: Document) -> Mapping[Path, int]:
    """Return the line, in the user's file, of each key of a document (the last one that sets it); lists as a whole.

    A reading of the surface, made to be quick and to never fail: a path that is not there has no known line.
    """
    text = document.text.reveal()
    try:
        places = _yaml_places(text) if document.format is DocumentFormat.YAML else _Scanner(text).places()
        return {path: document.line + line for path, line in places}
    except DocumentError:
        return {}


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """Return the line of a path, or of the nearest container of it that has one."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return None


class _Scanner:
    """Walks over HOCON or JSON, keeping track of keys and brackets; places are counted from 0."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[Path | None] = [()]
        self._words: list[str] = []
        self._key: Path | None = None
        self._line = 0

    def places(self) -> Iterator[tuple[Path, int]]:
        """Iterate over keys with their lines, in the order of the text."""
        at = 0
        for match in _LEXEME.finditer(self._text):
            self._line += self._text.count("\n", at, match.start())
            at = match.start()
            kind, lexeme = match.lastgroup, match.group()
            if kind == "mark":
                yield from self._mark(lexeme)
            elif kind != "comment" and self._key is None:
                self._words.append(lexeme)

    def _mark(self, mark: str) -> Iterator[tuple[Path, int]]:
        above = self._open[-1]
        if mark in ",\n":
            self._key = None
            self._words.clear()
        elif mark in "}]":
            if len(self._open) > 1:
                self._open.pop()
            self._words.clear()
        elif above is None:
            if mark in "{[":
                self._open.append(None)
        elif mark == "[":
            self._open.append(None)
        elif self._key is None and self._words:
            self._key = (*above, *_parts(self._words))
            yield self._key, self._line
        if mark == "{" and above is not None:
            self._open.append(self._key if self._key is not None else above)
            self._key = None
            self._words.clear()


def _parts(words: list[str]) -> Path:
    parts: list[str] = []
    for word in words:
        if word[0] == '"':
            parts.append(word.strip('"'))
        else:
            parts += [part for part in word.rstrip("+").split(".") if part]
    return tuple(parts)


def _yaml_places(text: str) -> Iterator[tuple[Path, int]]:
    from reconciler.vaults.references import occurrences, replace
    from reconciler.vaults.yaml_reader import events

    # A bare reference is no YAML; a word of the same place is.
    found = tuple(occurrences(text))
    source = (event for event in events(replace(text, found, ["x"] * len(found))))
    for event in source:
        if type(event).__name__ == "MappingStartEvent":
            yield from _yaml_mapping(source, ())


def _yaml_mapping(source: Iterator[Any], path: Path) -> Iterator[tuple[Path, int]]:
    while type(key := next(source)).__name__ == "ScalarEvent":
        here = (*path, key.value)
        yield here, key.start_mark.line
        value = next(source)
        if type(value).__name__ == "MappingStartEvent":
            yield from _yaml_mapping(source, here)
        elif type(value).__name__ == "SequenceStartEvent":
            _skip_sequence(source)


def _skip_sequence(source: Iterator[Any]) -> None:
    level = 1
    while level:
        name = type(next(source)).__name__
        level += name == "SequenceStartEvent"
        level -= name == "SequenceEndEvent"
