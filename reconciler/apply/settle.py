"""Settles a write whose answer was lost by reading back, never by guessing (design decision 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reconciler.errors import AnswerLostError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Answer = TypeVar("Answer")

ATTEMPTS = 3


async def settled(write: Callable[[], Awaitable[Answer]], find: Callable[[], Awaitable[Answer | None]]) -> Answer:
    """Carry out a write; where its answer is lost, ask ``find`` whether it happened, and repeat it only if not.

    ``find`` returns the answer that the write would have given, or ``None`` if it had no effect. Raises
    :class:`AnswerLostError` if the answer was lost every time, or if reading back fails too.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await write()
        except AnswerLostError:
            found = await find()
            if found is not None:
                return found
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


async def repeated(write: Callable[[], Awaitable[Answer]]) -> Answer:
    """Carry out a write that sets something to a value, so that doing it twice does no harm."""

    async def never() -> Answer | None:
        return None

    return await settled(write, never)
