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
from reconciler.declaration.context import Context, shown
from reconciler.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.declaration.declaration import Declaration, Entry
    from reconciler.declaration.models_credentials import CredentialEntry
    from reconciler.declaration.validation import Part
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
    taken: dict[str, Any] = {}
    sources = {os.path.realpath(file) for file in (*declaration.files, *_secret_files(declaration))}
    for account in declaration.service_accounts or ():
        for index, credential in enumerate(account.item.credentials or ()):
            yield from _rotation(account, index, credential)
            written = credential.deliver.written_file if credential.deliver is not None else None
            if written is not None:
                steps, path = written
                place = account.place("credentials", index, "deliver", *steps)
                target = os.path.realpath(declaration.folder / path)
                first = taken.setdefault(target, place)
                if first is not place:
                    message = f"{shown(path)} already receives another key, at {first}"
                    yield Problem("duplicate-delivery", message, place)
                if target in sources or _KEPT.intersection(Path(path).parts):
                    message = (
                        f"{shown(path)} is part of the declaration, or of what is kept about it, and would be lost"
                    )
                    yield Problem("delivery-over-source", message, place)


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
        message = "`rotate_before` needs `expires_in`: without an end there is nothing to be early for"
        yield Problem("rotation-without-end", message, place)
    elif credential.rotate_before >= credential.expires_in:
        message = "`rotate_before` must be shorter than `expires_in`: the key would be replaced at every run"
        yield Problem("rotation-too-early", message, place)
