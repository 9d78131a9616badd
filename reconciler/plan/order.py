"""In which order operations may run: edges as data, for the standard library's topological sorter.

Three rules (design decision 3):

- A creation comes before whatever needs what it creates.
- Grants before removals: a removal waits for every grant that touches a resource that it touches too, and whoever
  stops being an admin waits for every promotion.
- Among connected removals dependents go first: access rules, vaults, memberships, groups, credentials, service
  accounts, members. A rule that gives and takes in one call goes before those that only take.

Nothing else waits for anything, so an unrelated failure never delays a removal.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.plan.operations import Operation, OperationKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.model.resources import Address

    Identity = tuple[Address, OperationKind]

_CREATES = frozenset({OperationKind.CREATE_ACCOUNT, OperationKind.CREATE_GROUP})

_REMOVAL_RANK = {
    OperationKind.UPDATE_RULE: 0,
    OperationKind.REMOVE_FROM_RULE: 1,
    OperationKind.REMOVE_RULE: 1,
    OperationKind.UPDATE_VAULT: 2,
    OperationKind.REMOVE_VAULT: 2,
    OperationKind.REMOVE_FROM_GROUP: 3,
    OperationKind.REMOVE_GROUP: 4,
    OperationKind.REVOKE_CREDENTIAL: 5,
    OperationKind.UPDATE_ACCOUNT: 6,
    OperationKind.SET_ACCOUNT_ROLE: 6,
    OperationKind.REMOVE_ACCOUNT: 6,
    OperationKind.SET_ROLE: 7,
    OperationKind.CANCEL_INVITATION: 7,
    OperationKind.REMOVE_MEMBER: 7,
}


def dependencies(operations: Sequence[Operation]) -> dict[Identity, frozenset[Identity]]:
    """Return, for each operation, the identities of those that must have succeeded before it."""
    touching = _by_resource(operations)
    promotions = frozenset(operation.identity for operation in operations if operation.promotes)
    return {operation.identity: _before(operation, touching, promotions) for operation in operations}


def _by_resource(operations: Iterable[Operation]) -> Mapping[Address, list[Operation]]:
    touching: defaultdict[Address, list[Operation]] = defaultdict(list)
    for operation in operations:
        for address in operation.touches:
            touching[address].append(operation)
    return touching


def _before(
    operation: Operation, touching: Mapping[Address, list[Operation]], promotions: frozenset[Identity]
) -> frozenset[Identity]:
    found: set[Identity] = set(promotions) if operation.demotes else set()
    for address in operation.touches:
        for other in touching[address]:
            if other is not operation and _goes_first(other, operation, address):
                found.add(other.identity)
    found.discard(operation.identity)
    return frozenset(found)


def _goes_first(other: Operation, operation: Operation, shared: Address) -> bool:
    if operation.removal:
        if not other.removal:
            return True
        return _REMOVAL_RANK[other.kind] < _REMOVAL_RANK[operation.kind]
    if other.kind in _CREATES and other.change.address == shared:
        return operation.kind not in _CREATES or operation.change.address != shared
    return False
