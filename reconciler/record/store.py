"""Reads a record and writes it back so that two writers never overwrite each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import RecordError
from reconciler.record.document import Record, Workspace, read_record
from reconciler.record.places import ChangedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.record.places import Place
    from reconciler.world import World

ATTEMPTS = 30
_LONGEST_PAUSE = 0.1


class RecordStore:
    """The record of one workspace at one place."""

    def __init__(self, place: Place, workspace: Workspace, world: World) -> None:
        self.place = place
        self.workspace = workspace
        self._world = world

    async def load(self) -> Record:
        """Return the record, an empty one if there is none yet.

        Raises :class:`RecordError` if it cannot be read, is damaged, or is about another workspace.
        """
        return (await self._found())[0]

    async def update(self, change: Callable[[Record], Record]) -> Record:
        """Change the record and return what was written; ``change`` is asked again if somebody else wrote meanwhile.

        Nothing is written if it changes nothing. Raises :class:`RecordError`; a record that cannot be read is never
        written over.
        """
        for _ in range(ATTEMPTS):
            record, version = await self._found()
            changed = change(record)
            if changed == record:
                return record
            try:
                await self.place.write(changed.to_bytes(), version)
            except ChangedError:
                await self._world.clock.sleep(self._world.chance.fraction() * _LONGEST_PAUSE)
                continue
            return changed
        raise RecordError(f"{self.place.shown}: others write to this record all the time", hint="run again")

    async def _found(self) -> tuple[Record, str | None]:
        found = await self.place.read()
        if found is None:
            return Record(workspace=self.workspace), None
        return read_record(found.content, self.place.shown, self.workspace), found.version
