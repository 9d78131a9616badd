"""The documents of an imported workspace as files, with their secrets taken out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from reconciler.declaration.check_names import name_fault
from reconciler.declaration.values import TARGET_TYPES
from reconciler.model.resources import DocumentFormat
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.extract import extract_secrets

if TYPE_CHECKING:
    from reconciler.model.resources import Vault
    from reconciler.model.secret import Secret
    from reconciler.vaults.parse import DocumentParser

FOLDER = "vaults"
SUFFIXES = {DocumentFormat.HOCON: ".conf", DocumentFormat.JSON: ".json", DocumentFormat.YAML: ".yaml"}
"""How the names of document files end."""

_TARGETS = {text: name for name, text in TARGET_TYPES.items()}


def target_title(target: str) -> str:
    """Return the API's type text of a vault as a declaration says it."""
    return _TARGETS.get(target) or f"type:{target}"


@dataclass(slots=True)
class DocumentFiles:
    """Gathers document files, by path, and the secrets that were taken out of them, by name.

    ``folder`` is where they go; ``taken`` are paths that are not free. With ``hide_unknown`` every string that nobody
    knows to be harmless counts as a secret; otherwise ``unknown`` has their places, by file.
    """

    parser: DocumentParser
    folder: str = FOLDER
    taken: frozenset[str] = frozenset()
    hide_unknown: bool = False
    files: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)
    unknown: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, vault: Vault) -> dict[str, object] | None:
        """Add a vault's document; return how the declaration speaks of it, or ``None`` if it does not parse."""
        stem = self.free_stem(vault)
        try:
            extracted = extract_secrets(
                vault.document, vault.target, variable_of(stem), self.parser, hide_unknown=self.hide_unknown
            )
        except DocumentError:
            return None
        path = PurePosixPath(self.folder, f"{stem}{SUFFIXES[vault.format]}").as_posix()
        self.files[path] = extracted.text
        self.secrets |= extracted.names
        self.left |= {path: extracted.left} if extracted.left else {}
        self.unknown |= {path: extracted.unknown} if extracted.unknown else {}
        entry: dict[str, object] = {}
        if vault.target != TARGET_TYPES["client"]:
            entry["target"] = target_title(vault.target)
        entry |= {"format": vault.format.value, "file": path}
        if vault.format is DocumentFormat.YAML:
            entry["send_as"] = "yaml"
        if not vault.enabled:
            entry["enabled"] = False
        if extracted.names:
            entry["secrets"] = {name: {"env": name} for name in extracted.names}
        return entry

    def free_stem(self, vault: Vault) -> str:
        """Return a name for a vault's document, without folder and suffix, that no other has."""
        stem = "-".join(dict.fromkeys((_slug(vault.owner), _slug(vault.name))))
        taken = {PurePosixPath(path).stem for path in (*self.files, *self.taken)}
        candidate, number = stem, 2
        while candidate in taken:
            candidate, number = f"{stem}-{number}", number + 1
        return candidate


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "vault"


def variable_of(stem: str) -> str:
    """Return what the names of a document's secrets begin with."""
    return stem.replace("-", "_").upper()


def own_name(vault: Vault) -> dict[str, object]:
    """Return how an entry names an account's own vault: not at all if it has no name of its own to be declared."""
    return {"name": vault.name} if vault.name != vault.owner and name_fault(vault.name) is None else {}
