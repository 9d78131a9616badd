"""User groups: the built-in ones, and those that a workspace makes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from reconciler.sandbox.built_in import ADMINS, ORDINARY, QUEUE_ADMINS, USERS
from reconciler.sandbox.call import ADMIN, Endpoint, without_none
from reconciler.sandbox.errors import ApiError, Fault

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from reconciler.sandbox.call import Call, Json


def require_users(call: Call, users: Sequence[str]) -> None:
    """Refuse (400/301) a list that holds an id which is nobody's."""
    unknown = call.db.execute(
        "SELECT value FROM json_each(?) WHERE value NOT IN"
        " (SELECT id FROM users WHERE kind IN ('person', 'service')) LIMIT 1",
        (json.dumps(users),),
    ).fetchone()
    if unknown:
        raise ApiError(Fault.INVALID_USER, unknown[0])


def require_groups(call: Call, groups: Sequence[str]) -> None:
    """Refuse (400/10) a list that holds an id which is no group's."""
    unknown = call.db.execute(
        "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM groups) LIMIT 1", (json.dumps(groups),)
    ).fetchone()
    if unknown:
        raise ApiError(Fault.INVALID_ID, f"group {unknown[0]}")


def _get(call: Call) -> Json:
    wanted = call.fields.texts("groups")
    call.fields.flag("include_permissions")
    groups = call.db.execute(
        "SELECT * FROM groups WHERE ?1 IS NULL OR id IN (SELECT value FROM json_each(?1)) ORDER BY rowid",
        (json.dumps(wanted) if wanted else None,),
    ).fetchall()
    shown = [group["id"] for group in groups]
    memberships = call.db.execute(
        "SELECT group_id, json_group_array(user_id) FROM memberships"
        " WHERE group_id IN (SELECT value FROM json_each(?)) GROUP BY group_id",
        (json.dumps(shown),),
    )
    members: dict[str, list[str]] = {group: sorted(msgspec.json.decode(users)) for group, users in memberships}
    kinds = {group["kind"]: group["id"] for group in groups}
    # Users has everyone in it, so that they need not be picked out one by one.
    of_all = USERS in kinds or ADMINS in kinds
    rows = _people(call, None if of_all else {user for users in members.values() for user in users})
    if USERS in kinds:
        members[kinds[USERS]] = [user for user, *_ in rows]
    if ADMINS in kinds:
        members[kinds[ADMINS]] = [user for user, *_, role in rows if role == "admin"]
    people: dict[str, Json] = {
        user: {"id": user, "name": name} if email is None else {"id": user, "name": name, "email": email}
        for user, name, email, _ in rows
    }
    return {
        "groups": [
            _shown(group) | {"users": [people[user] for user in members.get(group["id"], ())]} for group in groups
        ]
    }


def _people(call: Call, users: Iterable[str] | None) -> list[tuple[str, str, str | None, str]]:
    """Return id, name, e-mail and role of some users, or of all, by id; each once, however many groups they are in."""
    return call.db.execute(
        "SELECT id, name, email, role FROM users WHERE kind IN ('person', 'service')"
        " AND (?1 IS NULL OR id IN (SELECT value FROM json_each(?1))) ORDER BY id",
        (None if users is None else json.dumps(list(users)),),
    ).fetchall()


def _shown(group: sqlite3.Row) -> Json:
    fields: Json = {
        "id": group["id"],
        "name": group["name"],
        "description": group["description"],
        "system": group["kind"] != ORDINARY,
        "assignable": group["kind"] in {ORDINARY, QUEUE_ADMINS} and bool(group["assignable"]),
    }
    return without_none(fields)


def _add_or_update(call: Call) -> Json:
    """Make a group, or change what is given of one; ``users`` replaces the whole membership."""
    identifier, users = call.fields.text("id"), call.fields.texts("users")
    name, description = call.fields.text("name"), call.fields.text("description")
    if name is not None:
        call.fields.required_text("name")
    group = call.db.execute("SELECT * FROM groups WHERE id = ?", (identifier,)).fetchone()
    if group is None:
        if name is None:
            raise call.fields.missing("name")
        identifier = identifier or call.store.token(32)
        _require_free_name(call, name, identifier)
        call.db.execute(
            "INSERT INTO groups (id, name, description, kind) VALUES (?, ?, ?, ?)",
            (identifier, name, description, ORDINARY),
        )
    else:
        _require_changeable(group, name, description, users)
        name = group["name"] if name is None else name
        description = group["description"] if description is None else description
        _require_free_name(call, name, group["id"])
        call.db.execute("UPDATE groups SET name = ?, description = ? WHERE id = ?", (name, description, identifier))
    if users is not None:
        _replace_members(call, str(identifier), users)
    after = _shown(call.db.execute("SELECT * FROM groups WHERE id = ?", (identifier,)).fetchone())
    return {field: after[field] for field in ("id", "name", "system", "assignable")}


def _require_changeable(
    group: sqlite3.Row, name: str | None, description: str | None, users: Sequence[str] | None
) -> None:
    """Refuse to edit a system group, and to change the membership of one that is not assignable (400/16)."""
    if users is not None and not group["assignable"]:
        raise ApiError(Fault.BAD_VALUE, f"the membership of {group['name']} cannot be changed: it is not assignable")
    if group["kind"] == ORDINARY:
        return
    if group["kind"] == USERS:
        raise ApiError(Fault.BAD_VALUE, "the built-in group Users cannot be modified")
    if name not in {None, group["name"]} or description not in {None, group["description"]}:
        raise ApiError(Fault.BAD_VALUE, f"{group['name']} is a built-in group and cannot be edited")
    if users is not None and group["kind"] != QUEUE_ADMINS:
        raise ApiError(Fault.BAD_VALUE, f"the membership of {group['name']} cannot be changed: it follows the role")


def _require_free_name(call: Call, name: str, identifier: str) -> None:
    """Refuse (400/801) a name that another group has: strictness, not documented."""
    if call.db.execute("SELECT 1 FROM groups WHERE name = ? AND id <> ?", (name, identifier)).fetchone():
        raise ApiError(Fault.NOT_UNIQUE, f"group name={name}")


def _replace_members(call: Call, group: str, users: Sequence[str]) -> None:
    require_users(call, users)
    call.db.execute("DELETE FROM memberships WHERE group_id = ?", (group,))
    call.db.executemany("INSERT INTO memberships VALUES (?, ?)", [(group, user) for user in users])


def _delete(call: Call) -> Json:
    deleted = 0
    for identifier in call.fields.required_texts("groups"):
        group = call.db.execute("SELECT * FROM groups WHERE id = ?", (identifier,)).fetchone()
        if group is None:
            continue
        if group["kind"] != ORDINARY:
            raise ApiError(Fault.BAD_VALUE, f"{group['name']} is a built-in group and cannot be removed")
        _require_unused(call, group)
        deleted += call.db.execute("DELETE FROM groups WHERE id = ?", (identifier,)).rowcount
    return {"deleted": deleted}


def _require_unused(call: Call, group: sqlite3.Row) -> None:
    """Refuse (400/16) to remove a group that a vault or a declared rule points at: strictness, not documented."""
    vault = call.db.execute("SELECT description FROM vaults WHERE group_id = ?", (group["id"],)).fetchone()
    if vault:
        raise ApiError(Fault.BAD_VALUE, f"group {group['name']} still has the vault {vault[0]!r}")
    rule = call.db.execute(
        "SELECT r.name FROM rules r JOIN rule_groups g ON g.rule = r.id WHERE g.group_id = ? AND NOT r.autocreated",
        (group["id"],),
    ).fetchone()
    if rule:
        raise ApiError(Fault.BAD_VALUE, f"the access rule {rule[0]!r} still gives access to group {group['name']}")


ENDPOINTS = {
    "permissions.get_user_groups": Endpoint(_get, ADMIN),
    "permissions.add_or_update_user_group": Endpoint(_add_or_update, ADMIN, writes=True),
    "permissions.delete_user_groups": Endpoint(_delete, ADMIN, writes=True),
}
"""The endpoints of this module."""
