"""Settles a write whose answer was lost by reading back, never by guessing (``docs/explanation/decisions.md, 6``)."""

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
    :class:`AnswerLostError` if the answer was lost every time.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return await write()
        except AnswerLostError:
            found = await find()
            if found is not None:
                return found
    try:
        return await write()
    except AnswerLostError:
        found = await find()
        if found is None:
            raise
        return found


async def created(write: Callable[[], Awaitable[Answer]], find: Callable[[], Awaitable[Answer | None]]) -> Answer:
    """Create something under an id that the server chooses; where the answer is lost, look for it once.

    It is not repeated in this run: the server may finish the first one any time later, and there would be two. Raises
    :class:`AnswerLostError` if it is not there; the next run finds it, or creates it.
    """
    try:
        return await write()
    except AnswerLostError as error:
        found = await find()
        if found is None:
            raise AnswerLostError(
                f"{error.message}; it is not there yet, and was not created again, since the server may "
                "still finish it: wait a few minutes before the next run",
                hint=error.hint,
            ) from error
        return found


async def confirmed(write: Callable[[], Awaitable[object]], happened: Callable[[], Awaitable[bool]]) -> None:
    """Carry out a write that answers nothing of use; ``happened`` tells whether it had its effect."""

    async def write_it() -> bool:
        await write()
        return True

    async def find() -> bool | None:
        return True if await happened() else None

    await settled(write_it, find)


async def repeated(write: Callable[[], Awaitable[object]]) -> None:
    """Carry out a write that sets something to a value, so that doing it twice does no harm."""

    async def happened() -> bool:
        return False

    await confirmed(write, happened)
