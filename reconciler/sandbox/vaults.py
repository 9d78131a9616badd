"""Configuration vaults: documents that reach a group, the whole organization, or one user."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.sandbox.built_in import ADMINS, USERS
from reconciler.sandbox.call import ADMIN, ANYONE, Endpoint, without_none
from reconciler.sandbox.choices import DEFAULT_VAULT_SCOPE
from reconciler.sandbox.errors import ApiError, Fault
from reconciler.sandbox.groups import require_groups
from reconciler.sandbox.members import find_user
from reconciler.sandbox.preview import preview
from reconciler.sandbox.vault_log import record

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.call import Call, Json

_SCOPES = ("organization", "group", "user")
_SELECT = "SELECT v.*, g.name AS group_name FROM vaults v LEFT JOIN groups g ON g.id = v.group_id WHERE "
_REACHING = """v.seq IN (
    SELECT seq FROM vaults WHERE user_id = :user
    UNION SELECT seq FROM vaults WHERE scope = 'organization'
    UNION SELECT seq FROM vaults WHERE group_id IN (
        SELECT group_id FROM memberships WHERE user_id = :user
        UNION SELECT id FROM groups WHERE kind = :users
        UNION SELECT id FROM groups WHERE kind = :admins
            AND EXISTS (SELECT 1 FROM users WHERE id = :user AND role = 'admin')))"""


def _get_organization(call: Call) -> Json:
    return _answer(call, "v.scope <> 'user'", {})


def _get(call: Call) -> Json:
    return _answer(call, _REACHING, {"user": call.caller.user, "users": USERS, "admins": ADMINS})


def _answer(call: Call, condition: str, values: dict[str, object]) -> Json:
    """Answer some vaults: in order of creation, a user's own ones last."""
    enabled, types = call.fields.flag("enabled"), call.fields.texts("types")
    hide = bool(call.fields.flag("preview_data"))
    if enabled:
        condition += " AND v.enabled"
    if types:
        condition += " AND v.type IN (SELECT value FROM json_each(:types))"
    rows = call.db.execute(
        _SELECT + condition + " ORDER BY v.scope = 'user', v.seq",
        values | {"types": json.dumps(types)},
    )
    return {"vaults": [_shown(row, hide=hide) for row in rows]}


def _shown(row: sqlite3.Row, *, hide: bool) -> Json:
    vault: Json = {
        "id": row["id"],
        "description": row["description"],
        "data": preview(row["data"]) if hide else row["data"],
        "format": row["format"],
        "type": row["type"],
        "scope": row["scope"],
        "enabled": bool(row["enabled"]),
        "last_update": row["last_update"],
        "editable": bool(row["editable"]),
    }
    if row["scope"] == "group":
        vault |= {"group": row["group_id"], "group_name": row["group_name"]}
    elif row["scope"] == "user":
        vault["user"] = row["user_id"]
    return without_none(vault)


def _may_write(call: Call, scope: str, user: str | None) -> bool:
    return call.caller.is_admin or (scope == "user" and user == call.caller.user)


def _add_or_update(call: Call) -> Json:
    vault = call.fields.required_section("vault")
    identifier = vault.text("id")
    old = _find(call, identifier) if identifier else None
    scope = vault.choice("scope", _SCOPES) or (old["scope"] if old else DEFAULT_VAULT_SCOPE)
    group, user = _target(call, scope, old)
    if not _may_write(call, scope, user):
        raise ApiError(Fault.ROLE)
    given = {
        "description": vault.text("description"),
        "data": vault.text("data"),
        "format": vault.required_text("format") if vault.has("format") else None,
        "type": vault.required_text("type") if vault.has("type") else None,
        "enabled": vault.flag("enabled"),
    }
    defaults = old or {"description": None, "data": "", "format": "hocon", "type": "config", "enabled": True}
    row = {name: defaults[name] if value is None else value for name, value in given.items()}
    identifier = identifier or call.store.token(32)
    row |= {"id": identifier, "group_id": group, "user_id": user, "scope": scope, "last_update": call.now}
    if old is None:
        call.db.execute(
            "INSERT INTO vaults (id, description, data, format, type, scope, enabled, group_id, user_id, last_update)"
            " VALUES (:id, :description, :data, :format, :type, :scope, :enabled, :group_id, :user_id, :last_update)",
            row,
        )
    else:
        call.db.execute(
            "UPDATE vaults SET description = :description, data = :data, format = :format, type = :type,"
            " enabled = :enabled, group_id = :group_id, user_id = :user_id, last_update = :last_update WHERE id = :id",
            row,
        )
    for operation in _operations(old, row):
        record(call, operation, row)
    return {"vault": identifier}


def _operations(old: sqlite3.Row | None, new: Json) -> list[str]:
    """Return what a change is in the log."""
    if old is None:
        return ["create"]
    switched = bool(old["enabled"]) is not bool(new["enabled"])
    edited = any(old[name] != new[name] for name in ("description", "data", "format", "type", "group_id", "user_id"))
    return ["edit"] * (edited or not switched) + ["activate" if new["enabled"] else "deactivate"] * switched


def _find(call: Call, identifier: str) -> sqlite3.Row:
    row: sqlite3.Row | None = call.db.execute("SELECT * FROM vaults WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        raise ApiError(Fault.INVALID_ID, f"vault {identifier}")
    if not _may_write(call, row["scope"], row["user_id"]):
        raise ApiError(Fault.ROLE)
    return row


def _target(call: Call, scope: str, old: sqlite3.Row | None) -> tuple[str | None, str | None]:
    """Return the group or the user that a vault shall reach, by its scope."""
    group, user = call.fields.text("group"), call.fields.text("user")
    if old is not None and scope != old["scope"]:
        raise ApiError(Fault.BAD_VALUE, "the scope of a vault cannot be changed")
    if (group and scope != "group") or (user and scope != "user"):
        raise ApiError(Fault.VALIDATION, f"a vault of scope {scope} takes no {'group' if group else 'user'}")
    if scope == "group":
        group = group or (old["group_id"] if old else None)
        if not group:
            raise call.fields.missing("group")
        require_groups(call, [group])
        return group, None
    if scope == "user":
        user = user or (old["user_id"] if old else call.caller.user)
        if not call.caller.is_admin and user != call.caller.user:
            raise ApiError(Fault.ROLE)
        return None, str(find_user(call, user)["id"])
    return None, None


def _delete(call: Call) -> Json:
    deleted = 0
    for identifier in call.fields.required_texts("vaults"):
        row = call.db.execute("SELECT * FROM vaults WHERE id = ?", (identifier,)).fetchone()
        if row is None:
            continue
        if not _may_write(call, row["scope"], row["user_id"]):
            raise ApiError(Fault.ROLE)
        deleted += call.db.execute("DELETE FROM vaults WHERE id = ?", (identifier,)).rowcount
        record(call, "delete", row)
    return {"deleted": deleted}


ENDPOINTS = {
    "users.get_organization_vaults": Endpoint(_get_organization, ADMIN),
    "users.get_vaults": Endpoint(_get, ANYONE),
    "users.add_or_update_vault": Endpoint(_add_or_update, ANYONE, writes=True),
    "users.delete_vaults": Endpoint(_delete, ANYONE, writes=True),
}
"""The endpoints of this module."""
