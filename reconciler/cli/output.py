"""Writes result files whole or not at all."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

from reconciler.errors import UsageError
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that no reader ever finds half of it.

    Raises :class:`UsageError` if the folder is missing or not writable.
    """
    if not path.name:
        raise UsageError(f"{harmless(str(path))} cannot be written: it is a folder")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.write_text(text, encoding="utf-8")  # a device, a pipe or a link must be written to, never replaced
            return
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise UsageError(f"{harmless(str(path))} cannot be written: {error.strerror}") from error
