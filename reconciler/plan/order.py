"""In which order operations may run: edges as data, for the standard library's topological sorter.

Four rules (``docs/explanation/decisions.md, 3``):

- A creation comes before whatever needs what it creates.
- Grants before removals: a removal waits for every grant that touches a resource that it touches too, and whoever
  stops being an admin waits for every promotion.
- What takes access to an entity from somebody waits for all that gives the same somebody access to it, to what is above
  it or to what is below it: who keeps an access by another way has that way first.
- Among connected removals dependents go first: access rules, vaults, memberships, groups, credentials, service
  accounts, members. A rule that gives and takes in one call goes before those that only take.

Nothing else waits for anything, so an unrelated failure never delays a removal.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.resources import AccessRule, Address, Kind
from reconciler.plan.access.index import EVERYONE, AccessIndex
from reconciler.plan.operations import Operation, OperationKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model.access import Entity
    from reconciler.plan.access.index import Identity as Scope

    Identity = tuple[Address, OperationKind]
    Order = dict[Identity, frozenset[Identity]]

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


def order_of(operations: Sequence[Operation], before: AccessIndex, after: AccessIndex) -> Order:
    """Return :func:`dependencies`, and beside them what waits so that nobody loses on the way what they keep."""
    edges = dependencies(operations)
    reaching = [_reaching(operation, before, after) for operation in operations]
    givers = _Givers([found for found in reaching if found.gives])
    for found in reaching:
        if found.operation.removal:
            identity = found.operation.identity
            edges[identity] = frozenset((*edges[identity], *givers.before(found)))
    return edges


def dependencies(operations: Sequence[Operation]) -> Order:
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


class _Reaching(Frozen):
    """Whose access to which entities an operation concerns; ``at`` is ``None`` for all there are: of an admin.

    ``up`` are the entities with all above them.
    """

    operation: Operation
    people: frozenset[Address]
    at: frozenset[Scope] | None
    up: frozenset[Scope]

    @property
    def gives(self) -> bool:
        """Whether it gives somebody access, beside what it may take."""
        return not self.operation.removal or self.operation.kind is OperationKind.UPDATE_RULE

    def is_connected(self, other: _Reaching) -> bool:
        """Return whether the same people are concerned."""
        if EVERYONE in self.people or EVERYONE in other.people:
            return bool(self.people and other.people)
        return not self.people.isdisjoint(other.people)


class _Givers:
    """The operations that give access, by the entities that they are about and by those and all above them."""

    def __init__(self, givers: Iterable[_Reaching]) -> None:
        self._all = tuple(givers)
        self._everywhere = tuple(giver for giver in self._all if giver.at is None)
        self._at: defaultdict[Scope, list[_Reaching]] = defaultdict(list)
        self._up: defaultdict[Scope, list[_Reaching]] = defaultdict(list)
        for found in self._all:
            for scope in found.at or ():
                self._at[scope].append(found)
            for scope in found.up:
                self._up[scope].append(found)

    def before(self, removal: _Reaching) -> Iterator[Identity]:
        """Return what a removal waits for."""
        rank = _REMOVAL_RANK[removal.operation.kind]
        for giver in self._near(removal):
            other = giver.operation
            if (not other.removal or _REMOVAL_RANK[other.kind] < rank) and removal.is_connected(giver):
                yield other.identity

    def _near(self, removal: _Reaching) -> Iterable[_Reaching]:
        if removal.at is None:
            return self._all
        below = (giver for scope in removal.at for giver in self._up.get(scope, ()))
        above = (giver for scope in removal.up for giver in self._at.get(scope, ()))
        return (*self._everywhere, *below, *above)


def _reaching(operation: Operation, before: AccessIndex, after: AccessIndex) -> _Reaching:
    address = operation.change.address
    entities: list[Entity] | None = []
    people: Iterable[Address] = operation.people
    if address.kind is Kind.ACCESS_RULE:
        rules = (index.snapshot.get(address) for index in (before, after))
        entities = [rule.entity for rule in rules if isinstance(rule, AccessRule)]
    elif address.kind is Kind.GROUP:
        entities = [rule.entity for index in (before, after) for rule in index.rules_of(address)]
        people = (address,) if operation.kind is OperationKind.REMOVE_GROUP else people
    elif operation.promotes or operation.demotes or operation.kind is OperationKind.SET_ACCOUNT_ROLE:
        entities, people = None, (address,)
    at = None if entities is None else frozenset(entity.identity for entity in entities)
    up = frozenset(scope for entity in entities or () for index in (before, after) for scope in index.scopes(entity))
    return _Reaching(operation, frozenset(_expanded(people, before, after)), at, up)


def _expanded(people: Iterable[Address], before: AccessIndex, after: AccessIndex) -> Iterator[Address]:
    """Return the people themselves, for every group those in it."""
    for address in people:
        if address.kind is Kind.GROUP and address != EVERYONE:
            yield from (*before.people_in(address), *after.people_in(address))
        else:
            yield address
