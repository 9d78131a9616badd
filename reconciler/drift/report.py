"""What a drift report is made of, beside the changes that would undo it. Data only."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from reconciler.model.resources import Address, Kind
from reconciler.plan.changes import Change


class DriftClass(StrEnum):
    """Which side left what was last applied.

    ``CHANGED_OUTSIDE``: the workspace. ``NOT_YET_APPLIED``: the declaration. ``CONFLICT``: both, differently.
    ``UNKNOWN``: the record does not say.
    """

    CHANGED_OUTSIDE = "changed-outside"
    NOT_YET_APPLIED = "not-yet-applied"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


class AttentionKind(StrEnum):
    """What deserves a look though it is no drift."""

    EXPIRING_CREDENTIAL = "expiring-credential"
    UNUSED_CREDENTIAL = "unused-credential"
    PENDING_INVITATION = "pending-invitation"
    INACTIVE_ADMIN = "inactive-admin"
    EMPTY_GROUP = "empty-group"
    UNREACHED_VAULT = "unreached-vault"


class Memory(StrEnum):
    """What is known of the past. ``NONE``: nothing was recorded; ``UNTRUSTED``: there is a record that is not used."""

    RECORD = "record"
    NONE = "none"
    UNTRUSTED = "untrusted"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(_Data):
    """One difference within a resource: a field, or one element of a field that is a set."""

    field: str
    element: str | None = Field(default=None, description="Who or what of a set; null: the whole field.")
    drift: DriftClass = Field(description="Which side left what was last applied.")


class Trace(_Data):
    """What the server tells of how something came to be as it is."""

    what: str = Field(description="What happened: create, update, delete, last use.")
    by: str | None = Field(default=None, description="Who did it, where the server knows.")
    at: AwareDatetime | None = Field(default=None, description="When it happened.")


class Finding(_Data):
    """Drift of one resource: the class of the whole, and of each part where the record tells."""

    kind: Kind
    key: tuple[str, ...]
    title: str
    drift: DriftClass = Field(description="The class of the resource as a whole: conflict where both sides left.")
    parts: tuple[Part, ...] = Field(default=(), description="What differs, each with its own class.")
    traces: tuple[Trace, ...] = Field(default=(), description="Who and when, where the server tells.")
    sides: str = Field(description="Digest of both sides, by which news is told from what is known.")

    @property
    def address(self) -> Address:
        """The identity of the resource."""
        return Address(self.kind, self.key)

    @property
    def classes(self) -> frozenset[DriftClass]:
        """Every class that occurs in it."""
        return frozenset({self.drift, *(part.drift for part in self.parts)})


class Attention(_Data):
    """One thing that deserves a look."""

    what: AttentionKind = Field(description="What it is about.")
    kind: Kind
    key: tuple[str, ...]
    title: str
    days: int | None = Field(default=None, description="Days until it ends, or since it was used, added or active.")
    at: AwareDatetime | None = Field(default=None, description="The moment that the days are counted from or to.")

    @property
    def address(self) -> Address:
        """The identity of the resource."""
        return Address(self.kind, self.key)


class Drift(_Data):
    """What differs and which side moved. ``due`` credentials, what waits and what is left alone are no drift."""

    memory: Memory = Field(default=Memory.NONE, description="Whether a record of what was last applied was used.")
    findings: tuple[Finding, ...] = Field(default=(), description="The drift of each resource, by kind and key.")
    due: tuple[Change, ...] = Field(default=(), description="Credentials that the next apply replaces.")
    agreeing: tuple[str, ...] = Field(
        default=(), description="What left the record on both sides in the same way, so that it is no drift."
    )
    attention: tuple[Attention, ...] = Field(default=(), description="What deserves a look though it is no drift.")

    @property
    def classes(self) -> frozenset[DriftClass]:
        """Every class that occurs."""
        return frozenset(drift for finding in self.findings for drift in finding.classes)

    def finding(self, address: Address) -> Finding | None:
        """Return the drift of one resource, if it has any."""
        return next((item for item in self.findings if item.address == address), None)
