"""What carries a change out: operations, each one API call or a short sequence, and what each of them touches."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.access import Permission
from reconciler.model.resources import Address, Kind, Role
from reconciler.plan.access_rules import GRANTEES
from reconciler.plan.changes import Action, Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class OperationKind(StrEnum):
    """The sorts of operations; the value is what people read."""

    INVITE = "invite"
    CANCEL_INVITATION = "cancel invitation"
    SET_ROLE = "set role"
    RENAME_MEMBER = "set name"
    REMOVE_MEMBER = "remove member"
    CREATE_ACCOUNT = "create service account"
    UPDATE_ACCOUNT = "update service account"
    SET_ACCOUNT_ROLE = "set service account role"
    REMOVE_ACCOUNT = "remove service account"
    CREATE_CREDENTIAL = "create credential"
    LABEL_CREDENTIAL = "label credential"
    ROTATE_CREDENTIAL = "rotate credential"
    REVOKE_CREDENTIAL = "revoke credential"
    CREATE_GROUP = "create group"
    UPDATE_GROUP = "update group"
    REMOVE_FROM_GROUP = "remove from group"
    REMOVE_GROUP = "remove group"
    CREATE_VAULT = "create vault"
    UPDATE_VAULT = "update vault"
    REMOVE_VAULT = "remove vault"
    CREATE_RULE = "create access rule"
    UPDATE_RULE = "update access rule"
    REMOVE_FROM_RULE = "remove from access rule"
    REMOVE_RULE = "remove access rule"


class Operation(Frozen):
    """One step of an apply.

    ``removal``: it takes something away from somebody. ``promotes`` and ``demotes``: it makes or unmakes an admin.
    ``touches``: the resources that it connects; a removal waits for every grant that touches one of the same.
    """

    kind: OperationKind
    change: Change
    removal: bool = False
    promotes: bool = False
    demotes: bool = False
    people: tuple[Address, ...] = ()

    @property
    def identity(self) -> tuple[Address, OperationKind]:
        """What tells this operation from every other of the same plan."""
        return self.change.address, self.kind

    @property
    def touches(self) -> frozenset[Address]:
        """The resources that this operation connects."""
        owner = self.change.address.owner
        own = (self.change.address,) if owner is None else (self.change.address, owner)
        return frozenset((*own, *self.people))

    @property
    def title(self) -> str:
        """The operation as people read it."""
        return f"{self.kind.value} {self.change.title}"


def operations_of(changes: Sequence[Change]) -> tuple[Operation, ...]:
    """Return the operations of all changes, in the order of the changes."""
    return tuple(operation for change in changes for operation in _split(change))


def _split(change: Change) -> Iterator[Operation]:
    match change.kind:
        case Kind.MEMBER:
            yield from _member(change)
        case Kind.SERVICE_ACCOUNT:
            yield from _service_account(change)
        case Kind.CREDENTIAL:
            yield from _credential(change)
        case Kind.GROUP:
            yield from _group(change)
        case Kind.VAULT:
            yield from _vault(change)
        case Kind.ACCESS_RULE:
            yield from _access_rule(change)


def _member(change: Change) -> Iterator[Operation]:
    role = change.edited("role")
    if change.action is Action.INVITE:
        yield Operation(OperationKind.INVITE, change)
    elif change.action is Action.DELETE and change.invitation:
        yield Operation(OperationKind.CANCEL_INVITATION, change, removal=True)
    elif change.action is Action.DELETE:
        demotes = role is not None and role.before == Role.ADMIN
        yield Operation(OperationKind.REMOVE_MEMBER, change, removal=True, demotes=demotes)
    else:
        if role is not None:
            demotes = role.before == Role.ADMIN
            yield Operation(
                OperationKind.SET_ROLE,
                change,
                removal=demotes or role.after == Role.CONSUMER,
                promotes=role.after == Role.ADMIN,
                demotes=demotes,
            )
        if change.edited("name") is not None:
            yield Operation(OperationKind.RENAME_MEMBER, change)


def _service_account(change: Change) -> Iterator[Operation]:
    admin, impersonation = change.edited("admin"), change.edited("impersonation")
    if change.action is Action.DELETE:
        yield Operation(OperationKind.REMOVE_ACCOUNT, change, removal=True)
        return
    if change.action is Action.CREATE:
        yield Operation(OperationKind.CREATE_ACCOUNT, change)
    elif change.edited("name") is not None or impersonation is not None:
        loses = impersonation is not None and impersonation.after is False
        yield Operation(OperationKind.UPDATE_ACCOUNT, change, removal=loses)
    if admin is not None:
        yield Operation(OperationKind.SET_ACCOUNT_ROLE, change, removal=admin.after is False)


def _credential(change: Change) -> Iterator[Operation]:
    kinds = {
        Action.CREATE: OperationKind.CREATE_CREDENTIAL,
        Action.UPDATE: OperationKind.LABEL_CREDENTIAL,
        Action.ROTATE: OperationKind.ROTATE_CREDENTIAL,
        Action.DELETE: OperationKind.REVOKE_CREDENTIAL,
    }
    yield Operation(kinds[change.action], change, removal=change.action is Action.DELETE)


def _group(change: Change) -> Iterator[Operation]:
    """Make two operations of a membership change that both adds and removes, so that the additions come first."""
    if change.action is Action.DELETE:
        yield Operation(OperationKind.REMOVE_GROUP, change, removal=True)
        return
    joining, leaving = people_of(change)
    if change.action is Action.CREATE:
        yield Operation(OperationKind.CREATE_GROUP, change, people=joining)
        return
    if joining or change.edited("name") or change.edited("description"):
        yield Operation(OperationKind.UPDATE_GROUP, change, people=joining)
    if leaving:
        yield Operation(OperationKind.REMOVE_FROM_GROUP, change, removal=True, people=leaving)


def people_of(change: Change) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    """Return who joins and who leaves a group or an access rule with a change."""
    joining: list[Address] = []
    leaving: list[Address] = []
    for field, kind in GRANTEES.items():
        edit = change.edited_set(field)
        if edit is not None:
            joining += [Address(kind, (name,)) for name in edit.added]
            leaving += [Address(kind, (name,)) for name in edit.removed]
    return tuple(joining), tuple(leaving)


def _vault(change: Change) -> Iterator[Operation]:
    if change.action is Action.CREATE:
        yield Operation(OperationKind.CREATE_VAULT, change)
    elif change.action is Action.DELETE:
        yield Operation(OperationKind.REMOVE_VAULT, change, removal=True)
    else:
        enabled = change.edited("enabled")
        yield Operation(OperationKind.UPDATE_VAULT, change, removal=enabled is not None and enabled.after is False)


def all_at_once(change: Change) -> bool:
    """Return whether all of a rule's change must be one call: its permission or entity changes.

    In two calls, who joins would have what the rule gave before, or who leaves what it gives afterwards.
    """
    return change.edited("permission") is not None or change.edited("resource") is not None


def _access_rule(change: Change) -> Iterator[Operation]:
    joining, leaving = people_of(change)
    if change.action is Action.DELETE:
        yield Operation(OperationKind.REMOVE_RULE, change, removal=True, people=leaving)
    elif change.action is Action.CREATE:
        yield Operation(OperationKind.CREATE_RULE, change, people=joining)
    elif all_at_once(change):
        permission = change.edited("permission")
        narrows = permission is not None and permission.after == Permission.READ
        staying = tuple(Address(kind, (name,)) for kind, name in change.staying)
        yield Operation(
            OperationKind.UPDATE_RULE,
            change,
            removal=narrows or bool(leaving) or change.edited("resource") is not None,
            people=(*joining, *leaving, *staying),
        )
    else:
        if joining or change.edited("name") or change.edited("description"):
            yield Operation(OperationKind.UPDATE_RULE, change, people=joining)
        if leaving:
            yield Operation(OperationKind.REMOVE_FROM_RULE, change, removal=True, people=leaving)
