"""The record of one run, from before its first write to after its last, and the lock that it holds meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.errors import RecordError, StalePlanError
from reconciler.frozen import Frozen
from reconciler.model.text import harmless
from reconciler.plan.operations import OperationKind
from reconciler.plan.outcomes import Outcome
from reconciler.record.document import Creation, OperationEntry
from reconciler.record.lock import LEASE, HeldLock, Lock
from reconciler.record.merge import Sight, with_creations, with_run, with_sight, without_creations
from reconciler.vaults.redactor import Redactor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from reconciler.plan.operations import Operation
    from reconciler.plan.order import Identity
    from reconciler.plan.outcomes import Report, Result
    from reconciler.record.document import Record, RunEntry
    from reconciler.record.places import Place
    from reconciler.record.store import RecordStore
    from reconciler.world import World

LONGEST_MESSAGE = 500

_CREATING = frozenset(
    {
        OperationKind.INVITE,
        OperationKind.CREATE_ACCOUNT,
        OperationKind.CREATE_CREDENTIAL,
        OperationKind.ROTATE_CREDENTIAL,
        OperationKind.CREATE_GROUP,
        OperationKind.CREATE_VAULT,
        OperationKind.CREATE_RULE,
    }
)
"""The operations that, sent twice, could make two things."""


class Pace(Frozen):
    """How long a lease lasts, and how many seconds pass between two renewals and between two intermediate records."""

    lease: timedelta = LEASE
    renewal: float = 15.0
    checkpoint: float = 2.0


@dataclass(slots=True)
class Recorder:
    """Writes down what a run intends, what comes of each operation, and how it ends.

    ``troubled`` is set when the record could not be written once operations were under way; they go on all the same.
    """

    store: RecordStore
    lock_place: Place
    run: RunEntry
    world: World
    note: Callable[[str], None]
    redactor: Redactor = field(default_factory=Redactor)
    pace: Pace = field(default_factory=Pace)
    troubled: bool = False
    _held: HeldLock | None = None
    _results: dict[Identity, Result] = field(default_factory=dict)
    _operations: tuple[Operation, ...] = ()
    _chosen: dict[Identity, str] = field(default_factory=dict)
    _written: int = 0

    async def begin(
        self, operations: Sequence[Operation], latest: str | None, chosen: Mapping[Identity, str] | None = None
    ) -> None:
        """Take the lock and write down what is going to be done, creations with the ids that were ``chosen`` for them.

        ``latest`` is the newest run that the record knew before the workspace was read. Raises
        :class:`reconciler.errors.LockedError`, :class:`StalePlanError` if another run came in between, and
        :class:`RecordError` for a record that cannot be trusted or written; nothing is held then.
        """
        self._operations = tuple(operations)
        self._chosen = dict(chosen or {})
        lock = Lock.of(self.store.workspace, self.run.id, self.run.who, self.world, self.pace.lease)
        machine = self.world.machine
        self._held = await HeldLock.take(self.lock_place, lock, machine, lease=self.pace.lease, note=self.note)
        try:
            record = await self.store.update(lambda record: self._with_intent(record, latest))
        except BaseException:
            await self.release()
            raise
        self._note_unfinished(record)

    def ended(self, result: Result) -> None:
        """Learn how an operation ended; it is written down before long."""
        self._results[result.operation.identity] = result

    @asynccontextmanager
    async def watching(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Renew the lock and write down what has ended while the block lasts; a lost lock sets ``stop``."""
        closing = asyncio.Event()
        tasks = [
            asyncio.create_task(self._every(self.pace.renewal, closing, lambda: self._renew(stop))),
            asyncio.create_task(self._every(self.pace.checkpoint, closing, self._checkpoint)),
        ]
        try:
            yield
        finally:
            # They are asked to end rather than cancelled, so that no write is left under way.
            closing.set()
            for ended in await asyncio.gather(*tasks, return_exceptions=True):
                # A defect of ours here must not cost the report of what was done to the workspace.
                if isinstance(ended, Exception):
                    self.troubled = True
                    self.note(f"The record was not kept up to date: internal error: {type(ended).__name__}")

    async def finish(self, report: Report, sight: Sight | None) -> None:
        """Write down how the run ended, and, where the workspace could be read again, what is applied by now."""
        self._results |= {result.operation.identity: result for result in report.results}
        entry = replace(
            self._entry(),
            finished=self._now(),
            interrupted=report.interrupted,
            remaining=None if sight is None else len(tuple(sight.remaining)),
        )

        def change(record: Record) -> Record:
            record = self._with_progress(record, entry)
            return record if sight is None else with_sight(record, sight)

        await self._write(change)

    async def release(self) -> None:
        """Give the lock back, if it is held; never fails."""
        held, self._held = self._held, None
        if held is not None:
            try:
                await held.release()
            except RecordError as error:
                self.troubled = True
                self.note(f"The lock could not be released: {error.message}; break it with reconciler unlock.")

    def _now(self) -> datetime:
        return self.world.clock.now()

    async def _every(self, seconds: float, closing: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
        while not closing.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(closing.wait(), seconds)
                return
            await work()

    async def _renew(self, stop: asyncio.Event) -> None:
        if self._held is None or stop.is_set():
            return
        try:
            kept = await self._held.renew(self._now())
            why = "somebody broke it"
        except RecordError as error:
            kept = self._now() < self._held.lock.until
            why = f"its lease has ended: {error.message}"
        if not kept:
            self.note(f"The lock of this run is lost ({why}): nothing more is started.")
            self.troubled = True
            stop.set()

    async def _checkpoint(self) -> None:
        ended = len(self._results)
        if ended != self._written:
            self._written = ended
            entry = self._entry()
            await self._write(lambda record: self._with_progress(record, entry))

    async def _write(self, change: Callable[[Record], Record]) -> None:
        try:
            await self.store.update(change)
        except RecordError as error:
            if not self.troubled:
                self.note(f"The record could not be written: {error.message}")
            self.troubled = True

    def _entry(self) -> RunEntry:
        results = self._results
        operations = tuple(
            OperationEntry(
                operation=operation.kind.value,
                kind=operation.change.kind,
                key=operation.change.key,
                server_id=self._chosen.get(operation.identity),
                title=operation.change.title,
                outcome=result.outcome if (result := results.get(operation.identity)) else None,
                message=self._message(result),
            )
            for operation in self._operations
        )
        counts = Counter(result.outcome for result in results.values())
        return replace(self.run, operations=operations, counts=dict(counts), total=len(operations))

    def _message(self, result: Result | None) -> str:
        if result is None or not result.message:
            return ""
        return self.redactor.mask(result.message)[:LONGEST_MESSAGE]

    def _with_intent(self, record: Record, latest: str | None) -> Record:
        newest = record.runs[0] if record.runs else None
        if newest is not None and newest.id not in (latest, self.run.id):
            raise StalePlanError(
                f"another run ({harmless(newest.id)}, {harmless(newest.who.user)}) came in between",
                hint="nothing was changed; run again",
            )
        return with_creations(with_run(record, self._entry()), self._creations())

    def _creations(self) -> Iterator[Creation]:
        for operation in self._operations:
            if operation.kind in _CREATING:
                yield Creation(
                    kind=operation.change.kind,
                    key=operation.change.key,
                    title=operation.change.title,
                    server_id=self._chosen.get(operation.identity),
                    run=self.run.id,
                    begun=self.run.started,
                )

    def _with_progress(self, record: Record, entry: RunEntry) -> Record:
        """Return the record with what has ended by now; a creation without a known end stays open."""
        # What has no result when the run is over was never begun.
        ended = {
            operation.change.address
            for operation in self._operations
            if operation.kind in _CREATING
            and (
                entry.finished is not None
                if (result := self._results.get(operation.identity)) is None
                else result.outcome is not Outcome.UNKNOWN
            )
        }
        settled = without_creations(with_run(record, entry), ended, self.run.id)
        # What an earlier run began under the same id is the same creation.
        results = (self._results.get(identity) for identity in self._chosen)
        landed = {one.operation.change.address for one in results if one and one.outcome is Outcome.APPLIED}
        return without_creations(settled, landed)

    def _note_unfinished(self, record: Record) -> None:
        earlier = next((run for run in record.runs if run.id != self.run.id), None)
        if earlier is not None and earlier.finished is None:
            who, when = harmless(earlier.who.user), f"{earlier.started:%Y-%m-%d %H:%M} UTC"
            self.note(
                f"The last run ({harmless(earlier.id)}, {who}, {when}) did not finish; this one goes on from there."
            )


class Unrecorded:
    """Stands in for a recorder where no record is wanted."""

    troubled = False

    def ended(self, result: Result) -> None:
        """Remember nothing."""

    @asynccontextmanager
    async def watching(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Watch nothing."""
        del stop
        yield

    async def finish(self, report: Report, sight: Sight | None) -> None:
        """Write nothing down."""
