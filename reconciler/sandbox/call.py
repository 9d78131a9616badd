"""What a handler is given, and what an endpoint is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.sandbox.clock import stamp

if TYPE_CHECKING:
    import sqlite3

    from reconciler.sandbox.fields import Fields
    from reconciler.sandbox.settings import Settings
    from reconciler.sandbox.store import Store

Json = dict[str, object]
"""What a handler answers: the envelope's ``data``."""

ANYONE: Final = frozenset({"admin", "superuser", "user", "annotator", "consumer", "system", "root"})
"""Every role."""

ADMIN: Final = frozenset({"admin", "system", "root"})
"""The roles that administer a workspace."""

SYSTEM: Final = frozenset({"system", "root"})
"""The server's own roles, which nobody in a workspace has."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a call acts as. ``origin`` is who signed in; it differs under impersonation."""

    user: str
    role: str
    origin: str

    @property
    def is_admin(self) -> bool:
        """Whether this identity administers the workspace."""
        return self.role in ADMIN


@dataclass(frozen=True, slots=True)
class Call:
    """One call, inside its transaction."""

    store: Store
    db: sqlite3.Connection
    caller: Identity
    fields: Fields
    ip: str

    @property
    def now(self) -> str:
        """The present as the store writes it."""
        return stamp(self.store.now())

    @property
    def settings(self) -> Settings:
        """The workspace's limits and switches."""
        return self.store.settings


Handler = Callable[[Call], Json]
"""Carries out a call inside its transaction."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A handler, who may call it, and whether it changes anything."""

    handler: Handler
    roles: frozenset[str]
    writes: bool = False
