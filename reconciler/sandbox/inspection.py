"""Quick looks at the truth, for whoever watches a run call by call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.sandbox.store import Store


def admin_ids(store: Store) -> frozenset[str]:
    """Return the ids of all people and service accounts that are admins."""
    with store.transaction(write=False) as db:
        return frozenset(row[0] for row in db.execute("SELECT id FROM users WHERE role = 'admin'"))


def group_user_ids(store: Store, group: str) -> frozenset[str]:
    """Return the ids of the users in an ordinary group."""
    with store.transaction(write=False) as db:
        rows = db.execute("SELECT user_id FROM memberships WHERE group_id = ?", (group,))
        return frozenset(row[0] for row in rows)


def exists(store: Store, user: str) -> bool:
    """Tell whether there is a user with this id."""
    with store.transaction(write=False) as db:
        return db.execute("SELECT 1 FROM users WHERE id = ?", (user,)).fetchone() is not None
