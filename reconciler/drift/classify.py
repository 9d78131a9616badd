"""Which side moved: every difference against what was last applied.

A record tells of a workspace as it was when it was last seen applied. A difference is *changed outside* if the live
side left the record, *not yet applied* if the declaration did, a *conflict* if both did; what the record cannot tell is
*unknown*, never guessed. What both sides changed in the same way is no difference at all.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from reconciler.drift.base import Base
from reconciler.drift.fields import document_part, field_parts, live_stays
from reconciler.drift.report import Drift, DriftClass, Finding, Memory, Part
from reconciler.frozen import Frozen
from reconciler.plan.changes import Action
from reconciler.record.fingerprint import field_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.desired import Desired
    from reconciler.plan.changes import Change
    from reconciler.plan.fingerprints import DigestKey
    from reconciler.plan.make import Prepared
    from reconciler.record.document import Applied, Record

IDENTITY = "identity"
"""The field that stands for a resource that is another one by the server's id."""


def find_drift(prepared: Prepared, desired: Desired, record: Record | None, key: DigestKey) -> Drift:
    """Return every difference with the side that moved; without a record all of them are unknown.

    ``desired`` is the declaration as it was resolved, before anything live was copied into it.
    """
    judge = _Judge(prepared, Base(record, desired, key))
    due = tuple(change for change in prepared.plan.changes if not is_drift(change))
    drifted = [change for change in prepared.plan.changes if is_drift(change)]
    return Drift(
        memory=Memory.RECORD if judge.base.remembers else Memory.NONE,
        findings=tuple(judge.findings(drifted)),
        due=due,
        agreeing=tuple(judge.agreeing()),
    )


def is_drift(change: Change) -> bool:
    """Return whether a change is drift: the steps of a rotation are not, a declared credential that has expired is."""
    return not change.is_due


class _Judge(Frozen):
    prepared: Prepared
    base: Base

    def findings(self, changes: Iterable[Change]) -> Iterator[Finding]:
        """Return the findings of changes in their order, then of what is another one and needs no change."""
        replaced = set(self.prepared.replaced)
        for change in changes:
            parts = [Part(field=IDENTITY, drift=DriftClass.CHANGED_OUTSIDE)] if change.address in replaced else []
            yield self._finding(change, parts)
            replaced.discard(change.address)
        for address in sorted(replaced):
            title = self.prepared.live.snapshot.resources[address].title
            yield Finding(
                kind=address.kind,
                key=address.key,
                title=title,
                drift=DriftClass.CHANGED_OUTSIDE,
                parts=(Part(field=IDENTITY, drift=DriftClass.CHANGED_OUTSIDE),),
                sides=_digest([self.prepared.live.ids.get(address)]),
            )

    def agreeing(self) -> Iterator[str]:
        """Return the titles of what left the record on both sides in the same way."""
        differing = {change.address for change in self.prepared.plan.changes}
        waiting = {name for item in self.prepared.plan.waiting for name in (item.group, item.rule, item.member)}
        for address, resource in sorted(self.prepared.live.snapshot.resources.items()):
            before = self.base.known(address)
            if before is None or address in differing or address not in self.base.desired.snapshot:
                continue
            settled = not self.base.unsettled(address) and address not in self.prepared.replaced
            settled = settled and resource.title not in waiting
            if settled and live_stays(resource, before, self.base) is False:
                yield resource.title

    def _finding(self, change: Change, parts: list[Part]) -> Finding:
        before = self.base.known(change.address)
        match change.action:
            case Action.CREATE | Action.INVITE:
                drift = self._missing(change, before)
            case Action.DELETE:
                drift = self._undeclared(change, before)
            case Action.ROTATE:
                # Time has ended the key, and no apply has replaced it: nobody changed anything.
                drift = DriftClass.NOT_YET_APPLIED if before is not None else DriftClass.UNKNOWN
            case Action.UPDATE:
                parts = [*parts, *self._parts(change, before)]
                drift = _whole(parts)
        return Finding(
            kind=change.kind,
            key=change.key,
            title=change.title,
            drift=drift,
            parts=tuple(parts),
            sides=_digest([_without_place(change)]),
        )

    def _missing(self, change: Change, before: Applied | None) -> DriftClass:
        """Judge what is declared and not there."""
        address = change.address
        if self.base.unsettled(address):
            return DriftClass.UNKNOWN
        if before is None:
            return DriftClass.NOT_YET_APPLIED if self.base.remembers else DriftClass.UNKNOWN
        stays = self.base.declaration_stays(address, before)
        document = self.base.document_stays(address, before, change.document_after)
        if stays is False or document is False:
            return DriftClass.CONFLICT
        return DriftClass.UNKNOWN if stays is None or document is None else DriftClass.CHANGED_OUTSIDE

    def _undeclared(self, change: Change, before: Applied | None) -> DriftClass:
        """Judge what is there and no longer, or not, declared."""
        address = change.address
        facts = self.prepared.live.credentials.get(address)
        if facts is not None and (facts.is_undelivered or facts.is_retiring) and self.base.remembers:
            return DriftClass.NOT_YET_APPLIED
        if before is None:
            known = self.base.remembers and self.base.speaks_for(address) and not self.base.unsettled(address)
            return DriftClass.CHANGED_OUTSIDE if known else DriftClass.UNKNOWN
        stays = live_stays(self.prepared.live.snapshot.resources[address], before, self.base)
        if stays:
            return DriftClass.NOT_YET_APPLIED
        return DriftClass.UNKNOWN if stays is None or self.base.unsettled(address) else DriftClass.CONFLICT

    def _parts(self, change: Change, before: Applied | None) -> Iterator[Part]:
        """Judge each field of what is on both sides and differs."""
        live, wanted = self.prepared.live.snapshot, self.prepared.desired
        sides = tuple(field_values(side.resources[change.address]) for side in (live, wanted))
        yield from field_parts(change, before, (sides[0], sides[1]), self.base)
        yield from document_part(change, before, self.base)


def _whole(parts: Iterable[Part]) -> DriftClass:
    """Return the class of a resource from those of its parts: a conflict if both sides moved."""
    found = {part.drift for part in parts}
    both = {DriftClass.CHANGED_OUTSIDE, DriftClass.NOT_YET_APPLIED} <= found
    if DriftClass.CONFLICT in found or both:
        return DriftClass.CONFLICT
    if DriftClass.UNKNOWN in found or not found:
        return DriftClass.UNKNOWN
    return found.pop()


def _without_place(change: Change) -> dict[str, object]:
    content = change.plain()
    del content["place"]
    return content


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
