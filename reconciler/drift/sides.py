"""What of each difference comes from outside, and what from the files: the three-way side of ``adopt``.

A difference is split by the class of each of its parts (:mod:`reconciler.drift.classify`). Pure: nothing is read here.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.drift.fields import DOCUMENT
from reconciler.drift.report import DriftClass
from reconciler.frozen import Frozen
from reconciler.model.edits import DocumentEdit, FieldEdit, SetEdit, TextEdit
from reconciler.plan.changes import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.drift.report import Finding
    from reconciler.model.edits import Edit
    from reconciler.model.resources import Address
    from reconciler.plan.changes import Change


class Preference(Enum):
    """Which side a conflict goes to. ``NEITHER``: it is left, and said."""

    NEITHER = "neither"
    FILES = "ours"
    WORKSPACE = "theirs"


class PartKey(Frozen):
    """One difference within a resource: a field, one element of a set, or (``field`` is empty) all of it."""

    field: str = ""
    element: str | None = None


WHOLE = PartKey()


class Kept(Frozen):
    """A part that stays as the files say, and why."""

    address: Address
    part: PartKey
    drift: DriftClass
    is_open: bool = False
    """Whether somebody has still to decide: a conflict that no side was preferred for, or what nobody knows."""


class Sides(Frozen):
    """The differences that are to be taken over, cut down to what is, and what the files keep of them and others."""

    taken: tuple[Change, ...]
    kept: tuple[Kept, ...]

    def keeps(self, change: Change) -> bool:
        """Return whether a difference that remains is no more than what is kept."""
        parts = {kept.part for kept in self.kept if kept.address == change.address}
        return WHOLE in parts or (bool(parts) and set(parts_of(change)) <= parts)


def split(
    changes: Iterable[Change],
    findings: Iterable[Finding],
    prefer: Preference = Preference.NEITHER,
    *,
    take_unknown: bool = False,
) -> Sides:
    """Split differences by the side that moved; what is in no finding is taken whole.

    ``take_unknown``: what nobody can tell of is taken, since somebody asked for it by name.
    """
    by_address = {finding.address: finding for finding in findings}
    taken: list[Change] = []
    kept: list[Kept] = []
    for change in changes:
        finding = by_address.get(change.address)
        if finding is None:
            taken.append(change)
            continue
        classes = _classes(change, finding)
        takes = {part: _takes(drift, prefer, take_unknown=take_unknown) for part, drift in classes.items()}
        for part, drift in classes.items():
            if not takes[part]:
                kept.append(Kept(change.address, part, drift, _is_open(drift, prefer)))
        if all(takes.values()):
            taken.append(change)
        elif any(takes.values()):
            taken.append(_cut(change, takes))
    return Sides(tuple(taken), tuple(kept))


def parts_of(change: Change) -> Iterator[PartKey]:
    """Iterate over the parts of a difference that is one of several fields; of another there is only the whole."""
    if change.action is not Action.UPDATE:
        yield WHOLE
        return
    for edit in change.edits:
        if isinstance(edit, SetEdit):
            yield from (PartKey(edit.field, element) for element in (*edit.added, *edit.removed))
        else:
            yield _part_of(edit)


def _part_of(edit: FieldEdit | DocumentEdit | TextEdit) -> PartKey:
    """Return the part that an edit belongs to: a document is written back whole, with the format that it is in."""
    return PartKey(edit.field) if isinstance(edit, FieldEdit) and edit.field != "format" else PartKey(DOCUMENT)


def _classes(change: Change, finding: Finding) -> Mapping[PartKey, DriftClass]:
    if change.action is not Action.UPDATE:
        return {WHOLE: finding.drift}
    found: dict[PartKey, DriftClass] = {}
    for part in finding.parts:
        key = PartKey(DOCUMENT if part.field == "format" else part.field, part.element)
        moved = {found.get(key, part.drift), part.drift}
        found[key] = moved.pop() if len(moved) == 1 else DriftClass.CONFLICT
    return {key: found.get(key, DriftClass.UNKNOWN) for key in parts_of(change)}


def _takes(drift: DriftClass, prefer: Preference, *, take_unknown: bool) -> bool:
    match drift:
        case DriftClass.CHANGED_OUTSIDE:
            return True
        case DriftClass.CONFLICT:
            return prefer is Preference.WORKSPACE
        case DriftClass.UNKNOWN:
            return take_unknown
        case DriftClass.NOT_YET_APPLIED:
            return False


def _is_open(drift: DriftClass, prefer: Preference) -> bool:
    return drift is DriftClass.UNKNOWN or (drift is DriftClass.CONFLICT and prefer is Preference.NEITHER)


def _cut(change: Change, takes: Mapping[PartKey, bool]) -> Change:
    """Return a difference with only those of its parts that are taken."""
    edits: list[Edit] = []
    for edit in change.edits:
        if isinstance(edit, SetEdit):
            added = tuple(name for name in edit.added if takes[PartKey(edit.field, name)])
            removed = tuple(name for name in edit.removed if takes[PartKey(edit.field, name)])
            if added or removed:
                edits.append(replace(edit, added=added, removed=removed))
        elif takes[_part_of(edit)]:
            edits.append(edit)
    return replace(change, edits=tuple(edits))
