"""The tables. One statement each, so that they can be made in one transaction."""

from __future__ import annotations

from typing import Final

VERSION: Final = 1
"""Kept in SQLite's ``user_version``; a file of another version is not opened."""

STATEMENTS: Final = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE users (
        id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, given_name TEXT, family_name TEXT, avatar TEXT, email TEXT UNIQUE,
        role TEXT NOT NULL, created TEXT NOT NULL, read_only INTEGER NOT NULL DEFAULT 0,
        support INTEGER NOT NULL DEFAULT 0, service INTEGER NOT NULL DEFAULT 0, run_as_owner INTEGER NOT NULL DEFAULT 0,
        last_credentials_login TEXT, last_provider_login TEXT)""",
    "CREATE INDEX users_by_role ON users (role, id)",
    "CREATE INDEX users_by_service ON users (service, id)",
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
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL DEFAULT '', kind TEXT NOT NULL)""",
    """CREATE TABLE memberships (
        group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        PRIMARY KEY (group_id, user_id)) WITHOUT ROWID""",
    "CREATE INDEX memberships_by_user ON memberships (user_id, group_id)",
    """CREATE TABLE vaults (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, description TEXT NOT NULL, data TEXT NOT NULL,
        format TEXT NOT NULL, type TEXT NOT NULL, scope TEXT NOT NULL, enabled INTEGER NOT NULL,
        group_id TEXT REFERENCES groups (id), user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
        last_update TEXT NOT NULL)""",
    "CREATE INDEX vaults_by_group ON vaults (group_id)",
    "CREATE INDEX vaults_by_user ON vaults (user_id)",
    "CREATE INDEX vaults_by_scope ON vaults (scope, seq)",
    """CREATE TABLE vault_log (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, vault TEXT NOT NULL, operation TEXT NOT NULL, created TEXT NOT NULL,
        user TEXT NOT NULL, ip TEXT NOT NULL, originator TEXT NOT NULL, scope TEXT NOT NULL,
        vault_description TEXT NOT NULL, reason TEXT NOT NULL)""",
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
        type TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (type, id)) WITHOUT ROWID""",
)
