"""``plan`` in all its forms, through the real command."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.support.project import EXAMPLES, Project

STARTS = {
    "text": "acme-ml   ",
    "json": "{\n",
    "markdown": "<!-- clearml-reconciler: acme-ml workspace.yaml -->\n### Plan for `acme-ml`: ",
    "html": '<!doctype html>\n<html lang="en">',
    "github": "::notice file=workspace.yaml,line=10,title=new-admin::",
    "sarif": '{\n "$schema": ',
    "junit": '<testsuites name="clearml-reconciler" ',
    "gitlab": '[\n {\n  "description": ',
}


@pytest.mark.parametrize("form", STARTS)
def test_a_plan_in_each_form(form: str, small_team: Project) -> None:
    result = small_team.run("plan", "--server", small_team.sandbox.server, "--format", form)
    assert result.code == 0, result
    assert result.stdout.startswith(STARTS[form]), result
    assert "hunter2-small-team" not in result.output


def test_the_forms_that_have_schemas_fit_them(small_team: Project) -> None:
    for command in ("plan", "drift"):
        schema = json.loads((EXAMPLES.parent / "schemas" / f"{command}.schema.json").read_text(encoding="utf-8"))
        result = small_team.run(command, "--server", small_team.sandbox.server, "--format", "json")
        jsonschema.validate(result.json, schema)


def test_the_whole_impact_on_request(project: Project) -> None:
    project.declare("members: [{email: root@acme.io, role: admin}, {email: new@acme.io, role: consumer}]")
    assert "Impact: 1 routine   (--impact full shows all)\n" in project.run("plan").stdout
    full = project.run("plan", "--impact", "full").stdout
    assert "Impact: 1 routine\n  routine    + new@acme.io is invited to the workspace as consumer\n" in full


def test_the_summary_of_a_step_is_appended(project: Project) -> None:
    project.declare("groups: [{name: ops}]")
    path = project.write_file("summary.md", "before\n")
    project.environment |= {
        "GITHUB_STEP_SUMMARY": str(path),
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/ml",
        "GITHUB_RUN_ID": "12",
    }
    result = project.run("plan", "--step-summary", "--format", "github")
    assert result.code == 0, result
    assert (
        result.stdout
        == "::notice title=plan::Plan: 1 to add, 0 to change, 0 to remove. Nothing has been changed yet.\n"
    )
    assert path.read_text(encoding="utf-8").startswith("before\n<!-- clearml-reconciler: acme-ml workspace.yaml -->\n")


@pytest.mark.parametrize(
    ("path", "message"), [(None, "GITHUB_STEP_SUMMARY is not set"), ("nowhere/summary.md", "cannot be written")]
)
def test_a_summary_that_cannot_be_written(project: Project, path: str | None, message: str) -> None:
    project.declare("groups: [{name: ops}]")
    if path is not None:
        project.environment["GITHUB_STEP_SUMMARY"] = path
    result = project.run("plan", "--step-summary")
    assert (result.code, message in result.stderr) == (64, True), result


@pytest.mark.parametrize(
    ("repository", "whole"),
    [
        ("acme/ml", "[the run that made it](https://github.com/acme/ml/actions/runs/12)"),
        ("acme/ml)](x", "the output of `reconciler plan`"),
    ],
)
def test_a_cut_plan_says_where_the_whole_is(project: Project, repository: str, whole: str) -> None:
    groups = ", ".join(f"{{name: group-{number:04}, description: {'x' * 60}}}" for number in range(600))
    project.declare(f"groups: [{groups}]")
    project.environment |= {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": repository,
        "GITHUB_RUN_ID": "12",
    }
    text = project.run("plan", "--format", "markdown").stdout
    assert 60_000 < len(text) <= 65_536
    assert text.endswith(f"lines left out. The whole plan is in {whole}.\n")


def test_a_bad_declaration_as_sarif(project: Project) -> None:
    project.declare("groups: [{name: ops}, {nme: x}]")
    result = project.run("validate", "--format", "sarif")
    assert result.code == 3
    found = result.json["runs"][0]["results"]
    assert {Path(item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]).name for item in found} == {
        "workspace.yaml"
    }
