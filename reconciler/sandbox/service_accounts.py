"""Service accounts, which the API calls service users. Their names are not unique."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import credentials
from reconciler.sandbox.call import ADMIN, Endpoint, without_none
from reconciler.sandbox.errors import ApiError, Fault
from reconciler.sandbox.limits import credential_end
from reconciler.sandbox.members import find_user
from reconciler.sandbox.schema import UserKind

if TYPE_CHECKING:
    from reconciler.sandbox.call import Call, Json


def _get(call: Call) -> Json:
    rows = call.db.execute(
        "SELECT id, name, role, run_as_owner, last_credentials_login,"
        " (SELECT count(*) FROM credentials c WHERE c.user = u.id) AS keys"
        " FROM users u WHERE kind = 'service' ORDER BY id"
    )
    users = [
        without_none(
            {
                "id": row["id"],
                "name": row["name"],
                "role": row["role"],
                "allow_running_as_owner": bool(row["run_as_owner"]),
                "credentials": row["keys"],
                "last_active_time": row["last_credentials_login"],
            }
        )
        for row in rows
    ]
    limit = call.settings.allowed_service_users
    answer: Json = {"users": users, "allow_admins": call.settings.allow_admins}
    return answer | credentials.lifetimes(call) | ({} if limit is None else {"allowed_service_users": limit})


def _create(call: Call) -> Json:
    name = call.fields.required_text("name")
    owner = bool(call.fields.flag("allow_running_as_owner"))
    expire = credential_end(call, "credentials_expiration_sec")
    limit = call.settings.allowed_service_users
    if limit is not None:
        count = call.db.execute("SELECT count(*) FROM users WHERE kind = 'service'").fetchone()[0]
        if count >= limit:
            raise ApiError(Fault.BAD_VALUE, f"the workspace has {count} of at most {limit} service accounts")
    user = call.store.token(32)
    call.db.execute(
        "INSERT INTO users (id, name, role, created, kind, run_as_owner) VALUES (?, ?, 'user', ?, 'service', ?)",
        (user, name, call.now, owner),
    )
    return {"id": user, "credentials": credentials.make(call, user, None, expire)}


def _update(call: Call) -> Json:
    user = find_user(call, call.fields.required_text("user"))
    if user["kind"] != UserKind.SERVICE:
        raise ApiError(Fault.INVALID_USER, f"{user['id']} is not a service account")
    name = call.fields.required_text("name") if call.fields.has("name") else user["name"]
    owner = call.fields.flag("allow_running_as_owner")
    owner = bool(user["run_as_owner"]) if owner is None else owner
    if (name, owner) == (user["name"], bool(user["run_as_owner"])):
        return {"updated": 0}
    call.db.execute("UPDATE users SET name = ?, run_as_owner = ? WHERE id = ?", (name, owner, user["id"]))
    return {"updated": 1}


ENDPOINTS = {
    "users.get_service_users": Endpoint(_get, ADMIN),
    "auth.create_service_user": Endpoint(_create, ADMIN, writes=True),
    "users.update_service_user": Endpoint(_update, ADMIN, writes=True),
}
"""The endpoints of this module."""
