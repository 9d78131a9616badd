"""Access rules: who may read or change which project, queue and so on."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.sandbox.built_in import create_autocreated_rules
from reconciler.sandbox.call import ADMIN, Endpoint
from reconciler.sandbox.choices import ENTITY_TYPES, PERMISSIONS
from reconciler.sandbox.errors import ApiError, Fault
from reconciler.sandbox.groups import require_groups, require_users

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.call import Call, Json


def _get(call: Call) -> Json:
    wanted = call.fields.texts("rules")
    rules = call.db.execute(
        "SELECT r.*, e.name AS entity_name FROM rules r"
        " LEFT JOIN entities e ON e.type = r.entity_type AND e.id = r.entity_id"
        " WHERE ?1 IS NULL OR r.id IN (SELECT value FROM json_each(?1)) ORDER BY r.seq",
        (json.dumps(wanted) if wanted else None,),
    ).fetchall()
    users: dict[str, list[Json]] = defaultdict(list)
    for rule, user, name, email in call.db.execute(
        "SELECT r.rule, u.id, u.name, u.email FROM rule_users r JOIN users u ON u.id = r.user ORDER BY r.rule, u.id"
    ):
        shown: Json = {"id": user, "name": name}
        users[rule].append(shown if email is None else shown | {"email": email})
    groups: dict[str, list[Json]] = defaultdict(list)
    for rule, group, name in call.db.execute(
        "SELECT r.rule, g.id, g.name FROM rule_groups r JOIN groups g ON g.id = r.group_id ORDER BY r.rule, g.id"
    ):
        groups[rule].append({"id": group, "name": name})
    return {"rules": [_shown(rule) | {"users": users[rule["id"]], "groups": groups[rule["id"]]} for rule in rules]}


def _shown(rule: sqlite3.Row) -> Json:
    """Return a rule; applications and categories have no name there, as documented, nor has what is gone."""
    named = rule["entity_type"] not in {"app", "app_category"}
    return {
        "id": rule["id"],
        "name": rule["name"],
        "description": rule["description"],
        "entity_type": rule["entity_type"],
        "entity_id": rule["entity_id"],
        "access_permission": rule["access_permission"],
        "autocreated": bool(rule["autocreated"]),
    } | ({"entity_name": rule["entity_name"], "entity_display_name": rule["entity_name"]} if named else {})


def _add_or_update(call: Call) -> Json:
    """Make a rule, with its id if one is given, or replace all of one; only the ids may be left out, as documented."""
    fields = call.fields
    identifier, name = fields.text("id"), fields.required_text("name")
    description = fields.text("description")
    if description is None:
        raise fields.missing("description")
    entity_type = fields.required_choice("entity_type", ENTITY_TYPES)
    permission = fields.required_choice("access_permission", PERMISSIONS)
    users, groups = fields.required_texts("users"), fields.required_texts("groups")
    entity = fields.text("entity_id")
    _require_entity(call, entity_type, entity)
    require_users(call, users)
    require_groups(call, groups)
    if identifier and _is_there(call, identifier):
        call.db.execute(
            "UPDATE rules SET name = ?, description = ?, entity_type = ?, entity_id = ?, access_permission = ?"
            " WHERE id = ?",
            (name, description, entity_type, entity, permission, identifier),
        )
        call.db.execute("DELETE FROM rule_users WHERE rule = ?", (identifier,))
        call.db.execute("DELETE FROM rule_groups WHERE rule = ?", (identifier,))
    else:
        identifier = identifier or call.store.token(32)
        call.db.execute(
            "INSERT INTO rules (id, name, description, entity_type, entity_id, access_permission, autocreated)"
            " VALUES (?, ?, ?, ?, ?, ?, 0)",
            (identifier, name, description, entity_type, entity, permission),
        )
    call.db.executemany("INSERT INTO rule_users VALUES (?, ?)", [(identifier, user) for user in users])
    call.db.executemany("INSERT INTO rule_groups VALUES (?, ?)", [(identifier, group) for group in groups])
    return {"id": identifier, "name": name}


def _require_entity(call: Call, entity_type: str, entity: str | None) -> None:
    """Refuse what there is not; ``*`` is all, ``null`` the top-level projects, a category needs no entry."""
    if entity is None:
        if entity_type != "project":
            raise call.fields.missing("entity_id")
        return
    if entity == "*" or entity_type == "app_category":
        return
    if not call.db.execute("SELECT 1 FROM entities WHERE type = ? AND id = ?", (entity_type, entity)).fetchone():
        raise ApiError(Fault.INVALID_ID, f"{entity_type} {entity}")


def _is_there(call: Call, identifier: str) -> bool:
    """Return whether there is a rule to change; one of the server's own is refused (400/16)."""
    rule = call.db.execute("SELECT name, autocreated FROM rules WHERE id = ?", (identifier,)).fetchone()
    if rule is not None and rule["autocreated"]:
        raise ApiError(Fault.BAD_VALUE, f"the access rule {rule['name']!r} is the server's own")
    return rule is not None


def _delete(call: Call) -> Json:
    wanted = json.dumps(call.fields.required_texts("rules"))
    gone = call.db.execute("DELETE FROM rules WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
    return {"deleted": gone.rowcount}


def _restore(call: Call) -> Json:
    """Put back the server's own rules that are gone."""
    return {"restored": create_autocreated_rules(call.db, call.store.token)}


def _categories(_: Call) -> Json:
    return {"entity_types": [{"type": entity_type, "categories": list(PERMISSIONS)} for entity_type in ENTITY_TYPES]}


ENDPOINTS = {
    "permissions.get_access_rules": Endpoint(_get, ADMIN),
    "permissions.add_or_update_access_rule": Endpoint(_add_or_update, ADMIN, writes=True),
    "permissions.delete_access_rules": Endpoint(_delete, ADMIN, writes=True),
    "permissions.restore_default_access_rules": Endpoint(_restore, ADMIN, writes=True),
    "permissions.get_entity_access_categories": Endpoint(_categories, ADMIN),
}
"""The endpoints of this module."""
