"""Writes several text files: all of them, or none."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

from reconciler.errors import UsageError
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def write_all(texts: Mapping[Path, str]) -> None:
    """Write text files whole. A byte order mark that one had stays, as does the mode; links are followed.

    Raises :class:`UsageError` if one cannot be written; then each of them is as it was.
    """
    prepared: list[tuple[Path, Path]] = []
    before: list[tuple[Path, bytes | None]] = []
    try:
        for path, text in texts.items():
            target = path.resolve() if path.is_symlink() else path
            target.parent.mkdir(parents=True, exist_ok=True)
            prepared.append((_prepared(target, text), target))
        for temporary, target in prepared:
            before.append((target, target.read_bytes() if target.exists() else None))
            temporary.replace(target)
    except OSError as error:
        _restore(prepared, before)
        name = harmless(str(error.filename or "a file"))
        raise UsageError(f"{name} cannot be written: {error.strerror}", hint="nothing was changed") from error


def _prepared(target: Path, text: str) -> Path:
    """Write a text beside its target."""
    data = text.encode("utf-8")
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    if target.exists():
        if target.read_bytes().startswith(_BYTE_ORDER_MARK):
            data = _BYTE_ORDER_MARK + data
        temporary.touch(mode=target.stat().st_mode & 0o777)
    temporary.write_bytes(data)
    return temporary


def _restore(prepared: list[tuple[Path, Path]], before: list[tuple[Path, bytes | None]]) -> None:
    for temporary, _ in prepared:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    for target, data in before:
        with contextlib.suppress(OSError):
            if data is None:
                target.unlink(missing_ok=True)
            elif target.read_bytes() != data:
                target.write_bytes(data)
