"""Writes files whole or not at all."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

from reconciler.errors import UsageError
from reconciler.frozen import Frozen
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.world import Chance

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Files(Protocol):
    """Writes text files, as UTF-8. Each method raises :class:`UsageError` for what cannot be written."""

    def write(self, path: Path, text: str) -> None:
        """Write one file so that no reader ever finds half of it."""

    def write_all(self, texts: Mapping[Path, str]) -> None:
        """Write all of these files, or none."""

    def append(self, path: Path, text: str) -> None:
        """Add to the end of a file."""


class LocalFiles(Frozen):
    """Writes to the file system of this machine; ``chance`` gives the names of unfinished files."""

    chance: Chance

    def write(self, path: Path, text: str) -> None:
        """Write a result file; a device, a pipe or a link is written to and never replaced."""
        if not path.name:
            raise UsageError(f"{harmless(str(path))} cannot be written: it is a folder")
        temporary = self._unfinished(path)
        try:
            if path.is_symlink() or (path.exists() and not path.is_file()):
                path.write_text(text, encoding="utf-8")
                return
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise UsageError(f"{harmless(str(path))} cannot be written: {error.strerror}") from error

    def write_all(self, texts: Mapping[Path, str]) -> None:
        """Write text files whole. A byte order mark that one had stays, as does the mode; links are followed.

        If one cannot be written each of them is as it was.
        """
        prepared: list[tuple[Path, Path]] = []
        before: list[tuple[Path, bytes | None]] = []
        try:
            for path, text in texts.items():
                target = path.resolve() if path.is_symlink() else path
                target.parent.mkdir(parents=True, exist_ok=True)
                prepared.append((self._prepared(target, text), target))
            for temporary, target in prepared:
                before.append((target, target.read_bytes() if target.exists() else None))
                temporary.replace(target)
        except OSError as error:
            _restore(prepared, before)
            name = harmless(str(error.filename or "a file"))
            raise UsageError(f"{name} cannot be written: {error.strerror}", hint="nothing was changed") from error

    def append(self, path: Path, text: str) -> None:
        """Add to the end of a file, which is made if it is not there."""
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise UsageError(f"{harmless(str(path))} cannot be written: {error.strerror}") from error

    def _unfinished(self, path: Path) -> Path:
        return path.with_name(f".{path.name}.{self.chance.token(6)}")

    def _prepared(self, target: Path, text: str) -> Path:
        """Write a text beside its target."""
        data = text.encode("utf-8")
        temporary = self._unfinished(target)
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
