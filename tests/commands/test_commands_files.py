"""Several files are written, or none."""

from __future__ import annotations

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


def test_if_one_cannot_be_written_a_link_comes_back(tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to("elsewhere")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "folder.yaml/file").write_text("x")
    with pytest.raises(UsageError, match="cannot be written"):
        write_all({tmp_path / "link.yaml": "new", tmp_path / "folder.yaml": "new"})
    assert (tmp_path / "link.yaml").readlink() == Path("elsewhere")
