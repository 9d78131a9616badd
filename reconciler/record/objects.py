"""A place in an object store, through ``obstore`` (the extra ``store``), with the store's own conditional writes."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.errors import RecordError, RecordUnavailableError, UsageError
from reconciler.model.text import harmless
from reconciler.record.places import MAXIMUM_BYTES, PARTS, ChangedError, Found, check_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore import PutMode
    from obstore.store import ObjectStore

_PATIENCE = timedelta(seconds=20)
_MESSAGE_LENGTH = 300


def open_object(scheme: str, bucket: str, name: str) -> StoredObject:
    """Return the place of one object; credentials and region come from the store's own environment variables.

    Raises :class:`UsageError` if the extra is not installed or the address is none.
    """
    shown = f"{scheme}://{bucket}/{name}"
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError:
        raise UsageError(
            f"a record at {harmless(shown)} needs an extra package",
            hint="pip install 'clearml-reconciler[store]'",
        ) from None
    if scheme == "memory":
        return StoredObject(_memory(bucket), name, shown)
    try:
        store = from_url(f"{scheme}://{bucket}", retry_config={"max_retries": 3, "retry_timeout": _PATIENCE})
    except (BaseError, ValueError) as error:
        raise UsageError(f"a record cannot be kept at {harmless(shown)}: {_words(error)}") from error
    return StoredObject(store, name, shown)


@functools.cache
def _memory(name: str) -> ObjectStore:
    """Return a store that lives as long as this process; for tests."""
    from obstore.store import MemoryStore

    del name
    return MemoryStore()


class StoredObject:
    """One object; its version is the store's ETag.

    An object cannot be removed on a condition, so removing leaves it there without content, which counts as absent for
    whoever looks for a lock.
    """

    def __init__(self, store: ObjectStore, name: str, shown: str) -> None:
        self._store = store
        self._name = name
        self._shown = shown

    @property
    def shown(self) -> str:
        """The URL, fit to be printed."""
        return harmless(self._shown)

    async def read(self) -> Found | None:
        """Return what is there, or ``None``; raises :class:`RecordError`."""
        with self._told():
            try:
                result = await self._store.get_async(self._name)
            except FileNotFoundError:
                return None
            if result.meta["size"] > MAXIMUM_BYTES:
                raise RecordError(f"{self.shown} is too large to be a record")
            content = bytes(await result.bytes_async())
            version = result.meta["e_tag"]
        return Found(content, self._tag(version))

    async def write(self, content: bytes, expected: str | None, *, held: bool = False) -> str:
        """Replace that version; see :class:`reconciler.record.places.Place`."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        check_size(content, self.shown)
        del held  # nobody but the owner can tell whether it lives: that is what leases are for
        mode: PutMode = "create" if expected is None else {"e_tag": expected}
        with self._told():
            try:
                result = await self._store.put_async(self._name, content, mode=mode, use_multipart=False)
            except (AlreadyExistsError, PreconditionError, FileNotFoundError):
                raise ChangedError from None
        return self._tag(result["e_tag"])

    async def remove(self, expected: str) -> None:
        """Leave that version without content; see :class:`reconciler.record.places.Place`."""
        await self.write(b"", expected)

    async def discard(self) -> None:
        """Remove the object, if it is there; raises :class:`RecordError`."""
        with self._told():
            try:
                await self._store.delete_async(self._name)
            except FileNotFoundError:
                return

    def part(self, name: str) -> StoredObject:
        """Return the place of one part: an object below this one's name."""
        below = f"{PARTS}/{name}.json"
        return StoredObject(self._store, self._name + below, self._shown + below)

    async def is_orphaned(self) -> bool:
        """Nobody can tell here."""
        return False

    def _tag(self, tag: str | None) -> str:
        if not tag:
            raise RecordError(f"{self.shown}: this store gives no ETags, so that writes cannot be made safe")
        return tag

    @contextmanager
    def _told(self) -> Iterator[None]:
        from obstore.exceptions import BaseError, NotSupportedError, PermissionDeniedError, UnauthenticatedError

        try:
            yield
        except (NotSupportedError, NotImplementedError) as error:
            raise RecordError(
                f"{self.shown}: this store has no conditional writes", hint="keep the record elsewhere with --record"
            ) from error
        except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
            raise RecordUnavailableError(
                f"{self.shown}: the store refuses the credentials: {_words(error)}",
                hint="give them as the store's own environment variables",
            ) from error
        except (BaseError, OSError, ValueError) as error:
            raise RecordUnavailableError(
                f"{self.shown} cannot be reached: {_words(error)}", hint="run again, or keep the record elsewhere"
            ) from error


def _words(error: Exception) -> str:
    """Return the first line of the store's words; what follows is for its developers."""
    return harmless(str(error).strip().partition("\n")[0][:_MESSAGE_LENGTH])
