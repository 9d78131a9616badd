"""What the record keeps of a resource: enough to tell later which of its fields moved, and on which side.

Fields that everybody who reads the declaration can see (a role, a name, who is in a group) are kept as they are. A
vault's text may hold secrets: of it there are digests, keyed with the run's own key, that can be compared only under
the same ``key_id``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.access import Entity
from reconciler.plan.fingerprints import identity, public_digest
from reconciler.record.document import Applied, AppliedDocument
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.tree import Expression, Hidden, PythonObject, Scalar, leaves

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.model.resources import Resource, Vault
    from reconciler.plan.documents import DocumentComparison
    from reconciler.plan.fingerprints import DigestKey
    from reconciler.record.document import FieldValue
    from reconciler.vaults.tree import Path, Tree

_NOT_ON_THE_SERVER = frozenset({"lifetime", "rotate_before", "delivery"})
_DIGEST_LENGTH = 16


def applied(resource: Resource, server_id: str | None, seen: datetime, *, declared: Resource | None = None) -> Applied:
    """Return what the record keeps of a live resource but for its document, and of what was ``declared`` then."""
    return Applied(
        kind=resource.address.kind,
        key=resource.address.key,
        server_id=identity(resource.address, server_id),
        fields=field_values(resource),
        declared=public_digest(declared) if declared is not None else None,
        seen=seen,
    )


def applied_document(
    live: Vault, declared: Vault | None, documents: DocumentComparison, before: AppliedDocument | None
) -> AppliedDocument:
    """Return what the record keeps of a live vault's document, and of the ``declared`` one where it is as declared.

    What was known ``before`` of the same texts is not worked out again.
    """
    key = documents.key
    text = key.of_text(live.document.text)
    if declared is None:
        return AppliedDocument(key_id=key.key_id, text=text)
    _, stored = documents.digests(None, declared)
    template = key.of_text(declared.document.text)
    if before is not None and before.key_id == key.key_id:
        known = (before.text, before.declared, before.template, before.visible)
        same = known == (text, stored, template, declared.document.visible)
        if same and stored is not None and (before.values or not declared.document.reviewed):
            return before
    values, secrets = _digests(declared, documents)
    return AppliedDocument(
        key_id=key.key_id,
        text=text,
        declared=stored,
        template=template,
        values=values,
        secrets=secrets,
        visible=declared.document.visible,
    )


def _digests(declared: Vault, documents: DocumentComparison) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the digests of a declared document's values by those of their paths, and the paths of its secrets.

    Only values of a reviewed file count: those of another may be secrets that nobody has read.
    """
    from reconciler.vaults.references import bind

    key = documents.key
    try:
        bound = bind(declared.document, documents.parser)
    except DocumentError:
        return {}, ()
    values = {
        path_digest(key, path): value_digest(key, path, leaf)
        for path, leaf in leaves(bound.tree)
        if declared.document.reviewed and path not in bound.references
    }
    return dict(sorted(values.items())), tuple(sorted(path_digest(key, path) for path in bound.references))


def path_digest(key: DigestKey, path: Path) -> str:
    """Return the keyed digest of a path in a document."""
    return key.digest("path", json.dumps(path))[:_DIGEST_LENGTH]


def value_digest(key: DigestKey, path: Path, leaf: Tree) -> str:
    """Return the keyed digest of a value at a path: the same value elsewhere has another one."""
    return key.digest("value", json.dumps(path), *_canonical(leaf))[:_DIGEST_LENGTH]


def was_literal(document: AppliedDocument, key: DigestKey, path: Path, leaf: Tree) -> bool:
    """Return whether this value at this path was applied from a literal in the declaration's files.

    ``False`` where that is not known, as after the key was changed.
    """
    where = path_digest(key, path)
    known = document.key_id == key.key_id and where not in document.secrets
    return known and document.values.get(where) == value_digest(key, path, leaf)


def was_secret(document: AppliedDocument, key: DigestKey, path: Path) -> bool:
    """Return whether a declared secret stood at this path; ``False`` where that is not known."""
    return document.key_id == key.key_id and path_digest(key, path) in document.secrets


class RememberedDocument(Frozen):
    """A document as it was applied, read with a key: what decides which live values are shown asks it."""

    document: AppliedDocument
    key: DigestKey

    def was_literal(self, path: Path, leaf: Tree) -> bool:
        """Return whether this value at this path was applied from a literal of a reviewed file."""
        return was_literal(self.document, self.key, path, leaf)

    def was_secret(self, path: Path) -> bool:
        """Return whether a reference to a secret stood at this path."""
        return was_secret(self.document, self.key, path)

    def was_visible(self, pattern: str) -> bool:
        """Return whether the declaration made this pattern of paths visible then."""
        return self.document.key_id == self.key.key_id and pattern in self.document.visible


def _canonical(leaf: Tree) -> tuple[str, str]:
    match leaf:
        case Scalar():
            return type(leaf.value).__name__, json.dumps(leaf.value)
        case Expression():
            return "expression", leaf.source
        case PythonObject() | Hidden():
            return type(leaf).__name__, leaf.text
        case _:
            return type(leaf).__name__, ""


def field_values(resource: Resource) -> dict[str, FieldValue]:
    """Return the fields of a resource as the record keeps them: of all that the server has, but for a document.

    A field that is ``None`` (not said, or not told by the server) is missing.
    """
    values = {name: getattr(resource, name) for name in type(resource).__struct_fields__}
    return {
        name: _plain(value)
        for name, value in values.items()
        if value is not None and name != "document" and name not in _NOT_ON_THE_SERVER
    }


def _plain(value: object) -> FieldValue:
    if isinstance(value, frozenset):
        return tuple(sorted(value))
    if isinstance(value, Entity):
        return "/".join(value.identity)
    return value if isinstance(value, bool) else str(value)
