"""Several files are written, or none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.commands.files import LocalFiles
from reconciler.errors import UsageError
from reconciler.process import CHANCE

write_all = LocalFiles(CHANCE).write_all


def test_all_are_written_and_links_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("old")
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    write_all({tmp_path / "link.yaml": "new", tmp_path / "a/b.yaml": "b"})
    assert not (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "link.yaml").read_text() == "new"
    assert (tmp_path / "real.yaml").read_text() == "old"
    assert (tmp_path / "a/b.yaml").read_text() == "b"
    assert not list(tmp_path.rglob(".*"))


def test_if_one_cannot_be_written_none_is(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text("old")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "folder.yaml/file").write_text("x")
    with pytest.raises(UsageError, match="cannot be written"):
        write_all({tmp_path / "first.yaml": "new", tmp_path / "made.yaml": "new", tmp_path / "folder.yaml": "new"})
    assert (tmp_path / "first.yaml").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.yaml", "folder.yaml"]


def test_if_the_last_step_fails_what_was_replaced_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / name for name in ("one", "two", "three")]
    for path in paths[:2]:
        path.write_text("old")
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == "three":
            raise OSError(28, "No space left on device", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(UsageError, match="No space left"):
        write_all(dict.fromkeys(paths, "new"))
    assert [path.read_text() for path in paths[:2]] == ["old", "old"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


FULL = OSError(28, "No space left on device")


def test_a_full_disk_is_said_of_the_very_file_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.yaml").write_text("old")

    def full(descriptor: int) -> None:
        del descriptor
        if (tmp_path / "new").exists():
            raise FULL

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match=r"new/folder/two\.yaml cannot be written: No space left on device"):
        write_all({tmp_path / "one.yaml": "new", tmp_path / "new/folder/two.yaml": "new"})
    assert (tmp_path / "one.yaml").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["one.yaml"]


@pytest.mark.parametrize("stopped", [FULL, KeyboardInterrupt()], ids=["a full disk", "Ctrl-C"])
def test_what_stops_it_while_files_take_their_places_undoes_all_of_it(
    stopped: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [tmp_path / name for name in ("one", "two", "three")]
    for path in before:
        path.write_text("old")
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == "three" and "old" not in self.read_text():
            raise stopped
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    monkeypatch.setattr(Path, "write_bytes", lambda path, data: pytest.fail("a full disk takes no bytes"))
    with pytest.raises((UsageError, KeyboardInterrupt)):
        write_all(dict.fromkeys([tmp_path / "made", *before], "new"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(("one", "two", "three"), "old")


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def settled(descriptor: int) -> None:
        steps.append("fsync")
        fsync(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", settled)
    monkeypatch.setattr(Path, "replace", renamed)
    LocalFiles(CHANCE).write(tmp_path / "plan.json", "{}")
    write_all({tmp_path / "one": "1", tmp_path / "two": "2"})
    assert steps == ["fsync", "rename", "fsync", "fsync", "fsync", "rename", "rename", "fsync"]


def test_if_one_cannot_be_written_a_link_comes_back(tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to("elsewhere")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "folder.yaml/file").write_text("x")
    with pytest.raises(UsageError, match="cannot be written"):
        write_all({tmp_path / "link.yaml": "new", tmp_path / "folder.yaml": "new"})
    assert (tmp_path / "link.yaml").readlink() == Path("elsewhere")
