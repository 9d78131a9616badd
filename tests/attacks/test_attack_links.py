"""Links that somebody committed where a command writes: the link is replaced, and what it leads to stays as it is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.support.project import Project

SCRIPT = "echo precious\n"


@pytest.fixture
def precious(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project.declare("groups: []\n")
    script = tmp_path_factory.mktemp("home") / ".profile"
    script.write_text(SCRIPT)
    return script


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "--out", "result"),
        ("drift", "--metrics", "result"),
        ("drift", "--issue-body", "result"),
    ],
    ids=["plan", "metrics", "issue"],
)
def test_a_result_replaces_a_link(arguments: tuple[str, ...], project: Project, precious: Path) -> None:
    result = project.folder / "result"
    result.symlink_to(precious)
    project.run(*arguments)
    assert precious.read_text() == SCRIPT
    assert not result.is_symlink()
    assert result.read_text()


@pytest.mark.parametrize("arguments", [("plan", "--out", "out/result"), ("drift", "--metrics", "out/result")])
def test_a_folder_that_is_a_link_out_of_the_checkout_is_not_entered(
    arguments: tuple[str, ...], project: Project, precious: Path
) -> None:
    (project.folder / "out").symlink_to(precious.parent)
    result = project.run(*arguments)
    assert (result.code, "out is a symbolic link that leads out of the folder" in result.stderr) == (64, True), result
    assert [path.name for path in precious.parent.iterdir()] == [precious.name]


def test_a_folder_that_is_a_link_within_the_checkout_is_entered(project: Project, precious: Path) -> None:
    (project.folder / "real").mkdir()
    (project.folder / "out").symlink_to("real")
    assert project.run("plan", "--out", "out/plan.json").code == 0
    assert (project.folder / "real/plan.json").is_file()


def test_import_enters_no_folder_that_leads_out(project: Project, precious: Path) -> None:
    (project.folder / "imported").symlink_to(precious.parent)
    result = project.run("import", "--server", project.sandbox.server, "--out", "imported")
    assert result.code == 64, result
    assert [path.name for path in precious.parent.iterdir()] == [precious.name]


def test_fmt_replaces_a_link(project: Project, precious: Path) -> None:
    precious.write_text((project.folder / "workspace.yaml").read_text().replace("groups: []", "groups:   []"))
    before = precious.read_text()
    (project.folder / "workspace.yaml").unlink()
    (project.folder / "workspace.yaml").symlink_to(precious)
    result = project.run("fmt")
    assert precious.read_text() == before, result
    assert not (project.folder / "workspace.yaml").is_symlink()


def test_a_link_that_a_repository_holds_leads_to_no_device(project: Project, precious: Path) -> None:
    (project.folder / "plan.json").symlink_to("/dev/null")
    assert project.run("plan", "--out", "plan.json").code == 0
    assert (project.folder / "plan.json").read_text().startswith("{")


def test_devices_and_pipes_are_written_to(project: Project, precious: Path) -> None:
    assert project.run("plan", "--out", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()
    reading, writing = os.pipe()
    try:
        assert project.run("plan", "--out", f"/dev/fd/{writing}").code == 0
        assert os.read(reading, 1 << 16).startswith(b"{")
    finally:
        os.close(reading)
        os.close(writing)


def test_plans_and_imported_documents_are_for_their_owner_alone(project: Project, precious: Path) -> None:
    project.sandbox.set_group("ops")
    project.sandbox.set_vault("S3", "ops", 'sdk.aws.s3.key: "AKIAIOSFODNN7EXAMPLE"')
    assert project.run("plan", "--out", "plan.json").code in (0, 4)
    assert project.run("import", "--server", project.sandbox.server, "--out", "imported").code == 0
    written = [project.folder / "plan.json", *(project.folder / "imported").rglob("*.*")]
    assert len(written) > 1
    assert {stat.S_IMODE(path.stat().st_mode) for path in written if path.is_file()} == {0o600}
