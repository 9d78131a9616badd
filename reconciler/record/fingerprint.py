"""Digests of single fields: enough to tell later which of them moved, and on which side.

Fields that everybody who reads the declaration can see (a role, a name, who is in a group) have plain digests, so that
any run can compare them, whichever credential it signs in with. A vault's text may hold secrets: its digest is keyed
with the run's own credential and can be compared only under the same ``key_id``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import TYPE_CHECKING

from reconciler.model.access import Entity
from reconciler.model.resources import Kind, Vault
from reconciler.plan.fingerprints import public_digest
from reconciler.record.document import Applied

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.model.resources import Address, Resource
    from reconciler.plan.fingerprints import DigestKey

_NOT_ON_THE_SERVER = frozenset({"lifetime", "rotate_before", "delivery"})
_LENGTH = 16


def applied(resource: Resource, server_id: str | None, key: DigestKey, seen: datetime) -> Applied:
    """Return what the record keeps of a live resource, as it is at this moment.

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
        seen=seen,
    )


def field_digests(resource: Resource) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Return the digests of a resource's single-valued fields, and, of those that are sets, of each element."""
    single: dict[str, str] = {}
    sets: dict[str, tuple[str, ...]] = {}
    for name in (field.name for field in fields(resource)):
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


def digest_of(name: str, value: str | bool) -> str:
    """Return the digest of one value of a field."""
    return hashlib.sha256(json.dumps([name, value]).encode()).hexdigest()[:_LENGTH]


def identity(address: Address, server_id: str | None) -> str | None:
    """Return what stands for a resource's server id in a record; an access key is not written out."""
    if server_id is None or address.kind is not Kind.CREDENTIAL:
        return server_id
    return digest_of("access_key", server_id)
