"""Which of the values that clients get are secret, wherever substitutions carry them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.model.secret import Secret
from reconciler.vaults.redact import CLIENT_TARGET, is_hidden
from reconciler.vaults.redactor import Redactor
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
    copied = {text for path, node in leaves(tree) if _hides(path, node, found) for text in _spelled(node)}
    copied |= {text for path, node in leaves(meant) if _hides(path, node, references) for text in _spelled(node)}
    return found | {
        path
        for path, node in leaves(tree)
        if lookup(meant, path) != node and any(secret in text for text in _spelled(node) for secret in copied)
    }


def _hides(path: Path, node: Tree, hidden: Collection[Path]) -> bool:
    return is_hidden(path, node, CLIENT_TARGET, hidden)


def _spelled(node: Tree) -> Iterator[str]:
    """Iterate over how a leaf's values look inside a text."""
    yield from (text for text in texts(node) if text)
    if isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        yield str(node.value)
