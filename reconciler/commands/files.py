"""Writes files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from reconciler.errors import UsageError
from reconciler.frozen import Frozen
from reconciler.model.text import harmless
from reconciler.whole_file import (
    PRIVATE,
    append_to_file,
    check_folders,
    is_stream,
    prepare_file,
    put_file,
    settle_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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

        If one cannot be written each of them is as it was, and nothing else is left behind.
        """
        changes = _Changes(self._unfinished)
        try:
            for path, text in texts.items():
                with _naming(path):
                    check_folders(path, self.folder)
                    changes.prepare(path, text.encode("utf-8"), mode=PRIVATE if private else None)
            for path in texts:
                with _naming(path):
                    changes.put(path)
        except BaseException:
            changes.undo()
            raise
        changes.settle()

    def append(self, path: Path, text: str) -> None:
        """Add to the end of a file, which is created if it is missing."""
        try:
            append_to_file(path, text.encode("utf-8"))
        except OSError as error:
            raise UsageError(f"{harmless(str(path))} cannot be written: {error.strerror}") from error

    def _unfinished(self, path: Path) -> Path:
        return path.with_name(f".{path.name}.{self.chance.token(6)}")


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Say which file it is that cannot be written; the system names none where the disk is full."""
    try:
        yield
    except OSError as error:
        message = f"{harmless(str(path))} cannot be written: {error.strerror}"
        raise UsageError(message, hint="nothing was changed") from error


@dataclass(slots=True)
class _Changes:
    """Files that get another content together; ``unfinished`` names a new file beside one.

    ``ready`` is what is to take a place, ``aside`` what was there before (``None``: nothing), ``folders`` what was
    created for it.
    """

    unfinished: Callable[[Path], Path]
    ready: dict[Path, Path] = field(default_factory=dict)
    aside: dict[Path, Path | None] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)

    def prepare(self, target: Path, data: bytes, mode: int | None) -> None:
        """Write a file beside its target."""
        self._make_folder(target.parent)
        if target.exists():
            if target.read_bytes().startswith(_BYTE_ORDER_MARK):
                data = _BYTE_ORDER_MARK + data
            mode = target.stat().st_mode & 0o777
        temporary = self.unfinished(target)
        prepare_file(temporary, data, mode=mode)
        self.ready[target] = temporary

    def put(self, target: Path) -> None:
        """Put a file in its place; what was there stays beside it until all are in theirs."""
        self.aside[target] = None
        if os.path.lexists(target):
            before = self.unfinished(target)
            _keep_as(before, target)
            self.aside[target] = before
        self.ready[target].replace(target)
        del self.ready[target]

    def settle(self) -> None:
        """Throw away what was there before."""
        for before in self.aside.values():
            if before is not None:
                with contextlib.suppress(OSError):
                    before.unlink()
        for folder in {target.parent for target in self.aside}:
            settle_folder(folder)

    def undo(self) -> None:
        """Make everything as it was: only names move, so that it works on a full disk too."""
        for temporary in self.ready.values():
            with contextlib.suppress(OSError):
                temporary.unlink()
        for target, before in self.aside.items():
            with contextlib.suppress(OSError):
                if target in self.ready:  # it never got its place
                    if before is not None:
                        before.unlink()
                elif before is not None:
                    before.replace(target)
                else:
                    target.unlink()
        for folder in reversed(self.folders):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _make_folder(self, folder: Path) -> None:
        missing = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            self.folders.append(folder)


def _keep_as(before: Path, target: Path) -> None:
    """Give what is at a path a second name; where a file system has no second names, copy it."""
    try:
        os.link(target, before, follow_symlinks=False)
    except OSError:
        try:
            shutil.copy2(target, before, follow_symlinks=False)
        except BaseException:
            before.unlink(missing_ok=True)
            raise
