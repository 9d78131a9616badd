"""The tables. One statement each, so that they can be made in one transaction."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class UserKind(StrEnum):
    """What a row of ``users`` is."""

    PERSON = "person"
    """Someone who has signed in and is a member."""

    SERVICE = "service"
    """A service account."""

    REMOVED = "removed"
    """Someone whose sign-in was removed: the entry stays, so that what points at it stays valid."""

    SYSTEM = "system"
    """One of the server's own users."""


VERSION: Final = 2
"""Kept in SQLite's ``user_version``; a file of another version is not opened."""

STATEMENTS: Final = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE users (
        id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, given_name TEXT, family_name TEXT, avatar TEXT, email TEXT UNIQUE,
        role TEXT NOT NULL, created TEXT NOT NULL, kind TEXT NOT NULL DEFAULT 'person',
        read_only INTEGER NOT NULL DEFAULT 0, support INTEGER NOT NULL DEFAULT 0,
        run_as_owner INTEGER NOT NULL DEFAULT 0, last_credentials_login TEXT, last_provider_login TEXT,
        preferences TEXT NOT NULL DEFAULT '{}')""",
    "CREATE INDEX users_by_role ON users (role, id)",
    "CREATE INDEX users_by_kind ON users (kind, id)",
    "CREATE INDEX users_to_list ON users (id, kind) WHERE kind <> 'system'",
    """CREATE TABLE credentials (
        access_key TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, secret_hash TEXT,
        label TEXT, created TEXT NOT NULL, expire TEXT, last_used TEXT, last_used_from TEXT)""",
    "CREATE INDEX credentials_by_user ON credentials (user)",
    """CREATE TABLE invitations (
        email TEXT PRIMARY KEY, role TEXT NOT NULL, added TEXT NOT NULL, accepted TEXT,
        user TEXT REFERENCES users (id) ON DELETE CASCADE)""",
    "CREATE INDEX invitations_by_user ON invitations (user)",
    "CREATE TABLE domains (domain TEXT PRIMARY KEY)",
    """CREATE TABLE groups (
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT, kind TEXT NOT NULL,
        assignable INTEGER NOT NULL DEFAULT 1)""",
    """CREATE TABLE memberships (
        group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        PRIMARY KEY (group_id, user_id)) WITHOUT ROWID""",
    "CREATE INDEX memberships_by_user ON memberships (user_id, group_id)",
    """CREATE TABLE vaults (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, description TEXT, data TEXT NOT NULL,
        format TEXT NOT NULL, type TEXT NOT NULL, scope TEXT NOT NULL, enabled INTEGER NOT NULL,
        group_id TEXT REFERENCES groups (id), user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
        last_update TEXT NOT NULL, editable INTEGER NOT NULL DEFAULT 1)""",
    "CREATE INDEX vaults_by_group ON vaults (group_id)",
    "CREATE INDEX vaults_by_user ON vaults (user_id)",
    "CREATE INDEX vaults_by_scope ON vaults (scope, seq)",
    """CREATE TABLE vault_log (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, vault TEXT NOT NULL, operation TEXT NOT NULL, created TEXT NOT NULL,
        user TEXT NOT NULL, ip TEXT NOT NULL, originator TEXT, originator_version TEXT, scope TEXT NOT NULL,
        vault_description TEXT)""",
    """CREATE TABLE rules (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, description TEXT NOT NULL,
        entity_type TEXT NOT NULL, entity_id TEXT, access_permission TEXT NOT NULL, autocreated INTEGER NOT NULL)""",
    """CREATE TABLE rule_users (
        rule TEXT NOT NULL REFERENCES rules (id) ON DELETE CASCADE,
        user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, PRIMARY KEY (rule, user)) WITHOUT ROWID""",
    "CREATE INDEX rule_users_by_user ON rule_users (user)",
    """CREATE TABLE rule_groups (
        rule TEXT NOT NULL REFERENCES rules (id) ON DELETE CASCADE,
        group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE, PRIMARY KEY (rule, group_id)) WITHOUT ROWID""",
    "CREATE INDEX rule_groups_by_group ON rule_groups (group_id)",
    """CREATE TABLE entities (
        type TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, description TEXT, user TEXT, created TEXT NOT NULL,
        project TEXT, hidden INTEGER NOT NULL DEFAULT 0, public INTEGER NOT NULL DEFAULT 0,
        tags TEXT NOT NULL DEFAULT '[]', system_tags TEXT NOT NULL DEFAULT '[]',
        PRIMARY KEY (type, id)) WITHOUT ROWID""",
    "CREATE INDEX entities_by_name ON entities (type, name)",
)
