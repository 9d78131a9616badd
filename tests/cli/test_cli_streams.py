"""The command as a process whose streams are closed, or whose reader has gone: it does its work all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.runner import clean_environment

VALID = "members: [{email: root@acme.io, role: admin}]\ngroups: [{name: a, members: [root@acme.io]}]\n"
INVALID = "members: [{email: root@acme.io, role: king}]\n"
COMMAND = f"{sys.executable} -m reconciler"


def shell(project: Project, script: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment(project.folder / "home", PYTHONPATH=str(Path(__file__).parents[2]))
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        cwd=project.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("body", "code"), [(VALID, 0), (INVALID, 3)], ids=["valid", "invalid"])
def test_a_closed_stream_changes_no_exit_code(project: Project, closed: str, body: str, code: int) -> None:
    project.declare(body)
    done = shell(project, f"{COMMAND} validate {closed}")
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done


def test_an_apply_without_streams_prints_into_no_file(project: Project) -> None:
    project.declare(VALID)
    assert shell(project, f"{COMMAND} apply --yes <&- >&- 2>&-").returncode == 0
    assert shell(project, f"{COMMAND} plan --detailed-exitcode").returncode == 0
    (record,) = (project.folder / ".reconciler").glob("*.json")
    assert record.read_text().startswith("{")


def test_an_apply_whose_reader_has_gone_exits_as_it_ended(project: Project) -> None:
    project.declare(VALID)
    done = shell(project, f"{COMMAND} apply --yes | true")
    assert done.returncode == 0, done
    assert "a" in project.sandbox.truth().groups
    project.declare("groups: []\n", policy="max_removals: 0")
    refused = shell(project, f"{COMMAND} apply --yes | true")
    assert refused.returncode == 4, refused


def test_a_reader_that_takes_one_line_gets_it(project: Project) -> None:
    project.declare(VALID)
    done = shell(project, f"{COMMAND} plan --detailed-exitcode | head -1")
    assert done.returncode == 2, done
    assert len(done.stdout.splitlines()) == 1
