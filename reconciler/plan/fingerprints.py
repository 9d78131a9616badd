"""Digests that tell whether something moved since a plan was made, without holding what it was.

Two sorts. A *public* digest covers everything of a resource but a vault's text. A *document* digest covers that text
and is keyed with something that is not in the plan (derived from the API secret key of the run), so that a plan file
gives nobody a way to try out guesses of a secret. A plan made with one key and applied with another compares the
public digests and the edits only; ``key_id`` tells which key it was.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import asdict, astuple

from reconciler.frozen import Frozen
from reconciler.model.access import Entity
from reconciler.model.resources import AccessRule, Credential, Document, Kind, Resource, Vault
from reconciler.model.text import canonical_json

if TYPE_CHECKING:
    from reconciler.model.resources import Address
    from reconciler.model.secret import Secret
    from reconciler.model.snapshot import Snapshot

_FIELD_LENGTH = 16
_AT_ONCE = 1000
"""How many resources are written as one text on the way to a digest: one for all of them would take memory."""

_WITH_PARTS = (Credential, Vault, AccessRule)
"""The sorts of which a field is more than a text, a truth value or a set of names."""


class DigestKey(Frozen):
    """The key of document digests and a name for it that gives nothing away."""

    key: bytes
    key_id: str

    @staticmethod
    def derive(access_key: str, secret_key: Secret) -> DigestKey:
        """Make the key from the API credential that this run signs in with."""
        key = hmac.digest(secret_key.reveal().encode(), b"clearml-reconciler/plan/1", "sha256")
        return DigestKey(key, hashlib.sha256(access_key.encode()).hexdigest()[:12])

    def of_text(self, text: Secret) -> str:
        """Return the keyed digest of a document's text."""
        return hmac.digest(self.key, text.reveal().encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def public_digest(resource: Resource) -> str:
    """Return a digest of all fields of a resource but its document."""
    return _hash([type(resource).__name__, _content(resource)])


def declaration_digest(snapshot: Snapshot, key: DigestKey) -> str:
    """Return one keyed digest for all that a declaration asks for, whatever its order; templates, not secret values."""
    digest = hmac.new(key.key, digestmod="sha256")
    everything = sorted(snapshot.resources.items())
    for start in range(0, len(everything), _AT_ONCE):
        lines = [
            (*address, *_values(resource), key.of_text(resource.document.text) if isinstance(resource, Vault) else "")
            for address, resource in everything[start : start + _AT_ONCE]
        ]
        digest.update(canonical_json(lines))
    return digest.hexdigest()[:32]


def digest_of(name: str, value: str | bool) -> str:
    """Return the digest of one value of a field."""
    return hashlib.sha256(json.dumps([name, value]).encode()).hexdigest()[:_FIELD_LENGTH]


def identity(address: Address, server_id: str | None) -> str | None:
    """Return what stands for a resource's server id where it is kept; an access key is not written out."""
    if server_id is None or address.kind is not Kind.CREDENTIAL:
        return server_id
    return digest_of("access_key", server_id)


def _content(resource: Resource) -> dict[str, object]:
    return dict(zip(resource.__struct_fields__, _values(resource), strict=True))


def _values(resource: Resource) -> tuple[object, ...]:
    values = astuple(resource)
    return tuple(map(_plain, values)) if isinstance(resource, _WITH_PARTS) else values


def _plain(value: object) -> object:
    """Return what stands in a digest for a field; of a document, which has a digest of its own, its format."""
    if isinstance(value, Document):
        return value.format.value
    if isinstance(value, Entity):
        return value.identity
    if isinstance(value, timedelta):
        return value.total_seconds()
    return [type(value).__name__, asdict(value)] if isinstance(value, Frozen) else value


def _hash(content: object) -> str:
    return hashlib.sha256(canonical_json(content)).hexdigest()[:32]
