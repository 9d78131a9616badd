"""Vault documents as the difference sees them: edits by path, and keyed digests of the stored texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import field
from msgspec.structs import replace

from reconciler.frozen import Frozen
from reconciler.model.edits import Edit, TextEdit
from reconciler.model.resources import Document, Resource, Vault
from reconciler.model.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.resources import Address
    from reconciler.plan.fingerprints import DigestKey
    from reconciler.vaults.origin import Remembered
    from reconciler.vaults.parse import DocumentParser


class ComparedDocument(Frozen):
    """What differs between two documents; ``text_only`` if the text does and the meaning does not."""

    edits: tuple[Edit, ...] = ()
    text_only: bool = False
    secrets_left_out: int = 0


class DocumentComparison(Frozen):
    """Compares vault documents: first their texts, and only where those differ their meaning.

    ``exact`` makes a different text with the same meaning a change of its own. ``applied`` is what is remembered of
    vaults as they were applied last; ``reveal`` shows every value.
    """

    parser: DocumentParser
    key: DigestKey
    exact: bool = False
    applied: Mapping[Address, Remembered] = field(default_factory=dict)
    reveal: bool = False

    def compare(self, existing: Vault | None, wanted: Vault) -> ComparedDocument:
        """Compare a live vault, or nothing, with a declared one.

        Raises :class:`reconciler.vaults.errors.DocumentError` if the declared document cannot be written safely.
        """
        stored = self._stored(wanted)
        if existing is not None and stored is not None and stored == existing.document.text:
            return ComparedDocument()
        from reconciler.vaults.compare import compare_vaults
        from reconciler.vaults.origin import NOTHING_REMEMBERED

        remembered = self.applied.get(wanted.address, NOTHING_REMEMBERED)
        nothing = replace(wanted, document=Document(wanted.format, Secret("{}")))
        result = compare_vaults(existing or nothing, wanted, self.parser, remembered, reveal=self.reveal)
        edits: tuple[Edit, ...] = result.edits
        if existing is None:
            return ComparedDocument(edits, secrets_left_out=result.secrets_left_out)
        if result.unparsable_before:
            return ComparedDocument((TextEdit(readable=False), *edits), secrets_left_out=result.secrets_left_out)
        text_only = result.same_meaning and not result.same_text
        if text_only and self.exact:
            return ComparedDocument((TextEdit(readable=True),), secrets_left_out=result.secrets_left_out)
        return ComparedDocument(edits, text_only, result.secrets_left_out)

    def digests(self, existing: Resource | None, wanted: Resource | None) -> tuple[str | None, str | None]:
        """Return the keyed digests of the live and the declared text, where there are such."""
        before = self.key.of_text(existing.document.text) if isinstance(existing, Vault) else None
        stored = self._stored(wanted) if isinstance(wanted, Vault) else None
        return before, self.key.of_text(stored) if stored is not None else None

    def _stored(self, vault: Vault) -> Secret | None:
        from reconciler.vaults.portable import stored_text

        if any(value is None for _, value in vault.document.secrets):
            return None
        return stored_text(vault, self.parser)
