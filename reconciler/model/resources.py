"""The resources of a workspace, as immutable values.

The same types describe what a declaration asks for and what a server has. Server ids, timestamps and other facts that
only a server knows live beside them, in :mod:`reconciler.model.live`.

A field that may be ``None`` is, when ``None``, not said: such a field is never compared and never changed.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from reconciler.frozen import Frozen
from reconciler.model.text import fold

if TYPE_CHECKING:
    from datetime import timedelta

    from reconciler.model.access import Entity, Permission
    from reconciler.model.delivery import Delivery
    from reconciler.model.secret import Secret


UNDELIVERED_MARK = " [undelivered]"
"""Ends the label of a new credential until its secret key has been delivered."""

RETIRING_MARK = " [retiring]"
"""Ends the label of a credential that was replaced and works until its own end."""


WITHOUT_A_NAME = "(without a name)"
"""Stands for the name of a vault that was given none."""


class Kind(StrEnum):
    """What sort of resource; declared in the order in which plans show them."""

    MEMBER = "member"
    SERVICE_ACCOUNT = "service_account"
    CREDENTIAL = "credential"
    GROUP = "group"
    VAULT = "vault"
    ACCESS_RULE = "access_rule"

    __hash__ = str.__hash__
    """The same as that of its text, without the detour of enum.Enum: half of all addresses' time is hashing."""


class Role(StrEnum):
    """A member's role. Only ``admin``, ``user`` and ``consumer`` can be assigned; the others may be met."""

    ADMIN = "admin"
    SUPERUSER = "superuser"
    USER = "user"
    ANNOTATOR = "annotator"
    CONSUMER = "consumer"


ASSIGNABLE_ROLES = frozenset({Role.ADMIN, Role.USER, Role.CONSUMER})
"""The roles that can be given (``docs/explanation/clearml-api.md, Calling convention``)."""


class MemberState(StrEnum):
    """Whether a member has signed in at least once or was only invited so far."""

    ACTIVE = "active"
    INVITED = "invited"


class DocumentFormat(StrEnum):
    """The formats that a vault document can be written in."""

    HOCON = "hocon"
    JSON = "json"
    YAML = "yaml"


class OwnerKind(StrEnum):
    """Whose vault it is: an administrator vault belongs to a group, another to a service account."""

    GROUP = "group"
    SERVICE_ACCOUNT = "service_account"


class Address(NamedTuple):
    """A resource's identity: its kind and its folded key (one part, or owner parts and a name).

    A named tuple, since hundreds of thousands are hashed and compared.
    """

    kind: Kind
    key: tuple[str, ...]

    @staticmethod
    @cache
    def member(email: str) -> Address:
        """Return the address of the member with this e-mail; remembered, for the same one is declared and live."""
        return Address(Kind.MEMBER, (fold(email),))

    @staticmethod
    def service_account(name: str) -> Address:
        """Return the address of the service account with this name."""
        return Address(Kind.SERVICE_ACCOUNT, (fold(name),))

    @staticmethod
    def credential(account: str, label: str) -> Address:
        """Return the address of the credential with this label of a service account."""
        return Address(Kind.CREDENTIAL, (fold(account), fold(label)))

    @staticmethod
    def group(name: str) -> Address:
        """Return the address of the group with this name."""
        return Address(Kind.GROUP, (fold(name),))

    @staticmethod
    def vault(owner_kind: OwnerKind, owner: str, name: str) -> Address:
        """Return the address of the vault with this name that belongs to a group, or of a service account's own one.

        The latter is known by its owner, whatever it is called: who makes it in the web page gives it no name.
        """
        known_by = owner if owner_kind is OwnerKind.SERVICE_ACCOUNT else name
        return Address(Kind.VAULT, (owner_kind.value, fold(owner), fold(known_by)))

    @staticmethod
    def access_rule(name: str) -> Address:
        """Return the address of the access rule with this name."""
        return Address(Kind.ACCESS_RULE, (fold(name),))

    @property
    def owner(self) -> Address | None:
        """The account of a credential, the group or account of a vault, nothing for the other kinds."""
        if self.kind is Kind.CREDENTIAL:
            return Address(Kind.SERVICE_ACCOUNT, self.key[:1])
        if self.kind is Kind.VAULT:
            return Address(Kind(self.key[0]), self.key[1:2])
        return None


class Member(Frozen):
    """A person in the workspace, known by e-mail.

    ``role`` is ``None`` only for a pending invitation that the server reports without a role. ``fixed`` members (the
    server's read-only and support users) can be neither removed nor given another role.
    """

    email: str
    role: Role | None = Role.USER
    name: str | None = None
    state: MemberState = MemberState.ACTIVE
    fixed: bool = False

    @property
    def address(self) -> Address:
        """This member's identity."""
        return Address.member(self.email)

    @property
    def title(self) -> str:
        """This member as people write it."""
        return self.email


class ServiceAccount(Frozen):
    """An API user for agents and automations; ``impersonation`` lets it run tasks as their owner."""

    name: str
    impersonation: bool = False
    admin: bool = False

    @property
    def address(self) -> Address:
        """This account's identity."""
        return Address.service_account(self.name)

    @property
    def title(self) -> str:
        """This account as people write it."""
        return self.name


class Credential(Frozen):
    """An access key of a service account, known by its label.

    ``lifetime`` is how long a new one lives (``None``: the server's default), ``rotate_before`` how long before
    its end it is replaced, ``delivery`` where its secret key goes. On a live credential these three are ``None``.
    """

    account: str
    label: str
    lifetime: timedelta | None = None
    rotate_before: timedelta | None = None
    delivery: Delivery | None = None

    @property
    def address(self) -> Address:
        """This credential's identity."""
        return Address.credential(self.account, self.label)

    @property
    def title(self) -> str:
        """This credential as people write it: account and label."""
        return f"{self.account} / {self.label}"


class Group(Frozen):
    """A set of members (folded e-mails) and service accounts (folded names).

    ``builtin`` groups are the server's own: never made, renamed or removed. A group that is not ``assignable`` is not
    ours to change at all: it follows from something else, or tenants share it.
    """

    name: str
    description: str | None = None
    members: frozenset[str] | None = None
    service_accounts: frozenset[str] | None = None
    builtin: bool = False
    assignable: bool = True

    @property
    def address(self) -> Address:
        """This group's identity."""
        return Address.group(self.name)

    @property
    def title(self) -> str:
        """This group as people write it."""
        return self.name


class Document(Frozen):
    """The text of a vault, in the format that it is written in.

    A declared text refers to secrets as ``@{NAME}``; ``secrets`` then has a value for each name, or ``None`` where a
    run was told to do without. A live text is the whole truth and has no names bound: an ``@{NAME}`` in it is just
    text. ``file`` and ``line`` say where the text begins, for messages. ``reviewed`` says that git has the file as it
    is, and ``visible`` names paths whose live values may be shown, as a declaration says.
    """

    format: DocumentFormat
    text: Secret
    secrets: tuple[tuple[str, Secret | None], ...] = ()
    file: str | None = None
    line: int = 1
    reviewed: bool = False
    visible: tuple[str, ...] = ()


class Vault(Frozen):
    """A configuration document that reaches a group's members or one service account.

    An account's own vault has the account's name where it was given none. ``target`` is the API's type text (``config``
    for clients). ``format`` is what the server is told; it differs from
    ``document.format`` where an author writes YAML and sends JSON.
    """

    name: str
    owner_kind: OwnerKind
    owner: str
    document: Document
    format: DocumentFormat = DocumentFormat.HOCON
    target: str = "config"
    enabled: bool = True

    @property
    def address(self) -> Address:
        """This vault's identity."""
        return Address.vault(self.owner_kind, self.owner, self.name)

    @property
    def title(self) -> str:
        """This vault as people write it: name and owner; for an account's own one the account."""
        return f"{(self.owner if self.is_own else self.name) or WITHOUT_A_NAME} → {self.owner}"

    @property
    def is_own(self) -> bool:
        """Whether it is a service account's own vault."""
        return self.owner_kind is OwnerKind.SERVICE_ACCOUNT

    @property
    def is_emptied(self) -> bool:
        """Whether it is what stays of an account's own vault: ClearML asks that such a one is never deleted.

        Source: ``docs/explanation/clearml-api.md, Vaults``.
        """
        return self.is_own and not self.enabled and not self.document.text.reveal().strip()


class AccessRule(Frozen):
    """Who may read, or read and change, an entity: members (folded e-mails), service accounts, groups (folded names).

    It is a whole statement: whoever is not named has nothing through it.
    """

    name: str
    entity: Entity
    permission: Permission
    members: frozenset[str] = frozenset()
    service_accounts: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    description: str | None = None

    @property
    def address(self) -> Address:
        """This rule's identity."""
        return Address.access_rule(self.name)

    @property
    def title(self) -> str:
        """This rule as people write it."""
        return self.name


Resource = Member | ServiceAccount | Credential | Group | Vault | AccessRule


def is_servers_own(resource: Resource | None) -> bool:
    """Return whether the server keeps a resource, whatever is declared: built-in or shared groups, fixed members."""
    if isinstance(resource, Group):
        return resource.builtin or not resource.assignable
    return isinstance(resource, Member) and resource.fixed
