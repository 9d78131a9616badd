"""Declarations that would keep the program busy for hours, or make one name pass for another."""

from __future__ import annotations

import time

import pytest

from reconciler.declaration import files
from tests.support.project import Project


@pytest.mark.parametrize("pattern", ["**/" * 60 + "*.yaml", "**/*a*/" * 15 + "*.yaml", "*a" * 500 + "*.yaml"])
def test_an_include_is_found_in_linear_time(pattern: str, project: Project) -> None:
    folder = project.folder
    for depth in range(12):
        folder = folder / f"ab{depth}"
        folder.mkdir()
        for name in ("a" * 200, "b"):
            (folder / name).mkdir()
    project.declare(f'include: ["{pattern}"]\n')
    begin = time.process_time()
    result = project.run("validate")
    assert (result.code, "matches no file" in result.output) == (3, True), result
    assert time.process_time() - begin < 5


def test_so_many_files_are_searched_and_no_more(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAXIMUM_SEARCHED", 20)
    (project.folder / "many").mkdir()
    for number in range(15):
        (project.folder / "many" / f"{number}.txt").touch()
    project.declare('include: ["many/*.yaml", "**/*.yml"]\n')
    result = project.run("validate")
    assert "searches more than 20 files and folders" in result.output, result


def test_a_pattern_finds_what_it_found_before(project: Project) -> None:
    for path in ("a.yaml", "teams/b.yaml", "teams/deep/c.yaml", ".hidden/d.yaml", "teams/.e.yaml"):
        project.write_file(path, "groups: []\n")
    for pattern, found in {
        "*.yaml": {"a.yaml"},
        "**/*.yaml": {"a.yaml", "teams/b.yaml", "teams/deep/c.yaml"},
        "teams/**/*.yaml": {"teams/b.yaml", "teams/deep/c.yaml"},
        "teams/*/[c-d].yaml": {"teams/deep/c.yaml"},
        "**/deep/**/?.yaml": {"teams/deep/c.yaml"},
    }.items():
        paths = files.Folder(project.folder).matching(pattern)
        assert {path.relative_to(project.folder).as_posix() for path in paths} - {"workspace.yaml"} == found, pattern


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("groups: [{name: ops}, {name: 'o\u0440\u0455'}]\n", "is a different group (letters: cyrillic"),
        (
            "service_accounts: [{name: agent}, {name: '\u0430gent'}]\n",
            "is a different service account (letters: cyrillic",
        ),
    ],
)
def test_declared_names_that_look_alike_are_warned_of(text: str, said: str, project: Project) -> None:
    project.declare(text)
    result = project.run("validate")
    assert (result.code, said in result.output) == (0, True), result


def test_live_names_that_look_alike_are_warned_of(project: Project) -> None:
    project.sandbox.set_group("\u043eps")
    project.declare("manage: {groups: declared}\ngroups: [{name: ops}]\n")
    assert "looks like ops but is a different group" in project.run("plan").output
