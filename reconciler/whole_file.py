"""Writes a file whole or not at all, and never through a symbolic link.

A repository can hold links, so a path in a checkout that a program writes to may lead anywhere. A link is replaced by
the file; devices and pipes, which no repository can hold, are written to. ``/dev/stdout`` and its like are links that
the system keeps: they count as what they lead to.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from reconciler.model.text import harmless

PRIVATE = stat.S_IRUSR | stat.S_IWUSR
"""The mode of a file that its owner alone may read."""
_PUBLIC = 0o666
_SYSTEM = (Path("/dev"), Path("/proc"))


class LinkedFolderError(OSError):
    """A folder on the way to a file is a symbolic link that leads out of where it is."""

    def __init__(self, link: Path) -> None:
        super().__init__()
        self.strerror = f"{harmless(str(link))} is a symbolic link that leads out of the folder"


def put_file(path: Path, data: bytes, temporary: Path, *, mode: int | None = None) -> None:
    """Replace a file by another one in one step, by way of ``temporary`` beside it.

    ``mode`` is the new file's (``None``: what the process gives new files). It is on the disk before it has its name,
    so that no loss of power leaves an empty file under it. Raises :class:`OSError`; then the file is as it was.
    """
    prepare_file(temporary, data, mode=mode)
    try:
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    settle_folder(path.parent)


def prepare_file(temporary: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write a new file and wait until it is on the disk. Raises :class:`OSError`; then there is none."""
    descriptor = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _PUBLIC if mode is None else PRIVATE
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if mode is not None:
                os.fchmod(descriptor, mode)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def settle_folder(folder: Path) -> None:
    """Make the names in a folder as lasting as the files: one that is lost with the power is a file that is lost.

    Where that cannot be done (in a folder that may not be listed, say), the files are there all the same.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def is_stream(path: Path) -> bool:
    """Return whether a path is a device or a pipe, or one of the system's own names for an open file."""
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return _is_of_the_system(path)
    except OSError:
        return False
    return not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode)


def append_to_file(path: Path, data: bytes) -> None:
    """Add to the end of a file, which is created if it is missing. Raises :class:`OSError`, also for a link."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | (0 if _is_of_the_system(path) else os.O_NOFOLLOW)
    with os.fdopen(os.open(path, flags, _PUBLIC), "ab") as file:
        file.write(data)


def check_folders(path: Path, base: Path) -> None:
    """Make sure that no link below ``base`` leads out of it on the way to a file.

    What is not below ``base`` was named by whoever runs the program. Raises :class:`LinkedFolderError`.
    """
    base = Path(os.path.abspath(base))  # noqa: PTH100 - resolving would follow the links that are looked for
    top = base.resolve()
    folder = Path(os.path.abspath(path)).parent  # noqa: PTH100
    while folder != base and folder.is_relative_to(base):
        if folder.is_symlink() and not folder.resolve().is_relative_to(top):
            raise LinkedFolderError(folder)
        folder = folder.parent


def _is_of_the_system(path: Path) -> bool:
    return path.is_absolute() and any(path.is_relative_to(place) for place in _SYSTEM)
