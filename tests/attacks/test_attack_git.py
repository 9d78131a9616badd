"""A repository that names programs in every setting that git has for it: asking for the commit runs none of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.project import Project

BODY = "groups: [{name: ops}]\n"

HOSTILE = {
    "clean filter": '[filter "evil"]\n\tclean = {run}\n\tsmudge = {run}\n\trequired = true\n',
    "filter process": '[filter "evil"]\n\tprocess = {run}\n\trequired = true\n',
    "file-system monitor": "[core]\n\tfsmonitor = {run}\n",
    "hooks": "[core]\n\thooksPath = {hooks}\n",
    "ssh": '[core]\n\tsshCommand = {run}\n[remote "origin"]\n\turl = ssh://host/x\n\tpromisor = true\n',
    "ssh of a missing object": "[core]\n\tsshCommand = {run}\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n"
    '[remote "origin"]\n\turl = ssh://host/x\n\tpromisor = true\n\tpartialclonefilter = blob:none\n',
    "remote helper": '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n[protocol "ext"]\n\tallow = always\n'
    '[remote "origin"]\n\turl = ext::{run}\n\tpromisor = true\n',
    "upload pack": '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n[protocol "file"]\n\tallow = always\n'
    '[remote "origin"]\n\turl = {top}\n\tuploadpack = {run}\n\tpromisor = true\n',
    "text conversion": '[diff "evil"]\n\ttextconv = {run}\n\tcommand = {run}\n[diff]\n\texternal = {run}\n',
    "pager": "[core]\n\tpager = {run}\n[pager]\n\tls-tree = {run}\n\trev-parse = {run}\n\tstatus = {run}\n",
    "alias": '[alias]\n\trev-parse = "!{run}"\n\tls-tree = "!{run}"\n\tstatus = "!{run}"\n',
    "credential helper": '[credential]\n\thelper = "!{run}"\n',
    "askpass": "[core]\n\taskPass = {run}\n\teditor = {run}\n\tgitProxy = {run}\n",
    "signature program": "[gpg]\n\tprogram = {run}\n[log]\n\tshowSignature = true\n",
    "include": '[include]\n\tpath = {more}\n[includeIf "gitdir:**"]\n\tpath = {more}\n',
}


@pytest.fixture
def hostile(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a program that leaves a mark, in a project that is a git repository."""
    project.declare(BODY)
    place = tmp_path_factory.mktemp("evil")
    program = place / "run"
    program.write_text(f"#!/bin/sh\ntouch {place}/ran\ncat\n")
    program.chmod(0o755)
    (place / "more").write_text(HOSTILE["clean filter"].format(run=program) + f"[core]\n\tfsmonitor = {program}\n")
    (place / "hooks").mkdir()
    for hook in ("post-index-change", "reference-transaction", "post-checkout", "fsmonitor-watchman"):
        (place / "hooks" / hook).symlink_to(program)
    git(project, "init", "-q")
    project.write_file(".gitattributes", "* filter=evil diff=evil\n")
    git(project, "add", "workspace.yaml", ".gitattributes")
    git(project, "-c", "user.name=Ada", "-c", "user.email=ada@acme.io", "commit", "-qm", "Declare")
    return place


def git(project: Project, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=project.folder,
        env={"PATH": os.environ["PATH"], "HOME": str(project.folder / "home")},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def poison(project: Project, place: Path, settings: str, git_dir: str = ".git") -> None:
    names = {"run": f"{place}/run", "hooks": f"{place}/hooks", "more": f"{place}/more", "top": str(project.folder)}
    with (project.folder / git_dir / "config").open("a") as config:
        config.write(settings.format(**names))


@pytest.mark.parametrize("what", HOSTILE)
def test_the_settings_of_a_repository_run_nothing(what: str, project: Project, hostile: Path) -> None:
    head = git(project, "rev-parse", "HEAD")
    poison(project, hostile, HOSTILE[what])
    os.utime(project.folder / "workspace.yaml", (1, 1))  # so that git does not trust its index
    if "missing" in what or what in ("remote helper", "upload pack"):
        tree = git(project, "rev-parse", "HEAD^{tree}")
        (project.folder / ".git/objects" / tree[:2] / tree[2:]).unlink()
    result = project.apply()
    assert result.code == 0, result
    assert not (hostile / "ran").exists()
    assert head[:7] in project.run("history").stdout


def test_an_attack_would_have_worked_on_git_status(project: Project, hostile: Path) -> None:
    poison(project, hostile, HOSTILE["clean filter"])
    os.utime(project.folder / "workspace.yaml", (1, 1))
    git(project, "status", "--porcelain")
    assert (hostile / "ran").exists()


def test_a_folder_that_only_looks_like_a_repository_is_none(project: Project, hostile: Path) -> None:
    git(project, "init", "-q", "--bare", "inner")
    poison(project, hostile, HOSTILE["file-system monitor"] + HOSTILE["clean filter"], "inner")
    inner = project.folder / "inner"
    (inner / "workspace.yaml").write_text((project.folder / "workspace.yaml").read_text())
    assert project.apply("inner/workspace.yaml").code == 0
    assert not (hostile / "ran").exists()


@pytest.mark.parametrize(("edit", "dirty"), [("", False), ("# more\n", True)])
def test_a_changed_file_is_noticed(edit: str, dirty: bool, project: Project, hostile: Path) -> None:
    with (project.folder / "workspace.yaml").open("a") as file:
        file.write(edit)
    assert project.apply().code == 0
    shown = project.run("history", "--format", "json").json
    assert shown["runs"][0]["commit"]["dirty"] is dirty


@pytest.mark.parametrize("ending", ["", ".lock"])
def test_a_record_or_lock_that_is_committed_is_refused(ending: str, project: Project, hostile: Path) -> None:
    assert project.apply().code == 0
    (record,) = (project.folder / ".reconciler").glob("*.json")
    forged = record.with_name(record.name + ending)
    forged.write_bytes(record.read_bytes())
    git(project, "add", "-f", str(forged.relative_to(project.folder)))
    git(project, "-c", "user.name=Eve", "-c", "user.email=eve@acme.io", "commit", "-qm", "Forge")
    for command in ("plan", "drift", "apply"):
        result = project.run(command, *(["--yes"] if command == "apply" else []))
        assert (result.code, "is committed to git" in result.stderr) == (4, True), result


def test_a_committed_link_in_place_of_the_folder_of_records_is_refused(project: Project, hostile: Path) -> None:
    assert project.apply().code == 0
    (project.folder / ".reconciler").rename(project.folder / "forged")
    (project.folder / ".reconciler").symlink_to("forged")
    git(project, "add", "-f", ".reconciler")
    git(project, "-c", "user.name=Eve", "-c", "user.email=eve@acme.io", "commit", "-qm", "Forge")
    assert project.run("plan").code == 4
