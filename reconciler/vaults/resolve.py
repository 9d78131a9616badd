"""Substitutions worked out within one document, as clients do, but never from the environment and never endlessly."""

from __future__ import annotations

from reconciler.frozen import Frozen
from reconciler.vaults.tree import Expression, List, Object, Path, Scalar, Substitution, Tree, lookup, parse_path

_MAXIMUM_NODES = 50_000


class Resolved(Frozen):
    """A tree with the substitutions that could be worked out in place.

    ``unresolved`` leaves stay expressions: what they mean depends on the client's environment, or on nothing at all,
    and a client that cannot work one out drops the whole vault. ``vanished`` leaves are optional ones without a value.
    """

    tree: Tree
    unresolved: tuple[Path, ...] = ()
    vanished: tuple[Path, ...] = ()


class _Stuck(Exception):  # noqa: N818 - control flow
    """An expression cannot be worked out within the document."""


_GONE = Expression(())
"""Stands for an optional substitution that has no value."""


def resolve(tree: Tree) -> Resolved:
    """Work out what a document says about itself.

    Follows the clients' pyhocon: ``${a.b}`` means the final value of ``a.b`` in the same document, or the key's own
    earlier value; texts are joined (truth values as Python writes them), objects merged, lists chained.
    """
    work = _Work(tree)
    result = work.node(tree, ())
    return Resolved(result, tuple(work.unresolved), tuple(work.vanished))


class _Work:
    def __init__(self, root: Tree) -> None:
        self._root = root
        self._open: list[Expression] = []
        self._nodes = 0
        self.unresolved: list[Path] = []
        self.vanished: list[Path] = []

    def node(self, tree: Tree, path: Path) -> Tree:
        if isinstance(tree, Object):
            pairs = ((key, self.node(value, (*path, key))) for key, value in tree.entries.items())
            return Object({key: value for key, value in pairs if value is not _GONE})
        if isinstance(tree, List):
            items = (self.node(item, (*path, index)) for index, item in enumerate(tree.items))
            return List(tuple(item for item in items if item is not _GONE))
        if not isinstance(tree, Expression):
            return tree
        try:
            value = self._expression(tree)
        except _Stuck:
            self.unresolved.append(path)
            return tree
        if value is _GONE:
            self.vanished.append(path)
        return value

    def _expression(self, expression: Expression) -> Tree:
        if any(expression is other for other in self._open):
            raise _Stuck
        self._open.append(expression)
        try:
            values: list[tuple[Tree, str]] = []
            for part in expression.parts:
                value = self._part(part, expression)
                if value is not _GONE:
                    values.append((value, part.blanks if isinstance(part, Substitution) else ""))
            if not values:
                return _GONE if expression.earlier is None else self._value(expression.earlier)
            return _join(values)
        finally:
            self._open.pop()

    def _part(self, part: Substitution | Tree, expression: Expression) -> Tree:
        if not isinstance(part, Substitution):
            return self._value(part)
        try:
            found = lookup(self._root, parse_path(part.path))
        except ValueError:
            found = None
        if found is expression:
            found = expression.earlier
        if found is not None:
            return self._value(found)
        if part.optional:
            # A client would still look into its environment; what is not in the document is not ours to know.
            return _GONE
        raise _Stuck

    def _value(self, tree: Tree) -> Tree:
        self._nodes += 1
        if self._nodes > _MAXIMUM_NODES:
            raise _Stuck
        if isinstance(tree, Expression):
            return self._expression(tree)
        if isinstance(tree, Object):
            pairs = ((key, self._value(value)) for key, value in tree.entries.items())
            return Object({key: value for key, value in pairs if value is not _GONE})
        if isinstance(tree, List):
            items = map(self._value, tree.items)
            return List(tuple(item for item in items if item is not _GONE))
        return tree


def _join(values: list[tuple[Tree, str]]) -> Tree:
    """Put the parts of a concatenation together, as pyhocon does."""
    if len(values) == 1:
        return values[0][0]
    trees = [value for value, _ in values]
    if all(isinstance(tree, Object) for tree in trees):
        merged = trees[0]
        for tree in trees[1:]:
            merged = overlay(merged, tree)
        return merged
    if all(isinstance(tree, List) for tree in trees):
        return List(tuple(item for tree in trees if isinstance(tree, List) for item in tree.items))
    text = ""
    for index, (tree, blanks) in enumerate(values):
        if not isinstance(tree, Scalar):
            raise _Stuck
        text += "" if tree.value is None else str(tree.value)
        text += blanks if index < len(values) - 1 else ""
    return Scalar(text)


def overlay(below: Tree, above: Tree) -> Tree:
    """Lay one tree over another: objects merge deeply, anything else replaces what is below."""
    if not (isinstance(below, Object) and isinstance(above, Object)):
        return above
    entries = dict(below.entries)
    for key, value in above.entries.items():
        entries[key] = overlay(entries[key], value) if key in entries else value
    return Object(entries)
