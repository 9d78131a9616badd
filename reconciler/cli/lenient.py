"""A declaration with those of its secrets that can be had; the others stay unknown, and nothing fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from reconciler.errors import SecretUnavailableError
from reconciler.model.resources import Address
from reconciler.model.snapshot import Snapshot

if TYPE_CHECKING:
    from reconciler.cli.declared import Declared
    from reconciler.declaration.models import SecretSource
    from reconciler.model.resources import Resource, Vault
    from reconciler.model.secret import Secret


class SecretProvider(Protocol):
    """Gives secrets by name and source."""

    def resolve(self, name: str, source: SecretSource) -> Secret:
        """Return a secret; raises :class:`SecretUnavailableError`."""
        ...


def with_available_secrets(declared: Declared, resolver: SecretProvider) -> Snapshot:
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


def _value(name: str, source: SecretSource, resolver: SecretProvider) -> Secret | None:
    try:
        return resolver.resolve(name, source)
    except SecretUnavailableError:
        return None
