"""Vault documents: they parse in their format, and refer to the secrets that are declared, and to no others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from reconciler.declaration.context import Context, shown, warning
from reconciler.errors import Place, Problem
from reconciler.model.resources import Document
from reconciler.model.secret import Secret
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.places import line_of, value_lines
from reconciler.vaults.portable import write_portable_json
from reconciler.vaults.references import find_references, template_tree
from reconciler.vaults.showing import plain_secrets, shown_path
from reconciler.vaults.tree import Scalar, lookup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.declaration.declaration import Entry, OwnedVault
    from reconciler.declaration.models import DocumentEntry
    from reconciler.model.placed_text import PlacedText
    from reconciler.vaults.parse import DocumentParser
    from reconciler.vaults.references import Template
    from reconciler.vaults.tree import Path

_SHOWN: Final = 20
_LONGEST_HEAD: Final = 40
SECRET_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")


def check_documents(context: Context, parser: DocumentParser) -> Iterator[Problem]:
    """Check every document and its secrets.

    The rules: document-syntax, not-portable, document-secret, document-plain-secret, secret-name, unused-secret.
    """
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
    yield from _plain_secrets(vault, document, source, template)
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


def _plain_secrets(vault: OwnedVault, document: PlacedText, source: Document, template: Template) -> Iterator[Problem]:
    """Warn of what looks like a secret and stands in the file itself."""
    found = sorted(plain_secrets(template), key=str)
    lines = value_lines(source) if found else {}
    for path in found[:_SHOWN]:
        line = _line(source, template, path, line_of(lines, path))
        place = Place(document.file, line) if line else _place(vault.entry, document, None, None)
        message = f"the document of {shown(vault.name)} seems to hold a secret in plain text at {shown_path(path)}"
        hint = "write @{NAME} in its place, and say under `secrets` where NAME comes from"
        yield warning("document-plain-secret", message, place, hint)
    if len(found) > _SHOWN:
        message = f"the document of {shown(vault.name)} seems to hold {len(found) - _SHOWN} more secrets in plain text"
        yield warning("document-plain-secret", message, _place(vault.entry, document, None, None))


def _line(source: Document, template: Template, path: Path, start: int | None) -> int | None:
    """Return the line of a value: of an item of a list the first line, from the list's on, that has its text."""
    node = lookup(template.tree, path)
    if start is None or not any(isinstance(part, int) for part in path) or not isinstance(node, Scalar):
        return start
    head = str(node.value)[:_LONGEST_HEAD].split("\n")[0]
    below = source.text.reveal().split("\n")[start - source.line :]
    return next((start + offset for offset, line in enumerate(below) if head in line), start)


def referred(text: str) -> frozenset[str]:
    """Return the names that a document refers to as ``@{NAME}``, comments included."""
    return frozenset(reference.name for reference in find_references(text))


def _place(entry: Entry[Any], document: PlacedText, line: int | None, column: int | None) -> Place:
    if line is None:
        return entry.place("file" if document.file != entry.tree.file else "data")
    return document.place(line, column or 1)
