"""Fields, elements of sets, and documents of one resource, each against what the record has of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.drift.report import DriftClass, Part
from reconciler.model.edits import DocumentEdit, FieldEdit, SetEdit, TextEdit
from reconciler.model.resources import MemberState, Vault
from reconciler.plan.fingerprints import digest_of, public_digest
from reconciler.record.fingerprint import field_digests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.drift.base import Base
    from reconciler.model.resources import Resource
    from reconciler.plan.changes import Change
    from reconciler.record.document import Applied

_ENTITY = "entity"
_OF_PEOPLE = "name"
_DIGESTED_AS = {"resource": _ENTITY}
"""The fields that a change calls otherwise than the record does."""

_NO_OPINION = frozenset({"email", "owner", "account", "state", "fixed", "builtin", "assignable"})
"""Fields that follow from the address or from what the server does by itself."""

DOCUMENT = "document"


def field_parts(
    change: Change,
    before: Applied | None,
    sides: tuple[Mapping[str, str], Mapping[str, str]],
    base: Base,
) -> Iterator[Part]:
    """Judge every field, and every element of a set, that a change names.

    ``sides`` are the digests of the live and the declared fields.
    """
    live, wanted = sides
    for edit in change.edits:
        match edit:
            case FieldEdit():
                name = _DIGESTED_AS.get(edit.field, edit.field)
                yield Part(field=edit.field, drift=_field(change, before, name, live.get(name), wanted.get(name), base))
            case SetEdit():
                yield from _elements(change, before, edit, base)
            case DocumentEdit() | TextEdit():
                continue


def _field(
    change: Change, before: Applied | None, name: str, live: str | None, wanted: str | None, base: Base
) -> DriftClass:
    if before is None:
        return DriftClass.UNKNOWN
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
    return before.fields.get("state") == digest_of("state", MemberState.INVITED)


def _elements(change: Change, before: Applied | None, edit: SetEdit, base: Base) -> Iterator[Part]:
    """Judge who joins and who leaves: what the record has was there, so its side is the one that stayed."""
    then = None if before is None else before.sets.get(edit.field)
    for joins, elements in ((True, edit.added), (False, edit.removed)):
        for element in elements:
            if then is None:
                drift = DriftClass.UNKNOWN
            elif joins == any(digest in then for digest in base.names(edit.field, element)):
                drift = DriftClass.UNKNOWN if base.unsettled(change.address) else DriftClass.CHANGED_OUTSIDE
            else:
                drift = DriftClass.NOT_YET_APPLIED
            yield Part(field=edit.field, element=element, drift=drift)


def document_part(change: Change, before: Applied | None, base: Base) -> Iterator[Part]:
    """Judge a vault's document as a whole, if it differs."""
    if any(isinstance(edit, DocumentEdit | TextEdit) for edit in change.edits):
        yield Part(field=DOCUMENT, drift=_document(change, before, base))


def _document(change: Change, before: Applied | None, base: Base) -> DriftClass:
    if before is None or before.document is None or before.key_id != base.key.key_id:
        return DriftClass.UNKNOWN
    if change.document_before == before.document:
        return DriftClass.NOT_YET_APPLIED
    stays = base.document_stays(change.address, before, change.document_after)
    if stays is None or base.unsettled(change.address):
        return DriftClass.UNKNOWN
    return DriftClass.CHANGED_OUTSIDE if stays else DriftClass.CONFLICT


def live_stays(resource: Resource, before: Applied, base: Base) -> bool | None:
    """Tell whether a live resource is as it was recorded; ``None`` if nobody can tell of its document."""
    # One digest of the whole is faster than one of each element; where it differs the difference may not count.
    if public_digest(resource) != before.public and not _fields_stay(resource, before, base):
        return False
    if not isinstance(resource, Vault):
        return True
    if before.document is None or before.key_id != base.key.key_id:
        return None
    return base.key.of_text(resource.document.text) == before.document


def _fields_stay(resource: Resource, before: Applied, base: Base) -> bool:
    single, sets = field_digests(resource)
    for name, digest in single.items():
        then = before.fields.get(name)
        renamed = name == "name" and resource.address != before.address
        if name not in _NO_OPINION and then is not None and then != digest and not renamed:
            return False
    for name in sets:
        elements: frozenset[str] = getattr(resource, name)
        then_elements = set(before.sets.get(name, ()))
        found = [next(iter(then_elements.intersection(base.names(name, element))), None) for element in elements]
        if None in found or len(found) != len(then_elements):
            return False
    return True
