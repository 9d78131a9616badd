"""The documents of an imported workspace as files, with their secrets taken out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.declaration.values import TARGET_TYPES
from reconciler.model.resources import DocumentFormat
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.extract import extract_secrets

if TYPE_CHECKING:
    from reconciler.model.resources import Vault
    from reconciler.model.secret import Secret
    from reconciler.vaults.parse import DocumentParser

FOLDER = "vaults"
_SUFFIXES = {DocumentFormat.HOCON: ".conf", DocumentFormat.JSON: ".json", DocumentFormat.YAML: ".yaml"}
_TARGETS = {text: name for name, text in TARGET_TYPES.items()}


@dataclass(slots=True)
class DocumentFiles:
    """Gathers document files, by path, and the secrets that were taken out of them, by name."""

    parser: DocumentParser
    files: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)

    def add(self, vault: Vault) -> dict[str, object] | None:
        """Add a vault's document; return how the declaration speaks of it, or ``None`` if it does not parse."""
        stem = self._free_stem(vault)
        try:
            extracted = extract_secrets(vault.document, vault.target, _variable(stem), self.parser)
        except DocumentError:
            return None
        path = f"{FOLDER}/{stem}{_SUFFIXES[vault.format]}"
        self.files[path] = extracted.text
        self.secrets |= extracted.names
        entry: dict[str, object] = {}
        if vault.target != TARGET_TYPES["client"]:
            entry["target"] = _TARGETS.get(vault.target) or f"type:{vault.target}"
        entry |= {"format": vault.format.value, "file": path}
        if vault.format is DocumentFormat.YAML:
            entry["send_as"] = "yaml"
        if not vault.enabled:
            entry["enabled"] = False
        if extracted.names:
            entry["secrets"] = {name: {"env": name} for name in extracted.names}
        return entry

    def _free_stem(self, vault: Vault) -> str:
        stem = "-".join(dict.fromkeys((_slug(vault.owner), _slug(vault.name))))
        taken = {path.removeprefix(f"{FOLDER}/").rpartition(".")[0] for path in self.files}
        candidate, number = stem, 2
        while candidate in taken:
            candidate, number = f"{stem}-{number}", number + 1
        return candidate


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "vault"


def _variable(stem: str) -> str:
    return stem.replace("-", "_").upper()
