"""Vault documents: they parse in their format, and refer to the secrets that are declared, and to no others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from reconciler.declaration.context import Context, shown, warning
from reconciler.errors import Place, Problem
from reconciler.model.resources import Document
from reconciler.model.secret import Secret
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.portable import write_portable_json
from reconciler.vaults.references import find_references, template_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.declaration.declaration import Entry, OwnedVault
    from reconciler.declaration.models import DocumentEntry
    from reconciler.model.placed_text import PlacedText
    from reconciler.vaults.parse import DocumentParser

SECRET_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")


def check_documents(context: Context, parser: DocumentParser) -> Iterator[Problem]:
    """Check every document: document-syntax, not-portable, document-secret, secret-name, unused-secret."""
    for vault in context.declaration.owned_vaults():
        yield from _secret_names(vault.entry)
        document = context.declaration.document(vault.entry)
        if document is not None:
            yield from _document(vault, document, parser)


def _secret_names(entry: Entry[DocumentEntry]) -> Iterator[Problem]:
    for name in entry.item.secrets:
        if not SECRET_NAME.fullmatch(name):
            message = f"{shown(name)} is not a name for a secret: letters, digits, `_` and `-`, a letter or `_` first"
            yield Problem("secret-name", message, entry.place("secrets", name, key=True))


def _document(vault: OwnedVault, document: PlacedText, parser: DocumentParser) -> Iterator[Problem]:
    entry = vault.entry
    references = find_references(document.text)
    named = {reference.name for reference in references} | set(entry.item.secrets)
    unbound = tuple((name, None) for name in sorted(named))
    source = Document(entry.item.document_format, Secret(document.text), unbound, document.file, document.line)
    try:
        template = template_tree(source, parser)
    except DocumentError as error:
        place = _place(entry, document, error.line, error.column)
        message = f"the document of {shown(vault.name)}: {error.verdict}"
        yield Problem("document-syntax", message, place, error.hint)
        return
    if entry.item.sent_format is not entry.item.document_format:
        try:
            write_portable_json(template.tree)
        except DocumentError as error:
            message = f"the document of {shown(vault.name)} cannot be sent as json: {error.message}"
            yield Problem("not-portable", message, _place(entry, document, None, None))
    used = {name for names in template.references.values() for name in names}
    declared = set(entry.item.secrets)
    for name in sorted(used - declared):
        first = next(reference for reference in references if reference.name == name)
        message = f"the secret {shown(name)} is used here and not declared"
        place = _place(entry, document, first.line, first.column)
        yield Problem("document-secret", message, place, "declare it under the vault's `secrets`")
    for name in sorted(declared - used):
        message = f"the secret {shown(name)} is declared and not used in the document"
        yield warning("unused-secret", message, entry.place("secrets", name, key=True))


def referred(text: str) -> frozenset[str]:
    """Return the names that a document refers to as ``@{NAME}``, comments included."""
    return frozenset(reference.name for reference in find_references(text))


def _place(entry: Entry[Any], document: PlacedText, line: int | None, column: int | None) -> Place:
    if line is None:
        return entry.place("file" if document.file != entry.tree.file else "data")
    return document.place(line, column or 1)
