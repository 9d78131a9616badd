"""The action, the hooks and the CI examples fit what GitHub, GitLab, pre-commit and systemd want, and are safe."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ci.workflow_files import (
    ACTION,
    CI_EXAMPLES,
    GITLAB,
    HOOKS,
    ROOT,
    WORKFLOWS,
    Script,
    name_of,
    read,
    scripts,
    tool,
)

EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
OTHERS = {"azure": "azure-pipelines", "bitbucket": "bitbucket-pipelines"}
SCHEMAS = [
    (ACTION, "github-actions"),
    (GITLAB, "gitlab-ci"),
    *((CI_EXAMPLES / folder / f"{schema}.yml", schema) for folder, schema in OTHERS.items()),
    *((path, "github-workflows") for path in WORKFLOWS),
]
PINNED = re.compile(r"actions/[a-z-]+@[0-9a-f]{40}")
WRITING = {"pull-requests": {"plan"}, "issues": {"drift"}}


def run(*command: str | Path, stdin: str = "", cwd: Path | None = None) -> str:
    """Run a linter and return what it says; empty if it is content."""
    done = subprocess.run(command, input=stdin, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize(("path", "schema"), SCHEMAS, ids=[name_of(path) for path, _ in SCHEMAS])
def test_every_file_fits_its_published_schema(path: Path, schema: str) -> None:
    assert run(tool("check-jsonschema"), "--builtin-schema", f"vendor.{schema}", path) == ""


@pytest.mark.parametrize("script", list(scripts()), ids=lambda script: script.where)
class TestEveryScript:
    def test_parses(self, script: Script) -> None:
        assert run(script.shell, "-n", stdin=script.text) == ""

    def test_satisfies_shellcheck(self, script: Script) -> None:
        text = script.text if script.text.startswith("#!") else f"#!/bin/{script.shell}\nset -e\n{script.text}"
        assert run(tool("shellcheck"), "-", stdin=text) == ""

    def test_holds_no_expression(self, script: Script) -> None:
        """What an event or an input says reaches a script as a variable only, never as a part of its text."""
        assert "${{" not in script.text


@pytest.mark.parametrize("linter", ["actionlint", "zizmor"])
def test_the_workflows_satisfy_their_linters(linter: str, tmp_path: Path) -> None:
    program = tool(linter)
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for path in WORKFLOWS:
        shutil.copy(path, folder)
    if linter == "actionlint":
        assert run(program, *folder.glob("*.yml"), cwd=tmp_path) == ""
        return
    shutil.copy(ACTION, tmp_path)
    # Every action by its commit; the placeholder stands for the reader's choice.
    policies = '{"*": hash-pin, "OWNER/*": any}'
    (tmp_path / "zizmor.yml").write_text(f"rules: {{unpinned-uses: {{config: {{policies: {policies}}}}}}}\n")
    assert run(program, "--offline", "--no-progress", "--config", tmp_path / "zizmor.yml", tmp_path) == ""


def steps_of(path: Path) -> list[dict[str, Any]]:
    document = read(path)
    jobs = document["jobs"].values() if "jobs" in document else [document["runs"]]
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=name_of)
def test_only_github_s_own_actions_are_used_and_this_one(path: Path) -> None:
    for step in steps_of(path):
        uses = step.get("uses")
        assert uses is None or PINNED.fullmatch(uses) or uses.startswith("OWNER/clearml-reconciler@")


@pytest.mark.parametrize("path", WORKFLOWS, ids=name_of)
def test_a_job_may_write_only_what_it_has_to(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for name, job in workflow["jobs"].items():
        for scope, access in job.get("permissions", {}).items():
            assert access == "read" or name in WRITING[scope], (name, scope)
    assert all(
        step["with"]["persist-credentials"] is False for step in steps_of(path) if "checkout" in str(step.get("uses"))
    )


def test_no_pull_request_of_a_stranger_meets_a_secret() -> None:
    workflow = read(CI_EXAMPLES / "github" / "workspace.yml")
    assert "pull_request_target" not in workflow[True if True in workflow else "on"]
    for name, job in workflow["jobs"].items():
        strangers = "github.event_name == 'pull_request'" in job["if"] and "head.repo.full_name" not in job["if"]
        assert strangers == (name == "validate")
        assert ("secrets." in str(job)) == (not strangers), name
        assert ("environment" in job) == (not strangers), name


def test_no_plan_of_a_fork_s_run_is_applied() -> None:
    """A fork's pull request runs the fork's own workflow, which can upload any plan under any name."""
    (fetch,) = (
        step["run"]
        for step in steps_of(CI_EXAMPLES / "github" / "workspace.yml")
        if step.get("name") == "Fetch the plan that was reviewed"
    )
    assert "select(.head_repository.full_name == env.GITHUB_REPOSITORY)" in fetch
    assert fetch.index("the run is not one of this workflow") < fetch.index("gh run download")


def test_the_action_hands_inputs_over_in_the_environment_and_credentials_to_one_step() -> None:
    action = read(ACTION)
    for step in action["runs"]["steps"]:
        given = {found.strip() for value in step.get("env", {}).values() for found in EXPRESSION.findall(value)}
        assert ("inputs.secret-key" in given) == (step["name"] in ("Mask the credentials", "Run reconciler"))
        assert ("inputs.github-token" in given) == (step["name"] == "Comment on the pull request")
    text = ACTION.read_text(encoding="utf-8")
    for name in action["inputs"]:
        assert f"inputs.{name}" in text, name


def test_the_hook_checks_the_declaration(tmp_path: Path) -> None:
    hooks = {hook["id"]: hook for hook in read(HOOKS)}
    assert set(hooks) == {"reconciler-validate", "reconciler-fmt"}
    for hook in hooks.values():
        assert hook.keys() >= {"id", "name", "entry", "language"}
        assert hook["pass_filenames"] is False
    hook = hooks["reconciler-validate"]
    for file in ("workspace.yaml", "teams/vision.yaml", "vaults/s3.conf", "vaults/gcs.json"):
        assert re.search(hook["files"], file)
    program, *arguments = hook["entry"].split()
    assert program == "reconciler"
    entry = [sys.executable, "-m", "reconciler", *arguments]
    assert run(*entry, cwd=ROOT / "examples" / "small-team") == ""
    (tmp_path / "workspace.yaml").write_text("version: 1\nmembers: [\n")
    assert "workspace.yaml" in run(*entry, cwd=tmp_path)


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units, with programs that are there on this machine."""
    made = []
    for path in sorted((CI_EXAMPLES / "systemd").iterdir()):
        text = re.sub(
            r"^(Exec\w+=)\S+", rf"\g<1>{shutil.which('true')}", path.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        made.append(tmp_path / path.name)
        made[-1].write_text(text, encoding="utf-8")
    return made


def test_the_units_satisfy_systemd(units: list[Path]) -> None:
    assert run(tool("systemd-analyze"), "verify", *units) == ""


def test_the_check_runs_with_next_to_no_rights(units: list[Path]) -> None:
    analyze = tool("systemd-analyze")
    version = re.search(r"\d+", run(analyze, "--version") or subprocess.check_output([analyze, "--version"], text=True))
    if version is None or int(version[0]) < 250:
        pytest.skip("this systemd cannot analyze a unit that is not installed")
    service = next(unit for unit in units if unit.name == "reconciler-drift.service")
    assert run(analyze, "security", "--offline=true", "--threshold=15", "--no-pager", service) == ""


def owners_of(file: str, rules: list[tuple[str, list[str]]]) -> list[str]:
    """Return who owns a file: the last rule that matches decides (the patterns of the example, not all that there are)."""
    return next(
        (
            owners
            for pattern, owners in reversed(rules)
            if pattern in ("*", f"/{file}") or (pattern.endswith("/") and f"/{file}".startswith(pattern))
        ),
        [],
    )


def test_every_team_owns_its_own_files_and_no_other() -> None:
    folder = ROOT / "examples" / "large-organization"
    lines = (folder / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    rules = [(pattern, owners) for pattern, *owners in map(str.split, lines) if pattern != "#"]
    assert rules[0][0] == "*"
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    for pattern, owners in rules:
        assert owners, pattern
        assert all(re.fullmatch(r"@acme/[a-z-]+", owner) for owner in owners)
        later = pattern.startswith("/.github") or pattern == "*"
        assert later or any(f"/{file}".startswith(pattern) for file in files), f"{pattern} matches nothing"
    security = "@acme/security"  # what is everybody's, and whatever decides about the rest
    for file in files:
        owners = owners_of(file, rules)
        team = re.search(r"(?:teams|vaults)/(vision|language|forecasting)\b", file)
        if team:
            assert owners == [f"@acme/{team[1]}-leads"], file
        elif not file.startswith("out/"):
            assert owners == [security], f"{file}: of several owners one is enough"
    assert owners_of(".github/workflows/workspace.yml", rules) == [security]
