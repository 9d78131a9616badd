"""Quick looks at the truth, for whoever watches a run call by call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.sandbox.store import Store


def admin_ids(store: Store) -> frozenset[str]:
    """Return the ids of all people and service accounts that are admins."""
    with store.transaction(write=False) as db:
        return frozenset(
            row[0] for row in db.execute("SELECT id FROM users WHERE role = 'admin' AND kind <> 'removed'")
        )


def group_user_ids(store: Store, group: str) -> frozenset[str]:
    """Return the ids of the users in an ordinary group."""
    with store.transaction(write=False) as db:
        rows = db.execute("SELECT user_id FROM memberships WHERE group_id = ?", (group,))
        return frozenset(row[0] for row in rows)


def exists(store: Store, user: str) -> bool:
    """Tell whether there is a user with this id."""
    with store.transaction(write=False) as db:
        return db.execute("SELECT 1 FROM users WHERE id = ? AND kind <> 'removed'", (user,)).fetchone() is not None


def rule_grants(store: Store, rule: str) -> frozenset[tuple[str, str, str | None, str]]:
    """Return what an access rule gives: user or group, type and id of the entity, permission (to write is to read)."""
    with store.transaction(write=False) as db:
        row = db.execute("SELECT entity_type, entity_id, access_permission FROM rules WHERE id = ?", (rule,)).fetchone()
        if row is None:
            return frozenset()
        people = db.execute(
            "SELECT user FROM rule_users WHERE rule = ?1 UNION SELECT group_id FROM rule_groups WHERE rule = ?1",
            (rule,),
        ).fetchall()
    permissions = {"read", row[2]}
    return frozenset((person[0], row[0], row[1], permission) for person in people for permission in permissions)
