"""``history``: what was applied, by whom, when and from which commit. It needs no server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.commands.record_places import Places, find_places
from reconciler.errors import LockedError, UsageError
from reconciler.frozen import Frozen
from reconciler.model.text import harmless
from reconciler.record.lock import is_orphaned, read_lock
from reconciler.record.store import load_record

if TYPE_CHECKING:
    from reconciler.commands.session import Session
    from reconciler.record.document import Record, RunEntry, Workspace


class HistoryRequest(Frozen):
    """Which runs to look at: the newest ``limit`` ones, or the one with an id that begins with ``run``."""

    file: Path = Path("workspace.yaml")
    record: str | None = None
    limit: int = 20
    run: str | None = None


class History(Frozen):
    """Runs, the newest first, out of ``total``; ``running`` is the id of one that, for all we know, is alive."""

    workspace: Workspace
    runs: tuple[RunEntry, ...]
    total: int
    running: str | None


async def read_history(session: Session, request: HistoryRequest) -> History:
    """Read the runs of a workspace from its record.

    Raises :class:`UsageError` if there is no record or no such run, and :class:`reconciler.errors.RecordError`.
    """
    places = find_places(session, request.record, request.file)
    loaded = await load_record(places.record, None)
    if loaded is None:
        raise UsageError(f"there is no record at {places.record.shown}", hint="apply makes one")
    record = loaded.record
    runs = record.runs[: request.limit] if request.run is None else (_only(record, request.run),)
    return History(record.workspace, runs, len(record.runs), await _running(session, places))


async def _running(session: Session, places: Places) -> str | None:
    """Return the id of the run that holds the lock and, for all that can be known, is alive."""
    try:
        lock = read_lock(await places.lock.read())
    except LockedError:
        return None
    if lock is None or lock.until <= session.world.clock.now():
        return None
    return None if await is_orphaned(places.lock, lock, session.world.machine) else lock.run


def _only(record: Record, wanted: str) -> RunEntry:
    found = [run for run in record.runs if run.id.startswith(wanted)]
    if len(found) != 1:
        problem = "there is no run" if not found else f"{len(found)} runs have an id"
        raise UsageError(f"{problem} that begins with {harmless(wanted)}", hint="reconciler history lists them")
    return found[0]
