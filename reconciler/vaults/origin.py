"""Where a document's values come from: the reviewed file that declares them, what was applied, or nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reconciler.frozen import Frozen
from reconciler.vaults.showing import Origin
from reconciler.vaults.tree import leaves

if TYPE_CHECKING:
    from reconciler.model.resources import Document
    from reconciler.vaults.references import Bound
    from reconciler.vaults.tree import Path, Tree


class Remembered(Protocol):
    """What is remembered of a document as it was applied last."""

    def was_literal(self, path: Path, leaf: Tree) -> bool:
        """Return whether this value at this path was applied from a literal of a reviewed file."""

    def was_secret(self, path: Path) -> bool:
        """Return whether a reference to a secret stood at this path."""

    def was_visible(self, pattern: str) -> bool:
        """Return whether the declaration made this pattern of paths visible then."""


class NothingRemembered(Frozen):
    """Stands for what is remembered where there is no record, or one that another key was used for."""

    def was_literal(self, path: Path, leaf: Tree) -> bool:
        """Return that this is not known."""
        del path, leaf
        return False

    def was_secret(self, path: Path) -> bool:
        """Return that this is not known."""
        del path
        return False

    def was_visible(self, pattern: str) -> bool:
        """Return that this is not known."""
        del pattern
        return False


NOTHING_REMEMBERED = NothingRemembered()


def once_secret(tree: Tree, remembered: Remembered) -> frozenset[Path]:
    """Return the leaves that stand where a declared secret was applied."""
    return frozenset(path for path, _ in leaves(tree) if remembered.was_secret(path))


def declared_origin(bound: Bound, document: Document, target: str, *, reveal: bool = False) -> Origin:
    """Return where the values of a declared document come from."""
    return Origin(
        target=target, reviewed=document.reviewed, secrets=bound.references, visible=document.visible, reveal=reveal
    )


def live_origin(
    tree: Tree, target: str, remembered: Remembered, visible: tuple[str, ...] = (), *, reveal: bool = False
) -> Origin:
    """Return where the values of a live document come from: from what was applied, or from somewhere unknown."""
    return Origin(
        target=target,
        secrets=once_secret(tree, remembered),
        literals=frozenset(path for path, leaf in leaves(tree) if remembered.was_literal(path, leaf)),
        visible=visible,
        reveal=reveal,
    )
