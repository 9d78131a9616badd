"""``unlock``: look at the lock of a workspace, and break it if its run is dead. It needs no server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.commands.record_places import find_places
from reconciler.errors import LockedError
from reconciler.frozen import Frozen
from reconciler.record.lock import Lock, break_lock, is_orphaned, read_lock

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.commands.session import Session
    from reconciler.record.places import Found, Place


class FoundLock(Frozen):
    """A lock as it was found at one moment; ``lock`` is ``None`` if it cannot be read.

    ``orphaned``: the process that held it is certainly gone. ``stale``: its lease has ended.
    """

    place: Place
    found: Found
    lock: Lock | None = None
    orphaned: bool = False
    stale: bool = False


async def find_lock(session: Session, file: Path, record: str | None = None) -> FoundLock | None:
    """Return the lock of a declaration's workspace, ``None`` if it is not locked.

    Raises :class:`reconciler.errors.UsageError` if there is no record and :class:`reconciler.errors.RecordError`.
    """
    place = find_places(session, record, file).lock
    found = await place.read()
    if found is None or not found.content:
        return None
    try:
        lock = read_lock(found)
    except LockedError:
        return FoundLock(place, found)
    if lock is None:
        return None
    orphaned = await is_orphaned(place, lock, session.world.machine)
    return FoundLock(place, found, lock, orphaned=orphaned, stale=lock.until <= session.world.clock.now())


async def break_found_lock(seen: FoundLock) -> None:
    """Break the very lock that was found; its run then starts nothing more.

    Raises :class:`LockedError` if it has changed since, and :class:`reconciler.errors.RecordError`.
    """
    if not await break_lock(seen.place, seen.found):
        raise LockedError("the lock has changed since it was read", hint="run again")
