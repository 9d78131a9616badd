"""Which files a declaration consists of: includes and documents, none of them outside its folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAXIMUM_FILES = 1000
"""The most files that the include patterns of a declaration may match."""


class ConfinementError(ValueError):
    """A path that a declaration names leads out of its folder, or cannot be used; the text says why."""


class Folder:
    """A declaration's folder: paths inside it, and how messages name them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._resolved = path.resolve()

    def shown(self, path: Path) -> str:
        """Return a path inside the folder the way the user would type it."""
        return str(path)

    def inside(self, text: str) -> Path:
        """Return the path of a file that a declaration names. Raises :class:`ConfinementError`."""
        self._refuse_unsafe(text)
        path = self.path / text
        self._refuse_symlink_out(path)
        return path

    def matching(self, pattern: str) -> list[Path]:
        """Return the files that an include pattern matches, sorted. Raises :class:`ConfinementError`."""
        self._refuse_unsafe(pattern)
        if any("**" in part and part != "**" for part in PurePosixPath(pattern).parts):
            raise ConfinementError("is not a valid pattern")
        try:
            paths = sorted(self._files(pattern))
        except (ValueError, NotImplementedError):
            raise ConfinementError("is not a valid pattern") from None
        except OSError as error:
            raise ConfinementError(f"cannot be searched: {error.strerror}") from None
        if len(paths) > MAXIMUM_FILES:
            raise ConfinementError(f"matches more than {MAXIMUM_FILES} files")
        for path in paths:
            self._refuse_symlink_out(path)
        return paths

    def _files(self, pattern: str) -> Iterator[Path]:
        for path in self.path.glob(pattern):
            hidden = any(part.startswith(".") for part in path.relative_to(self.path).parts)
            if not hidden and not path.is_dir():
                yield path

    def _refuse_unsafe(self, text: str) -> None:
        if not text.isprintable():
            raise ConfinementError("contains a character that a path cannot have")
        if "\\" in text:
            raise ConfinementError("must be written with `/`, not with a backslash")
        path = PurePosixPath(text)
        if path.is_absolute() or text.startswith("~"):
            raise ConfinementError("must be relative to the declaration's folder")
        if ".." in path.parts:
            raise ConfinementError("must stay inside the declaration's folder: `..` is not allowed")
        if not path.parts:
            raise ConfinementError("must name a file")

    def _refuse_symlink_out(self, path: Path) -> None:
        try:
            resolved = path.resolve()
        except (OSError, RuntimeError):
            raise ConfinementError("is a dangling symbolic link") from None
        if not resolved.is_relative_to(self._resolved):
            raise ConfinementError("must stay inside the declaration's folder: a symbolic link leads out of it")
