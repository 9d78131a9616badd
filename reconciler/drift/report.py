"""What a drift report is made of, beside the changes that would undo it. Data only."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from reconciler.frozen import Moment, Published
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
    """What deserves attention but is not drift."""

    EXPIRING_CREDENTIAL = "expiring-credential"
    UNUSED_CREDENTIAL = "unused-credential"
    PENDING_INVITATION = "pending-invitation"
    INACTIVE_ADMIN = "inactive-admin"
    EMPTY_GROUP = "empty-group"
    UNREACHED_VAULT = "unreached-vault"
    UNREADABLE = "unreadable"


class Memory(StrEnum):
    """What is known of the past. ``NONE``: nothing was recorded; ``UNTRUSTED``: there is a record that is not used."""

    RECORD = "record"
    NONE = "none"
    UNTRUSTED = "untrusted"


class Part(Published, kw_only=True):
    """One difference within a resource: a field, or one element of a field that is a set."""

    field: str
    element: Annotated[str | None, Meta(description="Who or what of a set; null: the whole field.")] = None
    drift: Annotated[DriftClass, Meta(description="Which side left what was last applied.")]


class Trace(Published, kw_only=True):
    """What the server tells of how something came to be as it is."""

    what: Annotated[str, Meta(description="What happened: create, update, delete, last use.")]
    by: Annotated[str | None, Meta(description="Who did it, where the server knows.")] = None
    at: Annotated[Moment | None, Meta(description="When it happened.")] = None


class Finding(Published, kw_only=True):
    """Drift of one resource: the class of the whole, and of each part where the record tells."""

    kind: Kind
    key: tuple[str, ...]
    title: str
    drift: Annotated[
        DriftClass, Meta(description="The class of the resource as a whole: conflict where both sides left.")
    ]
    parts: Annotated[tuple[Part, ...], Meta(description="What differs, each with its own class.")] = ()
    traces: Annotated[tuple[Trace, ...], Meta(description="Who and when, where the server knows.")] = ()
    sides: Annotated[str, Meta(description="Digest of both sides, by which new drift is recognized.")]

    @property
    def address(self) -> Address:
        """The identity of the resource."""
        return Address(self.kind, self.key)

    @property
    def classes(self) -> frozenset[DriftClass]:
        """Every class that occurs in it."""
        return frozenset({self.drift, *(part.drift for part in self.parts)})


class Attention(Published, kw_only=True):
    """One thing that deserves a look."""

    what: Annotated[AttentionKind, Meta(description="What it is about.")]
    kind: Kind
    key: tuple[str, ...]
    title: str
    days: Annotated[int | None, Meta(description="Days until it ends, or since it was used, added or active.")] = None
    at: Annotated[Moment | None, Meta(description="The moment that the days are counted from or to.")] = None
    reason: Annotated[str | None, Meta(description="Why something could not be read.")] = None

    @property
    def address(self) -> Address:
        """The identity of the resource."""
        return Address(self.kind, self.key)


class Drift(Published, kw_only=True):
    """What differs and which side moved. ``due`` credentials, what waits and what is left alone are no drift."""

    memory: Annotated[Memory, Meta(description="Whether a record of what was last applied was used.")] = Memory.NONE
    findings: Annotated[tuple[Finding, ...], Meta(description="The drift of each resource, by kind and key.")] = ()
    due: Annotated[tuple[Change, ...], Meta(description="Credentials that the next apply replaces.")] = ()
    agreeing: Annotated[
        tuple[str, ...], Meta(description="What left the record on both sides in the same way, so that it is no drift.")
    ] = ()
    attention: Annotated[tuple[Attention, ...], Meta(description="What deserves attention but is not drift.")] = ()

    @property
    def classes(self) -> frozenset[DriftClass]:
        """Every class that occurs."""
        return frozenset(drift for finding in self.findings for drift in finding.classes)
