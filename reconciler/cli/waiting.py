"""Runs asynchronous work to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

Result = TypeVar("Result")


def wait_for(work: Coroutine[object, object, Result]) -> Result:
    """Run a coroutine in an event loop of its own and return its result.

    The result is kept apart from the task: at its end ``asyncio.run`` makes a repr of the task with all that it
    returned (CPython restores the signal handler by trying it as a number first), which takes seconds for a workspace.
    """
    results: list[Result] = []

    async def main() -> None:
        results.append(await work)

    asyncio.run(main())
    return results[0]
