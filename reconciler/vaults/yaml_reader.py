"""YAML with the meaning of YAML 1.2's core schema, from the C parser's events.

Values are built by hand: no constructor ever runs, ``no`` is a text, and what differs between YAML readers (tags, merge
keys, several documents, keys that are no texts) is refused.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from reconciler.vaults.errors import DocumentError
from reconciler.vaults.limits import MAXIMUM_DEPTH, MAXIMUM_NODES, too_deep
from reconciler.vaults.tree import List, Object, Scalar, ScalarValue, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TAG = "tag:yaml.org,2002:"


def parse_yaml(text: str) -> Tree:
    """Parse one YAML document; raises :class:`DocumentError` with line and column."""
    return _Builder(events(text)).document()


def events(text: str) -> Iterator[Any]:
    """Iterate over the C parser's events, its errors turned into ours without their quotes from the document."""
    from _ruamel_yaml import CParser
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        parser = CParser(text)
        while parser.check_event():
            yield parser.get_event()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark is not None else (None, None)
        raise DocumentError("this is not valid YAML", *place) from None
    except (YAMLError, ValueError):
        raise DocumentError("this is not valid YAML") from None


def plain_value(text: str) -> ScalarValue:
    """Return what an unquoted scalar means; raises ``ValueError`` for numbers that are not finite or far too long."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if len(text) > 4000:
        return _long_value(text)
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text):
        return int(text, 0)
    if _SPECIAL.fullmatch(text):
        raise ValueError
    if _FLOAT.fullmatch(text):
        value = float(text)
        if not math.isfinite(value):
            raise ValueError
        return value
    return text


def _long_value(text: str) -> str:
    if _FLOAT.fullmatch(text):
        raise ValueError
    return text


class _Builder:
    """Builds trees from events, counting what aliases expand to."""

    def __init__(self, source: Iterator[Any]) -> None:
        self._events = source
        self._anchors: dict[str, tuple[Tree, int]] = {}
        self._nodes = 0

    def document(self) -> Tree:
        tree: Tree | None = None
        for event in self._events:
            name = type(event).__name__
            if name == "DocumentStartEvent":
                if tree is not None:
                    raise _error("a vault holds one document; here a second one begins", event)
                if event.version or event.tags:
                    raise _error("directives are not allowed", event)
            elif name not in {"StreamStartEvent", "StreamEndEvent", "DocumentEndEvent"}:
                tree = self._node(event, 1)
        return tree if tree is not None else Scalar(None)

    def _node(self, event: Any, level: int) -> Tree:
        name = type(event).__name__
        if name == "AliasEvent":
            return self._alias(event)
        if level > MAXIMUM_DEPTH:
            raise too_deep(*_place(event))
        before = self._nodes
        self._count(1, event)
        tree: Tree
        if name == "ScalarEvent":
            tree = self._scalar(event)
        elif name == "MappingStartEvent":
            _allow_tag(event, "map")
            tree = self._mapping(level)
        else:
            _allow_tag(event, "seq")
            tree = self._sequence(level)
        if event.anchor is not None:
            self._anchors[event.anchor] = (tree, self._nodes - before)
        return tree

    def _alias(self, event: Any) -> Tree:
        if event.anchor not in self._anchors:
            raise _error("an alias refers to an anchor that is not complete before it", event)
        tree, count = self._anchors[event.anchor]
        self._count(count, event)
        return tree

    def _count(self, count: int, event: Any) -> None:
        self._nodes += count
        if self._nodes > MAXIMUM_NODES:
            raise _error("the document holds too many values, or its aliases expand to too many", event)

    def _mapping(self, level: int) -> Object:
        entries: dict[str, Tree] = {}
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key = self._key(event)
            if key in entries:
                raise _error("the same key stands twice in one mapping", event)
            entries[key] = self._node(next(self._events), level + 1)
        return Object(entries)

    def _key(self, event: Any) -> str:
        if type(event).__name__ != "ScalarEvent" or event.anchor is not None:
            raise _error("a key must be a plain text", event)
        key = self._scalar(event)
        if not isinstance(key.value, str):
            raise _error("this key is not a text; put it in quotes", event)
        if key.value == "<<" and event.style in {None, ""}:
            raise _error("merge keys (<<) are not part of YAML 1.2; write the values out", event)
        return key.value

    def _sequence(self, level: int) -> List:
        items = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            items.append(self._node(event, level + 1))
        return List(tuple(items))

    def _scalar(self, event: Any) -> Scalar:
        if event.tag in {"!", f"{_TAG}str"}:
            return Scalar(event.value)
        try:
            value = plain_value(event.value) if event.style in {None, ""} else event.value
        except ValueError:
            raise _error("this number is not finite or too long", event) from None
        kind = {bool: "bool", int: "int", float: "float", str: "str"}.get(type(value), "null")
        _allow_tag(event, kind)
        return Scalar(value)


def _allow_tag(event: Any, kind: str) -> None:
    if event.tag is not None and event.tag != f"{_TAG}{kind}":
        raise _error("tags are not allowed here", event)


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _error(message: str, event: Any) -> DocumentError:
    return DocumentError(message, *_place(event))
