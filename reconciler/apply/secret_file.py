"""Writes a secret into a file: whole or not at all, readable by its owner only, never through a symbolic link."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.errors import DeliveryError
from reconciler.model.text import harmless
from reconciler.whole_file import PRIVATE, put_file

if TYPE_CHECKING:
    from pathlib import Path


def check_secret_file(path: Path, name: str) -> None:
    """Make sure that the file can be written; ``name`` is how the declaration calls it.

    Raises :class:`DeliveryError` if the folder is missing or not writable, or something else is in the way.
    """
    shown = harmless(name)
    if not path.parent.is_dir():
        hint = f"create it first: mkdir -p {harmless(str(path.parent))}"
        raise DeliveryError(f"the folder for {shown} does not exist", hint=hint)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise DeliveryError(f"the folder for {shown} cannot be written to")
    if path.is_symlink():
        raise DeliveryError(f"{shown} is a symbolic link; a secret key is never written through one")
    if path.exists() and not path.is_file():
        raise DeliveryError(f"{shown} exists and is not a regular file")


def write_secret_file(path: Path, name: str, content: str) -> None:
    """Write the file anew with mode 0600; an old one is replaced in one step.

    The name of the file on the way is always the same, so that what a run left behind that was killed here does not
    stay. Raises :class:`DeliveryError`; then nothing, or the whole old file, is there.
    """
    check_secret_file(path, name)
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.unlink(missing_ok=True)
        put_file(path, content.encode("utf-8"), temporary, mode=PRIVATE)
    except OSError as error:
        raise DeliveryError(f"{harmless(name)} could not be written: {error.strerror}") from error
