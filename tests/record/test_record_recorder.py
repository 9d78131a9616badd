"""One run's record while it lasts: intermediate states, a lost lock, a store that goes away."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace
from obstore.store import MemoryStore
from record_support import ACME, NOON, WORLD, run_entry

from reconciler.errors import RecordError, RecordUnavailableError, StalePlanError
from reconciler.model.resources import Address
from reconciler.model.secret import Secret
from reconciler.plan.changes import Action, Change, Reason
from reconciler.plan.operations import Operation, OperationKind
from reconciler.plan.outcomes import Outcome, Report, Result
from reconciler.record.lock import break_lock, read_lock
from reconciler.record.merge import with_run
from reconciler.record.objects import StoredObject
from reconciler.record.places import Found
from reconciler.record.recorder import Pace, Recorder
from reconciler.record.store import RecordStore
from reconciler.vaults.redactor import Redactor
from reconciler.world import World

HASTY = Pace(renewal=0.01, checkpoint=0.01)


def operation(name: str) -> Operation:
    address = Address.group(name)
    change = Change(action=Action.CREATE, kind=address.kind, key=address.key, title=name, reason=Reason.DECLARED)
    return Operation(OperationKind.CREATE_GROUP, change)


class FlakyObject(StoredObject):
    """An object in memory that can be out of reach."""

    down = False

    async def read(self) -> Found | None:
        self.check()
        return await super().read()

    async def write(self, content: bytes, expected: str | None, *, held: bool = False) -> str:
        self.check()
        return await super().write(content, expected, held=held)

    def check(self) -> None:
        if self.down:
            raise RecordUnavailableError("the store is down")


class Story:
    """A recorder at a store in memory, with everything that it told."""

    def __init__(self) -> None:
        store = MemoryStore()
        self.record = FlakyObject(store, "record", "memory://x/record")
        self.lock = FlakyObject(store, "lock", "memory://x/lock")
        self.store = RecordStore(self.record, ACME, WORLD)
        self.moment = NOON
        self.told: list[str] = []
        self.stop = asyncio.Event()

    def world(self) -> World:
        """Return a world whose clock shows the story's moment."""
        return replace(WORLD, clock=replace(WORLD.clock, now=lambda: self.moment))

    def recorder(self, name: str = "run-1", redactor: Redactor | None = None) -> Recorder:
        return Recorder(
            self.store, self.lock, run_entry(name), self.world(), self.told.append, redactor or Redactor(), HASTY
        )

    async def stopped(self) -> None:
        await asyncio.wait_for(self.stop.wait(), 10)


def test_what_is_intended_is_written_down_before_anything_is_done() -> None:
    async def story() -> None:
        at = Story()
        await at.recorder().begin([operation("a"), operation("b")], None)
        (run,) = (await at.store.load()).runs
        assert [(item.title, item.outcome) for item in run.operations] == [("a", None), ("b", None)]
        assert (run.total, run.finished) == (2, None)

    asyncio.run(story())


def test_what_has_ended_is_written_down_while_the_rest_goes_on() -> None:
    async def story() -> None:
        at = Story()
        recorder = at.recorder()
        first = operation("a")
        await recorder.begin([first, operation("b")], None)
        async with recorder.watching(at.stop):
            recorder.ended(Result(first, Outcome.APPLIED))
            for _ in range(500):
                await asyncio.sleep(0.01)
                if (await at.store.load()).runs[0].counts:
                    break
        assert (await at.store.load()).runs[0].counts == {Outcome.APPLIED: 1}

    asyncio.run(story())


def test_a_run_whose_lock_was_broken_stops() -> None:
    async def story() -> None:
        at = Story()
        recorder = at.recorder()
        await recorder.begin([operation("a")], None)
        async with recorder.watching(at.stop):
            found = await at.lock.read()
            assert found is not None
            await break_lock(at.lock, found)
            await at.stopped()
        assert recorder.troubled
        assert at.told == ["The lock of this run is lost (somebody broke it): nothing more is started."]

    asyncio.run(story())


def test_a_store_that_is_away_stops_a_run_only_at_the_end_of_its_lease() -> None:
    async def story() -> None:
        at = Story()
        recorder = at.recorder()
        await recorder.begin([operation("a")], None)
        at.lock.down = True
        async with recorder.watching(at.stop):
            await asyncio.sleep(0.1)
            assert not at.stop.is_set()
            at.moment += timedelta(minutes=11)
            await at.stopped()
        assert "its lease has ended: the store is down" in at.told[0]

    asyncio.run(story())


def test_a_store_that_is_away_at_the_end_is_told_and_breaks_nothing() -> None:
    async def story() -> None:
        at = Story()
        recorder = at.recorder()
        await recorder.begin([operation("a")], None)
        at.record.down = at.lock.down = True
        await recorder.finish(Report((Result(operation("a"), Outcome.APPLIED),)), None)
        await recorder.release()
        assert recorder.troubled
        assert at.told[0] == "The record could not be written: the store is down"
        assert "break it with reconciler unlock" in at.told[1]

    asyncio.run(story())


def test_where_the_intent_cannot_be_written_nothing_is_held() -> None:
    async def story() -> None:
        at = Story()
        await at.record.write(b"damaged", None)
        with pytest.raises(RecordError):
            await at.recorder().begin([operation("a")], None)
        assert read_lock(await at.lock.read()) is None

    asyncio.run(story())


def test_a_run_that_came_in_between_is_noticed_behind_the_lock() -> None:
    async def story() -> None:
        at = Story()
        await at.store.update(lambda record: with_run(record, run_entry("other", finished=NOON)))
        with pytest.raises(StalePlanError, match="another run"):
            await at.recorder().begin([operation("a")], None)
        assert read_lock(await at.lock.read()) is None
        await at.recorder().begin([operation("a")], "other")

    asyncio.run(story())


def test_messages_are_kept_short_and_without_known_secrets() -> None:
    async def story() -> None:
        at = Story()
        first = operation("a")
        recorder = at.recorder(redactor=Redactor([Secret("planted-secret")]))
        await recorder.begin([first], None)
        failed = Result(first, Outcome.FAILED, "no: planted-secret " + "x" * 2000)
        await recorder.finish(Report((failed,)), None)
        (entry,) = (await at.store.load()).runs[0].operations
        assert entry.message.startswith("no: (secret) xxx")
        assert len(entry.message) == 500

    asyncio.run(story())


def test_what_is_about_to_be_created_is_written_down_with_its_id_until_its_end_is_known() -> None:
    async def story() -> None:
        at = Story()
        landed, lost, never = operation("landed"), operation("lost"), operation("never begun")
        recorder = at.recorder()
        await recorder.begin([landed, lost, never], None, {landed.identity: "id-1", lost.identity: "id-2"})
        begun = (await at.store.load()).creations
        assert [(item.title, item.server_id) for item in begun] == [
            ("landed", "id-1"),
            ("lost", "id-2"),
            ("never begun", None),
        ]
        results = (Result(landed, Outcome.APPLIED), Result(lost, Outcome.UNKNOWN))
        await recorder.finish(Report(results), None)
        await recorder.release()
        assert [item.title for item in (await at.store.load()).creations] == ["lost"], "it may land yet"
        await at.recorder("run-2").begin([operation("other")], "run-1")
        assert [(item.title, item.run) for item in (await at.store.load()).creations] == [
            ("lost", "run-1"),
            ("other", "run-2"),
        ]

    asyncio.run(story())
