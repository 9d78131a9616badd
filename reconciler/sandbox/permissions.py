"""What a user may do with an entity, by the rules that the workspace holds: grants add up.

A rule that applies to a user gives its permission on its entity and on what is below that: a project's sub-projects and
contents. A rule for ``*`` gives it on all of the type. No rule takes anything away. Administrators may read and
write everything but queues, and for categories of applications reading and writing are the same.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.sandbox import tokens
from reconciler.sandbox.built_in import ADMINS, USERS
from reconciler.sandbox.call import ANYONE, Endpoint
from reconciler.sandbox.choices import ENTITY_TYPES, PERMISSIONS
from reconciler.sandbox.errors import ApiError, Fault

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.call import Call, Json

_ALL = "*"
_PROJECT = "project"
_IN_PROJECTS = frozenset({"task", "model", "dataset", "dataview"})
_APPLIES = """
    SELECT r.access_permission FROM rules r
    JOIN json_each(:places) p ON r.entity_type = json_extract(p.value, '$[0]')
        AND r.entity_id IS json_extract(p.value, '$[1]')
    WHERE EXISTS (SELECT 1 FROM rule_users u WHERE u.rule = r.id AND u.user = :user)
       OR EXISTS (SELECT 1 FROM rule_groups g JOIN groups o ON o.id = g.group_id
                  WHERE g.rule = r.id AND (o.kind = :everyone
                    OR (o.kind = :admins AND :role = 'admin')
                    OR EXISTS (SELECT 1 FROM memberships m WHERE m.group_id = o.id AND m.user_id = :user)))
"""


def permission(db: sqlite3.Connection, user: str, entity_type: str, entity: str | None) -> str | None:
    """Return ``read``, ``read_write`` or ``None`` for a user and an entity (``"*"``: all of the type)."""
    row = db.execute("SELECT role FROM users WHERE id = ? AND kind IN ('person', 'service')", (user,)).fetchone()
    if row is None:
        return None
    if row["role"] == "admin" and entity_type != "queue":
        return "read_write"
    values = {"user": user, "role": row["role"], "everyone": USERS, "admins": ADMINS}
    places = json.dumps(_places(db, entity_type, entity))
    found = {row[0] for row in db.execute(_APPLIES, values | {"places": places})}
    if found and entity_type == "app_category":
        return "read_write"
    return "read_write" if "read_write" in found else "read" if found else None


def _places(db: sqlite3.Connection, entity_type: str, entity: str | None) -> list[tuple[str, str | None]]:
    """Return where a rule can stand that gives access to an entity: itself, what it is in, and all of each type."""
    places: list[tuple[str, str | None]] = [(entity_type, entity), (entity_type, _ALL)]
    if entity_type == _PROJECT:
        places += [(_PROJECT, project) for project in _above(db, entity)]
    elif entity_type in _IN_PROJECTS:
        row = db.execute("SELECT project FROM entities WHERE type = ? AND id = ?", (entity_type, entity)).fetchone()
        if row is not None and row["project"] is not None:
            places += [(_PROJECT, row["project"]), (_PROJECT, _ALL)]
            places += [(_PROJECT, project) for project in _above(db, row["project"])]
    return places


def _above(db: sqlite3.Connection, project: str | None) -> list[str]:
    """Return the ids of the projects that a project is in, by their names: ``Vision`` has ``Vision/Cats`` in it."""
    row = db.execute("SELECT name FROM entities WHERE type = 'project' AND id = ?", (project,)).fetchone()
    if row is None:
        return []
    parts = row["name"].split("/")
    names = json.dumps(["/".join(parts[:depth]) for depth in range(1, len(parts))])
    found = db.execute(
        "SELECT id FROM entities WHERE type = 'project' AND name IN (SELECT value FROM json_each(?))", (names,)
    )
    return [above["id"] for above in found]


def _check_entity_access(call: Call) -> Json:
    """Answer nothing to whoever has access, and refuse everybody else. A ``token`` asks for its user."""
    token = call.fields.text("token")
    user = tokens.read(call.store, token)[0] if token else call.caller.user
    entity_type = call.fields.required_choice("entity_type", ENTITY_TYPES)
    wanted = call.fields.choice("access_permission", PERMISSIONS) or "read"
    if permission(call.db, user, entity_type, call.fields.text("entity_id")) not in {wanted, "read_write"}:
        raise ApiError(Fault.NO_ACCESS, f"{wanted} {entity_type}")
    return {}


ENDPOINTS = {"permissions.check_entity_access": Endpoint(_check_entity_access, ANYONE)}
"""The endpoints of this module."""
