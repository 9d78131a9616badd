"""The lock of a workspace, beside its record: who holds it, since when, and until when at the longest.

Taken before a run's first write, renewed while it lasts, released at its end. A lock whose owner's process is
certainly gone (same machine, and the system has let go of its file) is taken over, which the caller tells; one that
has only expired is never taken silently: a person looks, and breaks it with ``reconciler unlock``.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from reconciler.errors import LockedError
from reconciler.frozen import Moment, Published
from reconciler.model.text import harmless
from reconciler.record.document import Who, Workspace
from reconciler.record.places import ChangedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from reconciler.record.places import Found, Place
    from reconciler.world import Machine, World

LEASE = timedelta(minutes=10)
SUFFIX = ".lock"
_BREAK = "break it on purpose: reconciler unlock"
_ATTEMPTS = 5


class Lock(Published, kw_only=True):
    """What stands in a lock; ``until`` is the end of its lease."""

    format: Literal["clearml-reconciler/lock/1"] = "clearml-reconciler/lock/1"
    workspace: Workspace
    run: str
    who: Who
    host: str
    boot: str | None = None
    process: int
    since: Moment
    until: Moment

    @staticmethod
    def of(workspace: Workspace, run: str, who: Who, world: World, lease: timedelta = LEASE) -> Lock:
        """Make the lock of a run of this process."""
        now, machine = world.clock.now(), world.machine
        return Lock(
            workspace=workspace,
            run=run,
            who=who,
            host=machine.host,
            boot=machine.boot,
            process=machine.process,
            since=now,
            until=now + lease,
        )

    @property
    def owner(self) -> str:
        """Who holds it, fit to be printed."""
        started = f", started by {harmless(self.who.started_by)}" if self.who.started_by else ""
        return f"{harmless(self.who.user)}{started} (process {self.process} on {harmless(self.host)})"

    def to_bytes(self) -> bytes:
        """Return the lock as JSON."""
        return (json.dumps(self.plain(), indent=1) + "\n").encode()


def read_lock(found: Found | None) -> Lock | None:
    """Return the lock that stands there, ``None`` if there is none; an empty one has been released.

    Raises :class:`LockedError` for one that cannot be read: somebody may hold it.
    """
    if found is None or not found.content:
        return None
    try:
        return msgspec.json.decode(found.content, type=Lock)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise LockedError(
            "the workspace is locked, and the lock cannot be read",
            hint=f"make sure that no other apply is running, then {_BREAK}",
        ) from None


class HeldLock:
    """The lock of one run, once :meth:`take` has returned it."""

    def __init__(self, place: Place, lock: Lock, version: str, lease: timedelta) -> None:
        self._place = place
        self._version = version
        self._lease = lease
        self.lock = lock

    @staticmethod
    async def take(
        place: Place,
        lock: Lock,
        machine: Machine,
        *,
        lease: timedelta = LEASE,
        note: Callable[[str], None] = lambda _: None,
    ) -> HeldLock:
        """Take the lock.

        Raises :class:`LockedError`, which says who holds it and what to do, and :class:`RecordError`.
        """
        for _ in range(_ATTEMPTS):
            found = await place.read()
            held = read_lock(found)
            if held is not None and held.run != lock.run:
                if not await is_orphaned(place, held, machine):
                    raise locked(held, lock.since)
                run = f"run {harmless(held.run)} of {held.owner}"
                note(f"The {run} ended without releasing its lock; the lock was taken over.")
            try:
                version = await place.write(lock.to_bytes(), found.version if found else None, held=True)
            except ChangedError:
                continue
            return HeldLock(place, lock, version, lease)
        raise LockedError("others take this workspace's lock all the time", hint="run again")

    async def renew(self, now: datetime) -> bool:
        """Start the lease anew; tell whether the lock is still ours. Raises :class:`RecordError`."""
        renewed = replace(self.lock, until=now + self._lease)
        for _ in range(_ATTEMPTS):
            try:
                self._version = await self._place.write(renewed.to_bytes(), self._version, held=True)
            except ChangedError:
                if not await self._still_ours():
                    return False
                continue
            self.lock = renewed
            return True
        return False

    async def release(self) -> None:
        """Give the lock back, if it is still ours. Raises :class:`RecordError`."""
        for _ in range(_ATTEMPTS):
            try:
                await self._place.remove(self._version)
            except ChangedError:
                if not await self._still_ours():
                    return
                continue
            return

    async def _still_ours(self) -> bool:
        """Look whether the lock is ours: an answer that was lost leaves our own writing under another version."""
        found = await self._place.read()
        try:
            held = read_lock(found)
        except LockedError:
            return False
        if found is None or held is None or held.run != self.lock.run:
            return False
        self._version = found.version
        return True


async def is_orphaned(place: Place, lock: Lock, machine: Machine) -> bool:
    """Return whether the owner is certainly gone: it ran on this machine, and the system has let go of its file."""
    same_machine = lock.boot == machine.boot if lock.boot else lock.host == machine.host
    return same_machine and await place.is_orphaned()


def locked(lock: Lock, now: datetime) -> LockedError:
    """Return the refusal for a lock that somebody else holds."""
    since, until = f"{lock.since:%Y-%m-%d %H:%M} UTC", f"{lock.until:%H:%M} UTC"
    if lock.until <= now:
        return LockedError(
            f"the workspace is locked by {lock.owner} since {since}; the lock is stale: its lease ended at {until}",
            hint=f"make sure that this run is dead, then {_BREAK}",
        )
    return LockedError(
        f"the workspace is locked by {lock.owner} since {since}",
        hint=f"wait for it (its lease lasts until {until} and is renewed while it runs); if it is dead, {_BREAK}",
    )


async def break_lock(place: Place, seen: Found) -> bool:
    """Remove the very lock that was looked at; tell whether it was still that one."""
    try:
        await place.remove(seen.version)
    except ChangedError:
        return False
    return True
