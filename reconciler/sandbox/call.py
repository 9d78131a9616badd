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

NO_SIGN_IN: Final = frozenset[str]()
"""The roles of a call that needs no sign-in."""

_OLDEST = "2.1"


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


NOBODY: Final = Identity("", "", "")
"""Who calls without having signed in."""


@dataclass(frozen=True, slots=True)
class Client:
    """Where a call comes from: the address, and the program and its version as far as it says."""

    ip: str
    name: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call, inside its transaction."""

    store: Store
    db: sqlite3.Connection
    caller: Identity
    fields: Fields
    client: Client

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
    """A handler, who may call it, and whether it changes anything.

    ``version`` is the API version that the call is from: what an answer gives as ``actual_version``.
    """

    handler: Handler
    roles: frozenset[str]
    writes: bool = False
    version: str = _OLDEST


def without_none(fields: Json) -> Json:
    """Return the fields that are set; the server leaves the others out."""
    return {name: value for name, value in fields.items() if value is not None}
