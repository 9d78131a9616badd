"""The wire messages: what each answer holds, field by field, under the names that the API gives them.

Shapes are those of ``docs/explanation/clearml-api.md``. What a field's type means is said in
:mod:`reconciler.clearml.decode`: what must be there, what may be absent, and what nothing depends on.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import cache, cached_property
from typing import cast

import msgspec

from reconciler.clearml.decode import Confined, Count, FieldError, Id, Lenient, Message, Time, Whole, read
from reconciler.model.access import ALL, Entity, EntityType, Permission
from reconciler.model.resources import DocumentFormat, Role
from reconciler.model.secret import Secret, is_key
from reconciler.model.text import fold

USERS_GROUP_ID = "30795571-a470-4717-a80d-e8705fc776bf"
"""The built-in group that everyone is in, service accounts too (``docs/explanation/clearml-api.md, Groups``)."""

QUEUE_ADMINS = "queue admins"
BUILTIN_GROUPS = frozenset({"users", "admins", QUEUE_ADMINS})
"""The folded names of the server's own groups."""

ORGANIZATION_SCOPE = "organization"
GROUP_SCOPE = "group"
USER_SCOPE = "user"


class LoginAnswer(Message):
    """The answer of ``auth.login``."""

    token: Secret

    def __post_init__(self) -> None:
        if not self.token:
            raise FieldError("token", "a token")


class IdMessage(Message, gc=False):
    """A user or group that another object names; a group has thousands of them."""

    id: Id


class UserMessage(Confined):
    """A user (``docs/explanation/clearml-api.md, Members``)."""

    id: Id
    name: str | None = None
    email: str | None = None
    role: str | None = None
    read_only: bool | None = None
    support: bool | None = None
    sec_groups: tuple[str, ...] | None = None
    created: Lenient[datetime] | None = None

    @property
    def known_role(self) -> Role | None:
        """The role, if it is one that a member can have."""
        return _ROLES.get(self.role) if self.role is not None else None

    @property
    def fixed(self) -> bool:
        """Whether the server keeps this user and its role."""
        return bool(self.read_only or self.support or self.role in _OF_THE_SERVER)

    @property
    def removed(self) -> bool:
        """Whether this is what stays of somebody whose sign-in was removed: an entry without e-mail and role."""
        return self.email is None and self.role is None


_ROLES = {role.value: role for role in Role}
_OF_THE_SERVER = ("system", "root")
"""The roles of the server's own users (``docs/explanation/clearml-api.md, Members``)."""


class UsersAnswer(Confined):
    """The answer of ``users.get_all_ex``."""

    users: tuple[UserMessage, ...] | None = None


class ActivityMessage(Confined):
    """When a user was last seen, in whichever ways the server knows; ``None`` if it does not say.

    Source: ``docs/explanation/clearml-api.md, Members``.
    """

    id: Id
    activity: Lenient[dict[str, Lenient[datetime]]] | None = None

    @property
    def told(self) -> bool:
        """Whether the server says anything of it."""
        return read(self.activity) is not None

    @property
    def last(self) -> datetime | None:
        """The latest of all its times."""
        times = map(read, (read(self.activity) or {}).values())
        return max((at for at in times if at is not None), default=None)


class ActivityAnswer(Confined):
    """The answer of ``users.get_all_ex`` when it is asked for activity."""

    users: tuple[ActivityMessage, ...] | None = None


class ServiceUserMessage(Confined):
    """A service account (``docs/explanation/clearml-api.md, Service accounts``); ``credentials`` is how many it has."""

    id: Id
    name: str | None = None
    role: str | None = None
    credentials: Whole | None = None
    allow_running_as_owner: bool | None = None

    @property
    def known_role(self) -> Role | None:
        """The role, if it is one that a member can have."""
        return _ROLES.get(self.role) if self.role is not None else None


class ServiceUsersAnswer(Confined):
    """The answer of ``users.get_service_users``: all service accounts, and the workspace's limits for them."""

    users: tuple[ServiceUserMessage, ...] | None = None
    allow_admins: bool | None = None
    allowed_service_users: Whole | None = None


class EntryStatus(StrEnum):
    """What became of an invitation (``docs/explanation/clearml-api.md, Members``)."""

    PENDING = "pending"
    ACCEPTED = "accepted"


class EntryMessage(Confined):
    """An entry of the sign-up list. Once it was accepted nothing else of it matters."""

    status: str | None = None
    email: str | None = None
    added: Lenient[datetime] | None = None

    @property
    def invited(self) -> str | None:
        """The e-mail of a person who was invited and has not signed in yet."""
        return self.email or None if self.status == EntryStatus.PENDING else None


class SettingsAnswer(Confined):
    """The answer of ``login.get_settings``: who is invited, and which domains may join by themselves."""

    whitelist_entries: tuple[EntryMessage, ...] | None = None
    domains: tuple[str, ...] | None = None


class GroupMessage(Confined, dict=True):
    """A group (``docs/explanation/clearml-api.md, Groups``). ``users`` is ``None`` if the server does not tell them."""

    id: Id
    name: str | None = None
    users: tuple[IdMessage, ...] | None = None
    description: str | None = None
    system: bool | None = None
    assignable: bool | None = None

    @cached_property
    def user_ids(self) -> frozenset[str]:
        """The ids of the users in it, service accounts too."""
        return _ids(self.users or ())

    @property
    def builtin(self) -> bool:
        """Whether it is the server's own, which no answer has to say: it is known by its id and by its name."""
        return bool(self.system) or self.id == USERS_GROUP_ID or fold(self.name or "") in BUILTIN_GROUPS

    @property
    def takes_members(self) -> bool:
        """Whether its membership can be changed; of the server's own groups that is so of one."""
        if self.assignable is None and self.builtin:
            return fold(self.name or "") == QUEUE_ADMINS
        return self.assignable is not False


class GroupsAnswer(Confined):
    """The answer of ``permissions.get_user_groups``."""

    groups: tuple[GroupMessage, ...] | None = None


class VaultMessage(Confined):
    """A vault (``docs/explanation/clearml-api.md, Vaults``). What people know as its name is its ``description``."""

    id: Id
    scope: str | None = None
    description: str | None = None
    data: Secret | None = None
    format: str | None = None
    type: str | None = None
    enabled: bool | None = None
    group: str | None = None
    group_name: str | None = None
    user: str | None = None
    last_update: Lenient[datetime] | None = None
    editable: bool | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.description or ""

    @property
    def text(self) -> Secret:
        """The text of its document."""
        return self.data if self.data is not None else Secret("")

    def is_own(self, account_id: str) -> bool:
        """Return whether it belongs to a service account that was asked for what it sees, and not to one of its groups.

        Without a scope that is so if it belongs to this user.
        """
        own = self.user == account_id if self.scope is None else self.user in (None, account_id)
        return own and self.scope in (None, USER_SCOPE)

    @property
    def known_format(self) -> DocumentFormat | None:
        """The format that its document is written in, if it is one that documents can have; HOCON if none is told."""
        try:
            return DocumentFormat((self.format or DocumentFormat.HOCON).lower())
        except ValueError:
            return None


class VaultsAnswer(Confined):
    """The answer of ``users.get_organization_vaults`` and ``users.get_vaults``."""

    vaults: tuple[VaultMessage, ...] | None = None


class OperatorMessage(Message):
    """Who did something to a vault."""

    id: str | None = None


class VaultOperationMessage(Confined):
    """An entry of the vaults' log: what was done, by whom and when.

    Source: ``docs/explanation/clearml-api.md, Vaults``.
    """

    operation: str | None = None
    user: Lenient[OperatorMessage] | None = None
    created: Lenient[datetime] | None = None

    @property
    def user_id(self) -> str | None:
        """The id of who did it."""
        user = read(self.user)
        return user.id if user is not None else None


class VaultOperationsAnswer(Confined):
    """The answer of ``users.get_vault_operations_log``."""

    operations: tuple[VaultOperationMessage, ...] | None = None


class CredentialMessage(Confined):
    """A credential (``docs/explanation/clearml-api.md, Service accounts``); the secret key is never shown again."""

    access_key: Id
    label: str | None = None
    created: Time | None = None
    expire: Time | None = None
    last_used: Time | None = None
    last_used_from: str | None = None


class CredentialsAnswer(Confined):
    """The answer of ``auth.get_credentials``."""

    credentials: tuple[CredentialMessage, ...] | None = None


class HolderAnswer(Message):
    """The answer of ``auth.locate_credentials``: the id of the user whose credential it is, and its label."""

    user: Id
    label: Lenient[str] | None = None


class RuleMessage(Confined, dict=True):
    """An access rule (``docs/explanation/clearml-api.md, Access rules``).

    ``users`` and ``groups`` are ``None`` if the server does not tell them. Where ``entity_id`` is null, it is about the
    top level of projects.
    """

    id: Id
    entity_type: str | None = None
    access_permission: str | None = None
    users: tuple[IdMessage, ...] | None = None
    groups: tuple[IdMessage, ...] | None = None
    name: str | None = None
    description: str | None = None
    entity_id: str | msgspec.UnsetType | None = msgspec.UNSET
    entity_name: Lenient[str] | None = None
    autocreated: bool | None = None

    @cached_property
    def user_ids(self) -> frozenset[str]:
        """The ids of the users that it gives something to."""
        return _ids(self.users or ())

    @cached_property
    def group_ids(self) -> frozenset[str]:
        """The ids of the groups that it gives something to."""
        return _ids(self.groups or ())

    @property
    def entity(self) -> Entity | None:
        """What it is about, if that can be read; it has a name only where the server tells one that is not the id."""
        if self.entity_type not in _ENTITY_TYPES or self.why("entity_id"):
            return None
        identifier = self.entity_id or None  # one that is left out reads as UNSET
        name = read(self.entity_name) or None
        named = name if identifier not in (None, ALL, name) else None
        return Entity(_ENTITY_TYPES[self.entity_type], identifier, named)

    @property
    def permission(self) -> Permission | None:
        """What it gives, if that can be read."""
        return _PERMISSIONS.get(self.access_permission or "")


_ENTITY_TYPES = {entity_type.value: entity_type for entity_type in EntityType}
_PERMISSIONS = {permission.value: permission for permission in Permission}


class RulesAnswer(Confined):
    """The answer of ``permissions.get_access_rules``."""

    rules: tuple[RuleMessage, ...] | None = None


class EntityMessage(Confined):
    """An entity that access can be given to (``docs/explanation/clearml-api.md, Access rules``)."""

    id: Id
    name: str | None = None


class EntitiesAnswer(Confined):
    """The answer of a look-up by name; each call has another name for the list, see :func:`entities_answer`."""

    entities: tuple[EntityMessage, ...]


@cache
def entities_answer(name: str) -> type[EntitiesAnswer]:
    """Return the answer of the call that lists entities under this name."""
    entities = ("entities", tuple[EntityMessage, ...], msgspec.field(name=name))
    answer = msgspec.defstruct("NamedEntitiesAnswer", [entities], bases=(EntitiesAnswer,), frozen=True)
    return cast("type[EntitiesAnswer]", answer)


class AddedAnswer(Message):
    """The answer of ``login.add_whitelist_entries``: the e-mails that were not there before."""

    added: tuple[str, ...]


class RemovedAnswer(Message):
    """The answer of ``login.remove_whitelist_entries``: the e-mails that were there."""

    removed: tuple[str, ...]


class UpdatedAnswer(Message):
    """The answer of calls that change something: how many things changed, which a server may leave out."""

    updated: Count | None = None


class DeletedAnswer(Message):
    """The answer of calls that remove things: how many there were."""

    deleted: Count


class UserDeletedAnswer(Message):
    """The answer of ``auth.delete_user``."""

    deleted: bool


class RevokedAnswer(Message):
    """The answer of ``auth.revoke_credentials``: how many there were."""

    revoked: Count


class NewCredentialMessage(Message):
    """A credential that was just created. Its secret key is shown this once and never again."""

    access_key: Id
    secret_key: Secret
    label: str | None = None
    expire: Time | None = None

    def __post_init__(self) -> None:
        if not self.secret_key:
            raise FieldError("secret_key", "a secret key")
        # A key goes into files of lines and into headers: a line end in it would write lines of the server's choice.
        if not is_key(self.access_key):
            raise FieldError("access_key", "a key of printable characters without spaces")
        if not is_key(self.secret_key.reveal()):
            raise FieldError("secret_key", "a key of printable characters without spaces")


class NewCredentialAnswer(Message):
    """The answer of ``auth.create_credentials``."""

    credentials: NewCredentialMessage


class NewServiceUserAnswer(Message):
    """The answer of ``auth.create_service_user``: its id, and the credential that the server creates unasked."""

    id: Id
    credentials: NewCredentialMessage


class WrittenAnswer(Message):
    """The answer of calls that write a whole group or access rule."""

    id: Id | None = None


class VaultWrittenAnswer(Message):
    """The answer of ``users.add_or_update_vault``."""

    vault: Id | None = None


def _ids(messages: tuple[IdMessage, ...]) -> frozenset[str]:
    return frozenset([message.id for message in messages])
