"""What a client ends up with: its base file and the vaults that reach it, one over the other, value by value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.vaults.resolve import resolve
from reconciler.vaults.tree import Object, Path, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Layer:
    """One source of configuration. ``name`` identifies it; ``origin`` says where it comes from, for people.

    Layers of the same ``rank`` reach the client in an order that is not documented: where they disagree, that is a
    conflict. Vaults that reach one client share a rank; a base file has its own, lower one.
    """

    name: str
    tree: Tree
    rank: int = 0
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Overridden:
    """A value that a higher layer hides; ``path`` differs from the winner's where an object and a value collide."""

    path: Path
    value: Tree
    layer: Layer


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """A leaf of the merged configuration and what it hides, nearest first; a list is one leaf: it is replaced whole."""

    path: Path
    value: Tree
    layer: Layer
    overrides: tuple[Overridden, ...] = ()

    @property
    def conflicts(self) -> tuple[Overridden, ...]:
        """The hidden values that could as well have won: the order of their vaults is not documented."""
        return tuple(
            other
            for other in self.overrides
            if other.layer.rank == self.layer.rank and (other.path != self.path or other.value != self.value)
        )


@dataclass(frozen=True, slots=True)
class Effective:
    """The merged configuration; ``unresolved`` tells per layer name which leaves could not be worked out."""

    tree: Tree
    values: tuple[EffectiveValue, ...]
    unresolved: tuple[tuple[str, Path], ...] = ()

    @property
    def conflicts(self) -> tuple[EffectiveValue, ...]:
        """The values that depend on an order that is not documented."""
        return tuple(value for value in self.values if value.conflicts)


@dataclass(slots=True)
class _Leaf:
    value: Tree
    layer: Layer
    overrides: tuple[Overridden, ...]


_Node = _Leaf | dict[str, "_Node"]


def merge_layers(layers: Sequence[Layer]) -> Effective:
    """Lay the layers over one another, the lowest first, as clients do.

    Objects merge deeply; a list, scalar or ``null`` replaces whatever is below. Each layer is resolved alone, before
    it is merged. Layers that are no objects are left out: clients drop such vaults.
    """
    root: dict[str, _Node] = {}
    unresolved: list[tuple[str, Path]] = []
    for layer in layers:
        resolved = resolve(layer.tree)
        unresolved += [(layer.name, path) for path in resolved.unresolved]
        if isinstance(resolved.tree, Object):
            _lay(root, resolved.tree, layer, ())
    return Effective(_tree(root), tuple(_values(root, ())), tuple(unresolved))


def _lay(below: dict[str, _Node], tree: Object, layer: Layer, path: Path) -> None:
    for key, value in tree.entries.items():
        here = (*path, key)
        old = below.get(key)
        if isinstance(old, dict) and isinstance(value, Object):
            _lay(old, value, layer, here)
        else:
            below[key] = _new(value, layer, _hidden(old, here))


def _hidden(node: _Node | None, path: Path) -> tuple[Overridden, ...]:
    if node is None:
        return ()
    if isinstance(node, _Leaf):
        return (Overridden(path, node.value, node.layer), *node.overrides)
    return tuple(item for key, value in node.items() for item in _hidden(value, (*path, key)))


def _new(value: Tree, layer: Layer, overrides: tuple[Overridden, ...]) -> _Node:
    if isinstance(value, Object):
        return {key: _new(item, layer, overrides) for key, item in value.entries.items()}
    return _Leaf(value, layer, overrides)


def _tree(node: _Node) -> Tree:
    if isinstance(node, _Leaf):
        return node.value
    return Object({key: _tree(value) for key, value in node.items()})


def _values(node: _Node, path: Path) -> Iterator[EffectiveValue]:
    if isinstance(node, _Leaf):
        yield EffectiveValue(path, node.value, node.layer, node.overrides)
        return
    for key, value in node.items():
        yield from _values(value, (*path, key))
