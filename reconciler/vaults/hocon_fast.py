"""The plain part of HOCON, read in this process, for speed: pyhocon takes a hundred times as long.

Only what pyhocon is known to read exactly so is read here; at anything else :func:`parse_plain` gives up, and pyhocon
decides what it means or why it is wrong. So this module never reports an error. A test feeds both with random text.

Plain are: ``key: value``, ``key = value``, ``key { … }``, dotted and quoted keys, comments, lists, quoted texts with
the five escapes that clients know, decimal numbers, ``true``, ``false``, ``null`` and unquoted words.
"""

from __future__ import annotations

import re
from typing import Any

from reconciler.vaults.tree import Tree, from_plain

_LEVELS = 20
# What takes pyhocon long takes clients long: such documents are left to the child and its time limit.
_LENGTH = 64_000
_MERGES = 100
_FOREIGN = re.compile("[\r\x0b\x0c\x7f-\xa0\u2028\u2029]")
_SEPARATORS = re.compile(r"(?:[ \t\n,]|#[^\n]*|//[^\n]*)*")
_KEY = re.compile(
    r'(?:([A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*)*)|"([^"\\\n\t]+)")[ \t]*(?:[:=][ \t]*|(?=\{))'
)
# Not plain: a number before blanks at the very end of the text, which pyhocon takes for a text.
_VALUE = re.compile(
    r"""(?:
      "(?P<quoted>(?:[^"\\\n\t]|\\["\\nrt])*)"
    | (?P<float>-?(?:0|[1-9][0-9]{0,15})\.[0-9]{1,17})
    | (?P<integer>-?(?:0|[1-9][0-9]{0,17}))
    | (?P<words>(?!//)[A-Za-z_/~][A-Za-z0-9_./~:-]*(?:[ ](?!//)[A-Za-z_/~][A-Za-z0-9_./~:-]*)*)
    )(?=\Z|[ \t]*[\n,}\]]|[ \t]+(?:\#|//))""",
    re.VERBOSE,
)
# After an object or list anything but the end of the value would be a concatenation.
_END = re.compile(r"[ \t]*(?:[\n,}\]#]|//|\Z)")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}
_KEYWORD = re.compile(r"true|false|null|include", re.IGNORECASE)


class _NotPlain(Exception):  # noqa: N818 - control flow
    """Here begins something that is left to pyhocon."""


def parse_plain(text: str) -> Tree | None:
    """Return the tree of a plain HOCON document without braces around it, or ``None``: ask pyhocon."""
    if len(text) > _LENGTH:
        return None
    text = text.replace("\r\n", "\n")
    if _FOREIGN.search(text):
        return None
    reader = _Reader(text)
    root: dict[str, Any] = {}
    try:
        reader.members(root, _LEVELS)
    except _NotPlain:
        return None
    return from_plain(root) if reader.at == len(text) else None


class _Reader:
    """Reads values at ``at``; raises :class:`_NotPlain` wherever pyhocon's reading might be another."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._merges = 0
        self.at = 0

    def members(self, into: dict[str, Any], levels: int) -> None:
        """Read members up to what cannot begin one."""
        while True:
            start = self.at
            self._skip()
            match = _KEY.match(self._text, self.at)
            if match is None:
                return
            if start == self.at and start > 0 and self._text[start - 1] != "{":
                raise _NotPlain
            self.at = match.end()
            dotted, quoted = match.groups()
            if dotted is not None and _KEYWORD.match(dotted):
                raise _NotPlain
            path = dotted.split(".") if dotted is not None else [quoted]
            if len(path) > levels:
                raise _NotPlain
            self._put(into, path, self._value(levels - len(path)))

    def _put(self, into: dict[str, Any], path: list[str], value: Any) -> None:
        """Set a value as HOCON does: objects are merged, other values replaced by values of the same kind."""
        for key in path[:-1]:
            into = into.setdefault(key, {})
            if not isinstance(into, dict):
                raise _NotPlain
        key = path[-1]
        if key not in into:
            into[key] = value
            return
        before = into[key]
        if _kind(before) != _kind(value):
            raise _NotPlain
        if isinstance(before, dict):
            self._merges += 1
            if self._merges > _MERGES:
                raise _NotPlain
            for inner, item in value.items():
                self._put(before, [inner], item)
        else:
            into[key] = value

    def _value(self, levels: int) -> Any:
        following = self._text[self.at : self.at + 1]
        if following in {"{", "["}:
            if levels == 0:
                raise _NotPlain
            self.at += 1
            value = self._object(levels - 1) if following == "{" else self._list(levels - 1)
            if not _END.match(self._text, self.at):
                raise _NotPlain
            return value
        match = _VALUE.match(self._text, self.at)
        if match is None:
            raise _NotPlain
        self.at = match.end()
        return _scalar(match)

    def _object(self, levels: int) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        self.members(entries, levels)
        self._close("}")
        return entries

    def _list(self, levels: int) -> list[Any]:
        items: list[Any] = []
        while True:
            start = self.at
            self._skip()
            if self._text[self.at : self.at + 1] == "]":
                self.at += 1
                return items
            if start == self.at and self._text[start - 1] != "[":
                raise _NotPlain
            value = self._value(levels)
            # pyhocon drops empty texts from lists, and so do clients.
            if value != "":
                items.append(value)

    def _close(self, bracket: str) -> None:
        if self._text[self.at : self.at + 1] != bracket:
            raise _NotPlain
        self.at += 1

    def _skip(self) -> None:
        match = _SEPARATORS.match(self._text, self.at)
        if match is not None:
            self.at = match.end()


def _scalar(match: re.Match[str]) -> Any:
    kind = match.lastgroup
    text = match.group(kind) if kind is not None else ""
    if kind == "quoted":
        return _ESCAPE.sub(lambda found: _ESCAPED[found.group(1)], text) if "\\" in text else text
    if kind == "integer":
        return int(text)
    if kind == "float":
        return float(text)
    if text in _WORDS:
        return _WORDS[text]
    if any(map(_KEYWORD.match, text.split(" "))):
        raise _NotPlain
    return text


def _kind(value: Any) -> type:
    return type(value) if isinstance(value, dict | list) else str
