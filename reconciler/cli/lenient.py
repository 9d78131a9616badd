"""A declaration with those of its secrets that can be had; the others stay unknown, and nothing fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.errors import SecretUnavailableError
from reconciler.model.resources import Address
from reconciler.model.snapshot import Snapshot

if TYPE_CHECKING:
    from reconciler.cli.declared import Declared
    from reconciler.declaration.models import SecretSource
    from reconciler.declaration.secrets import SecretResolver
    from reconciler.model.resources import Resource, Vault
    from reconciler.model.secret import Secret


def with_available_secrets(declared: Declared, resolver: SecretResolver) -> Snapshot:
    """Return what is declared, with each secret that its source gives; ``declared`` was loaded without secrets."""
    sources = {
        Address.vault(vault.owner_kind, vault.owner, vault.name): vault.entry.item.secrets
        for vault in declared.declaration.owned_vaults()
    }
    resources: list[Resource] = list(declared.desired.snapshot)
    for index, resource in enumerate(resources):
        if resource.address in sources:
            vault: Vault = declared.desired.snapshot.vaults[resource.address]
            bound = tuple(
                (name, _value(name, sources[resource.address][name], resolver)) for name, _ in vault.document.secrets
            )
            resources[index] = replace(vault, document=replace(vault.document, secrets=bound))
    return Snapshot.of(resources)


def _value(name: str, source: SecretSource, resolver: SecretResolver) -> Secret | None:
    try:
        return resolver.resolve(name, source)
    except SecretUnavailableError:
        return None
