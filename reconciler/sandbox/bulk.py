"""Loading a whole workspace into a store at once, and reading it out again."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.sandbox.built_in import (
    BUILTIN_GROUPS,
    ORDINARY,
    QUEUE_ADMINS,
    create_autocreated_rules,
    create_builtins,
    create_system_users,
)
from reconciler.sandbox.clock import stamp
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.state import (
    AccessKey,
    Entity,
    Group,
    Invitation,
    Person,
    Rule,
    ServiceAccount,
    Vault,
    Workspace,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.sandbox.store import Store

_TABLES = ("rules", "vaults", "vault_log", "invitations", "domains", "entities", "users", "groups")
_BUILTIN_KINDS = {name: kind for _, name, _, kind in BUILTIN_GROUPS}


def load_workspace(store: Store, state: Workspace) -> None:
    """Replace all that the store holds, the first administrator and the log too, by ``state``; all of it or nothing.

    Sign in afterwards by :meth:`Store.session_for` or :meth:`Store.session_for_admin`: loaded credentials have no known
    secret. Raises :class:`SandboxError` if the state contradicts itself (an id twice, or one that points nowhere).
    """
    try:
        with store.transaction(write=True) as db:
            for table in _TABLES:
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - from the list above
            now = stamp(store.now())
            create_system_users(db, now)
            _load_users(db, state, now)
            _load_groups(db, state)
            _load_vaults(db, state, now)
            _load_rules(db, state)
            if not any(rule.autocreated for rule in state.rules):
                create_autocreated_rules(db, store.token)
            db.executemany(
                "INSERT INTO entities (type, id, name, created, project, hidden, public) VALUES (?, ?, ?, ?, ?, ?, ?)",
                ((e.type, e.id, e.name, now, e.project, e.hidden, e.public) for e in state.entities),
            )
            db.executemany("INSERT INTO domains VALUES (?)", ((domain,) for domain in state.domains))
            store.settings = state.settings
    except sqlite3.IntegrityError as error:
        raise SandboxError(f"the workspace to load contradicts itself: {error}") from error


def _load_users(db: sqlite3.Connection, state: Workspace, now: str) -> None:
    db.executemany(
        "INSERT INTO users (id, name, email, role, created, read_only, support) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((p.id, p.name, p.email, p.role, now, p.read_only, p.support) for p in state.people),
    )
    db.executemany(
        "INSERT INTO users (id, name, role, created, kind, run_as_owner) VALUES (?, ?, ?, ?, 'service', ?)",
        ((a.id, a.name, a.role, now, a.allow_running_as_owner) for a in state.service_accounts),
    )
    db.executemany(
        "INSERT INTO credentials (access_key, user, label, created, expire, last_used, last_used_from)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                key.access_key,
                account.id,
                key.label,
                _text(key.created) or now,
                _text(key.expire),
                _text(key.last_used),
                key.last_used_from,
            )
            for account in state.service_accounts
            for key in account.credentials
        ),
    )
    db.executemany(
        "INSERT INTO invitations (email, role, added, accepted, user) VALUES (?, ?, ?, ?, ?)",
        ((i.email, i.role, now, now if i.user else None, i.user) for i in state.invitations),
    )


def _load_groups(db: sqlite3.Connection, state: Workspace) -> None:
    kinds = {group.id: _BUILTIN_KINDS.get(group.name, ORDINARY) if group.system else ORDINARY for group in state.groups}
    db.executemany(
        "INSERT INTO groups (id, name, description, kind, assignable) VALUES (?, ?, ?, ?, ?)",
        ((group.id, group.name, group.description, kinds[group.id], group.assignable) for group in state.groups),
    )
    create_builtins(db)
    db.executemany(
        "INSERT INTO memberships VALUES (?, ?)",
        (
            (group.id, user)
            for group in state.groups
            if kinds[group.id] in {ORDINARY, QUEUE_ADMINS}
            for user in sorted(group.users)
        ),
    )


def _load_vaults(db: sqlite3.Connection, state: Workspace, now: str) -> None:
    db.executemany(
        "INSERT INTO vaults"
        " (id, description, data, format, type, scope, enabled, group_id, user_id, last_update, editable)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (v.id, v.description, v.data, v.format, v.type, v.scope, v.enabled, v.group, v.user, now, v.editable)
            for v in state.vaults
        ),
    )


def _load_rules(db: sqlite3.Connection, state: Workspace) -> None:
    db.executemany(
        "INSERT INTO rules (id, name, description, entity_type, entity_id, access_permission, autocreated)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (r.id, r.name, r.description, r.entity_type, r.entity_id, r.access_permission, r.autocreated)
            for r in state.rules
        ),
    )
    db.executemany("INSERT INTO rule_users VALUES (?, ?)", ((r.id, user) for r in state.rules for user in r.users))
    db.executemany("INSERT INTO rule_groups VALUES (?, ?)", ((r.id, group) for r in state.rules for group in r.groups))


def dump_workspace(store: Store) -> Workspace:
    """Return all that the store holds, as it would be loaded; lists in order of id, vaults and rules of creation."""
    settings = store.settings
    with store.transaction(write=False) as db:
        people = db.execute(
            "SELECT id, email, name, role, read_only, support FROM users WHERE kind = 'person' ORDER BY id"
        )
        return Workspace(
            people=tuple(
                Person(row["id"], row["email"], row["name"], row["role"], bool(row["read_only"]), bool(row["support"]))
                for row in people
            ),
            invitations=tuple(
                Invitation(*row) for row in db.execute("SELECT email, role, user FROM invitations ORDER BY email")
            ),
            service_accounts=tuple(_dump_accounts(db)),
            groups=tuple(_dump_groups(db)),
            vaults=tuple(_vault(row) for row in db.execute("SELECT * FROM vaults ORDER BY seq")),
            rules=tuple(_dump_rules(db)),
            entities=tuple(_entity(row) for row in db.execute("SELECT * FROM entities ORDER BY type, id")),
            domains=tuple(row[0] for row in db.execute("SELECT domain FROM domains ORDER BY rowid")),
            settings=settings,
        )


def _entity(row: sqlite3.Row) -> Entity:
    return Entity(row["type"], row["id"], row["name"], row["project"], bool(row["hidden"]), bool(row["public"]))


def _vault(row: sqlite3.Row) -> Vault:
    return Vault(
        row["id"],
        row["description"] or "",
        row["data"],
        row["scope"],
        row["group_id"],
        row["user_id"],
        row["format"],
        row["type"],
        bool(row["enabled"]),
        bool(row["editable"]),
    )


def _dump_accounts(db: sqlite3.Connection) -> Iterator[ServiceAccount]:
    keys: dict[str, list[AccessKey]] = defaultdict(list)
    for row in db.execute(
        "SELECT c.* FROM credentials c JOIN users u ON u.id = c.user WHERE u.kind = 'service' ORDER BY c.rowid"
    ):
        keys[row["user"]].append(
            AccessKey(
                row["access_key"],
                row["label"],
                _moment(row["created"]),
                _moment(row["expire"]),
                _moment(row["last_used"]),
                row["last_used_from"],
            )
        )
    for row in db.execute("SELECT id, name, role, run_as_owner FROM users WHERE kind = 'service' ORDER BY id"):
        yield ServiceAccount(row["id"], row["name"], row["role"], bool(row["run_as_owner"]), tuple(keys[row["id"]]))


def _dump_groups(db: sqlite3.Connection) -> Iterator[Group]:
    users = _pairs(db, "SELECT group_id, user_id FROM memberships")
    for row in db.execute("SELECT * FROM groups ORDER BY id"):
        yield Group(
            row["id"],
            row["name"],
            row["description"] or "",
            frozenset(users[row["id"]]),
            row["kind"] != ORDINARY,
            bool(row["assignable"]),
        )


def _dump_rules(db: sqlite3.Connection) -> Iterator[Rule]:
    users, groups = _pairs(db, "SELECT * FROM rule_users"), _pairs(db, "SELECT * FROM rule_groups")
    for row in db.execute("SELECT * FROM rules ORDER BY seq"):
        yield Rule(
            row["id"],
            row["name"],
            row["entity_type"],
            row["entity_id"],
            row["access_permission"],
            frozenset(users[row["id"]]),
            frozenset(groups[row["id"]]),
            row["description"],
            bool(row["autocreated"]),
        )


def _pairs(db: sqlite3.Connection, query: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for left, right in db.execute(query):
        found[left].append(right)
    return found


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
