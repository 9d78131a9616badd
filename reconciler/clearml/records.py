"""What the reading calls answer, as values: the server's own view, before it becomes a snapshot.

Shapes are those of ``docs/explanation/clearml-api.md``; where that page says nothing, a field is optional.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from reconciler.clearml.wire import moment
from reconciler.frozen import Frozen
from reconciler.model.access import ALL, Entity, EntityType, Permission
from reconciler.model.resources import DocumentFormat, Role
from reconciler.model.secret import Secret

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.clearml.wire import Node

USERS_GROUP_ID = "30795571-a470-4717-a80d-e8705fc776bf"
"""The built-in group that everyone is in, service accounts too (``docs/explanation/clearml-api.md, Groups``)."""

Identifier = Annotated[str, Meta(min_length=1)]
"""What names something on the server."""

GROUP_SCOPE = "group"
USER_SCOPE = "user"


class UserRecord(Frozen):
    """A user of ``users.get_all_ex``, field by field as it is answered; ``None`` is what the server does not tell."""

    id: Identifier
    name: str | None = None
    email: str | None = None
    role: Role | None = None
    read_only: bool | None = None
    support: bool | None = None
    sec_groups: tuple[str, ...] | None = None
    created: str | None = None

    @staticmethod
    def of(node: Node) -> UserRecord:
        """Read one user; the role of one without e-mail, which is none of ours, may be any.

        Source: ``docs/explanation/clearml-api.md, Members``.
        """
        created = node.value.get("created")
        return UserRecord(
            id=node.identifier("id"),
            name=node.optional_text("name"),
            email=node.optional_text("email"),
            role=node.choice("role", Role) if node.has("role") and node.has("email") else None,
            read_only=node.optional_flag("read_only"),
            support=node.optional_flag("support"),
            sec_groups=node.texts("sec_groups") if node.has("sec_groups") else None,
            created=created if isinstance(created, str) else None,
        )

    @property
    def fixed(self) -> bool:
        """Whether the server keeps this user and its role (``docs/explanation/clearml-api.md, Members``)."""
        return bool(self.read_only or self.support)

    @property
    def made(self) -> datetime | None:
        """When the user was made, if the server tells."""
        return moment(self.created) if self.created else None


class AccountRecord(Frozen):
    """A service account of ``users.get_service_users``; ``credentials`` is how many it has."""

    id: str
    name: str
    role: Role
    impersonation: bool
    credentials: int

    @staticmethod
    def of(node: Node) -> AccountRecord:
        """Read one service account (``docs/explanation/clearml-api.md, Service accounts``)."""
        return AccountRecord(
            id=node.identifier("id"),
            name=node.text("name"),
            role=node.choice("role", Role),
            impersonation=node.flag("allow_running_as_owner", default=False),
            credentials=node.number("credentials"),
        )


class AccountList(Frozen):
    """All service accounts and the workspace's limits for them."""

    accounts: tuple[AccountRecord, ...]
    admins_allowed: bool
    maximum: int | None

    @staticmethod
    def of(node: Node) -> AccountList:
        """Read the answer of ``users.get_service_users``."""
        return AccountList(
            accounts=tuple(AccountRecord.of(item) for item in node.nodes("users")),
            admins_allowed=node.flag("allow_admins", default=False),
            maximum=node.optional_number("allowed_service_users"),
        )


class InvitationRecord(Frozen):
    """A pending entry of the sign-up list: a person who was invited and has not signed in yet."""

    email: str
    added: datetime | None


class SignUpRecord(Frozen):
    """What ``login.get_settings`` says: who is invited, and which domains may join by themselves."""

    invitations: tuple[InvitationRecord, ...]
    domains: tuple[str, ...]

    @staticmethod
    def of(node: Node) -> SignUpRecord:
        """Read the answer; an entry with a status other than pending or accepted is not guessed at.

        Source: ``docs/explanation/clearml-api.md, Members``.
        """
        pending = []
        for entry in node.nodes("whitelist_entries"):
            status = entry.text("status")
            if status not in ("pending", "accepted"):
                raise entry.wrong("status", "pending or accepted")
            if status == "pending":
                pending.append(InvitationRecord(entry.identifier("email"), entry.moment("added")))
        return SignUpRecord(tuple(pending), node.texts("domains") if node.has("domains") else ())


class GroupRecord(Frozen):
    """A group of ``permissions.get_user_groups`` with the ids of the users in it."""

    id: str
    name: str
    description: str
    users: frozenset[str]
    builtin: bool
    assignable: bool

    @staticmethod
    def of(node: Node) -> GroupRecord:
        """Read one group (``docs/explanation/clearml-api.md, Groups``)."""
        return GroupRecord(
            id=node.identifier("id"),
            name=node.text("name"),
            description=node.text("description", ""),
            users=node.identifiers("users"),
            builtin=node.flag("system", default=False) or node.value.get("id") == USERS_GROUP_ID,
            assignable=node.flag("assignable", default=True),
        )


class VaultRecord(Frozen):
    """A vault of ``users.get_organization_vaults`` or ``users.get_vaults``; ``name`` is its ``description``."""

    id: str
    name: str
    text: Secret
    format: DocumentFormat
    target: str
    scope: str
    enabled: bool
    group: str | None
    user: str | None
    updated: datetime | None = None

    @staticmethod
    def of(node: Node) -> VaultRecord:
        """Read one vault; what it leaves out has the default of ``docs/explanation/clearml-api.md, Vaults``."""
        return VaultRecord(
            id=node.identifier("id"),
            name=node.text("description", ""),
            text=Secret(node.text("data", "")),
            format=node.choice("format", DocumentFormat, DocumentFormat.HOCON),
            target=node.text("type", "config"),
            scope=node.identifier("scope"),
            enabled=node.flag("enabled", default=True),
            group=node.optional_text("group"),
            user=node.optional_text("user"),
            updated=node.moment_if_told("last_update"),
        )


class VaultOperationRecord(Frozen):
    """An entry of ``users.get_vault_operations_log``: what was done to a vault, by whom (a user id) and when."""

    operation: str
    user: str | None
    created: datetime | None

    @staticmethod
    def of(node: Node) -> VaultOperationRecord:
        """Read one entry (``docs/explanation/clearml-api.md, Vaults``)."""
        return VaultOperationRecord(
            operation=node.text("operation"),
            user=node.optional_text("user"),
            created=node.moment_if_told("created"),
        )


class ActivityRecord(Frozen):
    """When a user was last seen, by whichever way the server tells; ``told`` is false if it tells of none at all."""

    user: str
    last: datetime | None
    told: bool

    @staticmethod
    def of(node: Node) -> ActivityRecord:
        """Read a user's ``activity``: the latest of all its moments (``docs/explanation/clearml-api.md, Members``)."""
        told = node.has("activity")
        activity = node.node("activity") if told else None
        moments = [activity.moment_if_told(name) for name in activity.value] if activity is not None else []
        return ActivityRecord(
            user=node.identifier("id"), last=max((at for at in moments if at is not None), default=None), told=told
        )


class CredentialRecord(Frozen):
    """A credential of ``auth.get_credentials``; the secret key is never told again."""

    access_key: str
    label: str | None
    created: datetime | None
    expires: datetime | None
    last_used: datetime | None
    last_used_from: str | None

    @staticmethod
    def of(node: Node) -> CredentialRecord:
        """Read one credential (``docs/explanation/clearml-api.md, Service accounts``)."""
        return CredentialRecord(
            access_key=node.identifier("access_key"),
            label=node.optional_text("label") or None,
            created=node.moment("created"),
            expires=node.moment("expire"),
            last_used=node.moment("last_used"),
            last_used_from=node.optional_text("last_used_from"),
        )


class RuleRecord(Frozen):
    """An access rule of ``permissions.get_access_rules`` with the ids of its users and groups."""

    id: str
    name: str
    description: str
    entity: Entity
    permission: Permission
    users: frozenset[str]
    groups: frozenset[str]
    autocreated: bool

    @staticmethod
    def of(node: Node) -> RuleRecord:
        """Read one rule; its entity has a name only where the server tells one that is not the id.

        Source: ``docs/explanation/clearml-api.md, Access rules``.
        """
        identifier, name = node.optional_text("entity_id"), node.optional_text("entity_name") or None
        named = name if identifier not in (None, ALL, name) else None
        return RuleRecord(
            id=node.identifier("id"),
            name=node.text("name", ""),
            description=node.text("description", ""),
            entity=Entity(node.choice("entity_type", EntityType), identifier, named),
            permission=node.choice("access_permission", Permission),
            users=node.identifiers("users"),
            groups=node.identifiers("groups"),
            autocreated=node.flag("autocreated", default=False),
        )


class EntityRecord(Frozen):
    """An entity that a look-up by name found."""

    id: str
    name: str

    @staticmethod
    def of(node: Node) -> EntityRecord:
        """Read one entity (``docs/explanation/clearml-api.md, Access rules``)."""
        return EntityRecord(id=node.identifier("id"), name=node.text("name", ""))
