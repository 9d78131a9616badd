"""Several calls at once: all of them, or a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from reconciler.clearml.tasks import few_at_once


def test_a_few_at_once_keep_their_order_and_their_number() -> None:
    under_way: set[int] = set()
    most = 0

    async def work(number: int) -> int:
        nonlocal most
        under_way.add(number)
        most = max(most, len(under_way))
        await asyncio.sleep(0.001 * (number % 3))
        under_way.remove(number)
        return number

    assert asyncio.run(few_at_once(map(work, range(20)), 4)) == list(range(20))
    assert most == 4
    assert asyncio.run(few_at_once(map(work, ()), 4)) == []


def test_nothing_more_begins_after_a_failure() -> None:
    begun: list[int] = []

    async def work(number: int) -> int:
        begun.append(number)
        await asyncio.sleep(0)
        if number == 1:
            raise ValueError("the second one")
        await asyncio.sleep(1)
        return number

    with pytest.raises(ValueError, match="the second one"):
        asyncio.run(few_at_once(map(work, range(20)), 3))
    assert begun == [0, 1, 2]


def test_what_comes_later_waits_for_a_few_only() -> None:
    done: list[str] = []

    async def work(name: str, free: asyncio.Semaphore) -> None:
        async with free:
            await asyncio.sleep(0)
            done.append(name)

    async def run() -> None:
        free = asyncio.Semaphore(2)
        many: Iterator[str] = (f"many {number}" for number in range(50))
        first = asyncio.create_task(few_at_once((work(name, free) for name in many), 2))
        await asyncio.sleep(0)
        await asyncio.create_task(work("late", free))
        await first

    asyncio.run(run())
    assert done.index("late") < 5
    assert len(done) == 51
