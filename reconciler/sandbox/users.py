"""Reading users: ``users.get_all_ex``, ``users.get_all``, the assignable roles, ``permissions.get_company_users``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from reconciler.sandbox import paging
from reconciler.sandbox.built_in import ADMINS, USERS
from reconciler.sandbox.call import ADMIN, ANYONE, Endpoint
from reconciler.sandbox.choices import ROLE_NAMES

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.call import Call, Json

_ORDERABLE = ("id", "name", "given_name", "family_name", "created", "email", "role")


def _rows(call: Call) -> list[sqlite3.Row]:
    conditions, values = ["1"], list[object]()
    wanted = call.fields.texts("id")
    if wanted is not None:
        conditions.append("id IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(wanted))
    name = paging.pattern(call.fields, "name")
    if name is not None:
        conditions.append("name REGEXP ?")
        values.append(name)
    if not call.settings.list_service_users:
        conditions.append("service = 0")
    order = paging.ordering(call.fields, _ORDERABLE, tie="id")
    # The inner query walks an index only, so that a late page costs little more than an early one.
    return call.db.execute(
        f"SELECT * FROM users WHERE id IN (SELECT id FROM users WHERE {' AND '.join(conditions)}"  # noqa: S608 - constants
        f" ORDER BY {order} LIMIT ? OFFSET ?) ORDER BY {order}",
        (*values, *paging.window(call.fields)),
    ).fetchall()


def _get_all_ex(call: Call) -> Json:
    auth = bool(call.fields.flag("include_auth")) and call.caller.is_admin
    activity = bool(call.fields.flag("include_activity"))
    rows = _rows(call)
    groups = _groups_of(call, rows) if auth else {}
    users = []
    company = {"id": call.store.company}
    for row in rows:
        user = _common(row)
        user["company"] = company
        user["read_only"] = bool(row["read_only"])
        user["support"] = bool(row["support"])
        if auth:
            user["created"], user["role"] = row["created"], row["role"]
            user["providers"], user["sec_groups"] = [], groups[row["id"]]
            if row["email"] is not None:
                user["email"] = row["email"]
        if activity:
            moments = ("last_credentials_login", "last_provider_login")
            user["activity"] = {moment: row[moment] for moment in moments if row[moment] is not None}
        users.append(user)
    return {"users": paging.project(users, call.fields)}


def _get_all(call: Call) -> Json:
    users = [_common(row) | {"company": call.store.company} for row in _rows(call)]
    return {"users": paging.project(users, call.fields)}


def _common(row: sqlite3.Row) -> Json:
    fields: Json = {"id": row["id"], "name": row["name"]}
    for name in ("given_name", "family_name"):
        if row[name] is not None:
            fields[name] = row[name]
    return fields


def _groups_of(call: Call, rows: list[sqlite3.Row]) -> dict[str, list[str]]:
    """Return the group ids of each of some users: Users first, Admins for administrators, then the others."""
    builtin = dict(call.db.execute("SELECT kind, id FROM groups WHERE kind IN (?, ?)", (USERS, ADMINS)).fetchall())
    memberships = call.db.execute(
        "SELECT user_id, json_group_array(group_id) FROM memberships"
        " WHERE user_id IN (SELECT value FROM json_each(?)) GROUP BY user_id",
        (json.dumps([row["id"] for row in rows]),),
    )
    others = {user: msgspec.json.decode(groups) for user, groups in memberships}
    first = {True: [builtin[USERS], builtin[ADMINS]], False: [builtin[USERS]]}
    return {row["id"]: first[row["role"] == "admin"] + others.get(row["id"], []) for row in rows}


def _get_company_users(call: Call) -> Json:
    rows = call.db.execute(
        "SELECT id, name, email, role FROM users WHERE service <= ? ORDER BY id", (call.settings.list_service_users,)
    )
    return {
        "users": [
            {"id": user, "name": name, "role": role} | ({"email": email} if email is not None else {})
            for user, name, email, role in rows
        ]
    }


def _get_role_options(_: Call) -> Json:
    return {"roles": [{"role": role, "display_name": name} for role, name in ROLE_NAMES.items()]}


ENDPOINTS = {
    "users.get_all_ex": Endpoint(_get_all_ex, ANYONE),
    "users.get_all": Endpoint(_get_all, ANYONE),
    "users.get_role_options": Endpoint(_get_role_options, ANYONE),
    "permissions.get_company_users": Endpoint(_get_company_users, ADMIN),
}
"""The endpoints of this module."""
