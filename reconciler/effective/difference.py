"""How two configurations of one principal differ, by path: what is live, and what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.secret import UNSHOWN
from reconciler.vaults.compare import Shown, compare
from reconciler.vaults.showing import Showing
from reconciler.vaults.tree import Hidden, List, Object, Path, Scalar, Tree, leaves, lookup, transform

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from reconciler.effective.merge import Value
    from reconciler.model.edits import DocumentEdit

_CONFLICT = "(conflict)"
_UNKNOWN = Hidden()


class Difference(Frozen):
    """The leaves that differ; ``secrets_left_out`` counts those that this run has no value for to compare."""

    edits: tuple[DocumentEdit, ...]
    secrets_left_out: int = 0


def difference(live: Iterable[Value], desired: Iterable[Value]) -> Difference:
    """Compare what is live with what is declared."""
    live, desired = tuple(live), tuple(desired)
    before, after = _tree(live), _tree(desired)
    unbound = frozenset(path for value in desired for path in _unbound(value))
    known_before = _without(before, unbound)
    known_after = _without(after, unbound)
    old, new = dict(_showings(live)), dict(_showings(desired))
    secret = (path for side in (old, new) for path, showing in side.items() if showing is Showing.SECRET)
    edits = compare(known_before, known_after, Shown.of(old, new, secret))
    return Difference(edits, sum(lookup(known_before, path) is _UNKNOWN for path in unbound))


def _tree(values: Iterable[Value]) -> Tree:
    root: dict[str, object] = {}
    for value in values:
        node = root
        *above, last = map(str, value.path)
        for key in above:
            node = node.setdefault(key, {})  # type: ignore[assignment]
        node[last] = _node(value)
    return _object(root)


def _object(entries: dict[str, object]) -> Object:
    return Object({key: _object(item) if isinstance(item, dict) else item for key, item in entries.items()})  # type: ignore[misc]


def _node(value: Value) -> Tree:
    if not value.is_conflict:
        return value.said[0].value
    return Object({_CONFLICT: List(tuple(said.value for said in value.said))})


def _placed(value: Value) -> Iterator[tuple[Path, Path, int]]:
    """Iterate over a value's leaves: where each is in the compared tree and in its source, and which source that is."""
    for index, said in enumerate(value.said):
        prefix = (*value.path, _CONFLICT, index) if value.is_conflict else value.path
        for path, _ in leaves(said.value):
            yield (*prefix, *path), (*said.path, *path), index


def _showings(values: Iterable[Value]) -> Iterator[tuple[Path, Showing]]:
    for value in values:
        for placed, path, index in _placed(value):
            source = value.said[index].source
            shown = lookup(source.shown, path)
            if shown == lookup(source.tree, path):
                yield placed, Showing.SHOWN
            else:
                yield placed, Showing.HIDDEN if shown == Hidden(UNSHOWN) else Showing.SECRET


def _unbound(value: Value) -> Iterator[Path]:
    for placed, path, index in _placed(value):
        if path in value.said[index].source.unbound:
            yield placed


def _without(tree: Tree, unbound: Collection[Path]) -> Tree:
    """Put the same placeholder wherever a value is not known; a leaf that is missing stays missing."""
    return transform(tree, lambda path, node: _UNKNOWN if path in unbound and isinstance(node, Scalar) else node)
