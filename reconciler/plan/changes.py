"""What a plan is made of: changes, and what stands beside them. Data only: no prose, color or functions in it.

These are pydantic models because a plan is saved, published with a JSON Schema, and read back with suspicion.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

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
    OWN_IDENTITY = "own-identity"
    NEW_ADMIN = "new-admin"
    IMPERSONATION = "impersonation"
    ADMIN_IMPERSONATION = "admin-impersonation"
    EVERYONE = "everyone"
    FOREIGN_DOMAIN = "foreign-domain"
    WRITE_GAINS = "write-gains"
    IDENTITY_CHANGED = "identity-changed"
    POLICY = "policy"
    SERVER_LIMIT = "server-limit"


NEVER_LIFTED = frozenset({Guard.OWN_IDENTITY, Guard.POLICY, Guard.SERVER_LIMIT})
"""An organization's own rule is not for whoever types the command to lift: it is changed in its file, in review."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldEdit(_Data):
    """One field with one value: what it is and what it will be (``null``: absent)."""

    type: Literal["field"] = "field"
    field: str
    before: str | bool | None
    after: str | bool | None


class SetEdit(_Data):
    """A field that is a set: who joins and who leaves, each sorted."""

    type: Literal["set"] = "set"
    field: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


class DocumentEdit(_Data):
    """One path of a vault document; values are display texts, and absent where ``secret``."""

    type: Literal["document"] = "document"
    path: str
    before: str | None
    after: str | None
    secret: bool = False


class TextEdit(_Data):
    """The text of a vault document changes as a whole: its meaning stays, or one side cannot be read."""

    type: Literal["text"] = "text"
    readable: bool


Edit = Annotated[FieldEdit | SetEdit | DocumentEdit | TextEdit, Field(discriminator="type")]


class Change(_Data):
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
    invitation: bool = Field(default=False, description="The member was only invited so far.")
    edits: tuple[Edit, ...] = ()
    staying: tuple[tuple[Kind, str], ...] = Field(
        default=(), description="Who keeps an access rule that will give something else, by kind and folded name."
    )
    credentials_lost: int = Field(default=0, description="How many credentials stop working with this removal.")
    before: str | None = None
    after: str | None = None
    document_before: str | None = None
    document_after: str | None = None

    @property
    def address(self) -> Address:
        """The identity of the resource that changes."""
        return Address(self.kind, self.key)

    def edited(self, field: str) -> FieldEdit | None:
        """Return the edit of a single-valued field, if it changes."""
        return next((edit for edit in self.edits if isinstance(edit, FieldEdit) and edit.field == field), None)

    def edited_set(self, field: str) -> SetEdit | None:
        """Return the edit of a set-valued field, if it changes."""
        return next((edit for edit in self.edits if isinstance(edit, SetEdit) and edit.field == field), None)


class Waiting(_Data):
    """Something that has to wait until a person accepts an invitation: a group to join, an access rule, or a name."""

    member: str
    group: str | None = None
    rule: str | None = None


class LeftAlone(_Data):
    """How many live resources of a kind the declaration does not speak for."""

    kind: Kind
    count: int
    reason: Literal["not_declared", "kind_not_managed", "fixed_by_server", "made_by_server"]


class Refusal(_Data):
    """A guard that stops the plan: which rule, about what, with which numbers, and whether it can be lifted.

    ``rule`` and what follows it are said by the guard ``policy`` only: which of the organization's own rules is broken,
    where its file says it (``file:line``), its message, and where the declaration says what breaks it.
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


class Warned(_Data):
    """Something that reviewers should know about a resource, though it stops nothing."""

    kind: Kind
    title: str
    rule: str
    message: str
