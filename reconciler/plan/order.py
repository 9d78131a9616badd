"""In which order operations may run: edges as data, for the standard library's topological sorter.

Three rules (``docs/explanation/decisions.md, 3``):

- A creation comes before whatever needs what it creates.
- Grants before removals: a removal waits for every grant that touches a resource that it touches too, and whoever
  stops being an admin waits for every promotion.
- Among connected removals dependents go first: access rules, vaults, memberships, groups, credentials, service
  accounts, members. A rule that gives and takes in one call goes before those that only take.

Nothing else waits for anything, so an unrelated failure never delays a removal.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class _Meeting:
    """The operations that touch one resource, by what others wait for."""

    creations: list[Identity] = field(default_factory=list)
    grants: list[Identity] = field(default_factory=list)
    removals: defaultdict[int, list[Identity]] = field(default_factory=lambda: defaultdict(list))


def dependencies(operations: Sequence[Operation]) -> dict[Identity, frozenset[Identity]]:
    """Return, for each operation, the identities of those that must have succeeded before it."""
    meetings = _by_resource(operations)
    promotions = [operation.identity for operation in operations if operation.promotes]
    return {operation.identity: _before(operation, meetings, promotions) for operation in operations}


def _by_resource(operations: Iterable[Operation]) -> Mapping[Address, _Meeting]:
    meetings: defaultdict[Address, _Meeting] = defaultdict(_Meeting)
    for operation in operations:
        identity = operation.identity
        for address in operation.touches:
            meeting = meetings[address]
            if operation.removal:
                meeting.removals[_REMOVAL_RANK[operation.kind]].append(identity)
            else:
                meeting.grants.append(identity)
            if operation.kind in _CREATES and operation.change.address == address:
                meeting.creations.append(identity)
    return meetings


def _before(
    operation: Operation, meetings: Mapping[Address, _Meeting], promotions: Iterable[Identity]
) -> frozenset[Identity]:
    found: set[Identity] = set(promotions) if operation.demotes else set()
    for address in operation.touches:
        meeting = meetings[address]
        if operation.removal:
            found.update(meeting.grants)
            rank = _REMOVAL_RANK[operation.kind]
            found.update(*(removals for other, removals in meeting.removals.items() if other < rank))
        else:
            found.update(meeting.creations)
    found.discard(operation.identity)
    return frozenset(found)
