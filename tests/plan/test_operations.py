"""Which operations carry a change out, which of them take something away, and whom they touch."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.edits import DocumentEdit, FieldEdit, SetEdit
from reconciler.model.resources import Address, Kind
from reconciler.plan.changes import Action, Change, Reason
from reconciler.plan.operations import Operation, OperationKind, operations_of

PLAIN: dict[str, Any] = {}
TAKES = {"removal": True}
UNMAKES = {"removal": True, "demotes": True}
MAKES = {"promotes": True}

ADA, TOM = Address.member("ada@acme.io"), Address.member("tom@acme.io")
AGENT, BOT = Address.service_account("agent"), Address.service_account("bot")
OPS, LAB = Address.group("ops"), Address.group("lab")


def edit(field: str, before: str | bool | None, after: str | bool | None) -> FieldEdit:
    return FieldEdit(field=field, before=before, after=after)


def people(field: str, added: tuple[str, ...] = (), removed: tuple[str, ...] = ()) -> SetEdit:
    return SetEdit(field=field, added=added, removed=removed)


NAME, WORDS = edit("name", "Old", "New"), edit("description", "old", "new")
IN, OUT = people("members", ("ada@acme.io",)), people("members", (), ("tom@acme.io",))
BOTH = people("members", ("ada@acme.io",), ("tom@acme.io",))
ROBOTS = people("service_accounts", ("agent",), ("bot",))
TEAMS = people("groups", ("ops",), ("lab",))

Case = tuple[Action, tuple[Any, ...], list[tuple[OperationKind, dict[str, Any]]]]

MEMBERS: dict[str, Case] = {
    "invited": (Action.INVITE, (edit("role", None, "admin"),), [(OperationKind.INVITE, PLAIN)]),
    "removed": (Action.DELETE, (edit("role", "user", None),), [(OperationKind.REMOVE_MEMBER, TAKES)]),
    "an admin removed": (Action.DELETE, (edit("role", "admin", None),), [(OperationKind.REMOVE_MEMBER, UNMAKES)]),
    "one without a role removed": (Action.DELETE, (), [(OperationKind.REMOVE_MEMBER, TAKES)]),
    "made an admin": (Action.UPDATE, (edit("role", "user", "admin"),), [(OperationKind.SET_ROLE, MAKES)]),
    "an admin made a user": (Action.UPDATE, (edit("role", "admin", "user"),), [(OperationKind.SET_ROLE, UNMAKES)]),
    "an admin made a consumer": (
        Action.UPDATE, (edit("role", "admin", "consumer"),), [(OperationKind.SET_ROLE, UNMAKES)],
    ),
    "a user made a consumer": (Action.UPDATE, (edit("role", "user", "consumer"),), [(OperationKind.SET_ROLE, TAKES)]),
    "a consumer made a user": (Action.UPDATE, (edit("role", "consumer", "user"),), [(OperationKind.SET_ROLE, PLAIN)]),
    "renamed": (Action.UPDATE, (NAME,), [(OperationKind.RENAME_MEMBER, PLAIN)]),
    "renamed and made an admin": (
        Action.UPDATE,
        (edit("role", "user", "admin"), NAME),
        [(OperationKind.SET_ROLE, MAKES), (OperationKind.RENAME_MEMBER, PLAIN)],
    ),
}  # fmt: skip

ACCOUNTS: dict[str, Case] = {
    "made": (Action.CREATE, (edit("impersonation", None, True),), [(OperationKind.CREATE_ACCOUNT, PLAIN)]),
    "made as an admin": (
        Action.CREATE,
        (edit("admin", None, True),),
        [(OperationKind.CREATE_ACCOUNT, PLAIN), (OperationKind.SET_ACCOUNT_ROLE, PLAIN)],
    ),
    "renamed": (Action.UPDATE, (NAME,), [(OperationKind.UPDATE_ACCOUNT, PLAIN)]),
    "may run tasks": (Action.UPDATE, (edit("impersonation", False, True),), [(OperationKind.UPDATE_ACCOUNT, PLAIN)]),
    "may not any more": (
        Action.UPDATE, (edit("impersonation", True, False),), [(OperationKind.UPDATE_ACCOUNT, TAKES)],
    ),
    "renamed and may not any more": (
        Action.UPDATE, (NAME, edit("impersonation", True, False)), [(OperationKind.UPDATE_ACCOUNT, TAKES)],
    ),
    "made an admin": (Action.UPDATE, (edit("admin", False, True),), [(OperationKind.SET_ACCOUNT_ROLE, PLAIN)]),
    "no admin any more": (Action.UPDATE, (edit("admin", True, False),), [(OperationKind.SET_ACCOUNT_ROLE, TAKES)]),
    "renamed and no admin any more": (
        Action.UPDATE,
        (NAME, edit("admin", True, False)),
        [(OperationKind.UPDATE_ACCOUNT, PLAIN), (OperationKind.SET_ACCOUNT_ROLE, TAKES)],
    ),
    "an admin removed": (Action.DELETE, (edit("admin", True, None),), [(OperationKind.REMOVE_ACCOUNT, TAKES)]),
}  # fmt: skip

CREDENTIALS: dict[str, Case] = {
    "made": (Action.CREATE, (), [(OperationKind.CREATE_CREDENTIAL, PLAIN)]),
    "labelled": (Action.UPDATE, (), [(OperationKind.LABEL_CREDENTIAL, PLAIN)]),
    "rotated": (Action.ROTATE, (), [(OperationKind.ROTATE_CREDENTIAL, PLAIN)]),
    "revoked": (Action.DELETE, (), [(OperationKind.REVOKE_CREDENTIAL, TAKES)]),
}

GROUPS: dict[str, Case] = {
    "made": (Action.CREATE, (IN, ROBOTS), [(OperationKind.CREATE_GROUP, {"people": (ADA, AGENT)})]),
    "renamed": (Action.UPDATE, (NAME,), [(OperationKind.UPDATE_GROUP, PLAIN)]),
    "described": (Action.UPDATE, (WORDS,), [(OperationKind.UPDATE_GROUP, PLAIN)]),
    "somebody joins": (Action.UPDATE, (IN,), [(OperationKind.UPDATE_GROUP, {"people": (ADA,)})]),
    "somebody leaves": (Action.UPDATE, (OUT,), [(OperationKind.REMOVE_FROM_GROUP, TAKES | {"people": (TOM,)})]),
    "described and somebody leaves": (
        Action.UPDATE,
        (WORDS, OUT),
        [(OperationKind.UPDATE_GROUP, PLAIN), (OperationKind.REMOVE_FROM_GROUP, TAKES | {"people": (TOM,)})],
    ),
    "some join and some leave": (
        Action.UPDATE,
        (BOTH, ROBOTS),
        [
            (OperationKind.UPDATE_GROUP, {"people": (ADA, AGENT)}),
            (OperationKind.REMOVE_FROM_GROUP, TAKES | {"people": (TOM, BOT)}),
        ],
    ),
    "removed": (Action.DELETE, (OUT,), [(OperationKind.REMOVE_GROUP, TAKES)]),
}

VAULTS: dict[str, Case] = {
    "made": (Action.CREATE, (), [(OperationKind.CREATE_VAULT, PLAIN)]),
    "changed": (Action.UPDATE, (DocumentEdit(path="a", before="1", after="2"),), [(OperationKind.UPDATE_VAULT, PLAIN)]),
    "switched on": (Action.UPDATE, (edit("enabled", False, True),), [(OperationKind.UPDATE_VAULT, PLAIN)]),
    "switched off": (Action.UPDATE, (edit("enabled", True, False),), [(OperationKind.UPDATE_VAULT, TAKES)]),
    "removed": (Action.DELETE, (), [(OperationKind.REMOVE_VAULT, TAKES)]),
}

WIDER, NARROWER = edit("permission", "read", "read_write"), edit("permission", "read_write", "read")
ELSEWHERE = edit("resource", "project Vision", "project Audio")

RULES: dict[str, Case] = {
    "made": (
        Action.CREATE,
        (IN, ROBOTS, TEAMS, edit("permission", None, "read")),
        [(OperationKind.CREATE_RULE, {"people": (ADA, AGENT, OPS)})],
    ),
    "renamed": (Action.UPDATE, (NAME,), [(OperationKind.UPDATE_RULE, PLAIN)]),
    "described": (Action.UPDATE, (WORDS,), [(OperationKind.UPDATE_RULE, PLAIN)]),
    "some join": (Action.UPDATE, (IN,), [(OperationKind.UPDATE_RULE, {"people": (ADA,)})]),
    "some leave": (Action.UPDATE, (OUT,), [(OperationKind.REMOVE_FROM_RULE, TAKES | {"people": (TOM,)})]),
    "some join and some leave": (
        Action.UPDATE,
        (BOTH, TEAMS),
        [
            (OperationKind.UPDATE_RULE, {"people": (ADA, OPS)}),
            (OperationKind.REMOVE_FROM_RULE, TAKES | {"people": (TOM, LAB)}),
        ],
    ),
    "gives more": (Action.UPDATE, (WIDER,), [(OperationKind.UPDATE_RULE, {"people": (BOT,)})]),
    "gives more, to more": (Action.UPDATE, (WIDER, IN), [(OperationKind.UPDATE_RULE, {"people": (ADA, BOT)})]),
    "gives more, and somebody leaves": (
        Action.UPDATE, (WIDER, OUT), [(OperationKind.UPDATE_RULE, TAKES | {"people": (TOM, BOT)})],
    ),
    "gives less": (Action.UPDATE, (NARROWER,), [(OperationKind.UPDATE_RULE, TAKES | {"people": (BOT,)})]),
    "gives something else": (Action.UPDATE, (ELSEWHERE,), [(OperationKind.UPDATE_RULE, TAKES | {"people": (BOT,)})]),
    "removed": (
        Action.DELETE, (OUT, edit("permission", "read", None)), [(OperationKind.REMOVE_RULE, TAKES | {"people": (TOM,)})],
    ),
}  # fmt: skip

KEYS = {
    Kind.MEMBER: ("ada@acme.io",),
    Kind.SERVICE_ACCOUNT: ("agent",),
    Kind.CREDENTIAL: ("agent", "ci"),
    Kind.GROUP: ("ops",),
    Kind.VAULT: ("group", "ops", "v"),
    Kind.ACCESS_RULE: ("r",),
}
TABLES = (
    (Kind.MEMBER, MEMBERS),
    (Kind.SERVICE_ACCOUNT, ACCOUNTS),
    (Kind.CREDENTIAL, CREDENTIALS),
    (Kind.GROUP, GROUPS),
    (Kind.VAULT, VAULTS),
    (Kind.ACCESS_RULE, RULES),
)
CASES = [pytest.param(kind, case, id=f"{kind.value} {name}") for kind, table in TABLES for name, case in table.items()]


def change(kind: Kind, action: Action, *edits: Any, **others: Any) -> Change:
    key = KEYS[kind]
    return Change(action=action, kind=kind, key=key, title="shown", reason=Reason.DIFFERS, edits=edits, **others)


@pytest.mark.parametrize(("kind", "case"), CASES)
def test_what_carries_a_change_out(kind: Kind, case: Case) -> None:
    action, edits, expected = case
    staying = ((Kind.SERVICE_ACCOUNT, "bot"),) if kind is Kind.ACCESS_RULE else ()
    whole = change(kind, action, *edits, staying=staying)
    assert operations_of([whole]) == tuple(Operation(name, whole, **fields) for name, fields in expected)


def test_an_invitation_is_taken_back_and_its_role_is_nobodys_yet() -> None:
    whole = change(Kind.MEMBER, Action.DELETE, edit("role", "admin", None), invitation=True)
    assert operations_of([whole]) == (Operation(OperationKind.CANCEL_INVITATION, whole, removal=True),)


@pytest.mark.parametrize(("kind", "owner"), [(Kind.CREDENTIAL, AGENT), (Kind.VAULT, OPS), (Kind.GROUP, None)], ids=str)
def test_an_operation_touches_its_resource_its_owner_and_its_people(kind: Kind, owner: Address | None) -> None:
    operation = Operation(OperationKind.UPDATE_GROUP, change(kind, Action.UPDATE), people=(ADA,))
    own = Address(kind, KEYS[kind])
    assert operation.touches == {own, ADA} | ({owner} if owner else set())
    assert operation.identity == (own, OperationKind.UPDATE_GROUP)
    assert operation.title == "update group shown"
