"""YAML read straight from the C parser's events: plain values, and the place of each of them.

The values are built by hand because that is several times faster than any loader and keeps every node's mark. What a
declaration has no use for is refused instead of interpreted: tags, merge keys, several documents, keys that are not
texts, aliases that multiply.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, DocumentStartEvent, StreamEndEvent

from reconciler.declaration.scalars import ScalarError, plain_value
from reconciler.declaration.source import SourceError
from reconciler.declaration.yaml_events import (
    MappingEnd,
    MappingStart,
    Scalar,
    SequenceEnd,
    SequenceStart,
    light_events,
    new_parser,
)
from reconciler.declaration.yaml_tree import YamlTree, place_of
from reconciler.errors import Place
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.declaration.yaml_tree import Mark

MAXIMUM_DEPTH: Final = 32
"""How deep lists and mappings may be nested."""

MAXIMUM_ALIASED_NODES: Final = 100_000
"""How many nodes all aliases of a file may stand for, together."""

MAXIMUM_NODES: Final = 1_000_000
"""How many keys and values a file may hold."""

_TEXT_TAGS: Final = frozenset({"!", "tag:yaml.org,2002:str"})
_HINTS: Final = {
    "found character that cannot start any token": "quote the text, or indent with blanks instead of tabs",
    "mapping values are not allowed in this context": "check the indentation, or quote a text that holds `: `",
}

_UNEXPECTED_COLON: Final = "found unexpected ':'"
INNER_COLON: Final = re.compile(r"""(?<=[^\s"'\[\]{},]):(?=[^\s\[\]{},])""")
"""A colon within a word: libyaml refuses some of them."""

_PRIVATE_USE: Final = range(0xE000, 0xF8FF)


def read_yaml(text: str, file: str) -> YamlTree:
    """Read one YAML document with a mapping at its top. Raises :class:`SourceError`."""
    try:
        with light_events():
            return _tree(text, file)
    except MarkedYAMLError as error:
        _refuse_syntax(error, file)
    except YAMLError as error:
        raise SourceError("yaml-syntax", "this is not YAML", Place(file)) from error


def _tree(text: str, file: str) -> YamlTree:
    builder = _Builder(file, text)
    try:
        builder.build()
    except MarkedYAMLError as error:
        if error.problem != _UNEXPECTED_COLON:
            raise
        builder = _Builder(file, text, colon=unused_character(text))
        builder.build()
    return builder.tree()


def unused_character(text: str) -> str:
    """Return a character of the private use that a text does not hold."""
    return next(char for code in _PRIVATE_USE if (char := chr(code)) not in text)


def _refuse_syntax(error: MarkedYAMLError, file: str) -> NoReturn:
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    problem = str(error.problem or "it cannot be parsed")
    context = f" ({error.context})" if error.context else ""
    raise SourceError(
        "yaml-syntax", f"not valid YAML: {harmless(problem)}{harmless(context)}", place, hint=_HINTS.get(problem)
    ) from None


class _Builder:
    """Builds one tree; each method consumes exactly the events of its node.

    libyaml as ruamel brings it does not know that YAML 1.2 allows ``{server: https://acme.io}``. Where it stumbles, the
    text is read again with ``colon``, a character of the same width that it does not hold, in place of each colon
    within a word; the values get their colons back.
    """

    start: Mark

    def __init__(self, file: str, text: str, *, colon: str | None = None) -> None:
        self.file = file
        self.text = text
        self.root: Any = None
        self.nulls: list[tuple[str, Place]] = []
        self.marks: dict[int, list[Mark]] = {}
        self._colon = colon
        self._next = new_parser(text if colon is None else INNER_COLON.sub(colon, text)).get_event
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._texts: dict[str, str] = {}
        """Every text in quotes once: an e-mail stands in many groups, and is kept, and hashed, once."""
        self._plain: dict[str, Any] = {}
        """What each plain scalar means, as the parser told it; so is every text without quotes there once."""
        self._open: set[str] = set()
        self._nodes = 1
        self._aliased = 0

    def build(self) -> None:
        self._next()
        event = self._next()
        if type(event) is StreamEndEvent:
            self._refuse_empty()
        event = self._next()
        self.start = event.start_mark
        self.root = self._node(event, 0)
        if self.root is None:
            self._refuse_empty()
        if not isinstance(self.root, dict):
            kind = "a list" if isinstance(self.root, list) else "a single value"
            self._refuse("wrong-type", f"the file is {kind}, not a mapping of keys to values", event)
        self._next()
        event = self._next()
        if type(event) is DocumentStartEvent:
            self._refuse("several-documents", "a second YAML document begins here; a file holds one", event)

    def tree(self) -> YamlTree:
        return YamlTree(self.file, self.text, self.root, self.nulls, self.marks, self.start)

    def _node(self, event: Any, depth: int) -> Any:
        kind = type(event)
        if kind is AliasEvent:
            return self._alias(event)
        anchor = event.anchor
        if anchor is None:
            return self._scalar(event) if kind is Scalar else self._container(event, kind, depth)
        before = self._nodes
        self._open.add(anchor)
        value = self._scalar(event) if kind is Scalar else self._container(event, kind, depth)
        self._open.discard(anchor)
        self._anchors[anchor] = (value, self._nodes - before + 1)
        return value

    def _alias(self, event: Any) -> Any:
        name = event.anchor
        if name in self._open:
            self._refuse("alias", f"the alias `*{harmless(name)}` stands inside what it names", event)
        if name not in self._anchors:
            self._refuse("alias", f"the alias `*{harmless(name)}` names no anchor before it", event)
        value, size = self._anchors[name]
        self._nodes += size - 1
        self._aliased += size
        if self._aliased > MAXIMUM_ALIASED_NODES:
            self._refuse("alias-limit", f"the aliases stand for more than {MAXIMUM_ALIASED_NODES} values", event)
        return value

    def _scalar(self, event: Any) -> Any:
        if event.ctag is None and event.implicit[0]:
            try:
                return self._plain[event.value]
            except KeyError:
                return self._first_plain(event)
        if event.ctag is not None and event.tag not in _TEXT_TAGS:
            self._refuse_tag(event)
        text = self._text(event)
        return self._texts.setdefault(text, text)

    def _first_plain(self, event: Any) -> Any:
        """Return what a plain scalar means that did not stand in this file before."""
        text = self._text(event)
        try:
            value = plain_value(text)
        except ScalarError as error:
            hint = "write it without the zero, or in quotes if it is a text"
            self._refuse("ambiguous-number", f"`{harmless(text[:40])}`: {error}", event, hint=hint)
        self._plain[event.value] = value
        return value

    def _text(self, event: Any) -> str:
        text: str = event.value
        return text if self._colon is None else text.replace(self._colon, ":")

    def _container(self, event: Any, kind: type, depth: int) -> Any:
        if event.ctag is not None:
            self._refuse_tag(event)
        if depth >= MAXIMUM_DEPTH:
            self._refuse("too-deep", f"lists and mappings are nested more than {MAXIMUM_DEPTH} deep", event)
        value = self._sequence(depth + 1) if kind is SequenceStart else self._mapping(depth + 1)
        self._nodes += len(self.marks[id(value)])
        if self._nodes > MAXIMUM_NODES:
            self._refuse_too_many(event)
        return value

    def _sequence(self, depth: int) -> list[Any]:
        values: list[Any] = []
        marks: list[Mark] = []
        following, plain = self._next, self._plain
        while type(event := following()) is not SequenceEnd:
            marks.append(event.start_mark)
            # What a list of thousands of names is made of is told at once; all else takes the long way.
            if type(event) is Scalar and event.anchor is event.ctag is None and event.implicit[0]:
                try:
                    values.append(plain[event.value])
                except KeyError:
                    values.append(self._first_plain(event))
            else:
                values.append(self._node(event, depth))
            if len(marks) > MAXIMUM_NODES:
                self._refuse_too_many(event)
        self.marks[id(values)] = marks
        return values

    def _mapping(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        marks: list[Mark] = []
        following, plain = self._next, self._plain
        while type(event := following()) is not MappingEnd:
            key = self._key(event, values, marks)
            marks.append(event.start_mark)
            event = following()
            marks.append(event.start_mark)
            if type(event) is Scalar and event.anchor is event.ctag is None and event.implicit[0]:
                try:
                    value = plain[event.value]
                except KeyError:
                    value = self._first_plain(event)
            else:
                value = self._node(event, depth)
            if value is None:
                self.nulls.append((key, place_of(self.file, marks[-2])))
            values[key] = value
            if len(marks) > MAXIMUM_NODES:
                self._refuse_too_many(event)
        self.marks[id(values)] = marks
        return values

    def _key(self, event: Any, values: dict[str, Any], marks: Sequence[Mark]) -> str:
        kind = type(event)
        if kind is not Scalar and kind is not AliasEvent:
            name = "mapping" if kind is MappingStart else "list"
            self._refuse("key-not-text", f"a key must be a text, this one is a {name}", event)
        key = self._scalar(event) if kind is Scalar and event.anchor is None else self._node(event, 0)
        if type(key) is not str:
            self._refuse("key-not-text", "a key must be a text", event, hint="put it in quotes")
        if key == "<<" and kind is Scalar and event.implicit[0]:
            hint = "repeat the keys, or use an alias for a whole value"
            self._refuse("merge-key", "merge keys (`<<`) are not supported: YAML 1.2 has none", event, hint=hint)
        if key in values:
            first = place_of(self.file, marks[list(values).index(key) * 2])
            message = f"`{harmless(key)}` was already given at {first.line}:{first.column}"
            self._refuse("duplicate-key", message, event)
        return key

    def _refuse_too_many(self, event: Any) -> NoReturn:
        self._refuse("too-many-values", f"this file holds more than {MAXIMUM_NODES} values", event)

    def _refuse_empty(self) -> NoReturn:
        message = "this file is empty: a declaration begins with `version: 1`; to remove nothing, leave lists out"
        raise SourceError("empty-file", message, Place(self.file))

    def _refuse_tag(self, event: Any) -> NoReturn:
        self._refuse("tag", f"the tag `{harmless(str(event.tag)[:60])}` is not supported", event, hint="remove it")

    def _refuse(self, rule: str, message: str, event: Any, *, hint: str | None = None) -> NoReturn:
        raise SourceError(rule, message, place_of(self.file, event.start_mark), hint=hint)
