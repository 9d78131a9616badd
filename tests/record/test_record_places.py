"""Places: read, and write only what nobody else has changed."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore
from record_support import ACME, NOON, WORLD, run_entry, s3_server

from reconciler.errors import RecordError, RecordUnavailableError, UsageError
from reconciler.model.resources import Kind
from reconciler.record.document import Record, Reported
from reconciler.record.local import LocalFile
from reconciler.record.merge import with_reported, with_run
from reconciler.record.objects import StoredObject, open_object
from reconciler.record.opening import open_place
from reconciler.record.places import ChangedError, Place
from reconciler.record.store import RecordStore, load_record


def opened(where: str, suffix: str = "") -> Place:
    return open_place(where, base=Path(), suffix=suffix, world=WORLD, open_object=open_object)


def local(folder: Path) -> Place:
    return LocalFile(folder / "made" / "record.json", WORLD)


def memory(folder: Path) -> Place:
    return StoredObject(MemoryStore(), "team/record.json", "memory://x/team/record.json")


PLACES: list[Callable[[Path], Place]] = [local, memory]


@pytest.mark.parametrize("make", PLACES)
def test_a_place_is_empty_then_made_then_replaced_by_who_knows_its_version(
    make: Callable[[Path], Place], tmp_path: Path
) -> None:
    async def story() -> None:
        place = make(tmp_path)
        assert await place.read() is None
        first = await place.write(b"one", None)
        with pytest.raises(ChangedError):
            await place.write(b"again", None)
        second = await place.write(b"two", first)
        with pytest.raises(ChangedError):
            await place.write(b"three", first)
        found = await place.read()
        assert found is not None
        assert (found.content, found.version) == (b"two", second)
        with pytest.raises(ChangedError):
            await place.remove(first)
        await place.remove(second)
        left = await place.read()
        assert left is None or left.content == b""

    asyncio.run(story())


@pytest.mark.parametrize("make", PLACES)
def test_a_hundred_writers_of_one_record_lose_nothing(make: Callable[[Path], Place], tmp_path: Path) -> None:
    place = make(tmp_path)

    async def add(name: str) -> None:
        await RecordStore(place, ACME, WORLD).update(lambda record: with_run(record, run_entry(name)))

    async def everybody() -> Record:
        await asyncio.gather(*(add(f"run-{number}") for number in range(20)))
        return await RecordStore(place, ACME, WORLD).load()

    assert {run.id for run in asyncio.run(everybody()).runs} == {f"run-{number}" for number in range(20)}


def test_threads_that_write_one_file_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "record.json"

    def add(name: str) -> None:
        store = RecordStore(LocalFile(path, WORLD), ACME, WORLD)
        asyncio.run(store.update(lambda record: with_run(record, run_entry(name))))

    threads = [threading.Thread(target=add, args=(f"run-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    record = asyncio.run(RecordStore(LocalFile(path, WORLD), ACME, WORLD).load())
    assert len(record.runs) == 8
    assert [item.name for item in tmp_path.iterdir()] == ["record.json"], (
        "no temporary file stays, and a run without operations has no part"
    )


@pytest.mark.parametrize("make", PLACES)
def test_parts_that_nobody_names_go_with_the_next_write(make: Callable[[Path], Place], tmp_path: Path) -> None:
    async def story() -> None:
        place = make(tmp_path)
        store = RecordStore(place, ACME, WORLD)
        names: list[tuple[str, ...]] = []
        for number in range(3):
            told = Reported(kind=Kind.GROUP, key=("operators",), digest=str(number), at=NOON)
            await store.update(lambda record, told=told: with_reported(record, [told]))  # type: ignore[misc]
            loaded = await load_record(place, ACME)
            assert loaded is not None
            assert loaded.head is not None
            names.append(loaded.head.reported)
        there = [await place.part(name).read() is not None for (name,) in names]
        assert there == [False, True, True], "the last but one may still be read by who has the head before"

    asyncio.run(story())


def test_a_record_whose_part_is_gone_is_damaged(tmp_path: Path) -> None:
    place = LocalFile(tmp_path / "record.json", WORLD)
    store = RecordStore(place, ACME, WORLD)
    told = Reported(kind=Kind.GROUP, key=("operators",), digest="0", at=NOON)
    asyncio.run(store.update(lambda record: with_reported(record, [told])))
    for part in (tmp_path / "record.json.parts").glob("*.json"):
        part.unlink()
    with pytest.raises(RecordError, match="parts of it are missing"):
        asyncio.run(RecordStore(place, ACME, WORLD).load())


def test_what_could_not_be_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("local", "objects", "places"):
        monkeypatch.setattr(f"reconciler.record.{module}.MAXIMUM_BYTES", 10)
    for place in (local(tmp_path), memory(tmp_path)):
        version = asyncio.run(place.write(b"0123456789", None))
        with pytest.raises(RecordError, match="too large"):
            asyncio.run(place.write(b"0123456789a", version))


def test_nothing_is_written_where_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    asyncio.run(RecordStore(LocalFile(path, WORLD), ACME, WORLD).update(lambda record: record))
    assert not path.exists()


def test_a_file_and_its_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    place = LocalFile(tmp_path / ".reconciler" / "acme.json", WORLD)
    asyncio.run(place.write(b"{}", None))
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.path.parent.stat().st_mode) == 0o700
    assert (place.path.parent / ".gitignore").read_text() == "*\n"


def test_a_record_is_never_read_or_replaced_through_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"theirs")
    (tmp_path / "record.json").symlink_to("elsewhere")
    place = LocalFile(tmp_path / "record.json", WORLD)
    with pytest.raises(RecordError, match="symbolic link"):
        asyncio.run(place.read())
    with pytest.raises(RecordError, match="symbolic link"):
        asyncio.run(place.write(b"ours", None))
    assert (tmp_path / "elsewhere").read_bytes() == b"theirs"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_plain_file_is_refused_at_once(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "record.json")
    with pytest.raises(RecordError):
        asyncio.run(LocalFile(tmp_path / "record.json", WORLD).read())


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot be written: No such file") as caught:
        asyncio.run(LocalFile(tmp_path / "a" / "b" / "record.json", WORLD).write(b"{}", None))
    assert "--record none" in (caught.value.hint or "")


def test_a_store_without_conditional_writes_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        place = StoredObject(LocalStore(tmp_path), "record.json", "s3://bucket/record.json")
        version = await place.write(b"one", None)
        with pytest.raises(ChangedError):
            await place.write(b"two", None)
        with pytest.raises(RecordError, match="no conditional writes"):
            await place.write(b"two", version)
        assert (tmp_path / "record.json").read_bytes() == b"one"

    asyncio.run(story())


def test_an_s3_server_is_written_to_on_conditions_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_server() as bucket:
        for name, value in bucket.environment.items():
            monkeypatch.setenv(name, value)

        async def story() -> None:
            place = opened("s3://team/ml/record.json")
            assert await place.read() is None
            first = await place.write(b"one", None)
            with pytest.raises(ChangedError):
                await place.write(b"again", None)
            second = await place.write(b"two", first)
            with pytest.raises(ChangedError):
                await place.write(b"three", first)
            found = await place.read()
            assert found is not None
            assert (found.content, found.version) == (b"two", second)
            bucket.down = True
            with pytest.raises(RecordUnavailableError) as caught:
                await place.read()
            assert "planted-store-secret" not in caught.value.message

        asyncio.run(story())
        assert list(bucket.objects) == ["/team/ml/record.json"]


@pytest.mark.parametrize(
    "where",
    [
        "ftp://host/record.json",
        "s3://bucket",
        "s3:///record.json",
        "s3://key:secret@bucket/record.json",
        "s3://bucket/record.json?versionId=1",
        "file://host/record.json",
        "/",
    ],
)
def test_an_address_that_cannot_be_one_is_wrong_usage(where: str) -> None:
    with pytest.raises(UsageError) as caught:
        opened(where)
    assert "key:secret" not in caught.value.message


def test_a_file_url_is_a_file(tmp_path: Path) -> None:
    place = opened(f"file://{tmp_path}/a%20b.json", suffix=".lock")
    assert isinstance(place, LocalFile)
    assert place.path == tmp_path / "a b.json.lock"


def test_without_the_extra_package_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore.store", None)
    with pytest.raises(UsageError, match="needs an extra package") as caught:
        opened("gs://bucket/record.json")
    assert caught.value.hint == "pip install 'clearml-reconciler[store]'"
