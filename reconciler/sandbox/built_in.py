"""What a workspace has from its beginning: three groups, the server's own users, and rules that let all do all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.sandbox.choices import (
    ADMINS_GROUP_ID,
    ENTITY_TYPES,
    QUEUE_ADMINS_GROUP_ID,
    SYSTEM_USERS,
    USERS_GROUP_ID,
)
from reconciler.sandbox.schema import UserKind

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.clock import Randomness

USERS: Final = "users"
"""The kind of the group that everyone is in, service accounts too."""

ADMINS: Final = "admins"
"""The kind of the group that follows the role ``admin``."""

QUEUE_ADMINS: Final = "queue_admins"
"""The kind of the built-in group whose membership can be changed."""

ORDINARY: Final = "ordinary"
"""The kind of every other group."""

BUILTIN_GROUPS: Final = (
    (USERS_GROUP_ID, "Users", "Everyone in the workspace", USERS),
    (ADMINS_GROUP_ID, "Admins", "Read and write on everything but queues", ADMINS),
    (QUEUE_ADMINS_GROUP_ID, "Queue admins", "Create, delete and rename queues", QUEUE_ADMINS),
)
"""Id, name, description and kind of the built-in groups."""


def create_builtins(db: sqlite3.Connection) -> None:
    """Make the built-in groups that the store lacks; one that is there, by whatever id, stays."""
    present = {row[0] for row in db.execute("SELECT kind FROM groups")}
    missing = [group for group in BUILTIN_GROUPS if group[3] not in present]
    db.executemany("INSERT INTO groups (id, name, description, kind) VALUES (?, ?, ?, ?)", missing)


def create_autocreated_rules(db: sqlite3.Connection, token: Randomness) -> int:
    """Make, for each type of entity, the rule that gives Users read and write on all of it, if there is none.

    Return how many were made.
    """
    users = db.execute("SELECT id FROM groups WHERE kind = ?", (USERS,)).fetchone()[0]
    present = {row[0] for row in db.execute("SELECT entity_type FROM rules WHERE autocreated")}
    missing = [entity_type for entity_type in ENTITY_TYPES if entity_type not in present]
    for entity_type in missing:
        rule = token(32)
        db.execute(
            "INSERT INTO rules (id, name, description, entity_type, entity_id, access_permission, autocreated)"
            " VALUES (?, ?, '', ?, '*', 'read_write', 1)",
            (rule, f"Users: all of {entity_type}", entity_type),
        )
        db.execute("INSERT INTO rule_groups VALUES (?, ?)", (rule, users))
    return len(missing)


def create_system_users(db: sqlite3.Connection, now: str) -> None:
    """Make the server's own users."""
    db.executemany(
        "INSERT OR IGNORE INTO users (id, name, role, created, kind) VALUES (?, ?, ?, ?, ?)",
        [(identifier, identifier.strip("_"), role, now, UserKind.SYSTEM) for identifier, role in SYSTEM_USERS.items()],
    )
