"""Runs operations as a dependency graph: independent ones side by side, dependents only after success."""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from reconciler.errors import AnswerLostError, ReconcilerError
from reconciler.plan.outcomes import Outcome, Result

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from reconciler.plan.operations import Operation
    from reconciler.plan.order import Identity

    Perform = Callable[[Operation], Awaitable[None]]


def run_all(
    operations: Sequence[Operation],
    dependencies: Mapping[Identity, frozenset[Identity]],
    perform: Perform,
    *,
    concurrency: int,
    stop: asyncio.Event,
) -> AsyncIterator[Result]:
    """Carry all operations out and give the result of each as it comes.

    An operation whose dependency did not succeed is skipped, and so are its own dependents. Once ``stop`` is set no
    operation is started any more; those under way are finished.
    """
    return _Schedule(operations, dependencies, perform, stop, concurrency).results()


class _Schedule:
    def __init__(
        self,
        operations: Sequence[Operation],
        dependencies: Mapping[Identity, frozenset[Identity]],
        perform: Perform,
        stop: asyncio.Event,
        concurrency: int,
    ) -> None:
        self._operations = {operation.identity: operation for operation in operations}
        self._position = {operation.identity: index for index, operation in enumerate(operations)}
        self._dependencies = dependencies
        self._perform = perform
        self._stop = stop
        self._concurrency = concurrency
        self._ended: dict[Identity, Result] = {}

    async def results(self) -> AsyncIterator[Result]:
        sorter = TopologicalSorter(self._dependencies)
        sorter.prepare()
        ready: deque[Identity] = deque()
        under_way: set[asyncio.Task[Result]] = set()
        finished: asyncio.Queue[asyncio.Task[Result]] = asyncio.Queue()
        while sorter.is_active():
            ready.extend(sorted(sorter.get_ready(), key=self._position.__getitem__))
            while ready and len(under_way) < self._concurrency:
                task = asyncio.create_task(self._carry_out(ready.popleft()))
                task.add_done_callback(finished.put_nowait)
                under_way.add(task)
            task = await finished.get()
            under_way.remove(task)
            result = task.result()
            sorter.done(result.operation.identity)
            yield result

    async def _carry_out(self, identity: Identity) -> Result:
        operation = self._operations[identity]
        await asyncio.sleep(0)  # lets signals in, even where no call ever waits (the sandbox in process)
        result = self._skipped(operation) or await self._attempt(operation)
        self._ended[identity] = result
        return result

    def _skipped(self, operation: Operation) -> Result | None:
        missing = [
            self._ended[identity].operation
            for identity in sorted(self._dependencies[operation.identity], key=self._position.__getitem__)
            if self._ended[identity].outcome is not Outcome.APPLIED
        ]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            return Result(operation, Outcome.SKIPPED, f"waits for: {missing[0].title}{more}")
        if self._stop.is_set():
            return Result(operation, Outcome.SKIPPED, "the run was stopped")
        return None

    async def _attempt(self, operation: Operation) -> Result:
        try:
            await self._perform(operation)
        except AnswerLostError as error:
            return Result(operation, Outcome.UNKNOWN, error.message)
        except ReconcilerError as error:
            return Result(operation, Outcome.FAILED, error.message)
        except Exception as error:  # noqa: BLE001
            # A defect of ours: nothing more is started, but what was done must still be reported.
            self._stop.set()
            message = f"internal error: {type(error).__name__} (a defect of reconciler; see --debug)"
            return Result(operation, Outcome.FAILED, message, traceback.format_exc())
        return Result(operation, Outcome.APPLIED)
