"""One reader of YAML: plain values and their places, from the parser's events, under a policy.

The values are built by hand: no constructor ever runs, and every node keeps its mark. What differs between YAML readers
is refused instead of interpreted: tags that change a value, merge keys, several documents, keys that are not strings,
aliases that multiply.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NoReturn

from reconciler.errors import Place, SourceError
from reconciler.frozen import Frozen
from reconciler.model.text import harmless
from reconciler.yaml.events import (
    SYNTAX,
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    parsed,
)
from reconciler.yaml.tree import YamlTree, place_of
from reconciler.yaml.values import LONGEST_NUMBER, MISLEADING, Oddity, ScalarError, plain_value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.yaml.tree import Mark

_TAG: Final = "tag:yaml.org,2002:"
_TEXT_TAGS: Final = frozenset({"!", f"{_TAG}str"})
_KINDS: Final = {str: "str", bool: "bool", int: "int", float: "float", type(None): "null", dict: "map", list: "seq"}


class Rule(StrEnum):
    """What a text is refused for: the rule of its problem."""

    SYNTAX = SYNTAX
    DIRECTIVE = "directive"
    SEVERAL_DOCUMENTS = "several-documents"
    TAG = "tag"
    ALIAS = "alias"
    ALIAS_LIMIT = "alias-limit"
    NUMBER = "ambiguous-number"
    TOO_DEEP = "too-deep"
    TOO_MANY = "too-many-values"
    KEY = "key-not-text"
    MERGE_KEY = "merge-key"
    DUPLICATE_KEY = "duplicate-key"


class Policy(Frozen):
    """What a reader takes; the defaults are for files that people write.

    ``depth`` is how many lists and mappings may be nested, ``nodes`` how many keys and values a text may hold, with
    what aliases stand for, and ``aliased`` how many of them aliases may stand for; ``longest_number`` is the most
    characters of a whole number, ``refused`` what is odd about a number that is refused. ``core_tags``: a tag of the
    core schema that says of a value what it is anyway is taken, not only that of strings. ``directives``: ``%YAML`` and
    ``%TAG`` are taken.
    """

    depth: int = 32
    nodes: int = 1_000_000
    aliased: int = 100_000
    longest_number: int = LONGEST_NUMBER
    refused: frozenset[Oddity] = MISLEADING
    core_tags: bool = False
    directives: bool = True


STRICT: Final = Policy()
"""For files that people write."""


def read(text: str, file: str, policy: Policy = STRICT) -> YamlTree:
    """Read one YAML document, of any kind; an empty text is null. Raises :class:`SourceError`."""
    return parsed(text, file, lambda following: tree_of(following, text, file, policy))


def tree_of(following: Callable[[], Any], text: str, file: str, policy: Policy = STRICT) -> YamlTree:
    """Return the tree of a text's events, each of which ``following`` returns. Raises :class:`SourceError`."""
    return _Reader(file, following, policy).tree(text)


class _Reader:
    """Builds one tree; each method consumes exactly the events of its node."""

    def __init__(self, file: str, following: Callable[[], Any], policy: Policy) -> None:
        self.file = file
        self._next = following
        self._policy = policy
        self._most = policy.nodes
        self._nulls: list[tuple[str, Place]] = []
        self._marks: dict[int, list[Mark]] = {}
        self._anchors: dict[str, tuple[Any, int, int]] = {}
        """What each anchor names, how many nodes that is, and how deep it goes."""
        self._open: set[str] = set()
        self._texts: dict[str, str] = {}
        """Every string in quotes once: an e-mail stands in many groups, and is kept, and hashed, once."""
        self._plain: dict[str, Any] = {}
        """What each plain scalar means; so is every string without quotes there once."""
        self._nodes = 1
        self._aliased = 0
        self._deepest = 0

    def tree(self, text: str) -> YamlTree:
        self._next()
        event = self._next()
        if type(event) is StreamEndEvent:
            return YamlTree(self.file, text, None, [], {}, event.start_mark)
        if not self._policy.directives and (event.version or event.tags):
            self._refuse(Rule.DIRECTIVE, "directives are not allowed", event)
        first = self._next()
        root = self._node(first, 0)
        self._next()
        event = self._next()
        if type(event) is DocumentStartEvent:
            self._refuse(Rule.SEVERAL_DOCUMENTS, "a second YAML document begins here; a file holds one", event)
        return YamlTree(self.file, text, root, self._nulls, self._marks, first.start_mark)

    def _node(self, event: Any, depth: int) -> Any:
        kind = type(event)
        if kind is AliasEvent:
            return self._alias(event, depth)
        if event.anchor is None:
            return self._scalar(event) if kind is ScalarEvent else self._container(event, depth)
        return self._anchored(event, depth)

    def _anchored(self, event: Any, depth: int) -> Any:
        nodes, deepest = self._nodes, self._deepest
        self._deepest = depth
        self._open.add(event.anchor)
        value = self._scalar(event) if type(event) is ScalarEvent else self._container(event, depth)
        self._open.discard(event.anchor)
        self._anchors[event.anchor] = (value, self._nodes - nodes + 1, self._deepest - depth)
        self._deepest = max(deepest, self._deepest)
        return value

    def _alias(self, event: Any, depth: int) -> Any:
        name = event.anchor
        if name in self._open:
            self._refuse(Rule.ALIAS, f"the alias `*{harmless(name)}` is inside what it names", event)
        if name not in self._anchors:
            self._refuse(Rule.ALIAS, f"the alias `*{harmless(name)}` names no anchor before it", event)
        value, size, height = self._anchors[name]
        self._check_depth(depth + height, event)
        self._nodes += size - 1
        self._aliased += size
        if self._aliased > self._policy.aliased:
            message = f"the aliases stand for more than {self._policy.aliased} values"
            self._refuse(Rule.ALIAS_LIMIT, message, event)
        return value

    def _scalar(self, event: Any) -> Any:
        if event.ctag is None and event.implicit[0]:
            try:
                return self._plain[event.value]
            except KeyError:
                return self._first_plain(event)
        text: str = event.value
        if event.ctag is not None and event.tag not in _TEXT_TAGS:
            value = text if event.style else self._first_plain(event)
            self._check_tag(event, type(value))
            return value
        return self._texts.setdefault(text, text)

    def _first_plain(self, event: Any) -> Any:
        """Return what a plain scalar means that did not stand in this text before."""
        text: str = event.value
        try:
            value = plain_value(text, self._policy.refused, longest=self._policy.longest_number)
        except ScalarError as error:
            leading = error.oddity is Oddity.LEADING_ZERO
            hint = f"write it {'without the zero, or ' if leading else ''}in quotes if it is a string"
            self._refuse(Rule.NUMBER, f"`{harmless(text[:40])}`: {error}", event, hint=hint)
        self._plain[text] = value
        return value

    def _container(self, event: Any, depth: int) -> Any:
        is_list = type(event) is SequenceStartEvent
        if event.ctag is not None:
            self._check_tag(event, list if is_list else dict)
        self._check_depth(depth + 1, event)
        value = self._sequence(depth + 1) if is_list else self._mapping(depth + 1)
        self._nodes += len(self._marks[id(value)])
        if self._nodes > self._most:
            self._refuse_too_many(event)
        return value

    def _sequence(self, depth: int) -> list[Any]:
        values: list[Any] = []
        marks: list[Mark] = []
        following, plain = self._next, self._plain
        while type(event := following()) is not SequenceEndEvent:
            marks.append(event.start_mark)
            # What a list of thousands of names is made of is known at once; all else takes the long way.
            if type(event) is ScalarEvent and event.anchor is event.ctag is None and event.implicit[0]:
                try:
                    values.append(plain[event.value])
                except KeyError:
                    values.append(self._first_plain(event))
            else:
                values.append(self._node(event, depth))
            if len(marks) > self._most:
                self._refuse_too_many(event)
        self._marks[id(values)] = marks
        return values

    def _mapping(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        marks: list[Mark] = []
        following, plain = self._next, self._plain
        while type(event := following()) is not MappingEndEvent:
            key = self._key(event, values, marks, depth)
            marks.append(event.start_mark)
            event = following()
            marks.append(event.start_mark)
            if type(event) is ScalarEvent and event.anchor is event.ctag is None and event.implicit[0]:
                try:
                    value = plain[event.value]
                except KeyError:
                    value = self._first_plain(event)
            else:
                value = self._node(event, depth)
            if value is None:
                self._nulls.append((key, place_of(self.file, marks[-2])))
            values[key] = value
            if len(marks) > self._most:
                self._refuse_too_many(event)
        self._marks[id(values)] = marks
        return values

    def _key(self, event: Any, values: dict[str, Any], marks: Sequence[Mark], depth: int) -> str:
        kind = type(event)
        if kind is not ScalarEvent and kind is not AliasEvent:
            name = "mapping" if kind is MappingStartEvent else "list"
            self._refuse(Rule.KEY, f"a key must be a string, this one is a {name}", event)
        key = self._scalar(event) if kind is ScalarEvent and event.anchor is None else self._node(event, depth)
        if type(key) is not str:
            self._refuse(Rule.KEY, "a key must be a string", event, hint="put it in quotes")
        if key == "<<" and kind is ScalarEvent and event.implicit[0]:
            hint = "repeat the keys, or use an alias for a whole value"
            self._refuse(Rule.MERGE_KEY, "merge keys (`<<`) are not supported: YAML 1.2 has none", event, hint=hint)
        if key in values:
            first = place_of(self.file, marks[list(values).index(key) * 2])
            message = f"`{harmless(key)}` was already given at {first.line}:{first.column}"
            self._refuse(Rule.DUPLICATE_KEY, message, event)
        return key

    def _check_depth(self, depth: int, event: Any) -> None:
        if depth > self._policy.depth:
            message = f"lists and mappings are nested more than {self._policy.depth} deep"
            self._refuse(Rule.TOO_DEEP, message, event)
        self._deepest = max(self._deepest, depth)

    def _check_tag(self, event: Any, kind: type) -> None:
        if not (self._policy.core_tags and event.tag == f"{_TAG}{_KINDS[kind]}"):
            message = f"the tag `{harmless(str(event.tag)[:60])}` is not supported"
            self._refuse(Rule.TAG, message, event, hint="remove it")

    def _refuse_too_many(self, event: Any) -> NoReturn:
        self._refuse(Rule.TOO_MANY, f"this file holds more than {self._most} values", event)

    def _refuse(self, rule: Rule, message: str, event: Any, *, hint: str | None = None) -> NoReturn:
        raise SourceError(rule.value, message, place_of(self.file, event.start_mark), hint=hint)
