"""Digests of single fields: enough to tell later which of them moved, and on which side.

Fields that everybody who reads the declaration can see (a role, a name, who is in a group) have plain digests, so that
any run can compare them, whichever credential it signs in with. A vault's text may hold secrets: its digest is keyed
with the run's own credential and can be compared only under the same ``key_id``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.access import Entity
from reconciler.model.resources import Vault
from reconciler.plan.fingerprints import digest_of, identity, public_digest
from reconciler.record.document import Applied

__all__ = ["DeclaredDigests", "applied", "declared_at", "digest_of", "field_digests", "identity"]

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.model.resources import Address, Resource
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.documents import DocumentComparison
    from reconciler.plan.fingerprints import DigestKey

_NOT_ON_THE_SERVER = frozenset({"lifetime", "rotate_before", "delivery"})


class DeclaredDigests(Frozen):
    """What a declaration said of a resource: digests of all but its document, and of that document.

    ``document`` is of the text to be stored (``None`` without its secrets), ``template`` of the text as it is written
    in the file, which can be compared in a run without secrets too.
    """

    public: str
    document: str | None = None
    template: str | None = None


def applied(
    resource: Resource, server_id: str | None, key: DigestKey, seen: datetime, declared: DeclaredDigests | None = None
) -> Applied:
    """Return what the record keeps of a live resource, as it is at this moment, and of what was ``declared`` then.

    A field that is ``None`` (not said, or not told by the server) has no digest.
    """
    single, sets = field_digests(resource)
    has_text = isinstance(resource, Vault)
    return Applied(
        kind=resource.address.kind,
        key=resource.address.key,
        server_id=identity(resource.address, server_id),
        public=public_digest(resource),
        fields=single,
        sets=sets,
        document=key.of_text(resource.document.text) if isinstance(resource, Vault) else None,
        key_id=key.key_id if has_text else None,
        declared=declared.public if declared else None,
        declared_document=declared.document if declared else None,
        declared_template=declared.template if declared else None,
        seen=seen,
    )


def declared_at(address: Address, snapshot: Snapshot, documents: DocumentComparison) -> DeclaredDigests | None:
    """Return what a declaration says of a resource, as the record keeps it; ``None`` if it says nothing."""
    resource = snapshot.get(address)
    if resource is None:
        return None
    if not isinstance(resource, Vault):
        return DeclaredDigests(public_digest(resource))
    _, stored = documents.digests(None, resource)
    return DeclaredDigests(public_digest(resource), stored, documents.key.of_text(resource.document.text))


def field_digests(resource: Resource) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Return the digests of a resource's single-valued fields, and, of those that are sets, of each element."""
    single: dict[str, str] = {}
    sets: dict[str, tuple[str, ...]] = {}
    for name in type(resource).__struct_fields__:
        value = getattr(resource, name)
        if name == "document" or name in _NOT_ON_THE_SERVER or value is None:
            continue
        if isinstance(value, frozenset):
            sets[name] = tuple(sorted(digest_of(name, element) for element in value))
        elif isinstance(value, Entity):
            single[name] = digest_of(name, "/".join(value.identity))
        else:
            single[name] = digest_of(name, value)
    return single, sets
