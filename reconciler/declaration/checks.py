"""The cross checks of a declaration, one after the other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.declaration.check_access import check_access_rules
from reconciler.declaration.check_documents import check_documents
from reconciler.declaration.check_lookalikes import check_look_alikes
from reconciler.declaration.check_names import check_builtins, check_duplicates, check_names, check_renames
from reconciler.declaration.check_references import (
    check_management,
    check_memberships,
    check_policy,
    check_vault_owners,
)
from reconciler.declaration.check_sources import check_sources
from reconciler.declaration.context import Context, shown
from reconciler.errors import Problem
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.declaration.declaration import Declaration, Entry
    from reconciler.declaration.models import ServiceAccountEntry
    from reconciler.declaration.models_credentials import CredentialEntry
    from reconciler.declaration.validation import Part
    from reconciler.errors import Place
    from reconciler.vaults.parse import DocumentParser

_KEPT = frozenset({".git", ".reconciler"})
"""Folders that Git and the record keep beside a declaration."""

_CHECKS = (
    check_names,
    check_duplicates,
    check_look_alikes,
    check_builtins,
    check_renames,
    check_memberships,
    check_vault_owners,
    check_access_rules,
    check_policy,
    check_management,
    check_sources,
)


def check(
    declaration: Declaration, parts: Sequence[Part], *, documents: DocumentParser, complete: bool
) -> Iterator[Problem]:
    """Return every problem that lies between entries rather than within one.

    ``complete`` is false if a file could not be read: then nothing is called unknown, for it may be declared there.
    """
    context = Context(declaration, parts, complete=complete)
    for one in _CHECKS:
        yield from one(context)
    yield from _credentials(declaration)
    yield from check_documents(context, documents)


def _credentials(declaration: Declaration) -> Iterator[Problem]:
    """Check credentials: rotation-too-early, rotation-without-end, duplicate-delivery, delivery-over-source."""
    folders = _Folders()
    written: dict[str, _Written] = {}
    sources = {folders.real(file) for file in (*declaration.files, *_secret_files(declaration))}
    for account in declaration.service_accounts or ():
        for index, credential in enumerate(account.item.credentials or ()):
            yield from _rotation(account, index, credential)
            file = credential.deliver.written_file if credential.deliver is not None else None
            if file is None:
                continue
            steps, path = file
            this = _Written(account, index, steps)
            target = folders.real(path if path.startswith("/") else f"{declaration.folder}/{path}")
            first = written.setdefault(target, this)
            if first is not this:
                message = f"{shown(path)} already receives another key, at {first.place}"
                yield Problem("duplicate-delivery", message, this.place)
            if target in sources or not _KEPT.isdisjoint(path.split("/")):
                message = f"{shown(path)} is part of the declaration or of its record, and would be overwritten"
                yield Problem("delivery-over-source", message, this.place)


class _Written(Frozen):
    """The file that a credential goes to: whose it is, and the steps to where it is named."""

    account: Entry[ServiceAccountEntry]
    index: int
    steps: tuple[str, ...]

    @property
    def place(self) -> Place:
        return self.account.place("credentials", self.index, "deliver", *self.steps)


class _Folders:
    """Finds what paths really are; of thousands of files in one folder, that folder is looked up once."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def real(self, path: str) -> str:
        folder, name = os.path.split(path)
        if name in {"", os.curdir, os.pardir}:
            return os.path.realpath(path)
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        found = f"{self._real[folder]}/{name}"
        return os.path.realpath(found) if Path(found).is_symlink() else found


def _secret_files(declaration: Declaration) -> Iterator[str]:
    for vault in declaration.owned_vaults():
        for source in vault.entry.item.secrets.values():
            if source.file is not None:
                yield str(declaration.folder / source.file)


def _rotation(account: Entry[Any], index: int, credential: CredentialEntry) -> Iterator[Problem]:
    if credential.rotate_before is None:
        return
    place = account.place("credentials", index, "rotate_before")
    if credential.expires_in is None:
        message = "`rotate_before` needs `expires_in`: without a lifetime there is no end"
        yield Problem("rotation-without-end", message, place)
    elif credential.rotate_before >= credential.expires_in:
        message = "`rotate_before` must be shorter than `expires_in`: the key would be replaced at every run"
        yield Problem("rotation-too-early", message, place)
