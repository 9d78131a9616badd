"""Which files a declaration consists of: includes and documents, none of them outside its folder."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAXIMUM_FILES = 1000
"""The most files that the include patterns of a declaration may match."""


MAXIMUM_SEARCHED = 100_000
"""The most files and folders that the include patterns of a declaration may look at."""

MAXIMUM_PARTS = 64
"""The most names that an include pattern may consist of."""

_ANY_DEPTH = "**"


class ConfinementError(ValueError):
    """A path that a declaration names leads out of its folder, or cannot be used; the text says why."""


class Folder:
    """A declaration's folder: paths inside it, and how messages name them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._resolved = path.resolve()
        self._searched = 0

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
        parts = PurePosixPath(pattern).parts
        if any("**" in part and part != "**" for part in parts):
            raise ConfinementError("is not a valid pattern")
        if len(parts) > MAXIMUM_PARTS:
            raise ConfinementError(f"has more than {MAXIMUM_PARTS} parts")
        try:
            paths = sorted(self._files(parts))
        except OSError as error:
            raise ConfinementError(f"cannot be searched: {error.strerror}") from None
        if len(paths) > MAXIMUM_FILES:
            raise ConfinementError(f"matches more than {MAXIMUM_FILES} files")
        for path in paths:
            self._refuse_symlink_out(path)
        return paths

    def _files(self, parts: tuple[str, ...]) -> Iterator[Path]:
        """Yield the files that a pattern matches; every folder is looked into once, whatever the pattern."""
        waiting = [(self.path, _from_here({0}, parts))]
        while waiting:
            folder, positions = waiting.pop()
            self._refuse_symlink_out(folder)
            for entry in _entries(folder):
                self._searched += 1
                if self._searched > MAXIMUM_SEARCHED:
                    raise ConfinementError(f"searches more than {MAXIMUM_SEARCHED} files and folders")
                after = _after(entry, positions, parts)
                if not after:
                    continue
                path = folder / entry.name
                if entry.is_dir():
                    if after != {len(parts)}:
                        waiting.append((path, after))
                elif len(parts) in after:
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


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder, without what is hidden; nothing if it is not there."""
    try:
        with os.scandir(folder) as found:
            return [entry for entry in found if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _from_here(positions: set[int], parts: tuple[str, ...]) -> set[int]:
    """Return the positions in a pattern that are reached from these without another name: past each ``**``."""
    reached = set(positions)
    for position, part in enumerate(parts):
        if position in reached and part == _ANY_DEPTH and position + 1 < len(parts):
            reached.add(position + 1)
    return reached


def _after(entry: os.DirEntry[str], positions: set[int], parts: tuple[str, ...]) -> set[int]:
    """Return the positions in a pattern that are reached by a name; the pattern's length is its end.

    ``**`` stands for folders, and not for links to them, which may lead in circles.
    """
    reached = set()
    for position in positions:
        if position == len(parts):
            continue
        if parts[position] == _ANY_DEPTH:
            if entry.is_dir(follow_symlinks=False):
                reached.add(position)
        elif fnmatchcase(entry.name, parts[position]):
            reached.add(position + 1)
    return _from_here(reached, parts)
