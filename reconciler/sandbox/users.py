"""Reading users: all of them, one of them, the assignable roles, and ``permissions.get_company_users``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from reconciler.sandbox import paging
from reconciler.sandbox.built_in import ADMINS, USERS
from reconciler.sandbox.call import ADMIN, ANYONE, Endpoint, without_none
from reconciler.sandbox.choices import ROLE_NAMES
from reconciler.sandbox.errors import ApiError, Fault
from reconciler.sandbox.schema import UserKind

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.call import Call, Json

_ORDERABLE = ("id", "name", "given_name", "family_name", "created")
_KNOWN = (
    "id", "name", "given_name", "family_name", "avatar", "company", "created", "email", "role", "providers",
    "sec_groups", "read_only", "support", "activity",
)  # fmt: skip
_MOMENTS = ("last_credentials_login", "last_provider_login")


def _rows(call: Call) -> list[sqlite3.Row]:
    conditions, values = ["1"], list[object]()
    wanted = call.fields.filter_texts("id")
    if wanted:
        conditions.append("id IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(wanted))
    name = paging.pattern(call.fields, "name")
    if name is not None:
        conditions.append("name REGEXP ?")
        values.append(name)
    # Written out, so that an index that leaves out the same users can be used.
    conditions += [f"kind <> '{kind.value}'" for kind in _unlisted(call)]
    order = paging.ordering(call.fields, _ORDERABLE, tie="id")
    # The inner query walks an index only, so that a late page costs little more than an early one.
    return call.db.execute(
        f"SELECT * FROM users WHERE id IN (SELECT id FROM users WHERE {' AND '.join(conditions)}"  # noqa: S608 - constants
        f" ORDER BY {order} LIMIT ? OFFSET ?) ORDER BY {order}",
        (*values, *paging.window(call.fields)),
    ).fetchall()


def _unlisted(call: Call) -> list[UserKind]:
    settings = call.settings
    listed = {UserKind.SERVICE: settings.list_service_users, UserKind.SYSTEM: settings.list_system_users}
    return [kind for kind, shown in listed.items() if not shown]


def _get_all_ex(call: Call) -> Json:
    return _get(call, activity=bool(call.fields.flag("include_activity")))


def _get_all(call: Call) -> Json:
    return _get(call, activity=False)


def _get(call: Call, *, activity: bool) -> Json:
    auth = bool(call.fields.flag("include_auth")) and call.caller.is_admin
    rows = _rows(call)
    groups = groups_of(call, [row["id"] for row in rows]) if auth else {}
    users = []
    for row in rows:
        user = shown(call, row)
        if auth:
            user |= _auth_fields(row, groups[row["id"]])
        if auth and activity:
            user["activity"] = {moment: row[moment] for moment in _MOMENTS if row[moment] is not None}
        users.append(user)
    return {"users": paging.project(users, call.fields, _KNOWN)}


def shown(call: Call, row: sqlite3.Row) -> Json:
    """Return what everybody may see of a user."""
    user: Json = {"id": row["id"], "name": row["name"], "company": call.store.company, "created": row["created"]}
    user |= {name: row[name] for name in ("given_name", "family_name", "avatar") if row[name] is not None}
    return user | {name: True for name in ("read_only", "support") if row[name]}


def _auth_fields(row: sqlite3.Row, groups: list[str]) -> Json:
    """Return what an administrator sees of a user's sign-in; of someone whose sign-in was removed there is nothing."""
    if row["kind"] not in {UserKind.PERSON, UserKind.SERVICE}:
        return {}
    fields: Json = {"role": row["role"], "providers": {}, "sec_groups": groups}
    return fields if row["email"] is None else fields | {"email": row["email"]}


def groups_of(call: Call, users: list[str]) -> dict[str, list[str]]:
    """Return the group ids of each of some users: Users first, Admins for administrators, then the others."""
    builtin = dict(call.db.execute("SELECT kind, id FROM groups WHERE kind IN (?, ?)", (USERS, ADMINS)).fetchall())
    among = json.dumps(users)
    memberships = call.db.execute(
        "SELECT user_id, json_group_array(group_id) FROM memberships"
        " WHERE user_id IN (SELECT value FROM json_each(?)) GROUP BY user_id",
        (among,),
    )
    others = {user: msgspec.json.decode(groups) for user, groups in memberships}
    first = {True: [builtin[USERS], builtin[ADMINS]], False: [builtin[USERS]]}
    roles = call.db.execute("SELECT id, role FROM users WHERE id IN (SELECT value FROM json_each(?))", (among,))
    return {user: first[role == "admin"] + others.get(user, []) for user, role in roles}


def _get_by_id(call: Call) -> Json:
    identifier = call.fields.required_text("user")
    row = call.db.execute("SELECT * FROM users WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        raise ApiError(Fault.INVALID_USER, identifier)
    return {"user": shown(call, row)}


def _get_company_users(call: Call) -> Json:
    kinds = [UserKind.PERSON] + [UserKind.SERVICE] * call.settings.list_service_users
    rows = call.db.execute(
        "SELECT id, name, email, role FROM users WHERE kind IN (SELECT value FROM json_each(?)) ORDER BY id",
        (json.dumps(kinds),),
    )
    return {"users": [without_none(dict(row)) for row in rows]}


def _get_role_options(_: Call) -> Json:
    return {"roles": [{"role": role, "display_name": name} for role, name in ROLE_NAMES.items()]}


ENDPOINTS = {
    "users.get_all_ex": Endpoint(_get_all_ex, ANYONE, version="2.8"),
    "users.get_all": Endpoint(_get_all, ANYONE),
    "users.get_by_id": Endpoint(_get_by_id, ANYONE),
    "users.get_role_options": Endpoint(_get_role_options, ANYONE),
    "permissions.get_company_users": Endpoint(_get_company_users, ADMIN),
}
"""The endpoints of this module."""
