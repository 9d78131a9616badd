"""What a server has: a snapshot, and the facts that only a server knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import field

from reconciler.frozen import Frozen
from reconciler.model.resources import ASSIGNABLE_ROLES, RETIRING_MARK, UNDELIVERED_MARK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reconciler.model.access import Candidates, Entity
    from reconciler.model.resources import AccessRule, Address, Role
    from reconciler.model.snapshot import Snapshot
    from reconciler.model.unreadable import Lost, Unreadable


class Caller(Frozen):
    """The identity that this run acts as; ``address`` is ``None`` if it is neither a member nor a service account."""

    user: str
    address: Address | None
    access_key: str | None
    role: str


class CredentialFacts(Frozen):
    """What the server knows about one credential."""

    access_key: str
    label: str | None = None
    created: datetime | None = None
    expires: datetime | None = None
    last_used: datetime | None = None
    last_used_from: str | None = None

    @property
    def is_undelivered(self) -> bool:
        """Whether it was made by a run that nobody has had its secret key from."""
        return (self.label or "").endswith(UNDELIVERED_MARK)

    @property
    def is_retiring(self) -> bool:
        """Whether it was replaced, and works until its own end."""
        return (self.label or "").endswith(RETIRING_MARK)


class Moments(Frozen):
    """When something was made (an invitation: sent) and when it was last changed, where the server tells."""

    created: datetime | None = None
    updated: datetime | None = None


class Live(Frozen):
    """The workspace as it was read.

    ``ids`` leads to server ids (for a credential: its access key; an invitation has none). ``ambiguous`` holds the
    addresses that more than one live resource answers to, with all their ids: such resources are not in the snapshot.
    ``strangers`` holds, per group or access rule, ids in it that are none of its members, service accounts and groups
    (of an ambiguous name, say): always kept.
    ``credential_counts`` holds how many credentials each service account has, where they were not read one by one.
    ``server_rules`` are the access rules that the server made itself, by id: nobody can change them, so they are not in
    the snapshot. ``entities`` holds what the look-ups of the declared entities' names found. ``moments`` tell when
    things were made and changed. ``invitation_roles`` are those that the server lets somebody be invited with.
    ``unreadable`` holds what the server told of in a way that cannot be relied on, and ``lost`` the lists that are not
    there as a whole.
    """

    snapshot: Snapshot
    ids: Mapping[Address, str]
    caller: Caller
    ambiguous: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)
    strangers: Mapping[Address, frozenset[str]] = field(default_factory=dict)
    credentials: Mapping[Address, CredentialFacts] = field(default_factory=dict)
    credential_counts: Mapping[Address, int] = field(default_factory=dict)
    server_rules: Mapping[str, AccessRule] = field(default_factory=dict)
    entities: Mapping[Entity, Candidates] = field(default_factory=dict)
    moments: Mapping[Address, Moments] = field(default_factory=dict)
    admin_accounts_allowed: bool = True
    maximum_service_accounts: int | None = None
    unreadable: tuple[Unreadable, ...] = ()
    lost: tuple[Lost, ...] = ()
    invitation_roles: frozenset[Role] = ASSIGNABLE_ROLES


def cannot_be_invited(email: str, role: Role) -> str:
    """Return the sentence about somebody whom this server would silently give another role."""
    return f"{email} cannot be invited as {role.value}: only servers since API 2.37 take this role in an invitation"
