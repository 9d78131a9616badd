"""What a user may do with an entity, by the rules that the workspace holds.

Not documented: what a rule does to those whom it does not name. The choice here (see :mod:`choices`): rules that people
made for an entity, or for all of its type, take the place of the automatic one that lets everyone do everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.built_in import ADMINS, USERS

if TYPE_CHECKING:
    from reconciler.sandbox.store import Store

_NAMES_THE_USER = """
    SELECT r.access_permission FROM rules r
    WHERE r.entity_type = :type AND r.autocreated = :automatic
      AND (r.entity_id IS :entity OR r.entity_id = '*')
      AND (EXISTS (SELECT 1 FROM rule_users u WHERE u.rule = r.id AND u.user = :user)
        OR EXISTS (SELECT 1 FROM rule_groups g JOIN groups o ON o.id = g.group_id
                   WHERE g.rule = r.id AND (o.kind = :everyone
                     OR (o.kind = :admins AND :role = 'admin')
                     OR EXISTS (SELECT 1 FROM memberships m WHERE m.group_id = o.id AND m.user_id = :user))))
"""


def permission_of(store: Store, user: str, entity_type: str, entity: str | None) -> str | None:
    """Return ``read``, ``read_write`` or ``None`` for a user and an entity (``"*"``: all of the type)."""
    with store.transaction(write=False) as db:
        role = db.execute("SELECT role FROM users WHERE id = ?", (user,)).fetchone()
        if role is None:
            return None
        if role[0] == "admin" and entity_type != "queue":
            return "read_write"
        restricted = db.execute(
            "SELECT 1 FROM rules WHERE entity_type = ? AND autocreated = 0 AND (entity_id IS ? OR entity_id = '*')",
            (entity_type, entity),
        ).fetchone()
        values = {"type": entity_type, "entity": entity, "user": user, "role": role[0], "automatic": restricted is None}
        found = {row[0] for row in db.execute(_NAMES_THE_USER, values | {"everyone": USERS, "admins": ADMINS})}
        return "read_write" if "read_write" in found else "read" if found else None
