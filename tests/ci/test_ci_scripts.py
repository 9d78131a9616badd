"""The scripts of the CI examples, run as GitLab, cron and GitHub's own steps would run them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.ci.loopback import Request, answering
from tests.ci.workflow_files import CI_EXAMPLES, GITLAB, read
from tests.support.project import Project, example_project
from tests.support.runner import clean_environment
from tests.support.sandboxes import ADMIN_KEY, ADMIN_SECRET

COMMIT, ME = "c0ffee" + "0" * 34, 17
NO_MERGE_REQUEST = "No merged merge request"


def shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder, with the reconciler of this environment in the path."""
    path = os.pathsep.join((str(folder / "stubs"), str(Path(sys.executable).parent), os.environ["PATH"]))
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env=clean_environment(folder / "home", **{"PATH": path, "no_proxy": "127.0.0.1"} | variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.fixture
def team(tmp_path: Path) -> Project:
    """The small team without what needs a secret or waits for somebody."""
    project = example_project(tmp_path, "small-team")
    project.declare(
        "members: [{email: root@acme.io, role: admin}]\ngroups: [{name: readers, members: [root@acme.io]}]\n"
    )
    project.converge()
    return project


@contextmanager
def on_a_port(project: Project) -> Iterator[str]:
    """Serve the project's sandbox, and let the declaration name its address."""
    with project.sandbox.on_a_port() as url:
        path = project.folder / "workspace.yaml"
        path.write_text(path.read_text().replace(project.sandbox.server, url), encoding="utf-8")
        yield url


@dataclass
class GitLab:
    """The notes of one merge request, and the plans that jobs left."""

    notes: list[dict[str, Any]] = field(default_factory=list)
    plans: dict[str, bytes] = field(default_factory=dict)
    merged: bool = True

    def answer(self, request: Request) -> tuple[int, bytes]:
        if request.headers.get("PRIVATE-TOKEN") != "glpat-of-the-test":
            return 401, b"{}"
        path = unquote(request.path)
        if path in self.plans:
            return 200, self.plans[path]
        if path == "/user":
            return 200, json.dumps({"id": ME}).encode()
        if path == f"/projects/42/repository/commits/{COMMIT}/merge_requests":
            return 200, json.dumps([{"iid": 7, "state": "merged" if self.merged else "closed"}]).encode()
        if request.method == "GET" and path == "/projects/42/merge_requests/7/notes":
            page = int(request.query["page"])
            return 200, json.dumps(self.notes[(page - 1) * 100 : page * 100]).encode()
        if request.method == "POST" and path == "/projects/42/merge_requests/7/notes":
            self.notes.append({"id": len(self.notes), "author": {"id": ME}, **json.loads(request.body)})
            return 201, b"{}"
        if request.method == "PUT":
            self.notes[int(path.rpartition("/")[2])]["body"] = json.loads(request.body)["body"]
            return 200, b"{}"
        return 404, b"{}"


def test_a_merge_request_on_gitlab(team: Project) -> None:
    gitlab, jobs = GitLab(), read(GITLAB)
    (team.folder / "ci").mkdir()
    shutil.copy(CI_EXAMPLES / "gitlab" / "merge_request.py", team.folder / "ci")
    plan = team.folder / "plan.json"
    with on_a_port(team) as server, answering(gitlab.answer) as api:

        def job(name: str, **variables: str) -> subprocess.CompletedProcess[str]:
            given = {
                "CLEARML_API_HOST": server,
                "CLEARML_API_ACCESS_KEY": ADMIN_KEY,
                "CLEARML_API_SECRET_KEY": ADMIN_SECRET,
                "CI_API_V4_URL": api,
                "CI_PROJECT_ID": "42",
                "CI_MERGE_REQUEST_IID": "7",
                "CI_COMMIT_SHA": COMMIT,
                "CI_JOB_URL": "https://gitlab.example/acme/workspace/-/jobs/1",
            }
            return shell("\n".join(jobs[name]["script"]), team.folder, **given | variables)

        path = team.folder / "workspace.yaml"
        path.write_text(path.read_text().replace("{name: readers,", "{name: readers, description: First,"))
        assert job("validate").returncode == 0
        gitlab.notes = [
            {"id": 0, "author": {"id": 99}, "body": "<!-- clearml-reconciler: acme-ml workspace.yaml -->\nnot ours"}
        ] * 101
        for description in ("First", "Second"):
            path.write_text(path.read_text().replace("First", description))
            planned = job("plan", NOTE_TOKEN="glpat-of-the-test")
            assert planned.returncode == 0, planned
            assert len(gitlab.notes) == 102
            assert description in gitlab.notes[-1]["body"]
            assert COMMIT in gitlab.notes[-1]["body"]

        reviewed = "/projects/42/jobs/artifacts/refs/merge-requests/7/head/raw/plan.json"
        gitlab.plans[reviewed] = plan.read_bytes()
        team.sandbox.set_group("readers", description="Edited by hand")
        stale = job("apply", MERGE_TOKEN="glpat-of-the-test")
        assert stale.returncode == 5, stale
        assert "group readers" in stale.stderr

        gitlab.plans["/projects/42/jobs/815/artifacts/plan.json"] = plan.read_bytes()
        applied = job("apply", MERGE_TOKEN="glpat-of-the-test", PLAN_JOB="815")
        assert applied.returncode == 0, applied
        assert job("drift").returncode == 0

        gitlab.merged = False
        nobody = job("apply", MERGE_TOKEN="glpat-of-the-test")
        assert (nobody.returncode, NO_MERGE_REQUEST in nobody.stderr) == (1, True)


def test_cron_says_nothing_unless_there_is_something_to_say(team: Project) -> None:
    origin = team.folder / "origin"
    script = f"{CI_EXAMPLES / 'cron' / 'drift.sh'} clone"
    with on_a_port(team) as server:
        shell("git init -q -b main origin", team.folder)
        shutil.copy(team.folder / "workspace.yaml", origin)
        commit = "cd origin; git add .; git -c user.name=Ada -c user.email=ada@acme.io commit -qm Declare; cd ..;"
        assert shell(f"{commit} git clone -q origin clone", team.folder).returncode == 0
        conf = team.folder / "home" / "clearml.conf"
        keys = f'access_key: "{ADMIN_KEY}", secret_key: "{ADMIN_SECRET}"'
        conf.write_text(f'api {{api_server: "{server}", credentials {{{keys}}}}}\n')
        conf.chmod(0o640)
        refused = shell(script, team.folder)
        assert (refused.returncode, "others can read" in refused.stderr) == (64, True)
        conf.chmod(0o600)
        in_sync = shell(script, team.folder)
        assert (in_sync.returncode, in_sync.stdout, in_sync.stderr) == (0, "", "")
        team.sandbox.set_group("readers", description="Edited by hand")
        drift = shell(script, team.folder)
        assert (drift.returncode, "readers" in drift.stdout) == (2, True), drift
        shutil.rmtree(origin)
        unknown = shell(script, team.folder)
        assert unknown.returncode not in (0, 2)
        assert unknown.stdout


GH = """#!/bin/sh
echo "$*" >>gh.log
case "$*" in
    *commits/*) printf '%s' "$PULL" ;;
    *actions/workflows/*) printf '%s' "$FOUND" ;;
    *actions/runs/*) printf '%s' "${RUN-acme/workspace .github/workflows/workspace.yml ${PULL:-merged}}" ;;
    "issue list"*) printf '%s' "$ISSUE" ;;
esac
"""


def step(workflow: str, job: str, name: str) -> str:
    steps = read(CI_EXAMPLES / "github" / workflow)["jobs"][job]["steps"]
    script: str = next(step["run"] for step in steps if step.get("name") == name)
    return script


def with_gh(script: str, folder: Path, **variables: str) -> tuple[int, str, list[str]]:
    """Run a script with a `gh` that writes down what it is asked."""
    (folder / "stubs").mkdir()
    (folder / "stubs" / "gh").write_text(GH)
    (folder / "stubs" / "gh").chmod(0o700)
    done = shell(script, folder, GITHUB_REPOSITORY="acme/workspace", GITHUB_SHA="merged", **variables)
    log = folder / "gh.log"
    return done.returncode, done.stdout, log.read_text().splitlines() if log.exists() else []


@pytest.mark.parametrize(
    ("variables", "code", "last"),
    [
        ({"PULL": "head", "FOUND": "12", "PLAN_RUN": ""}, 0, "run download 12 --repo acme/workspace --name plan-head"),
        ({"PULL": "", "FOUND": "", "PLAN_RUN": "34"}, 0, "run download 34 --repo acme/workspace --name plan-merged"),
        ({"PULL": "", "FOUND": "12", "PLAN_RUN": ""}, 1, "nobody has reviewed a plan"),
        ({"PULL": "head", "FOUND": "", "PLAN_RUN": ""}, 1, "no successful plan of head"),
        (
            {"PULL": "head", "FOUND": "12", "PLAN_RUN": "", "RUN": "fork/x .github/workflows/workspace.yml head"},
            1,
            "is not one",
        ),
        (
            {"PULL": "", "FOUND": "", "PLAN_RUN": "34", "RUN": "acme/workspace .github/workflows/other.yml merged"},
            1,
            "is not",
        ),
    ],
)
def test_the_plan_that_was_reviewed_is_the_one_that_is_fetched(
    variables: dict[str, str], code: int, last: str, tmp_path: Path
) -> None:
    script = step("workspace.yml", "apply", "Fetch the plan that was reviewed")
    ended, told, calls = with_gh(script, tmp_path, **variables)
    assert ended == code
    assert last in (calls[-1] if code == 0 else told)
    assert any("run download" in call for call in calls) == (code == 0)


@pytest.mark.parametrize(
    ("code", "issue", "last"),
    [
        ("2", "", "issue create --title ClearML drift"),
        ("2", "5", "issue comment 5 --body Resources that are not as declared: 3."),
        ("7", "", "issue create --title ClearML drift"),
        ("", "5", "issue comment 5 --body Nobody can tell"),
        ("0", "5", "issue close 5"),
        ("0", "", "issue list"),
    ],
)
def test_drift_has_one_issue_which_is_closed_again(code: str, issue: str, last: str, tmp_path: Path) -> None:
    script = step("drift.yml", "drift", "Open, update or close the issue")
    given = {
        "EXIT_CODE": code,
        "CHANGES": "3",
        "ISSUE": issue,
        "RUN": "https://github.com/acme/workspace/actions/runs/1",
    }
    ended, _, calls = with_gh(script, tmp_path, **given)
    assert ended == 0
    assert calls[-1].startswith(last)
