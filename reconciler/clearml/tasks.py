"""Several reads at once, where the first one that fails stops the others."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterable

Result = TypeVar("Result")


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """Open a task group that raises the first error itself, not a group of errors."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        first = _first(errors)
    else:
        return
    raise first


async def together(work: Iterable[Coroutine[object, object, Result]]) -> list[Result]:
    """Run all at once and return the results in order."""
    async with task_group() as group:
        tasks = [group.create_task(item) for item in work]
    return [task.result() for task in tasks]


async def few_at_once(work: Iterable[Coroutine[object, object, Result]], limit: int) -> list[Result]:
    """Run at most ``limit`` at once and return the results in order.

    Thousands that all wait at once for a free connection would make whatever comes later wait behind all of them.
    """
    results: dict[int, Result] = {}
    numbered = enumerate(work)

    async def take_turns() -> None:
        for number, item in numbered:
            results[number] = await item

    async with task_group() as group:
        for _ in range(limit):
            group.create_task(take_turns())
    return [results[number] for number in range(len(results))]


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
