"""The lock: one holder, a lease, and a remedy for the dead."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.store import MemoryStore
from record_support import NOON, WORLD, lock_of

from reconciler.errors import LockedError, RecordError
from reconciler.record.local import LocalFile
from reconciler.record.lock import HeldLock, break_lock, read_lock
from reconciler.record.objects import StoredObject
from reconciler.record.places import Place


def local(folder: Path) -> Callable[[], Place]:
    return lambda: LocalFile(folder / "record.json.lock", WORLD)


def memory(folder: Path) -> Callable[[], Place]:
    store = MemoryStore()
    return lambda: StoredObject(store, "record.json.lock", "memory://x/record.json.lock")


both = pytest.mark.parametrize("kind", [local, memory])
Kind = Callable[[Path], Callable[[], Place]]


@both
def test_two_runs_never_hold_it_together(kind: Kind, tmp_path: Path) -> None:
    place = kind(tmp_path)

    async def story() -> None:
        first = await HeldLock.take(place(), lock_of("first"), WORLD.machine)
        with pytest.raises(LockedError) as caught:
            await HeldLock.take(place(), lock_of("second"), WORLD.machine)
        assert f"locked by root@acme.io (process {os.getpid()} on " in caught.value.message
        assert "since 2026-03-01 12:00 UTC" in caught.value.message
        assert "lease lasts until 12:10 UTC" in (caught.value.hint or "")
        await first.release()
        second = await HeldLock.take(place(), lock_of("second"), WORLD.machine)
        await second.release()
        assert read_lock(await place().read()) is None

    asyncio.run(story())


@both
def test_of_many_at_once_exactly_one_takes_it(kind: Kind, tmp_path: Path) -> None:
    place = kind(tmp_path)
    held: list[HeldLock] = []

    async def attempt(number: int) -> None:
        try:
            held.append(await HeldLock.take(place(), lock_of(f"run-{number}"), WORLD.machine))
        except LockedError:
            return

    async def everybody() -> None:
        await asyncio.gather(*(attempt(number) for number in range(20)))

    asyncio.run(everybody())
    assert len(held) == 1


@both
def test_renewing_keeps_it_and_moves_the_end_of_the_lease(kind: Kind, tmp_path: Path) -> None:
    place = kind(tmp_path)

    async def story() -> None:
        held = await HeldLock.take(place(), lock_of("first"), WORLD.machine)
        later = NOON + timedelta(minutes=9)
        assert await held.renew(later)
        assert await held.renew(later)
        with pytest.raises(LockedError) as caught:
            await HeldLock.take(place(), lock_of("second", NOON + timedelta(minutes=15)), WORLD.machine)
        assert "12:19 UTC" in (caught.value.hint or "")

    asyncio.run(story())


@both
def test_an_expired_lock_is_called_stale_and_is_never_taken_silently(kind: Kind, tmp_path: Path) -> None:
    place = kind(tmp_path)

    async def story() -> None:
        await (elsewhere := place()).write(lock_of("first", boot="another machine", host="ci-7").to_bytes(), None)
        with pytest.raises(LockedError, match="the lock is stale: its lease ended at 12:10 UTC") as caught:
            await HeldLock.take(place(), lock_of("second", NOON + timedelta(hours=1)), WORLD.machine)
        assert "reconciler unlock" in (caught.value.hint or "")
        found = await elsewhere.read()
        assert found is not None
        assert await break_lock(place(), found)
        await HeldLock.take(place(), lock_of("second"), WORLD.machine)
        assert not await break_lock(place(), found), "it is another lock by now"

    asyncio.run(story())


@both
def test_whoever_lost_it_notices_and_takes_nothing_from_the_next(kind: Kind, tmp_path: Path) -> None:
    place = kind(tmp_path)

    async def story() -> None:
        first = await HeldLock.take(place(), lock_of("first"), WORLD.machine)
        found = await place().read()
        assert found is not None
        await break_lock(place(), found)
        assert not await first.renew(NOON)
        second = await HeldLock.take(place(), lock_of("second"), WORLD.machine)
        assert not await first.renew(NOON)
        await first.release()
        assert await second.renew(NOON)

    asyncio.run(story())


def test_an_answer_that_was_lost_does_not_lose_the_lock() -> None:
    class Forgetful(StoredObject):
        """Carries a write out and reports what a repeated request would: that the version is another one."""

        async def write(self, content: bytes, expected: str | None, *, held: bool = False) -> str:
            await super().write(content, expected, held=held)
            return "forgotten"

    async def story() -> None:
        place = Forgetful(MemoryStore(), "lock", "memory://x/lock")
        held = await HeldLock.take(place, lock_of("first"), WORLD.machine)
        assert await held.renew(NOON)
        await held.release()
        assert read_lock(await place.read()) is None

    asyncio.run(story())


def test_a_lock_that_cannot_be_read_counts_as_held(tmp_path: Path) -> None:
    path = tmp_path / "record.json.lock"
    path.write_bytes(b'{"format": "clearml-reconciler/lo')
    with pytest.raises(LockedError, match="cannot be read"):
        asyncio.run(HeldLock.take(LocalFile(path, WORLD), lock_of("first"), WORLD.machine))
    assert path.read_bytes() == b'{"format": "clearml-reconciler/lo'


def dead_holder(path: Path) -> None:
    script = (
        "import asyncio, os, signal, sys; from pathlib import Path\n"
        "from record_support import WORLD, lock_of\n"
        "from reconciler.record.local import LocalFile\n"
        "from reconciler.record.lock import HeldLock\n"
        "held = asyncio.run(HeldLock.take(LocalFile(Path(sys.argv[1]), WORLD), lock_of('dead'), WORLD.machine))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    here = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": f"{here}:{here.parents[1]}"}
    done = subprocess.run([sys.executable, "-c", script, str(path)], env=environment, check=False, timeout=60)
    assert done.returncode == -9


def test_the_lock_of_a_killed_process_of_this_machine_is_taken_over_and_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / "record.json.lock"
    dead_holder(path)
    assert path.exists()
    told: list[str] = []
    asyncio.run(HeldLock.take(LocalFile(path, WORLD), lock_of("next"), WORLD.machine, note=told.append))
    assert len(told) == 1
    assert "The run dead of root@acme.io" in told[0]
    assert "ended without releasing its lock; the lock was taken over" in told[0]


def test_a_killed_process_of_another_machine_is_not_presumed_dead(tmp_path: Path) -> None:
    path = tmp_path / "record.json.lock"
    dead_holder(path)
    elsewhere = path.read_text().replace(WORLD.machine.boot or "?", "boot-of-another-machine")
    path.write_text(elsewhere)
    with pytest.raises(LockedError):
        asyncio.run(HeldLock.take(LocalFile(path, WORLD), lock_of("next"), WORLD.machine))


def test_a_folder_that_cannot_be_written_to_holds_no_lock(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be written"):
        asyncio.run(HeldLock.take(LocalFile(tmp_path / "a" / "b" / "lock", WORLD), lock_of("first"), WORLD.machine))
