"""One side of an impact: who is there, and what each of them has."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.resources import Address, Kind, Vault
from reconciler.plan.impact.access import ADMINS, EVERYONE, AccessTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.model.snapshot import Snapshot

PRINCIPALS = (Kind.MEMBER, Kind.SERVICE_ACCOUNT)


class Content(Frozen):
    """What a vault brings: how many values, and how many of them are secret."""

    paths: int
    secrets: int


class Side:
    """The workspace before or after: principals, their groups, the vaults that reach them, and their access.

    ``content`` counts the values of a vault, when somebody asks. Who is only invited counts as one who is there.
    """

    def __init__(self, snapshot: Snapshot, content: Callable[[Vault], Content]) -> None:
        self.snapshot = snapshot
        self.access = AccessTable(snapshot)
        self.content = content
        self._groups: dict[Kind, dict[str, list[Address]]] = {kind: defaultdict(list) for kind in PRINCIPALS}
        self._vaults: dict[Address, list[Address]] = defaultdict(list)
        for address, group in snapshot.groups.items():
            if not group.builtin or group.assignable:
                self._note(group.members, Kind.MEMBER, address)
                self._note(group.service_accounts, Kind.SERVICE_ACCOUNT, address)
        for address, vault in sorted(snapshot.vaults.items()):
            if vault.enabled and address.owner is not None:
                self._vaults[address.owner].append(address)

    def _note(self, names: Iterable[str] | None, kind: Kind, group: Address) -> None:
        """Note who is in a group: by name, since there are many memberships and few of them are ever asked for."""
        groups = self._groups[kind]
        for name in names or ():
            groups[name].append(group)

    def has(self, principal: Address) -> bool:
        """Tell whether a principal is in the workspace, invited or joined."""
        return principal in self.snapshot

    def groups(self, principal: Address) -> frozenset[Address]:
        """Return the groups that a principal is in by name; not the ones of everybody and of all admins."""
        return frozenset(self._groups[principal.kind].get(principal.key[0], ()))

    def vaults(self, principal: Address) -> dict[Address, Address]:
        """Return the vaults that reach a principal, each with what it comes through: a group, or the principal itself.

        What reaches everyone is left out.
        """
        owners = sorted(self.groups(principal))
        if self.access.is_admin(principal):
            owners.append(ADMINS)
        if principal.kind is Kind.SERVICE_ACCOUNT:
            owners.append(principal)
        return {vault: owner for owner in owners for vault in self._vaults.get(owner, ())}

    def reached_by(self, vault: Address) -> int:
        """Count the principals that a vault reaches."""
        resource = self.snapshot.get(vault)
        owner = vault.owner
        if not isinstance(resource, Vault) or not resource.enabled or owner is None:
            return 0
        if owner == EVERYONE:
            return len(self.snapshot.members) + len(self.snapshot.service_accounts)
        if owner.kind is Kind.GROUP:
            return sum(map(self.has, self.access.people_in(owner)))
        return 1 if self.has(owner) else 0

    def title(self, address: Address) -> str:
        """Return a resource as people write it."""
        return self.access.title(address)
