"""What every place where a record can be kept can do: read, and write only what nobody else has changed."""

from __future__ import annotations

from typing import Protocol

from reconciler.errors import RecordError
from reconciler.frozen import Frozen

PARTS = ".parts"
"""Ends the name of the folder of a record's parts."""

MAXIMUM_BYTES = 64 * 1024 * 1024
"""The largest document that is read, and so the largest that is written."""


class ChangedError(Exception):
    """Somebody else wrote to the place since it was read."""


def check_size(content: bytes, shown: str) -> None:
    """Make sure that what is written can be read; raises :class:`RecordError`."""
    if len(content) > MAXIMUM_BYTES:
        raise RecordError(f"{shown} is too large to be a record: more than {MAXIMUM_BYTES // 1024 // 1024} MiB")


class Found(Frozen):
    """What a place held, and the version of it to name when it is replaced."""

    content: bytes
    version: str


class Place(Protocol):
    """One document in a file or an object store. Failures are :class:`reconciler.errors.RecordError`."""

    @property
    def shown(self) -> str:
        """What to call it, fit to be printed."""

    async def read(self) -> Found | None:
        """Return what is there, or ``None``."""

    async def write(self, content: bytes, expected: str | None, *, held: bool = False) -> str:
        """Replace that version (``None``: nothing may be there) and return the new one.

        ``held``: the system shall know, as far as it can, that this process lives as long as it does not
        :meth:`remove` it. Raises :class:`ChangedError`; then nothing was written.
        """

    async def remove(self, expected: str) -> None:
        """Remove that version, or leave it without content. Raises :class:`ChangedError`."""

    async def discard(self) -> None:
        """Remove whatever is there, if anything is."""

    def part(self, name: str) -> Place:
        """Return the place of one part of what is kept here."""

    async def is_orphaned(self) -> bool:
        """Return whether the process that holds it is certainly gone."""
