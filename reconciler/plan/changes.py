"""What a plan is made of: changes, and what stands beside them. Data only: no prose, color or functions in it.

All of it is written as JSON, by a published JSON Schema, and read back with suspicion.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta

from reconciler.frozen import Published
from reconciler.model.edits import Edit, FieldEdit, SetEdit
from reconciler.model.resources import Address, Kind


class Action(StrEnum):
    """What will happen to a resource."""

    CREATE = "create"
    INVITE = "invite"
    UPDATE = "update"
    ROTATE = "rotate"
    DELETE = "delete"


class Reason(StrEnum):
    """Why a change is in the plan."""

    DECLARED = "declared"
    DIFFERS = "differs"
    RENAMED = "renamed"
    NOT_DECLARED = "not_declared"
    EXPIRING = "expiring"
    EXPIRED = "expired"


class Guard(StrEnum):
    """The rules that stop a plan. Each is lifted alone, by its name; those in :data:`NEVER_LIFTED` not at all."""

    MIN_ADMINS = "min-admins"
    MAX_REMOVALS = "max-removals"
    EMPTY_KIND = "empty-kind"
    EMPTY_GROUP = "empty-group"
    PROTECT = "protect"
    REVOCATION = "revocation"
    OWN_IDENTITY = "own-identity"
    NEW_ADMIN = "new-admin"
    IMPERSONATION = "impersonation"
    ADMIN_IMPERSONATION = "admin-impersonation"
    EVERYONE = "everyone"
    FOREIGN_DOMAIN = "foreign-domain"
    WRITE_GAINS = "write-gains"
    IDENTITY_CHANGED = "identity-changed"
    POLICY = "policy"
    POLICY_LOOSENED = "policy-loosened"
    STILL_USED = "still-used"
    SERVER_LIMIT = "server-limit"


NEVER_LIFTED = frozenset({Guard.OWN_IDENTITY, Guard.POLICY, Guard.SERVER_LIMIT})
"""An organization's own rule is not for whoever types the command to lift: it is changed in its file, in review."""


class Change(Published, kw_only=True):
    """One resource's difference.

    ``before`` and ``after`` are digests of the whole resource on either side, without its secrets; ``document_before``
    and ``document_after`` are keyed digests of a vault's text (see :mod:`reconciler.plan.fingerprints`).
    """

    action: Action
    kind: Kind
    key: tuple[str, ...]
    title: str
    reason: Reason
    place: str | None = None
    invitation: Annotated[bool, Meta(description="The member was only invited so far.")] = False
    edits: tuple[Edit, ...] = ()
    staying: Annotated[
        tuple[tuple[Kind, str], ...],
        Meta(description="Who keeps an access rule that will give something else, by kind and folded name."),
    ] = ()
    credentials_lost: Annotated[int, Meta(description="How many credentials stop working with this removal.")] = 0
    before: str | None = None
    after: str | None = None
    document_before: str | None = None
    document_after: str | None = None

    @property
    def address(self) -> Address:
        """The identity of the resource that changes."""
        return Address(self.kind, self.key)

    @property
    def is_due(self) -> bool:
        """Whether it is a step of a rotation that time brings: a key that ends soon, or a replaced one that has ended.

        Nobody left anything undone: no apply could have made it before.
        """
        return self.reason is Reason.EXPIRING or (self.reason is Reason.EXPIRED and self.action is Action.DELETE)

    def edited(self, field: str) -> FieldEdit | None:
        """Return the edit of a single-valued field, if it changes."""
        return next((edit for edit in self.edits if isinstance(edit, FieldEdit) and edit.field == field), None)

    def edited_set(self, field: str) -> SetEdit | None:
        """Return the edit of a set-valued field, if it changes."""
        return next((edit for edit in self.edits if isinstance(edit, SetEdit) and edit.field == field), None)


class Waiting(Published, kw_only=True):
    """Something that has to wait until a person accepts an invitation: a group to join, an access rule, or a name."""

    member: str
    group: str | None = None
    rule: str | None = None


class LeftAlone(Published, kw_only=True):
    """How many live resources of a kind the declaration does not speak for."""

    kind: Kind
    count: int
    reason: Literal["not_declared", "kind_not_managed", "fixed_by_server", "made_by_server"]


class Refusal(Published, kw_only=True):
    """A guard that stops the plan: which rule, about what, with which numbers, and whether it can be lifted.

    ``rule`` and what follows it are said by the guard ``policy``: which of the organization's own rules is broken,
    where its file says it (``file:line``), its message, and where the declaration says what breaks it. Of
    ``policy-loosened`` ``rule`` is the guard that the policy last applied refuses it by.
    """

    guard: Guard
    kind: Kind
    subject: str | None = None
    names: tuple[str, ...] = ()
    count: int = 0
    total: int = 0
    limit: str = ""
    allowed: bool = False
    rule: str | None = None
    rule_place: str | None = None
    message: str | None = None
    place: str | None = None

    @property
    def liftable(self) -> bool:
        """Whether ``--allow`` can lift it."""
        return self.guard not in NEVER_LIFTED


class Warned(Published, kw_only=True):
    """Something that reviewers should know about a resource, though it stops nothing."""

    kind: Kind
    title: str
    rule: str
    message: str
