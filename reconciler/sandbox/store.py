"""The workspace on disk: one SQLite file, safe for several processes, every call one transaction."""

from __future__ import annotations

import hashlib
import hmac
import re
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from reconciler.sandbox import schema
from reconciler.sandbox.built_in import create_autocreated_rules, create_builtins, create_system_users
from reconciler.sandbox.clock import Clock, Randomness, stamp, system_clock, system_randomness
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.hidden import is_hidden
from reconciler.sandbox.settings import Settings
from reconciler.sandbox.tokens import issue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_BUSY_TIMEOUT_SECONDS = 10.0
_LONGEST_NAME = 1000
"""How much of a name (characters) a pattern is compared with."""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """The first administrator's credentials: known once, when the store is made."""

    user: str
    access_key: str
    secret_key: str = field(repr=False)


class Store:
    """An open workspace. Make one with :meth:`open`; one connection, shared between threads behind a lock."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, randomness: Randomness) -> None:
        self._connection = connection
        self._lock = threading.RLock()
        self._clock = clock
        self._randomness = randomness
        self.bootstrap: Bootstrap | None = None
        """The first administrator's credentials if this ``open`` made the store, else ``None``."""
        self._meta: dict[str, str] = {}

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        admin_email: str = "root@acme.io",
        admin_name: str = "Root",
        admin_key: str | None = None,
        admin_secret: str | None = None,
        clock: Clock = system_clock,
        randomness: Randomness = system_randomness,
        settings: Settings | None = None,
    ) -> Self:
        """Open the workspace in ``path`` (or ``":memory:"``), and make it with a first administrator if it is new.

        The ``admin_…`` values count only then; a key or secret that is not given is made. ``settings``, if given,
        replaces the settings that the file holds. Raises :class:`SandboxError` if the file is not a sandbox's.
        """
        try:
            store = cls(_connect(path), clock, randomness)
            try:
                store._prepare(FirstAdministrator(admin_email, admin_name, admin_key, admin_secret))
                if settings is not None:
                    store.settings = settings
            except BaseException:
                store.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise SandboxError(f"cannot open the sandbox {path}: {error}") from error
        return store

    def _prepare(self, admin: FirstAdministrator) -> None:
        with self.transaction(write=True) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise SandboxError("the file is a database, but not a sandbox's")
                self._create(db, admin)
            elif version != schema.VERSION:
                raise SandboxError(f"the sandbox has version {version}; this program reads version {schema.VERSION}")
            self._meta = dict(db.execute("SELECT key, value FROM meta WHERE key <> 'settings'").fetchall())

    def _create(self, db: sqlite3.Connection, admin: FirstAdministrator) -> None:
        for statement in schema.STATEMENTS:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {schema.VERSION}")
        user = self.token(32)
        meta = {
            "company": self.token(32),
            "company_name": "acme-ml",
            "signing_key": self.token(64),
            "hash_key": self.token(64),
            "bootstrap_admin": user,
            "settings": Settings().to_json(),
        }
        db.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        self._meta = meta
        create_builtins(db)
        create_autocreated_rules(db, self.token)
        now = stamp(self.now())
        create_system_users(db, now)
        db.execute(
            "INSERT INTO users (id, name, email, role, created) VALUES (?, ?, ?, 'admin', ?)",
            (user, admin.name, admin.email, now),
        )
        key, secret = admin.key or self.token(30).upper(), admin.secret or self.token(67)
        db.execute(
            "INSERT INTO credentials (access_key, user, secret_hash, created) VALUES (?, ?, ?, ?)",
            (key, user, self.hash_secret(secret), now),
        )
        self.bootstrap = Bootstrap(user, key, secret)

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[sqlite3.Connection]:
        """Give the connection for one atomic piece of work; an exception undoes all of it.

        Reading sees one state throughout. Writers wait for one another, in this process and across processes.
        """
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connection; the store cannot be used after it."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def now(self) -> datetime:
        """Return the present by this store's clock."""
        return self._clock()

    def token(self, length: int) -> str:
        """Return a new token from this store's randomness."""
        return self._randomness(length)

    @property
    def company(self) -> str:
        """The workspace's id."""
        return self._meta["company"]

    @property
    def company_name(self) -> str:
        """The workspace's name."""
        return self._meta["company_name"]

    @property
    def signing_key(self) -> str:
        """The key that tokens are signed with."""
        return self._meta["signing_key"]

    def hash_secret(self, secret: str) -> str:
        """Return what is kept of a secret: its HMAC-SHA256 under this store's own key."""
        return hmac.new(self._meta["hash_key"].encode(), secret.encode(), hashlib.sha256).hexdigest()

    def secret_matches(self, secret: str, kept: str | None) -> bool:
        """Tell, in constant time, whether a secret is the one that was kept."""
        return hmac.compare_digest(self.hash_secret(secret), kept or "")

    @property
    def settings(self) -> Settings:
        """The workspace's limits and switches; read from the file each time, so that processes agree."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM meta WHERE key = 'settings'").fetchone()
        return Settings.from_json(row[0])

    @settings.setter
    def settings(self, settings: Settings) -> None:
        with self._lock:
            self._connection.execute("UPDATE meta SET value = ? WHERE key = 'settings'", (settings.to_json(),))

    def change_settings(self, **changes: Any) -> None:
        """Change some of the settings, by name."""
        self.settings = replace(self.settings, **changes)

    def session_for(self, user: str) -> str:
        """Return a token for a user, as if they had signed in; raises :class:`SandboxError` if there is none."""
        with self.transaction(write=False) as db:
            row = db.execute("SELECT * FROM users WHERE id = ? AND kind <> 'removed'", (user,)).fetchone()
        if row is None:
            raise SandboxError(f"there is no user {user} in the sandbox")
        return issue(self, row)

    def session_for_admin(self) -> str:
        """Return a token for the first administrator, or for any other if that one is gone."""
        with self.transaction(write=False) as db:
            row = db.execute(
                "SELECT id FROM users WHERE role = 'admin' AND kind IN ('person', 'service')"
                " ORDER BY id <> ?, kind, id LIMIT 1",
                (self._meta["bootstrap_admin"],),
            ).fetchone()
        if row is None:
            raise SandboxError("the sandbox has no administrator")
        return self.session_for(row[0])

    def add_entity(self, kind: str, name: str, identifier: str | None = None) -> str:
        """Add a project, queue or another thing that an access rule can point at; return its id."""
        identifier = identifier or self.token(32)
        with self.transaction(write=True) as db:
            db.execute(
                "INSERT OR REPLACE INTO entities (type, id, name, created, hidden) VALUES (?, ?, ?, ?, ?)",
                (kind, identifier, name, stamp(self.now()), is_hidden(name)),
            )
        return identifier


@dataclass(frozen=True, slots=True)
class FirstAdministrator:
    """Who the first administrator shall be; a key or secret that is ``None`` is made."""

    email: str
    name: str
    key: str | None
    secret: str | None = field(repr=False)


def _connect(path: str | Path) -> sqlite3.Connection:
    """Open the file, or make it for its owner only: it holds the signing key. SQLite's other files get its mode."""
    if str(path) != ":memory:":
        Path(path).touch(mode=0o600)
    connection = sqlite3.connect(
        str(path), timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.create_function("regexp", 2, _regexp, deterministic=True)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _regexp(pattern: str, value: str | None) -> bool:
    return value is not None and re.search(pattern, value[:_LONGEST_NAME]) is not None
