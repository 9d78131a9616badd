"""Which of the values that clients get are secret, wherever substitutions carry them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.model.secret import Secret
from reconciler.vaults.redact import CLIENT_TARGET, secret_paths
from reconciler.vaults.redactor import Redactor
from reconciler.vaults.showing import Origin, Showing, showings
from reconciler.vaults.tree import Path, Scalar, Tree, leaves, lookup, texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.model.resources import Vault


def with_stand_ins(vault: Vault) -> tuple[Vault, Redactor]:
    """Give each secret that the run has no value for a word of its own, to be found again in what clients read."""
    document = vault.document
    source = document.text.reveal()
    prefix = "QxUNKNOWN"
    while prefix in source:
        prefix += "x"
    words = {
        name: Secret(f"{prefix}n{index}e") for index, (name, value) in enumerate(document.secrets) if value is None
    }
    bound = tuple((name, words.get(name, value)) for name, value in document.secrets)
    return replace(vault, document=replace(document, secrets=bound)), Redactor(words.values())


def hidden_paths(meant: Tree, tree: Tree, references: Collection[Path], secrets: Collection[Redactor]) -> set[Path]:
    """Return the leaves that hold a secret beside those that their path tells: by reference, by value, by copy.

    What is not as it was written came about through substitutions, from anywhere in the document.
    """
    found = {
        path
        for path, node in leaves(tree)
        if path in references or any(known.holds_secret(text) for known in secrets for text in texts(node))
    }
    copied = {text for path in secret_paths(tree, CLIENT_TARGET, found) for text in _spelled_at(tree, path)}
    copied |= {text for path in secret_paths(meant, CLIENT_TARGET, references) for text in _spelled_at(meant, path)}
    return found | set(_copies(meant, tree, copied))


def client_showings(meant: Tree, tree: Tree, origin: Origin, secrets: Collection[Path]) -> dict[Path, Showing]:
    """Return what becomes of each leaf that clients get; ``secrets`` are those of :func:`hidden_paths`.

    What is not as it was written is known only where all that was written is.
    """
    if origin.reveal:
        return showings(tree, origin)
    literals = frozenset(path for path in origin.literals if lookup(meant, path) == lookup(tree, path))
    found = showings(tree, replace(origin, target=CLIENT_TARGET, secrets=frozenset(secrets), literals=literals))
    if origin.reviewed:
        return found
    written = showings(meant, origin)
    hidden = {
        text for path, showing in written.items() if showing is Showing.HIDDEN for text in _spelled_at(meant, path)
    }
    for path in _copies(meant, tree, hidden):
        found[path] = max(found[path], Showing.HIDDEN, key=list(Showing).index)
    return found


def _copies(meant: Tree, tree: Tree, values: Collection[str]) -> Iterator[Path]:
    """Iterate over the leaves that are not as they were written and hold one of these values."""
    for path, node in leaves(tree):
        if lookup(meant, path) != node and any(value in text for text in _spelled(node) for value in values):
            yield path


def _spelled_at(tree: Tree, path: Path) -> Iterator[str]:
    node = lookup(tree, path)
    if node is not None:
        yield from _spelled(node)


def _spelled(node: Tree) -> Iterator[str]:
    """Iterate over how a leaf's values look inside a text."""
    yield from (text for text in texts(node) if text)
    if isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        yield str(node.value)
