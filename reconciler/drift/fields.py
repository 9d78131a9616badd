"""Fields, elements of sets, and documents of one resource, each against what the record has of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.drift.report import DriftClass, Part
from reconciler.model.edits import DocumentEdit, FieldEdit, SetEdit, TextEdit
from reconciler.model.resources import MemberState, Vault
from reconciler.record.fingerprint import field_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.drift.base import Base
    from reconciler.model.resources import Resource
    from reconciler.plan.changes import Change
    from reconciler.record.document import Applied, FieldValue

_ENTITY = "entity"
_OF_PEOPLE = "name"
_RECORDED_AS = {"resource": _ENTITY}
"""The fields that a change calls otherwise than the record does."""

_NO_OPINION = frozenset({"email", "owner", "account", "state", "fixed", "builtin", "assignable"})
"""Fields that follow from the address or from what the server does by itself."""

DOCUMENT = "document"


def field_parts(
    change: Change,
    before: Applied | None,
    sides: tuple[Mapping[str, FieldValue], Mapping[str, FieldValue]],
    base: Base,
) -> Iterator[Part]:
    """Judge every field, and every element of a set, that a change names.

    ``sides`` are the live and the declared fields.
    """
    live, wanted = sides
    for edit in change.edits:
        match edit:
            case FieldEdit():
                name = _RECORDED_AS.get(edit.field, edit.field)
                yield Part(
                    field=edit.field, drift=_field(change, before, name, (live.get(name), wanted.get(name)), base)
                )
            case SetEdit():
                yield from _elements(change, before, edit, base)
            case DocumentEdit() | TextEdit():
                continue


def _field(
    change: Change, before: Applied | None, name: str, sides: tuple[FieldValue | None, FieldValue | None], base: Base
) -> DriftClass:
    if before is None:
        return DriftClass.UNKNOWN
    live, wanted = sides
    then = before.fields.get(name)
    declaration_stays = base.declaration_stays(change.address, before)
    if live == then:
        # The declaration says the same name, and it leads to another entity now.
        elsewhere = name == _ENTITY and declaration_stays is True
        return DriftClass.CHANGED_OUTSIDE if elsewhere else DriftClass.NOT_YET_APPLIED
    if base.unsettled(change.address):
        return DriftClass.UNKNOWN
    if declaration_stays:
        waited = then is None and name == _OF_PEOPLE and _was_invited(before)
        return DriftClass.NOT_YET_APPLIED if waited else DriftClass.CHANGED_OUTSIDE
    if then is None:
        return DriftClass.UNKNOWN
    return DriftClass.CHANGED_OUTSIDE if wanted == then else DriftClass.CONFLICT


def _was_invited(before: Applied) -> bool:
    return before.fields.get("state") == MemberState.INVITED


def _elements(change: Change, before: Applied | None, edit: SetEdit, base: Base) -> Iterator[Part]:
    """Judge who joins and who leaves: what the record has was there, so its side is the one that stayed."""
    then = None if before is None else _elements_of(before, edit.field)
    for joins, elements in ((True, edit.added), (False, edit.removed)):
        for element in elements:
            if then is None:
                drift = DriftClass.UNKNOWN
            elif joins == any(name in then for name in base.names(edit.field, element)):
                drift = DriftClass.UNKNOWN if base.unsettled(change.address) else DriftClass.CHANGED_OUTSIDE
            else:
                drift = DriftClass.NOT_YET_APPLIED
            yield Part(field=edit.field, element=element, drift=drift)


def document_part(change: Change, before: Applied | None, base: Base) -> Iterator[Part]:
    """Judge a vault's document as a whole, if it differs."""
    if any(isinstance(edit, DocumentEdit | TextEdit) for edit in change.edits):
        yield Part(field=DOCUMENT, drift=_document(change, before, base))


def _document(change: Change, before: Applied | None, base: Base) -> DriftClass:
    then = before.document if before is not None else None
    if before is None or then is None or then.key_id != base.key.key_id:
        return DriftClass.UNKNOWN
    if change.document_before == then.text:
        return DriftClass.NOT_YET_APPLIED
    stays = base.document_stays(change.address, before, change.document_after)
    if stays is None or base.unsettled(change.address):
        return DriftClass.UNKNOWN
    return DriftClass.CHANGED_OUTSIDE if stays else DriftClass.CONFLICT


def live_stays(resource: Resource, before: Applied, base: Base) -> bool | None:
    """Return whether a live resource is as it was recorded; ``None`` if nobody can tell."""
    if not before.fields:
        return None
    if not _fields_stay(resource, before, base):
        return False
    if not isinstance(resource, Vault):
        return True
    then = before.document
    if then is None or then.key_id != base.key.key_id:
        return None
    return base.key.of_text(resource.document.text) == then.text


def _fields_stay(resource: Resource, before: Applied, base: Base) -> bool:
    for name, value in field_values(resource).items():
        if name in _NO_OPINION or value == before.fields.get(name):
            continue
        if isinstance(value, tuple):
            then = _elements_of(before, name) or frozenset()
            found = [next(iter(then.intersection(base.names(name, element))), None) for element in value]
            if None in found or len(found) != len(then):
                return False
        elif name in before.fields and not (name == "name" and resource.address != before.address):
            return False
    return True


def _elements_of(before: Applied, name: str) -> frozenset[str] | None:
    """Return the elements of a set as the record has them; ``None`` if it does not say."""
    then = before.fields.get(name)
    return frozenset(then) if isinstance(then, tuple) else None
