"""What may be true during an apply: the states that the order of a plan's operations permits, each of which may fail.

Any set of operations that holds, with each operation, all that it waits for, may be what was carried out when a run
ends. There are too many such sets to look at, and no need to: grants and removals add up, so that the worst state for a
removal is the one in which every other removal was carried out too, and no grant but those that it waits for. (A call
that moves a rule from one entity to another gives and takes at once, and counts among the removals: two rules that
change places have no order in which nobody loses anything if one of the calls fails.) What must hold in each of them
(``docs/explanation/decisions.md, 3 and 8``):

- there are as many admins among the members as the start or the end has, whichever has fewer;
- who has access before and after has it in between;
- no rule gives in between what it gives neither before nor after;
- nothing goes before what depends on it, and nothing is used before it is made;
- the identity of the run keeps its place, and its own credential.

The tests look at every single state of small plans, and at what the sandbox makes of each.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.errors import RefusedError
from reconciler.frozen import Frozen
from reconciler.model.access import Permission
from reconciler.model.resources import (
    AccessRule,
    Address,
    Group,
    Kind,
    Member,
    MemberState,
    Resource,
    ServiceAccount,
)
from reconciler.model.snapshot import Snapshot
from reconciler.model.text import harmless
from reconciler.plan.access.index import EVERYONE, PRINCIPALS, AccessIndex, gives_more
from reconciler.plan.access_rules import GRANTEES
from reconciler.plan.operations import OperationKind, all_at_once, people_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reconciler.model.access import Entity
    from reconciler.model.live import Live
    from reconciler.plan.access.index import Identity as Scope
    from reconciler.plan.operations import Operation
    from reconciler.plan.order import Identity, Order

_SHOWN = 5
_CREATIONS = frozenset({OperationKind.CREATE_ACCOUNT, OperationKind.CREATE_GROUP})
_REMOVALS = frozenset(
    {
        OperationKind.CANCEL_INVITATION,
        OperationKind.REMOVE_MEMBER,
        OperationKind.REMOVE_ACCOUNT,
        OperationKind.REVOKE_CREDENTIAL,
        OperationKind.REMOVE_GROUP,
        OperationKind.REMOVE_VAULT,
        OperationKind.REMOVE_RULE,
    }
)
_OWNERS = frozenset({OperationKind.REMOVE_GROUP, OperationKind.REMOVE_ACCOUNT, OperationKind.REMOVE_MEMBER})
_ACCESS = frozenset({Kind.MEMBER, Kind.SERVICE_ACCOUNT, Kind.GROUP, Kind.ACCESS_RULE})
_IDENTITY_LOST = frozenset({OperationKind.REMOVE_MEMBER, OperationKind.REMOVE_ACCOUNT})


def check_prefixes(operations: Sequence[Operation], order: Order, live: Live, desired: Snapshot) -> None:
    """Check every state that may be true during the apply.

    Raises :class:`RefusedError`, which says which operation could do harm, and how.
    """
    problems = tuple(_problems(_Way.of(operations, order), live, desired))
    if problems:
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        listed = "".join(f"\n  {problem}" for problem in problems[:_SHOWN])
        raise RefusedError(
            f"a state in between would do harm; nothing was changed:{listed}{more}",
            hint="make the change in two steps, each with a plan of its own; no order of this one is safe",
        )


def predicted(before: Snapshot, desired: Snapshot, operations: Iterable[Operation]) -> Snapshot:
    """Return what is true once these operations were carried out, and no others.

    With a service account go its credentials and its vault, which the server removes with it.
    """
    resources = dict(before.resources)
    for operation in operations:
        address = operation.change.address
        if operation.kind in _REMOVALS:
            for gone in (address, *(one.address for one in before.owned_by(address))):
                resources.pop(gone, None)
        elif (wanted := desired.get(address)) is not None:
            resources[address] = _changed(operation, resources.get(address), wanted)
    return Snapshot(resources)


def _changed(operation: Operation, now: Resource | None, wanted: Resource) -> Resource:
    """Return a resource as an operation leaves it; people who were only invited are in nothing yet."""
    match wanted:
        case Member():
            return _member(operation, now if isinstance(now, Member) else None, wanted)
        case ServiceAccount():
            return _account(operation, now if isinstance(now, ServiceAccount) else None, wanted)
        case Group():
            return _group(operation, now if isinstance(now, Group) else None, wanted)
        case AccessRule():
            return _rule(operation, now if isinstance(now, AccessRule) else None, wanted)
        case _:
            return wanted


def _member(operation: Operation, now: Member | None, wanted: Member) -> Member:
    if now is None:
        return replace(wanted, role=None, name=None, state=MemberState.INVITED)
    if operation.kind is OperationKind.SET_ROLE:
        return replace(now, role=wanted.role)
    return replace(now, name=wanted.name)


def _account(operation: Operation, now: ServiceAccount | None, wanted: ServiceAccount) -> ServiceAccount:
    if operation.kind is OperationKind.SET_ACCOUNT_ROLE and now is not None:
        return replace(now, admin=wanted.admin)
    return replace(wanted, admin=now is not None and now.admin)


def _group(operation: Operation, now: Group | None, wanted: Group) -> Group:
    members, accounts = _named(operation.people, Kind.MEMBER), _named(operation.people, Kind.SERVICE_ACCOUNT)
    if now is None:
        return replace(wanted, members=members, service_accounts=accounts)
    had, had_accounts = now.members or frozenset(), now.service_accounts or frozenset()
    if operation.kind is OperationKind.REMOVE_FROM_GROUP:
        return replace(now, members=had - members, service_accounts=had_accounts - accounts)
    described = now.description if wanted.description is None else wanted.description
    name = now.name if now.builtin else wanted.name
    return replace(
        now, name=name, description=described, members=had | members, service_accounts=had_accounts | accounts
    )


def _rule(operation: Operation, now: AccessRule | None, wanted: AccessRule) -> AccessRule:
    joining, leaving = people_of(operation.change)
    if operation.kind is OperationKind.REMOVE_FROM_RULE and now is not None:
        return _without(now, operation.people)
    start = now or replace(wanted, members=frozenset(), service_accounts=frozenset(), groups=frozenset())
    joined = {field: getattr(start, field) | _named(joining, kind) for field, kind in GRANTEES.items()}
    described = start.description if wanted.description is None else wanted.description
    rule = replace(wanted, description=described, **joined)
    return _without(rule, leaving) if all_at_once(operation.change) and now is not None else rule


def _without(rule: AccessRule, people: Collection[Address]) -> AccessRule:
    return replace(rule, **{field: getattr(rule, field) - _named(people, kind) for field, kind in GRANTEES.items()})


def _named(people: Iterable[Address], kind: Kind) -> frozenset[str]:
    return frozenset(address.key[0] for address in people if address.kind is kind)


class _Kept(Frozen):
    """What somebody has of an entity before and after."""

    principal: Address
    entity: Entity
    permission: Permission


class _Way:
    """Operations with all that each of them waits for, however many steps away."""

    def __init__(self, operations: Sequence[Operation], before: Order) -> None:
        self.operations = operations
        self.before = before
        self.about: defaultdict[Address, list[Operation]] = defaultdict(list)
        for operation in operations:
            self.about[operation.change.address].append(operation)

    @staticmethod
    def of(operations: Sequence[Operation], order: Order) -> _Way:
        """Work out what each operation waits for; removals wait for grants, and grants for creations: few steps."""
        found: dict[Identity, frozenset[Identity]] = {}

        def closed(identity: Identity) -> frozenset[Identity]:
            if identity not in found:
                direct = order[identity]
                found[identity] = direct.union(*(closed(other) for other in direct))
            return found[identity]

        for operation in operations:
            closed(operation.identity)
        return _Way(operations, found)

    def waits(self, operation: Operation, other: Operation) -> bool:
        """Return whether an operation is carried out only after another one succeeded."""
        return other.identity in self.before[operation.identity]


def _problems(way: _Way, live: Live, desired: Snapshot) -> Iterator[str]:
    yield from _own_identity(way, live)
    yield from _admins(way)
    yield from _dependents(way)
    yield from _given(way, live, desired)
    yield from _access(way, live, desired)


def _own_identity(way: _Way, live: Live) -> Iterator[str]:
    for operation in way.operations:
        own = operation.change.address == live.caller.address
        key = operation.kind is OperationKind.REVOKE_CREDENTIAL and live.caller.access_key is not None
        if (own and (operation.kind in _IDENTITY_LOST or operation.demotes)) or (
            key and live.ids.get(operation.change.address) == live.caller.access_key
        ):
            yield f"{harmless(operation.title)} is about the identity of this run"


def _admins(way: _Way) -> Iterator[str]:
    """Nobody stops being an admin before everybody has become one who is to: there are never fewer than at an end."""
    promotions = [operation for operation in way.operations if operation.promotes]
    for operation in way.operations:
        missing = [other for other in promotions if operation.demotes and not way.waits(operation, other)]
        if missing:
            yield f"{harmless(operation.title)} could come before {harmless(missing[0].title)}: too few admins are left"


def _dependents(way: _Way) -> Iterator[str]:
    """Whatever is made is made before it is used, and whatever is used goes after what uses it."""
    users: dict[Address, list[Operation]] = {}
    for operation in way.operations:
        for address in operation.touches - {operation.change.address}:
            users.setdefault(address, []).append(operation)
    for operation in way.operations:
        for other in users.get(operation.change.address, ()):
            if operation.kind in _CREATIONS and not other.removal and not way.waits(other, operation):
                yield f"{harmless(other.title)} could come before {harmless(operation.title)}"
            if operation.kind in _OWNERS and other.removal and not way.waits(operation, other):
                yield f"{harmless(operation.title)} could come before {harmless(other.title)}"


def _given(way: _Way, live: Live, desired: Snapshot) -> Iterator[str]:
    """Look whether a rule would give anybody, even for a moment, what it gives neither before nor after."""
    for operation in way.operations:
        address = operation.change.address
        before, after = live.snapshot.get(address), desired.get(address)
        if isinstance(before, AccessRule) and isinstance(after, AccessRule) and operation.kind not in _REMOVALS:
            now = _rule(operation, before, after)
            if not _grants(now) <= _grants(before) | _grants(after):
                yield f"{harmless(operation.title)} could give somebody what they have neither before nor after"


def _grants(rule: AccessRule) -> frozenset[tuple[Kind, str, Scope, Permission]]:
    """Return whom a rule gives what; whoever may write may also read."""
    return frozenset(
        (kind, name, rule.entity.identity, permission)
        for field, kind in GRANTEES.items()
        for name in getattr(rule, field)
        for permission in {Permission.READ, rule.permission}
    )


def _access(way: _Way, live: Live, desired: Snapshot) -> Iterator[str]:
    """Look, for each removal, at the worst state: all that is removed is, and given is only what it waits for."""
    before = AccessIndex.of_live(live)
    after = AccessIndex.of_live(live, predicted(live.snapshot, desired, way.operations))
    removed = predicted(live.snapshot, desired, [operation for operation in way.operations if operation.removal])
    least = replace(before, snapshot=removed)
    below: defaultdict[Scope, dict[Scope, Entity]] = defaultdict(dict)
    for scope, entity in (before.entities | after.entities).items():
        for above in (*before.scopes(entity), *after.scopes(entity)):
            below[above][scope] = entity
    for operation in way.operations:
        if operation.removal and operation.change.kind in _ACCESS:
            taken = frozenset(_taken(operation, before))
            near = {scope: entity for up in taken for scope, entity in below.get(up, {}).items()}
            # Most keep what they keep without any grant of this plan; only for the others their own state is made.
            kept = _lost(_kept(_concerned(operation, before), taken, near, before, after), least)
            if kept:
                worst = replace(before, snapshot=_worst(way, operation, kept, before, after, desired))
                for one in _lost(kept, worst):
                    who, what = harmless(worst.title(one.principal)), harmless(one.entity.title)
                    yield f"{harmless(operation.title)} could take {what} from {who}, who keeps it"


def _kept(
    people: Iterable[Address],
    taken: frozenset[Scope],
    near: Mapping[Scope, Entity],
    before: AccessIndex,
    after: AccessIndex,
) -> Iterator[_Kept]:
    """Return what these people have before and after, of what is taken and of all below it.

    What is below follows from what is above, unless rules on it name somebody.
    """
    concerned = frozenset(principal for principal in people if before.has(principal) and after.has(principal))
    for scope, entity in near.items():
        named = before.direct(scope).keys() | after.direct(scope).keys()
        for principal in concerned if scope in taken or EVERYONE in named else concerned & named:
            permission = min((index.permission(principal, entity) for index in (before, after)), key=_rank)
            if permission is not None:
                yield _Kept(principal, entity, permission)


def _worst(
    way: _Way, operation: Operation, kept: Iterable[_Kept], before: AccessIndex, after: AccessIndex, desired: Snapshot
) -> Snapshot:
    """Return the worst state for a removal, as far as it decides about what is kept."""
    addresses = {one.principal for one in kept}
    for scope in {scope for one in kept for side in (before, after) for scope in side.scopes(one.entity)}:
        for rule in (*before.rules_on(scope), *after.rules_on(scope)):
            addresses.add(rule.address)
            addresses.update(Address(Kind.GROUP, (name,)) for name in rule.groups)
    start = {address: found for address in addresses if (found := before.snapshot.get(address)) is not None}
    done = [
        other
        for address in addresses
        for other in way.about.get(address, ())
        if other.removal or way.waits(operation, other)
    ]
    return predicted(Snapshot(start), desired, done)


def _taken(operation: Operation, before: AccessIndex) -> Iterable[Scope]:
    """Return the entities whose rules a removal takes somebody out of."""
    address = operation.change.address
    if address.kind is Kind.GROUP:
        return {rule.entity.identity for rule in before.rules_of(address)}
    rule = before.snapshot.get(address)
    return {rule.entity.identity} if isinstance(rule, AccessRule) else before.entities.keys()


def _concerned(operation: Operation, before: AccessIndex) -> frozenset[Address]:
    """Return whose access a removal takes something from, of those who are there."""
    people: Iterable[Address] = operation.people
    if operation.kind is OperationKind.REMOVE_GROUP:
        people = before.people_in(operation.change.address)
    elif operation.demotes or operation.kind is OperationKind.SET_ACCOUNT_ROLE:
        people = (operation.change.address,)
    found = set[Address]()
    for address in people:
        found.update((address,) if address.kind in PRINCIPALS else before.people_in(address))
    return frozenset(found)


def _lost(kept: Iterable[_Kept], state: AccessIndex) -> list[_Kept]:
    """Return what is to be kept and is not there, or less of it, in a state."""
    return [one for one in kept if gives_more(one.permission, state.permission(one.principal, one.entity))]


def _rank(permission: Permission | None) -> int:
    return (None, Permission.READ, Permission.READ_WRITE).index(permission)
