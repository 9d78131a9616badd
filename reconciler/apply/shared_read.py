"""One reading call for all who ask before it begins."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Answer = TypeVar("Answer")


class SharedRead(Generic[Answer]):
    """Reads something large that many operations look at: each gets what was read after it asked.

    One reading is under way at a time; those who ask meanwhile share the next one. Hundreds of changed vaults would
    otherwise read the list of all vaults hundreds of times.
    """

    def __init__(self, read: Callable[[], Awaitable[Answer]]) -> None:
        self._read = read
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[Answer] | None = None

    async def fresh(self) -> Answer:
        """Return what a reading found that began after this call."""
        if self._next is None:
            self._next = asyncio.create_task(self._begin())
            self._next.add_done_callback(_heard)
        return await asyncio.shield(self._next)

    async def _begin(self) -> Answer:
        async with self._turn:
            await asyncio.sleep(0)  # whoever asks in the same round comes along
            self._next = None
            return await self._read()


def _heard(task: asyncio.Task[Answer]) -> None:
    """Take note of an error, even where all who waited for it have been stopped: asyncio would complain on stderr."""
    if not task.cancelled():
        task.exception()
