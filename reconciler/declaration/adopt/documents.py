"""Vault documents that drifted, written back to where they are declared, without their secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from reconciler.declaration.adopt.failure import LeftError
from reconciler.declaration.adopt.references import Referring, refer
from reconciler.declaration.export_documents import SUFFIXES, variable_of
from reconciler.declaration.key_order import set_key
from reconciler.declaration.source import read_yaml
from reconciler.errors import SourceError
from reconciler.model.resources import Address, Document, DocumentFormat, Kind, Vault
from reconciler.model.secret import Secret
from reconciler.model.text import harmless
from reconciler.vaults.compare import compare_vaults
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.references import ESCAPED, template_tree
from reconciler.vaults.tree import to_plain
from reconciler.yaml.edit import CannotEditError, EditableYaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.declaration.adopt.copy import Plain, WorkingCopy
    from reconciler.declaration.export_documents import DocumentFiles
    from reconciler.vaults.parse import DocumentParser

_BY_SUFFIX = {".json": DocumentFormat.JSON, ".yaml": DocumentFormat.YAML, ".yml": DocumentFormat.YAML}


@dataclass(slots=True)
class AdoptedDocuments:
    """Writes live documents into a working copy.

    ``declared`` are the declared vaults with what is known of their secrets, ``live`` the live ones, both by address.
    ``secrets`` gathers new secrets by name, ``notes`` what people have to do or know.
    """

    copy: WorkingCopy
    declared: Mapping[Address, Vault]
    live: Mapping[Address, Vault]
    files: DocumentFiles
    parser: DocumentParser
    secrets: dict[str, Secret] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def adopt(self, entry: Plain, address: Address, order: tuple[str, ...]) -> None:
        """Write the document of a vault back. Raises :class:`LeftError`."""
        declared, live = self.declared[address], self.live[address]
        taken = {name for vault in self.declared.values() for name, _ in vault.document.secrets} | set(self.secrets)
        try:
            found = refer(live.document, declared.document, live.target, self._prefix(entry, live), taken, self.parser)
        except DocumentError as error:
            raise LeftError(f"its document cannot be written back: {harmless(error.message)}") from error
        text, kind = self._in_yaml(declared, live, found), DocumentFormat.YAML
        if text is None:
            text, kind = found.text, live.format
        self._write(entry, live, text, kind, order)
        _set_sending(entry, kind, live.format, order)
        _set_secrets(entry, found, order)
        self.secrets |= found.new
        self._tell(live, entry, found)

    def forget(self, entry: Plain) -> None:
        """Say which document file nothing refers to any more."""
        path = entry.get("file")
        if isinstance(path, str) and not any(True for _ in self._users(path, entry)):
            self.notes.append(f"{harmless(path)} is not used any more")

    def _prefix(self, entry: Plain, live: Vault) -> str:
        path = entry.get("file")
        stem = PurePosixPath(path).stem if isinstance(path, str) else self.files.free_stem(live)
        return variable_of(stem)

    def _in_yaml(self, declared: Vault, live: Vault, found: Referring) -> str | None:
        """Return the new text of a document that is written in YAML and sent as JSON, or ``None``."""
        document = declared.document
        formats = document.format, live.format
        if formats != (DocumentFormat.YAML, DocumentFormat.JSON) or ESCAPED in found.text:
            return None
        names = tuple((name, None) for name in (*found.kept, *found.new))
        try:
            values = to_plain(template_tree(Document(live.format, Secret(found.text), names, "live"), self.parser).tree)
            read_yaml(document.text.reveal(), "document")
            editable = EditableYaml.read(document.text.reveal())
            _lay_over(editable.values, values)
            text = editable.edited()
            bound = (*((name, secret) for name, secret in found.new.items()), *document.secrets)
            written = replace(document, text=Secret(text), secrets=bound)
            same = compare_vaults(live, replace(declared, document=written), self.parser)
        except (DocumentError, SourceError, CannotEditError):
            return None
        return text if all(edit.secret for edit in same.edits) else None

    def _write(self, entry: Plain, live: Vault, text: str, kind: DocumentFormat, order: tuple[str, ...]) -> None:
        path = entry.get("file")
        if path is None:
            entry["data"] = text
            written = entry.get("format", DocumentFormat.HOCON.value)
        else:
            if any(True for _ in self._users(path, entry)):
                name = f"{self.files.free_stem(live)}{SUFFIXES[kind]}"
                path = PurePosixPath(self.files.folder, name).as_posix()
                self.files.files[path] = text
                entry["file"] = path
            self.copy.documents[path] = text
            by_suffix = _BY_SUFFIX.get(PurePosixPath(path).suffix.lower(), DocumentFormat.HOCON)
            written = entry.get("format", by_suffix.value)
        if written != kind.value:
            set_key(entry, "format", kind.value, order)

    def _users(self, path: str, entry: Plain) -> Iterator[Plain]:
        """Iterate over the other vaults that a document file is declared for."""
        own = (account.get("vault") or {} for account in self.copy.all(Kind.SERVICE_ACCOUNT))
        for other in (*self.copy.all(Kind.VAULT), *own):
            file = other.get("file")
            if other is not entry and isinstance(file, str) and PurePosixPath(file) == PurePosixPath(path):
                yield other

    def _tell(self, live: Vault, entry: Plain, found: Referring) -> None:
        title = harmless(live.title)
        for name in sorted(found.changed):
            self.notes.append(
                f"vault {title}: the secret {name} is another one live; change it where it comes from "
                f"({_source(entry['secrets'][name])})"
            )
        if found.rewritten:
            self.notes.append(f"vault {title}: its document was rewritten, and comments in it are lost")


def _source(source: Any) -> str:
    kind, value = next(iter(source.items()))
    words = " ".join(value) if isinstance(value, list) else str(value)
    return f"{kind} {harmless(words)}"


def _set_sending(entry: Plain, written: DocumentFormat, sent: DocumentFormat, order: tuple[str, ...]) -> None:
    """Make sure that a document is sent in the format that it is live in."""
    if written is not DocumentFormat.YAML:
        entry.pop("send_as", None)
    elif entry.get("send_as", DocumentFormat.JSON.value) != sent.value:
        set_key(entry, "send_as", sent.value, order)


def _set_secrets(entry: Plain, found: Referring, order: tuple[str, ...]) -> None:
    secrets = entry.get("secrets")
    if not isinstance(secrets, dict):
        secrets = {}
    for name in [name for name in secrets if name not in found.kept]:
        del secrets[name]
    secrets |= {name: {"env": name} for name in found.new}
    if secrets:
        set_key(entry, "secrets", secrets, order)
    else:
        entry.pop("secrets", None)


def _lay_over(values: Any, new: Any) -> None:
    """Change values in place to new ones, and keep every mapping and list that stays one."""
    if isinstance(values, dict):
        for key in [key for key in values if key not in new]:
            del values[key]
        for key, value in new.items():
            if _same_kind(values.get(key), value):
                _lay_over(values[key], value)
            else:
                values[key] = value
    else:
        for index, value in enumerate(new):
            if index < len(values) and _same_kind(values[index], value):
                _lay_over(values[index], value)
            else:
                values[index : index + 1] = [value]
        del values[len(new) :]


def _same_kind(old: Any, new: Any) -> bool:
    return (isinstance(old, dict) and isinstance(new, dict)) or (isinstance(old, list) and isinstance(new, list))
