"""Reads a record and writes it back so that two writers never overwrite each other, and only what has changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from reconciler.errors import RecordError
from reconciler.frozen import Frozen
from reconciler.record.document import Record, Workspace
from reconciler.record.parts import REMEDY, Head, Part, pack, read_part, section_of, unpack
from reconciler.record.places import ChangedError
from reconciler.record.reading import read_document

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from reconciler.record.places import Place
    from reconciler.world import World

T = TypeVar("T")

ATTEMPTS = 30
_LONGEST_PAUSE = 0.1
_AT_ONCE = 16
"""So many parts are read or written at once."""
_TOKEN_BYTES = 4


class Loaded(Frozen):
    """A record as it stands at its place: ``version`` is of its own document, ``head`` names its ``parts``."""

    record: Record
    version: str
    head: Head | None
    parts: Mapping[str, Part]


async def load_record(
    place: Place, workspace: Workspace | None, known: Mapping[str, Part] | None = None
) -> Loaded | None:
    """Read the record at a place, ``None`` if there is none; ``known`` parts are not read again.

    Raises :class:`RecordError` if it cannot be read, is damaged, or is about another workspace.
    """
    for _ in range(ATTEMPTS):
        found = await place.read()
        if found is None:
            return None
        document = read_document(found.content, place.shown, workspace)
        if isinstance(document, Record):
            return Loaded(document, found.version, None, {})
        parts = await _read_parts(place, document, known or {})
        if parts is not None:
            return Loaded(unpack(document, parts), found.version, document, parts)
        now = await place.read()
        if now is not None and now.version == found.version:
            raise RecordError(f"the record {place.shown} is damaged: parts of it are missing", hint=REMEDY)
    raise RecordError(f"{place.shown}: others write to this record all the time", hint="run again")


async def _read_parts(place: Place, head: Head, known: Mapping[str, Part]) -> Mapping[str, Part] | None:
    """Return the parts that a head names; ``None`` if one is missing, for another head may be there by now."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def read(name: str) -> Part | None:
        if name in known:
            return known[name]
        async with gate:
            found = await place.part(name).read()
        return None if found is None else read_part(found.content, name, section_of(head, name), place.shown)

    found = await _all(map(read, head.parts))
    parts = {name: part for name, part in zip(head.parts, found, strict=True) if part is not None}
    return parts if len(parts) == len(head.parts) else None


class RecordStore:
    """The record of one workspace at one place. It remembers the parts that it has read, for they never change."""

    def __init__(self, place: Place, workspace: Workspace, world: World) -> None:
        self.place = place
        self.workspace = workspace
        self._world = world
        self._known: Mapping[str, Part] = {}

    async def load(self) -> Record:
        """Return the record, an empty one if there is none yet.

        Raises :class:`RecordError` if it cannot be read, is damaged, or is about another workspace.
        """
        loaded = await self._loaded()
        return Record(workspace=self.workspace) if loaded is None else loaded.record

    async def update(self, change: Callable[[Record], Record]) -> Record:
        """Change the record and return what was written; ``change`` is called again if somebody else wrote meanwhile.

        Nothing is written if it changes nothing. Raises :class:`RecordError`; a record that cannot be read is never
        written over.
        """
        for _ in range(ATTEMPTS):
            loaded = await self._loaded()
            record = Record(workspace=self.workspace) if loaded is None else loaded.record
            changed = change(record)
            if changed == record:
                return record
            try:
                await self._write(changed, loaded)
            except ChangedError:
                await self._world.clock.sleep(self._world.chance.fraction() * _LONGEST_PAUSE)
                continue
            return changed
        raise RecordError(f"{self.place.shown}: others write to this record all the time", hint="run again")

    async def _loaded(self) -> Loaded | None:
        loaded = await load_record(self.place, self.workspace, self._known)
        self._known = {} if loaded is None else loaded.parts
        return loaded

    async def _write(self, record: Record, before: Loaded | None) -> None:
        """Write the new parts, then the head that names them, and remove what nobody names any more."""
        old = before.head if before is not None else None
        packed = pack(record, old, self._known, self._world.chance.token(_TOKEN_BYTES))
        await self._each(packed.new, lambda name: self._write_part(name, packed.new[name]))
        try:
            await self.place.write(packed.head.to_bytes(), before.version if before is not None else None)
        except ChangedError:
            await self._each(packed.new, self._remove_part)
            raise
        self._known = packed.parts
        if old is not None:
            await self._each(old.retired, self._remove_part)

    async def _write_part(self, name: str, content: bytes) -> None:
        await self.place.part(name).write(content, None)

    async def _remove_part(self, name: str) -> None:
        await self.place.part(name).discard()

    async def _each(self, names: Iterable[str], work: Callable[[str], Awaitable[None]]) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(name: str) -> None:
            async with gate:
                await work(name)

        await _all(map(one, names))


async def _all(work: Iterable[Awaitable[T]]) -> list[T]:
    """Wait for all of it, also when some has failed, so that nothing is left under way; then raise what failed."""
    results: list[T] = []
    for ended in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended
        results.append(ended)
    return results
