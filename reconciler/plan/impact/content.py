"""Counts what a vault brings, without showing any of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model.resources import Vault
    from reconciler.vaults.parse import DocumentParser


class Content(Frozen):
    """What a vault brings: how many values, and how many of them are secret."""

    paths: int
    secrets: int


def counting(parser: DocumentParser) -> Callable[[Vault], Content]:
    """Return what counts the values of a vault; each vault is read once, one that cannot be read counts as empty."""
    known: dict[Vault, Content] = {}

    def content(vault: Vault) -> Content:
        if vault not in known:
            known[vault] = _count(vault, parser)
        return known[vault]

    return content


def _count(vault: Vault, parser: DocumentParser) -> Content:
    from reconciler.vaults.errors import DocumentError
    from reconciler.vaults.redact import secret_paths
    from reconciler.vaults.references import bind
    from reconciler.vaults.tree import leaves

    try:
        bound = bind(vault.document, parser)
    except DocumentError:
        return Content(0, 0)
    return Content(
        paths=sum(1 for _ in leaves(bound.tree)),
        secrets=len(secret_paths(bound.tree, vault.target, bound.references)),
    )
