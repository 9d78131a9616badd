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

from reconciler.clearml.decode import Count, FieldError, Id, Lenient, Message, NonEmpty, Time, read
from reconciler.model.access import ALL, Entity, EntityType, Permission
from reconciler.model.resources import DocumentFormat, Role
from reconciler.model.secret import Secret, is_key

USERS_GROUP_ID = "30795571-a470-4717-a80d-e8705fc776bf"
"""The built-in group that everyone is in, service accounts too (``docs/explanation/clearml-api.md, Groups``)."""

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


class UserMessage(Message):
    """A user. One without e-mail is none of ours, so that its role may be any.

    Source: ``docs/explanation/clearml-api.md, Members``.
    """

    id: Id
    name: str | None = None
    email: str | None = None
    role: str | None = None
    read_only: bool | None = None
    support: bool | None = None
    sec_groups: tuple[str, ...] | None = None
    created: Lenient[datetime] | None = None

    def __post_init__(self) -> None:
        if self.email is not None and self.role is not None and self.role not in _ROLES:
            raise FieldError("role", "one of " + ", ".join(_ROLES))

    @property
    def known_role(self) -> Role | None:
        """The role, if it is one that a member can have."""
        return _ROLES.get(self.role) if self.role is not None else None

    @property
    def fixed(self) -> bool:
        """Whether the server keeps this user and its role."""
        return bool(self.read_only or self.support)

    @property
    def removed(self) -> bool:
        """Whether this is what stays of somebody whose sign-in was removed: an entry without e-mail and role."""
        return self.email is None and self.role is None


_ROLES = {role.value: role for role in Role}


class UsersAnswer(Message):
    """The answer of ``users.get_all_ex``."""

    users: tuple[UserMessage, ...]


class ActivityMessage(Message):
    """When a user was last seen, in whichever ways the server knows; ``None`` if it does not say.

    Source: ``docs/explanation/clearml-api.md, Members``.
    """

    id: Id
    activity: dict[str, Lenient[datetime]] | None = None

    @property
    def last(self) -> datetime | None:
        """The latest of all its times."""
        return max((at for time in (self.activity or {}).values() if (at := read(time)) is not None), default=None)


class ActivityAnswer(Message):
    """The answer of ``users.get_all_ex`` when it is asked for activity."""

    users: tuple[ActivityMessage, ...]


class ServiceUserMessage(Message):
    """A service account (``docs/explanation/clearml-api.md, Service accounts``); ``credentials`` is how many it has."""

    id: Id
    name: str
    role: Role
    credentials: Count
    allow_running_as_owner: bool | None = None


class ServiceUsersAnswer(Message):
    """The answer of ``users.get_service_users``: all service accounts, and the workspace's limits for them."""

    users: tuple[ServiceUserMessage, ...]
    allow_admins: bool | None = None
    allowed_service_users: Count | None = None


class EntryStatus(StrEnum):
    """What became of an invitation (``docs/explanation/clearml-api.md, Members``)."""

    PENDING = "pending"
    ACCEPTED = "accepted"


class EntryMessage(Message):
    """An entry of the sign-up list. Once it was accepted nothing else of it matters."""

    status: EntryStatus
    email: Lenient[Id] | None = None
    added: Lenient[Time] | None = None

    def __post_init__(self) -> None:
        if self.status is EntryStatus.PENDING:
            if read(self.email) is None:
                raise FieldError("email", "an id")
            if self.added is not None and read(self.added) is None:
                raise FieldError("added", "a time")

    @property
    def invited(self) -> str | None:
        """The e-mail of a person who was invited and has not signed in yet."""
        return read(self.email) if self.status is EntryStatus.PENDING else None


class SettingsAnswer(Message):
    """The answer of ``login.get_settings``: who is invited, and which domains may join by themselves."""

    whitelist_entries: tuple[EntryMessage, ...]
    domains: tuple[str, ...] | None = None


class GroupMessage(Message, dict=True):
    """A group (``docs/explanation/clearml-api.md, Groups``)."""

    id: Id
    name: str
    users: tuple[IdMessage, ...]
    description: str | None = None
    system: bool | None = None
    assignable: bool | None = None

    @cached_property
    def user_ids(self) -> frozenset[str]:
        """The ids of the users in it, service accounts too."""
        return _ids(self.users)

    @property
    def builtin(self) -> bool:
        """Whether it is the server's own."""
        return bool(self.system) or self.id == USERS_GROUP_ID


class GroupsAnswer(Message):
    """The answer of ``permissions.get_user_groups``."""

    groups: tuple[GroupMessage, ...]


class VaultMessage(Message):
    """A vault (``docs/explanation/clearml-api.md, Vaults``). What people know as its name is its ``description``."""

    id: Id
    scope: NonEmpty
    description: str | None = None
    data: Secret | None = None
    format: DocumentFormat | None = None
    type: str | None = None
    enabled: bool | None = None
    group: str | None = None
    user: str | None = None
    last_update: Lenient[datetime] | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.description or ""

    @property
    def text(self) -> Secret:
        """The text of its document."""
        return self.data if self.data is not None else Secret("")


class VaultsAnswer(Message):
    """The answer of ``users.get_organization_vaults`` and ``users.get_vaults``."""

    vaults: tuple[VaultMessage, ...]


class OperatorMessage(Message):
    """Who did something to a vault."""

    id: str | None = None


class VaultOperationMessage(Message):
    """An entry of the vaults' log: what was done, by whom and when.

    Source: ``docs/explanation/clearml-api.md, Vaults``.
    """

    operation: str
    user: OperatorMessage | None = None
    created: Lenient[datetime] | None = None

    @property
    def user_id(self) -> str | None:
        """The id of who did it."""
        return self.user.id if self.user is not None else None


class VaultOperationsAnswer(Message):
    """The answer of ``users.get_vault_operations_log``."""

    operations: tuple[VaultOperationMessage, ...]


class CredentialMessage(Message):
    """A credential (``docs/explanation/clearml-api.md, Service accounts``); the secret key is never shown again."""

    access_key: Id
    label: str | None = None
    created: Time | None = None
    expire: Time | None = None
    last_used: Time | None = None
    last_used_from: str | None = None


class CredentialsAnswer(Message):
    """The answer of ``auth.get_credentials``."""

    credentials: tuple[CredentialMessage, ...]


class HolderAnswer(Message):
    """The answer of ``auth.locate_credentials``: the id of the user whose credential it is."""

    user: Id


class RuleMessage(Message, dict=True):
    """An access rule (``docs/explanation/clearml-api.md, Access rules``)."""

    id: Id
    entity_type: EntityType
    access_permission: Permission
    users: tuple[IdMessage, ...]
    groups: tuple[IdMessage, ...]
    name: str | None = None
    description: str | None = None
    entity_id: str | None = None
    entity_name: str | None = None
    autocreated: bool | None = None

    @cached_property
    def user_ids(self) -> frozenset[str]:
        """The ids of the users that it gives something to."""
        return _ids(self.users)

    @cached_property
    def group_ids(self) -> frozenset[str]:
        """The ids of the groups that it gives something to."""
        return _ids(self.groups)

    @property
    def entity(self) -> Entity:
        """What it is about; that has a name only where the server tells one that is not the id."""
        name = self.entity_name or None
        return Entity(self.entity_type, self.entity_id, name if self.entity_id not in (None, ALL, name) else None)


class RulesAnswer(Message):
    """The answer of ``permissions.get_access_rules``."""

    rules: tuple[RuleMessage, ...]


class EntityMessage(Message):
    """An entity that access can be given to (``docs/explanation/clearml-api.md, Access rules``)."""

    id: Id
    name: str | None = None


class EntitiesAnswer(Message):
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
    """The answer of calls that change something: how many things changed."""

    updated: Count


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

    id: Id


class VaultWrittenAnswer(Message):
    """The answer of ``users.add_or_update_vault``."""

    vault: Id


def _ids(messages: tuple[IdMessage, ...]) -> frozenset[str]:
    return frozenset([message.id for message in messages])
