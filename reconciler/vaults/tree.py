"""A document's meaning as an immutable tagged tree, the same for HOCON, JSON and YAML.

Two trees are equal when clients read the same from them: key order does not matter, types do (``1``, ``1.0``, ``"1"``
and ``true`` are four values, as they are four values in the client's Python).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.frozen import Frozen
from reconciler.model.secret import HIDDEN
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Path = tuple[str | int, ...]
ScalarValue = str | int | float | bool | None

_PLAIN_KEY = re.compile(r"[\w-]+")
_PATH_PART = re.compile(r'(?:^|\.)(?:"((?:[^"\\]|\\.)*)"|([^."\[\]]+))|\[(\d+)\]')


class Object(Frozen):
    """Keys and values. The mapping belongs to the node and is never changed."""

    entries: Mapping[str, Tree]

    def __hash__(self) -> int:
        return hash(frozenset(self.entries.items()))


class List(Frozen):
    """Values in order."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A text, number, truth value or null; equal only to a scalar of the same type.

    A dataclass, since what is ``Frozen`` does not ask a class's own ``==`` when it is asked for ``!=``.
    """

    value: ScalarValue

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scalar):
            return NotImplemented
        return type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


class Substitution(Frozen):
    """A ``${path}`` or ``${?path}`` inside an expression; ``blanks`` follow it where more text does."""

    path: str
    optional: bool = False
    blanks: str = ""

    @property
    def source(self) -> str:
        """The substitution as HOCON writes it."""
        return f"${{{'?' if self.optional else ''}{self.path}}}"


class Expression(Frozen):
    """A value that only the reader of the document can work out.

    ``parts`` are concatenated; ``earlier`` is what the same key was set to before, which a self-reference means.
    """

    parts: tuple[Substitution | Tree, ...]
    earlier: Tree | None = None

    @property
    def source(self) -> str:
        """The expression in HOCON's spelling; holds document content, so it may hold secrets."""
        return "".join(
            part.source + part.blanks if isinstance(part, Substitution) else _part_text(part) for part in self.parts
        ).strip()


class Hidden(Frozen):
    """Stands in a display tree for a value that must not be shown."""

    text: str = HIDDEN


class PythonObject(Frozen):
    """What clients get that is no plain value, such as a duration; ``text`` is how Python shows it."""

    text: str


Tree = Object | List | Scalar | Expression | PythonObject | Hidden

EMPTY = Object({})


def _part_text(part: Tree) -> str:
    if isinstance(part, Scalar) and isinstance(part.value, str):
        return part.value
    return display(part)


def display(tree: Tree) -> str:
    """Return a tree in one line, JSON-like, with no control or invisible characters in it."""
    if isinstance(tree, Object):
        return "{" + ", ".join(f"{_quoted(key)}: {display(value)}" for key, value in tree.entries.items()) + "}"
    if isinstance(tree, List):
        return "[" + ", ".join(map(display, tree.items)) + "]"
    if isinstance(tree, Expression):
        return harmless(tree.source)
    return tree.text if isinstance(tree, Hidden | PythonObject) else _quoted(tree.value)


def _quoted(value: ScalarValue) -> str:
    return harmless(json.dumps(value, ensure_ascii=False))


def path_text(path: Path) -> str:
    """Return a path as people write it: ``sdk.aws.s3.credentials[0].bucket``; unusual keys stand in quotes."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _PLAIN_KEY.fullmatch(part) and part.isprintable() else _quoted(part)
            text += f".{key}" if text else key
    return text


def parse_path(text: str) -> Path:
    """Read what :func:`path_text` writes; raises ``ValueError`` for anything else."""
    parts: list[str | int] = []
    end = 0
    while end < len(text):
        match = _PATH_PART.match(text, end)
        if match is None or match.end() == end:
            raise ValueError("not a path; write it like sdk.aws.s3.credentials[0].bucket")
        quoted, plain, index = match.groups()
        parts.append(int(index) if index is not None else plain if plain is not None else json.loads(f'"{quoted}"'))
        end = match.end()
    return tuple(parts)


def children(tree: Tree) -> Iterator[tuple[str | int, Tree]]:
    """Iterate over what an object or list holds directly."""
    if isinstance(tree, Object):
        yield from tree.entries.items()
    elif isinstance(tree, List):
        yield from enumerate(tree.items)


def leaves(tree: Tree, prefix: Path = ()) -> Iterator[tuple[Path, Tree]]:
    """Iterate over all that is no container, and over empty containers, in document order."""
    empty = True
    for key, value in children(tree):
        empty = False
        yield from leaves(value, (*prefix, key))
    if empty:
        yield prefix, tree


def lookup(tree: Tree, path: Path) -> Tree | None:
    """Return what is at a path, or ``None``."""
    node: Tree = tree
    for part in path:
        if isinstance(node, Object) and isinstance(part, str) and part in node.entries:
            node = node.entries[part]
        elif isinstance(node, List) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
        else:
            return None
    return node


def put(tree: Object, path: Path, node: Tree | None) -> Object:
    """Return an object with a node at a path of keys; ``None`` removes what is there, and objects that only held it."""
    key, *rest = map(str, path)
    below = tree.entries.get(key, EMPTY)
    if rest:
        if not isinstance(below, Object):
            return tree
        node = put(below, tuple(rest), node)
        node = node if node.entries else None
    if node is None:
        return Object({name: value for name, value in tree.entries.items() if name != key})
    return Object({**tree.entries, key: node})


def transform(tree: Tree, change: Callable[[Path, Tree], Tree], prefix: Path = ()) -> Tree:
    """Return the tree with every leaf (expressions and empty containers too) replaced by what ``change`` gives."""
    if isinstance(tree, Object) and tree.entries:
        return Object({key: transform(value, change, (*prefix, key)) for key, value in tree.entries.items()})
    if isinstance(tree, List) and tree.items:
        return List(tuple(transform(value, change, (*prefix, index)) for index, value in enumerate(tree.items)))
    return change(prefix, tree)


def texts(tree: Tree, *, keys: bool = False) -> Iterator[str]:
    """Iterate over every text value, those inside expressions included, and over the keys where asked for."""
    if isinstance(tree, Scalar):
        if isinstance(tree.value, str):
            yield tree.value
    elif isinstance(tree, Expression):
        for part in (*tree.parts, tree.earlier):
            if part is not None and not isinstance(part, Substitution):
                yield from texts(part, keys=keys)
    else:
        for key, value in children(tree):
            if keys and isinstance(key, str):
                yield key
            yield from texts(value, keys=keys)


def depth(tree: Tree) -> int:
    """Return how many containers are nested in one another at most."""
    if not isinstance(tree, Object | List):
        return 0
    return 1 + max((depth(value) for _, value in children(tree)), default=0)


def from_plain(value: Any) -> Tree:
    """Make a tree from dictionaries, lists and scalars."""
    if isinstance(value, dict):
        return Object({key: from_plain(item) for key, item in value.items()})
    if isinstance(value, list):
        return List(tuple(map(from_plain, value)))
    return Scalar(value)


def to_plain(tree: Tree) -> Any:
    """Make dictionaries, lists and scalars from a tree; expressions become their source, hidden values their text."""
    if isinstance(tree, Object):
        return {key: to_plain(value) for key, value in tree.entries.items()}
    if isinstance(tree, List):
        return [to_plain(value) for value in tree.items]
    if isinstance(tree, Expression):
        return tree.source
    return tree.text if isinstance(tree, Hidden | PythonObject) else tree.value
