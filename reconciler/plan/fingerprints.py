"""Digests that tell whether something moved since a plan was made, without holding what it was.

Two sorts. A *public* digest covers everything of a resource but a vault's text. A *document* digest covers that text
and is keyed with something that is not in the plan (``RECONCILER_KEY``, or the API secret key of the run), so that a
plan file gives nobody a way to try out guesses of a secret. The same key seals whole plans.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from functools import cache
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
    """The key of a run: it makes digests of what must not be guessed, and seals what must not be changed.

    ``key_id`` is a name for the key that gives nothing away. What was made with one key means nothing under another.
    """

    key: bytes
    key_id: str

    def __repr__(self) -> str:
        return f"DigestKey({self.key_id})"

    @staticmethod
    def derive(secret: Secret) -> DigestKey:
        """Make the key from a secret: ``RECONCILER_KEY``, or the secret key of the API credential (HKDF, RFC 5869)."""
        key = hmac.digest(_SALT, secret.reveal().encode("utf-8", "surrogatepass"), "sha256")
        return DigestKey(key, _expanded(key, "name").hex()[:12])

    def of_text(self, text: Secret) -> str:
        """Return the keyed digest of a document's text."""
        return self.digest("text", text.reveal())[:32]

    def digest(self, purpose: str, *content: str) -> str:
        """Return the keyed digest of strings; one purpose's digests cannot be taken for another's."""
        key = _expanded(self.key, purpose)
        parts = (part.encode("utf-8", "surrogatepass") for part in content)
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(key, message, "sha256").hex()

    def seals(self, seal: str, purpose: str, content: bytes) -> bool:
        """Return whether a seal was made for this content with this key."""
        return hmac.compare_digest(seal.encode("utf-8", "surrogatepass"), self.seal(purpose, content).encode())

    def seal(self, purpose: str, content: bytes) -> str:
        """Return the seal of some content: nobody without the key can make it, or change the content under it."""
        return "hmac-sha256:" + hmac.digest(_expanded(self.key, f"seal {purpose}"), content, "sha256").hex()


_SALT = b"clearml-reconciler/2"


@cache
def _expanded(key: bytes, purpose: str) -> bytes:
    """Return the key for one purpose: the second step of HKDF, one block of it."""
    return hmac.digest(key, purpose.encode() + b"\x01", "sha256")


def public_digest(resource: Resource) -> str:
    """Return a digest of all fields of a resource but its document."""
    return _hash([type(resource).__name__, _content(resource)])


def declaration_digest(snapshot: Snapshot, key: DigestKey) -> str:
    """Return one keyed digest for all that a declaration asks for, whatever its order; templates, not secret values."""
    digest = hmac.new(_expanded(key.key, "declaration"), digestmod="sha256")
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
