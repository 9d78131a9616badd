"""Ownership, decided before the difference: what the declaration does not speak for is copied into the desired side.

After this step nothing that is to be left alone can show up as a change, because it is the same on both sides.
"""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from reconciler.frozen import Frozen
from reconciler.model.desired import Desired, Management
from reconciler.model.resources import Address, Group, Kind, OwnerKind, Resource, Vault, is_servers_own
from reconciler.model.snapshot import Snapshot
from reconciler.plan.changes import LeftAlone

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.model.live import Live
    from reconciler.plan.rotation import Rotation

_OWNED = frozenset({Kind.CREDENTIAL, Kind.VAULT})

WhyAlone = Literal["not_declared", "kind_not_managed", "fixed_by_server", "made_by_server"]


class Adopted(Frozen):
    """The desired snapshot with all that is left alone copied in, and a count of what that was."""

    snapshot: Snapshot
    left_alone: tuple[LeftAlone, ...]


def adopt(desired: Desired, live: Live, rotation: Rotation, uncertain: Collection[Address] = ()) -> Adopted:
    """Copy from live to desired what the declaration does not speak for, what is ``uncertain``, and fixed groups.

    Resources of a service account or group that is itself to be removed are not adopted: they go with it, or stand in
    its way, which the difference shows.
    """
    kept: dict[Address, Resource] = dict(desired.snapshot.resources)
    counted: Counter[tuple[Kind, WhyAlone]] = Counter()
    owners_first = sorted(live.snapshot.resources.items(), key=lambda item: item[0].kind in _OWNED)
    for address, resource in owners_first:
        if isinstance(resource, Group) and not resource.assignable and address in kept:
            kept[address] = resource
        if address in kept:
            continue
        if _is_silently_kept(resource) or rotation.retires(address, desired.snapshot):
            kept[address] = resource
            continue
        if address in uncertain:
            kept[address] = resource
            continue
        why = _why_left_alone(desired, address, resource)
        goes_with_its_account = (
            address.owner is not None and address.owner not in kept and address.owner.kind is not Kind.GROUP
        )
        if why is not None and not goes_with_its_account:
            kept[address] = resource
            counted[address.kind, why] += 1
    for address, count in live.credential_counts.items():
        if address in kept and address.key[0] not in desired.scope.credentials_of:
            counted[Kind.CREDENTIAL, "not_declared"] += count
    if desired.scope.management(Kind.ACCESS_RULE) is not Management.NONE:
        counted[Kind.ACCESS_RULE, "made_by_server"] += len(live.server_rules)
    left_alone = tuple(
        LeftAlone(kind=kind, count=count, reason=why)
        for (kind, why), count in sorted(counted.items(), key=lambda item: (list(Kind).index(item[0][0]), item[0][1]))
        if count
    )
    return Adopted(Snapshot(MappingProxyType(kept)), left_alone)


def _is_silently_kept(resource: Resource) -> bool:
    """Return whether something is always there and nobody needs to hear of it."""
    if isinstance(resource, Vault):
        return resource.is_emptied
    return isinstance(resource, Group) and resource.builtin


def _why_left_alone(desired: Desired, address: Address, resource: Resource) -> WhyAlone | None:
    if is_servers_own(resource):
        return "fixed_by_server"
    if address.kind is Kind.CREDENTIAL:
        return None if address.key[0] in desired.scope.credentials_of else "not_declared"
    if address.kind is Kind.VAULT and address.key[0] == OwnerKind.SERVICE_ACCOUNT.value:
        return None if address.key[1] in desired.scope.vaults_of else "not_declared"
    management = desired.scope.management(address.kind)
    if management is Management.NONE:
        return "kind_not_managed"
    return "not_declared" if management is Management.DECLARED else None
