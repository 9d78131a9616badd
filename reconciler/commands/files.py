"""Writes files whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from reconciler.errors import UsageError
from reconciler.frozen import Frozen
from reconciler.model.text import harmless
from reconciler.whole_file import PRIVATE, append_to_file, check_folders, is_stream, put_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.world import Chance

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Files(Protocol):
    """Writes text files, as UTF-8, and never through a symbolic link (:mod:`reconciler.whole_file`).

    ``private`` files get the mode 0600. Each method raises :class:`UsageError` for what cannot be written.
    """

    def write(self, path: Path, text: str, *, private: bool = False) -> None:
        """Write one file so that no reader ever finds half of it; devices and pipes are written to."""

    def write_all(self, texts: Mapping[Path, str], *, private: bool = False) -> None:
        """Write all of these files, or none."""

    def append(self, path: Path, text: str) -> None:
        """Add to the end of a file."""


class LocalFiles(Frozen):
    """Writes to the file system of this machine.

    ``chance`` gives the names of unfinished files; links that lead out of ``folder`` are not followed.
    """

    chance: Chance
    folder: Path = Path()

    def write(self, path: Path, text: str, *, private: bool = False) -> None:
        """Write a result file; see :class:`Files`."""
        if not path.name:
            raise UsageError(f"{harmless(str(path))} cannot be written: it is a folder")
        try:
            if is_stream(path):
                path.write_text(text, encoding="utf-8")
                return
            check_folders(path, self.folder)
            put_file(path, text.encode("utf-8"), self._unfinished(path), mode=PRIVATE if private else None)
        except OSError as error:
            raise UsageError(f"{harmless(str(path))} cannot be written: {error.strerror}") from error

    def write_all(self, texts: Mapping[Path, str], *, private: bool = False) -> None:
        """Write text files whole. A byte order mark that one had stays, as does the mode; links are replaced.

        If one cannot be written each of them is as it was.
        """
        prepared: list[tuple[Path, Path]] = []
        before: list[tuple[Path, _Before]] = []
        try:
            for path, text in texts.items():
                check_folders(path, self.folder)
                path.parent.mkdir(parents=True, exist_ok=True)
                prepared.append((self._prepared(path, text, private=private), path))
            for temporary, target in prepared:
                before.append((target, _Before.of(target)))
                temporary.replace(target)
        except OSError as error:
            _restore(prepared, before)
            name = harmless(str(error.filename or "a file"))
            raise UsageError(f"{name} cannot be written: {error.strerror}", hint="nothing was changed") from error

    def append(self, path: Path, text: str) -> None:
        """Add to the end of a file, which is created if it is missing."""
        try:
            append_to_file(path, text.encode("utf-8"))
        except OSError as error:
            raise UsageError(f"{harmless(str(path))} cannot be written: {error.strerror}") from error

    def _unfinished(self, path: Path) -> Path:
        return path.with_name(f".{path.name}.{self.chance.token(6)}")

    def _prepared(self, target: Path, text: str, *, private: bool) -> Path:
        """Write a text beside its target."""
        data = text.encode("utf-8")
        temporary = self._unfinished(target)
        mode = PRIVATE if private else None
        if target.exists():
            if target.read_bytes().startswith(_BYTE_ORDER_MARK):
                data = _BYTE_ORDER_MARK + data
            mode = target.stat().st_mode & 0o777
        put_file(temporary, data, self._unfinished(temporary), mode=mode)
        return temporary


class _Before(Frozen):
    """What was at a path: a file, a link, or nothing."""

    data: bytes | None = None
    link: Path | None = None

    @staticmethod
    def of(path: Path) -> _Before:
        if path.is_symlink():
            return _Before(link=path.readlink())
        return _Before(data=path.read_bytes() if path.exists() else None)

    def put_back(self, path: Path) -> None:
        if self.link is not None:
            path.unlink(missing_ok=True)
            path.symlink_to(self.link)
        elif self.data is None:
            path.unlink(missing_ok=True)
        elif path.read_bytes() != self.data:
            path.write_bytes(self.data)


def _restore(prepared: list[tuple[Path, Path]], before: list[tuple[Path, _Before]]) -> None:
    for temporary, _ in prepared:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    for target, earlier in before:
        with contextlib.suppress(OSError):
            earlier.put_back(target)
