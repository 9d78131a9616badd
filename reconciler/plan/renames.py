"""Declared renames, carried out on the live side before anything is compared.

After this step a resource that is only called something else has the same address on both sides, so that the
difference is one changed name and never a removal and a creation.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from reconciler.model.resources import AccessRule, Address, Credential, Group, Kind, OwnerKind, Resource, Vault
from reconciler.model.snapshot import Snapshot
from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.desired import Desired
    from reconciler.model.live import Live
    from reconciler.model.unreadable import Unreadable

Value = TypeVar("Value")


def under_new_names(live: Live, desired: Desired) -> Live:
    """Return the live workspace with every declared rename already made in its addresses and references.

    A rename whose old name is gone, or whose new name is there already, is done: nothing happens for it. Owners are
    renamed before their vaults, which a declaration names under the new owner.
    """
    owners = {new: old for new, old in desired.renames.items() if new.kind is not Kind.VAULT}
    vaults = {new: old for new, old in desired.renames.items() if new.kind is Kind.VAULT}
    return _renamed(_renamed(live, owners, desired.snapshot), vaults, desired.snapshot)


def with_names_kept(desired: Desired, live: Live) -> Desired:
    """Return the declaration with the live names of the accounts' own vaults that it gives no name.

    One that is called like its account is renamed with it. ``live`` has its accounts' new names already.
    """
    kept: dict[Address, Resource] = {}
    for address, vault in desired.snapshot.vaults.items():
        existing = live.snapshot.vaults.get(address)
        if existing is None or not vault.is_own or vault.name != vault.owner:
            continue
        was = desired.renames.get(address.owner) if address.owner is not None else None
        if was is None or fold(existing.name) != was.key[0]:
            kept[address] = replace(vault, name=existing.name)
    if not kept:
        return desired
    return replace(desired, snapshot=Snapshot(MappingProxyType({**desired.snapshot.resources, **kept})))


def _renamed(live: Live, renames: Mapping[Address, Address], desired: Snapshot) -> Live:
    moves = {
        old: new for new, old in renames.items() if old in live.snapshot and new not in live.snapshot and new in desired
    }
    if not moves:
        return live
    names = _Names(moves, desired)
    resources = {
        names.address(address): names.references(resource) for address, resource in live.snapshot.resources.items()
    }
    return replace(
        live,
        snapshot=Snapshot(MappingProxyType(resources)),
        ids=names.keys(live.ids),
        caller=replace(live.caller, address=live.caller.address and names.address(live.caller.address)),
        ambiguous=names.keys(live.ambiguous),
        strangers=names.keys(live.strangers),
        credentials=names.keys(live.credentials),
        credential_counts=names.keys(live.credential_counts),
        moments=names.keys(live.moments),
        unreadable=tuple(map(names.of_unreadable, live.unreadable)),
        server_rules={rule: names.of_rule(resource) for rule, resource in live.server_rules.items()},
    )


class _Names:
    """Maps old addresses and references to new ones, owners first."""

    def __init__(self, moves: Mapping[Address, Address], desired: Snapshot) -> None:
        self._moves = moves
        self._titles = {old: desired.resources[new].title for old, new in moves.items()}
        self._accounts = {old.key[0]: new.key[0] for old, new in moves.items() if old.kind is Kind.SERVICE_ACCOUNT}
        self._groups = {old.key[0]: new.key[0] for old, new in moves.items() if old.kind is Kind.GROUP}

    def address(self, address: Address) -> Address:
        owner = address.owner
        if owner is not None and owner in self._moves:
            new_owner = self._moves[owner].key[0]
            if address.kind is Kind.CREDENTIAL:
                return Address(address.kind, (new_owner, address.key[-1]))
            address = Address.vault(OwnerKind(address.key[0]), new_owner, address.key[-1])
        return self._moves.get(address, address)

    def references(self, resource: Resource) -> Resource:
        if isinstance(resource, Credential):
            return replace(resource, account=self._title(resource.address.owner, resource.account))
        if isinstance(resource, Vault):
            return replace(resource, owner=self._title(resource.address.owner, resource.owner))
        if isinstance(resource, Group) and resource.service_accounts is not None and self._accounts:
            accounts = frozenset(self._accounts.get(name, name) for name in resource.service_accounts)
            return replace(resource, service_accounts=accounts)
        return self.of_rule(resource) if isinstance(resource, AccessRule) else resource

    def of_rule(self, rule: AccessRule) -> AccessRule:
        accounts = frozenset(self._accounts.get(name, name) for name in rule.service_accounts)
        return replace(
            rule, service_accounts=accounts, groups=frozenset(self._groups.get(name, name) for name in rule.groups)
        )

    def of_unreadable(self, item: Unreadable) -> Unreadable:
        """Rename what could not be read where its key begins with the name of an owner, or is a whole one."""
        kind, key = item.kind, item.key
        if kind is Kind.CREDENTIAL and key:
            key = (self._accounts.get(key[0], key[0]), *key[1:])
        elif kind is Kind.VAULT and len(key) > 1:
            owners = self._groups if key[0] == OwnerKind.GROUP.value else self._accounts
            owner = owners.get(key[1], key[1])
            rest = key[2:] if key[0] == OwnerKind.GROUP.value else (owner,) * len(key[2:])
            key = (key[0], owner, *rest)
        return replace(item, key=self._moves.get(Address(kind, key), Address(kind, key)).key)

    def _title(self, owner: Address | None, known: str) -> str:
        return self._titles.get(owner, known) if owner is not None else known

    def keys(self, mapping: Mapping[Address, Value]) -> dict[Address, Value]:
        return {self.address(address): value for address, value in mapping.items()}
