"""A whole workspace as plain values: what :mod:`reconciler.sandbox.bulk` loads and dumps.

Ids are the server's own; moments are aware; ``None`` means not said or never.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.sandbox.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who has signed in."""

    id: str
    email: str | None
    name: str
    role: str = "user"
    read_only: bool = False
    support: bool = False


@dataclass(frozen=True, slots=True)
class Invitation:
    """A whitelist entry: pending, or accepted by the person whose id is ``user``."""

    email: str
    role: str = "user"
    user: str | None = None


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A credential. Its secret is never here, so a loaded one cannot be signed in with."""

    access_key: str
    label: str | None = None
    created: datetime | None = None
    expire: datetime | None = None
    last_used: datetime | None = None
    last_used_from: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account with its credentials."""

    id: str
    name: str
    role: str = "user"
    allow_running_as_owner: bool = False
    credentials: tuple[AccessKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A group and the ids of its users.

    The built-in ones are ``system`` and known by name; of these only the membership of Queue admins is kept, as the
    other two follow from the users.
    """

    id: str
    name: str
    description: str = ""
    users: frozenset[str] = frozenset()
    system: bool = False
    assignable: bool = True
    """Whether an ordinary group's membership can be changed; of a built-in one it follows from which it is."""


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault of a group, of a user, or of the organization; in order of creation."""

    id: str
    description: str
    data: str
    scope: str
    group: str | None = None
    user: str | None = None
    format: str = "hocon"
    type: str = "config"
    enabled: bool = True
    editable: bool = True
    """Whether the text can be read; if not, ``data`` is encrypted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An access rule. Without any autocreated one in a workspace, loading it makes the usual ones."""

    id: str
    name: str
    entity_type: str
    entity_id: str | None
    access_permission: str
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    description: str = ""
    autocreated: bool = False


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that a rule can point at."""

    type: str
    id: str
    name: str
    project: str | None = None
    """The id of the project that it is in; a project is in those that its name names."""
    hidden: bool = False
    public: bool = False
    """Whether it belongs to somebody else and is shown to everybody."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """All of a workspace."""

    people: tuple[Person, ...] = ()
    invitations: tuple[Invitation, ...] = ()
    service_accounts: tuple[ServiceAccount, ...] = ()
    groups: tuple[Group, ...] = ()
    vaults: tuple[Vault, ...] = ()
    rules: tuple[Rule, ...] = ()
    entities: tuple[Entity, ...] = ()
    domains: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
