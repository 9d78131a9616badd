from __future__ import annotations

from graphlib import TopologicalSorter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.edits import FieldEdit, SetEdit
from reconciler.model.resources import Address, Kind
from reconciler.plan.changes import Action, Change, Reason
from reconciler.plan.operations import Operation, OperationKind, operations_of
from reconciler.plan.order import dependencies

PEOPLE = [f"p{number}" for number in range(4)]
ACCOUNTS = ["agent", "trainer"]
GROUPS = ["ops", "research"]
ROLES = ["admin", "user", "consumer"]
MAKING = [Action.CREATE, Action.UPDATE, Action.DELETE]

people = st.frozensets(st.sampled_from(PEOPLE), max_size=3)
accounts = st.frozensets(st.sampled_from(ACCOUNTS), max_size=2)
groups = st.frozensets(st.sampled_from(GROUPS), max_size=2)


def change(action: Action, kind: Kind, key: tuple[str, ...], *edits: Any) -> Change:
    return Change(action=action, kind=kind, key=key, title=" / ".join(key), reason=Reason.DIFFERS, edits=edits)


@st.composite
def member_changes(draw: st.DrawFn, email: str) -> Change:
    action = draw(st.sampled_from([Action.INVITE, Action.UPDATE, Action.DELETE]))
    before, after = draw(st.lists(st.sampled_from(ROLES), min_size=2, max_size=2, unique=True))
    old, new = None if action is Action.INVITE else before, None if action is Action.DELETE else after
    return change(action, Kind.MEMBER, (email,), FieldEdit(field="role", before=old, after=new))


@st.composite
def account_changes(draw: st.DrawFn, name: str) -> Change:
    flags = draw(st.lists(st.sampled_from(["admin", "impersonation", "name"]), min_size=1, unique=True))
    on = draw(st.booleans())
    edits = [FieldEdit(field=flag, before=not on, after=on) for flag in flags]
    return change(draw(st.sampled_from(MAKING)), Kind.SERVICE_ACCOUNT, (name,), *edits)


@st.composite
def group_changes(draw: st.DrawFn, name: str) -> Change:
    action = draw(st.sampled_from(MAKING))
    edits = []
    for field, names in (("members", people), ("service_accounts", accounts)):
        joining, leaving = draw(names), draw(names)
        added = () if action is Action.DELETE else tuple(sorted(joining))
        removed = () if action is Action.CREATE else tuple(sorted(leaving - joining))
        edits.append(SetEdit(field=field, added=added, removed=removed))
    return change(action, Kind.GROUP, (name,), *edits)


@st.composite
def owned_changes(draw: st.DrawFn) -> list[Change]:
    ends = st.sampled_from([Action.CREATE, Action.DELETE])
    found = [change(draw(ends), Kind.CREDENTIAL, (account, "ci")) for account in sorted(draw(accounts))]
    for owner_kind, owners in (("group", groups), ("service_account", accounts)):
        for owner in sorted(draw(owners)):
            action = draw(st.sampled_from(MAKING))
            off = (FieldEdit(field="enabled", before=True, after=False),) if draw(st.booleans()) else ()
            found.append(change(action, Kind.VAULT, (owner_kind, owner, "v"), *off))
    return found


@st.composite
def plans(draw: st.DrawFn) -> tuple[Operation, ...]:
    found = [draw(member_changes(email)) for email in sorted(draw(people))]
    found += [draw(account_changes(name)) for name in sorted(draw(accounts))]
    found += [draw(group_changes(name)) for name in sorted(draw(groups))]
    return operations_of(draw(st.permutations(found + draw(owned_changes()))))


def connected(one: Operation, other: Operation) -> bool:
    return bool(one.touches & other.touches)


EXAMPLES = settings(max_examples=100, deadline=None)


@EXAMPLES
@given(plans())
def test_there_is_always_an_order(operations: tuple[Operation, ...]) -> None:
    edges = dependencies(operations)
    assert edges.keys() == {operation.identity for operation in operations}
    assert len(edges) == len(operations)
    assert {before for found in edges.values() for before in found} <= edges.keys()
    assert len(list(TopologicalSorter(edges).static_order())) == len(operations)


@EXAMPLES
@given(plans())
def test_a_removal_waits_for_every_grant_that_it_is_connected_to(operations: tuple[Operation, ...]) -> None:
    edges = dependencies(operations)
    for removal in operations:
        for grant in operations:
            if removal.removal and not grant.removal and connected(removal, grant):
                assert grant.identity in edges[removal.identity]


@EXAMPLES
@given(plans())
def test_whoever_stops_being_an_admin_waits_for_every_promotion(operations: tuple[Operation, ...]) -> None:
    edges = dependencies(operations)
    promotions = {operation.identity for operation in operations if operation.promotes}
    for operation in operations:
        if operation.demotes:
            assert promotions <= edges[operation.identity]


@EXAMPLES
@given(plans())
def test_what_is_not_connected_never_waits(operations: tuple[Operation, ...]) -> None:
    known = {operation.identity: operation for operation in operations}
    for identity, found in dependencies(operations).items():
        for before in found:
            replaced = known[identity].demotes and known[before].promotes
            assert replaced or connected(known[identity], known[before])


@EXAMPLES
@given(plans())
def test_a_grant_waits_for_nothing_but_what_it_needs_to_exist(operations: tuple[Operation, ...]) -> None:
    known = {operation.identity: operation for operation in operations}
    creations = {OperationKind.CREATE_ACCOUNT, OperationKind.CREATE_GROUP}
    for identity, found in dependencies(operations).items():
        if not known[identity].removal:
            assert {known[before].kind for before in found} <= creations


REMOVALS = [
    OperationKind.REMOVE_VAULT,
    OperationKind.REMOVE_FROM_GROUP,
    OperationKind.REMOVE_GROUP,
    OperationKind.REVOKE_CREDENTIAL,
    OperationKind.REMOVE_ACCOUNT,
    OperationKind.REMOVE_MEMBER,
]


@EXAMPLES
@given(plans())
def test_connected_removals_go_from_dependents_to_owners(operations: tuple[Operation, ...]) -> None:
    edges = dependencies(operations)
    ranked = [operation for operation in operations if operation.kind in REMOVALS]
    for one in ranked:
        for other in ranked:
            if REMOVALS.index(one.kind) < REMOVALS.index(other.kind) and connected(one, other):
                assert one.identity in edges[other.identity]


def test_a_group_waits_for_the_new_accounts_in_it_and_its_vault_for_the_group() -> None:
    account = change(Action.CREATE, Kind.SERVICE_ACCOUNT, ("agent",))
    group = change(Action.CREATE, Kind.GROUP, ("ops",), SetEdit(field="service_accounts", added=("agent",), removed=()))
    vault = change(Action.CREATE, Kind.VAULT, ("group", "ops", "v"))
    key = change(Action.CREATE, Kind.CREDENTIAL, ("agent", "ci"))
    edges = dependencies(operations_of([vault, key, group, account]))
    made_account = (Address(Kind.SERVICE_ACCOUNT, ("agent",)), OperationKind.CREATE_ACCOUNT)
    made_group = (Address(Kind.GROUP, ("ops",)), OperationKind.CREATE_GROUP)
    assert edges[made_account] == frozenset()
    assert edges[made_group] == {made_account}
    assert edges[vault.address, OperationKind.CREATE_VAULT] == {made_group}
    assert edges[key.address, OperationKind.CREATE_CREDENTIAL] == {made_account}


def test_a_new_account_is_there_before_it_is_made_an_admin() -> None:
    account = change(Action.CREATE, Kind.SERVICE_ACCOUNT, ("agent",), FieldEdit(field="admin", before=None, after=True))
    edges = dependencies(operations_of([account]))
    assert edges == {
        (account.address, OperationKind.CREATE_ACCOUNT): frozenset(),
        (account.address, OperationKind.SET_ACCOUNT_ROLE): {(account.address, OperationKind.CREATE_ACCOUNT)},
    }


def test_nothing_waits_for_itself() -> None:
    both = Operation(OperationKind.SET_ROLE, change(Action.UPDATE, Kind.MEMBER, ("p0",)), promotes=True, demotes=True)
    assert dependencies([both]) == {both.identity: frozenset()}


def test_admins_are_made_before_any_is_unmade() -> None:
    def role(before: str | None, after: str | None) -> FieldEdit:
        return FieldEdit(field="role", before=before, after=after)

    promoted = change(Action.UPDATE, Kind.MEMBER, ("p0",), role("user", "admin"))
    demoted = change(Action.UPDATE, Kind.MEMBER, ("p1",), role("admin", "user"))
    removed = change(Action.DELETE, Kind.MEMBER, ("p2",), role("admin", None))
    another = change(Action.DELETE, Kind.MEMBER, ("p3",), role("user", None))
    edges = dependencies(operations_of([another, removed, demoted, promoted]))
    promotion = (promoted.address, OperationKind.SET_ROLE)
    assert edges == {
        promotion: frozenset(),
        (demoted.address, OperationKind.SET_ROLE): {promotion},
        (removed.address, OperationKind.REMOVE_MEMBER): {promotion},
        (another.address, OperationKind.REMOVE_MEMBER): frozenset(),
    }


RANKS = (
    (OperationKind.UPDATE_RULE,),
    (OperationKind.REMOVE_FROM_RULE, OperationKind.REMOVE_RULE),
    (OperationKind.UPDATE_VAULT, OperationKind.REMOVE_VAULT),
    (OperationKind.REMOVE_FROM_GROUP,),
    (OperationKind.REMOVE_GROUP,),
    (OperationKind.REVOKE_CREDENTIAL,),
    (OperationKind.UPDATE_ACCOUNT, OperationKind.SET_ACCOUNT_ROLE, OperationKind.REMOVE_ACCOUNT),
    (OperationKind.SET_ROLE, OperationKind.CANCEL_INVITATION, OperationKind.REMOVE_MEMBER),
)


def test_each_sort_of_removal_has_its_place_among_connected_ones() -> None:
    shared = Address(Kind.MEMBER, ("p0",))
    by_rank = [
        [
            Operation(kind, change(Action.DELETE, Kind.GROUP, (kind.value,)), removal=True, people=(shared,))
            for kind in kinds
        ]
        for kinds in RANKS
    ]
    edges = dependencies([operation for rank in reversed(by_rank) for operation in rank])
    earlier: set[object] = set()
    for rank in by_rank:
        for operation in rank:
            assert edges[operation.identity] == earlier
        earlier |= {operation.identity for operation in rank}
