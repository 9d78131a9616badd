"""What a client ends up with: its base file and the vaults that reach it, one over the other, value by value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.vaults.redact import CLIENT_TARGET, is_hidden
from reconciler.vaults.redactor import SHORTEST
from reconciler.vaults.resolve import resolve
from reconciler.vaults.tree import EMPTY, Hidden, Object, Path, Tree, leaves, texts, transform

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Layer:
    """One source of configuration. ``name`` identifies it; ``origin`` says where it comes from, for people.

    Layers of the same ``rank`` reach the client in an order that is not documented: where they disagree, that is a
    conflict. Vaults that reach one client share a rank; a base file has its own, lower one. ``references`` are the
    leaves whose value came from a declared secret.
    """

    name: str
    tree: Tree
    rank: int = 0
    origin: str = ""
    references: frozenset[Path] = frozenset()


@dataclass(frozen=True, slots=True)
class Overridden:
    """A value that a higher layer hides; ``path`` differs from the winner's where an object and a value collide."""

    path: Path
    value: Tree
    layer: Layer


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """A leaf of the merged configuration and what it hides, nearest first; a list is one leaf: it is replaced whole.

    ``conflicts`` are the hidden values that could as well have won: the order of their vaults is not documented.
    """

    path: Path
    value: Tree
    layer: Layer
    overrides: tuple[Overridden, ...] = ()
    conflicts: tuple[Overridden, ...] = ()


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
        conflicts = tuple(
            other
            for other in node.overrides
            if other.layer.rank == node.layer.rank and (other.path != path or other.value != node.value)
        )
        yield EffectiveValue(path, node.value, node.layer, node.overrides, conflicts)
        return
    for key, value in node.items():
        yield from _values(value, (*path, key))


def redact_effective(effective: Effective, layers: Sequence[Layer], target: str = CLIENT_TARGET) -> Effective:
    """Return the same for display, every secret a :class:`Hidden` node.

    A substitution can carry a secret to a place that no rule knows. So a value is also hidden if it holds what stands
    in a secret place of any layer. Conflicts stay what they were, though hidden values all look alike.
    """
    references = frozenset(path for layer in layers for path in layer.references)
    secrets = {
        text
        for layer in layers
        for path, node in leaves(layer.tree)
        if is_hidden(path, node, target, layer.references)
        for text in texts(node)
        if len(text) >= SHORTEST
    }

    # The layers themselves go along without what they hold.
    bare = {layer.name: replace(layer, tree=EMPTY) for layer in layers}

    def leaf(path: Path, node: Tree) -> Tree:
        carried = any(secret in text for text in texts(node) for secret in secrets)
        return Hidden() if carried or is_hidden(path, node, target, references) else node

    def hide(items: tuple[Overridden, ...]) -> tuple[Overridden, ...]:
        return tuple(
            replace(item, value=transform(item.value, leaf, item.path), layer=bare[item.layer.name]) for item in items
        )

    values = tuple(
        replace(
            value,
            value=transform(value.value, leaf, value.path),
            layer=bare[value.layer.name],
            overrides=hide(value.overrides),
            conflicts=hide(value.conflicts),
        )
        for value in effective.values
    )
    return Effective(transform(effective.tree, leaf), values, effective.unresolved)
