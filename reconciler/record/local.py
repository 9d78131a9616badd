"""A place in the local file system: replaced whole or not at all, and only by whoever has seen what it replaces."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.errors import RecordError
from reconciler.model.text import harmless
from reconciler.record.places import MAXIMUM_BYTES, PARTS, ChangedError, Found, check_size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.world import World


class LocalFile:
    """A file of mode 0600; its folder is made (0700, kept out of git) if only that is missing.

    Compare and replace happen under an advisory lock on the folder, so that processes and threads of one machine, and
    of several where the file system passes such locks on, never overwrite each other. A held file is locked as long as
    this process has it open: the system releases that lock however the process ends.
    """

    def __init__(self, path: Path, world: World) -> None:
        self.path = path
        self._world = world
        self._held: int | None = None

    @property
    def shown(self) -> str:
        """The path, fit to be printed."""
        return harmless(str(self.path))

    async def read(self) -> Found | None:
        """Return what is there, or ``None``; raises :class:`RecordError`."""
        return await self._world.in_thread(self._read)

    async def write(self, content: bytes, expected: str | None, *, held: bool = False) -> str:
        """Replace that version; see :class:`reconciler.record.places.Place`."""
        return await self._world.in_thread(self._write, content, expected, held=held)

    async def remove(self, expected: str) -> None:
        """Remove that version; see :class:`reconciler.record.places.Place`."""
        await self._world.in_thread(self._remove, expected)

    async def discard(self) -> None:
        """Remove the file, if it is there; raises :class:`RecordError`."""
        await self._world.in_thread(self._discard)

    def part(self, name: str) -> LocalFile:
        """Return the place of one part: a file in a folder beside this one."""
        return LocalFile(self.path.with_name(self.path.name + PARTS) / f"{name}.json", self._world)

    async def is_orphaned(self) -> bool:
        """Return whether no process of this machine holds the file. Only its own machine can tell."""
        return await self._world.in_thread(self._is_orphaned)

    def _read(self) -> Found | None:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if self.path.is_symlink():
                raise RecordError(f"{self.shown} is a symbolic link; a record is never read through one") from error
            raise self._failure("read", error) from error
        try:
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise RecordError(f"{self.shown} exists and is not a regular file")
                content = file.read(MAXIMUM_BYTES + 1)
        except OSError as error:
            raise self._failure("read", error) from error
        check_size(content, self.shown)
        return Found(content, _version(content))

    def _write(self, content: bytes, expected: str | None, *, held: bool) -> str:
        check_size(content, self.shown)
        temporary = self.path.with_name(f".{self.path.name}.{self._world.chance.token(6)}")
        try:
            self._make_folder()
            with self._alone():
                self._check(expected)
                descriptor = self._write_temporary(temporary, content, held=held)
                self._put(temporary, expected)
            self._hold(descriptor)
        except OSError as error:
            raise self._failure("written", error) from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        return _version(content)

    def _write_temporary(self, temporary: Path, content: bytes, *, held: bool) -> int | None:
        descriptor = os.open(
            temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, stat.S_IRUSR | stat.S_IWUSR
        )
        try:
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            if held:
                # Before it has its name: there is never a moment at which the file is there and nobody holds it.
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(descriptor)
            raise
        if held:
            return descriptor
        os.close(descriptor)
        return None

    def _put(self, temporary: Path, expected: str | None) -> None:
        if expected is None:
            try:
                os.link(temporary, self.path)
            except FileExistsError:
                raise ChangedError from None
            except OSError:
                temporary.replace(self.path)  # a file system without links: the folder's lock alone has to do
        else:
            temporary.replace(self.path)
        descriptor = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _hold(self, descriptor: int | None) -> None:
        before, self._held = self._held, descriptor
        if before is not None:
            os.close(before)

    def _remove(self, expected: str) -> None:
        try:
            with self._alone():
                self._check(expected)
                self.path.unlink()
        except FileNotFoundError:
            raise ChangedError from None
        except OSError as error:
            raise self._failure("removed", error) from error
        finally:
            self._hold(None)

    def _discard(self) -> None:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._failure("removed", error) from error

    def _check(self, expected: str | None) -> None:
        found = self._read()
        if (None if found is None else found.version) != expected:
            raise ChangedError

    def _is_orphaned(self) -> bool:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True

    def _make_folder(self) -> None:
        folder = self.path.parent
        for missing in (folder.parent, folder) if folder.name.endswith(PARTS) else (folder,):
            if missing.is_dir():
                continue
            missing.mkdir(mode=stat.S_IRWXU, exist_ok=True)
            # A record is of this machine, not of the commit; and it must not make the working tree look changed.
            missing.joinpath(".gitignore").write_text("*\n", encoding="utf-8")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        descriptor = os.open(self.path.parent, os.O_RDONLY)
        try:
            # Some network file systems lock no folders; the file's own creation is exclusive there all the same.
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _failure(self, what: str, error: OSError) -> RecordError:
        return RecordError(
            f"{self.shown} cannot be {what}: {error.strerror}",
            hint="keep the record elsewhere with --record, or keep none with --record none",
        )


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
