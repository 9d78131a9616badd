"""Sources of configuration laid over one another, as clients do, with nothing settled that is not.

Objects merge deeply; a list, scalar or ``null`` replaces what is below. Sources of one rank come in an order that is
not documented: where they disagree, the result is a conflict, whatever the order in which they are given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.vaults.places import line_of
from reconciler.vaults.tree import EMPTY, Object, Path, Tree, lookup

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Source(Frozen, eq=False):
    """One source: a vault as clients see it, or the base file. A higher ``rank`` lies over a lower one.

    ``tree`` is what clients read, ``shown`` the same with its secrets hidden. ``misread`` are leaves that are not in
    what the author wrote; ``unbound`` those whose value this run does not know.
    """

    name: str
    tree: Object
    shown: Tree
    rank: int
    file: str | None = None
    lines: Mapping[Path, int] = field(default_factory=dict)
    misread: frozenset[Path] = frozenset()
    unbound: frozenset[Path] = frozenset()


class Said(Frozen):
    """What one source says at a path; ``value`` may hold secrets, ``shown`` does not."""

    path: Path
    value: Tree
    source: Source

    @property
    def shown(self) -> Tree:
        """The value with its secrets hidden, unless they are to be revealed."""
        found = lookup(self.source.shown, self.path)
        return self.value if found is None else found

    @property
    def line(self) -> int | None:
        """The line of the source's file that says so, where it is known."""
        return line_of(self.source.lines, self.path)


class Value(Frozen):
    """A leaf of the merged configuration (a list is one leaf): who says it, and what that hides, nearest first.

    Several in ``said`` are a conflict. ``same`` are further sources of the same rank that say the very same.
    """

    path: Path
    said: tuple[Said, ...]
    overrides: tuple[Said, ...] = ()
    same: tuple[Said, ...] = ()

    @property
    def is_conflict(self) -> bool:
        """Whether the value depends on an order that is not documented."""
        return len(self.said) > 1


@dataclass(slots=True)
class _Leaf:
    said: tuple[Said, ...]
    overrides: tuple[Said, ...]
    same: tuple[Said, ...] = ()


@dataclass(slots=True)
class _Branch:
    children: dict[str, _Leaf | _Branch]
    said: Said
    hides: tuple[Said, ...] = ()


_State = _Leaf | _Branch


def merge(sources: Sequence[Source]) -> tuple[Value, ...]:
    """Lay sources over one another, the lowest rank first."""
    root: _State | None = None
    for _, group in groupby(sorted(sources, key=lambda source: source.rank), key=lambda source: source.rank):
        root = _lay(root, [Said((), source.tree, source) for source in group])
    return tuple(_values(root, ())) if root is not None else ()


def _lay(below: _State | None, said: list[Said]) -> _State:
    """Lay what the sources of one rank say at one path over what is below."""
    if all(isinstance(item.value, Object) for item in said):
        return _lay_objects(below, said)
    distinct = _distinct(said)
    hidden = () if below is None else tuple(_hidden(below))
    same = tuple(item for item in said if not any(item is other for other in distinct))
    return _Leaf(tuple(distinct), hidden, same)


def _lay_objects(below: _State | None, said: list[Said]) -> _State:
    if isinstance(below, _Leaf) and len(below.said) > 1:
        # One of these values may be an object, which would then be merged: this settles nothing.
        return _Leaf((*below.said, *said), below.overrides)
    children = dict(below.children) if isinstance(below, _Branch) else {}
    hides = below.hides if isinstance(below, _Branch) else () if below is None else tuple(_hidden(below))
    parts: dict[str, list[Said]] = {}
    for item in said:
        for key, value in item.value.entries.items() if isinstance(item.value, Object) else ():
            parts.setdefault(key, []).append(Said((*item.path, key), value, item.source))
    for key, group in parts.items():
        old = children.get(key)
        new = _lay(old, group)
        if old is None:
            _add_hidden(new, hides)
        children[key] = new
    return _Branch(children, said[-1], hides)


def _add_hidden(state: _State, hides: tuple[Said, ...]) -> None:
    if isinstance(state, _Leaf):
        state.overrides += hides
    else:
        state.hides += hides
        for child in state.children.values():
            _add_hidden(child, hides)


def _distinct(said: list[Said]) -> list[Said]:
    found: list[Said] = []
    for item in said:
        if all(item.value != other.value for other in found):
            found.append(item)
    return found


def _hidden(state: _State) -> Iterator[Said]:
    if isinstance(state, _Leaf):
        yield from state.said
        yield from state.overrides
        return
    for child in state.children.values():
        yield from _hidden(child)


def _values(state: _State, path: Path) -> Iterator[Value]:
    if isinstance(state, _Leaf):
        yield Value(path, state.said, state.overrides, state.same)
        return
    if not state.children and path:
        yield Value(path, (Said(path, EMPTY, state.said.source),), state.hides)
    for key, child in state.children.items():
        yield from _values(child, (*path, key))
