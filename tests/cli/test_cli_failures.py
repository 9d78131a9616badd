"""Where a plan would have been stands why there is none: in every form, in every place, for every reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml

from reconciler.views.plan_forms import PlanFormat
from tests.support.project import Project
from tests.support.wires import failing, refusal

SECRET = "hunter2-of-the-failure"


def invalid(project: Project) -> None:
    project.declare("groups:\n  - {name: ops, memberz: []}\n  - {nme: x}\n")


def broken_syntax(project: Project) -> None:
    project.declare("groups: [{name: ops}\n")


def missing_secret(project: Project) -> None:
    project.declare(
        "groups: [{name: ops}]\nvaults: [{name: s3, group: ops, file: s3.conf, secrets: {S3_KEY: {env: NOT_SET}}}]\n"
    )
    project.write_file("s3.conf", 'sdk.aws.s3.key: "@{S3_KEY}"')


def server_down(project: Project) -> None:
    project.declare("groups: [{name: ops}]")
    project.wire = failing("permissions.get_user_groups", lambda: refusal(403, 20, "no"))


REASONS = [
    pytest.param(invalid, 3, "memberz", id="invalid"),
    pytest.param(broken_syntax, 3, "not valid YAML", id="syntax"),
    pytest.param(missing_secret, 3, "NOT_SET", id="missing secret"),
    pytest.param(server_down, 7, "permissions.get_user_groups", id="server"),
]
FORMS = [form.value for form in PlanFormat if form is not PlanFormat.TEXT]


@pytest.mark.parametrize(("arrange", "code", "said"), REASONS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_why_there_is_no_plan(
    form: str, arrange: Callable[[Project], None], code: int, said: str, project: Project
) -> None:
    arrange(project)
    result = project.run("plan", "--format", form)
    assert result.code == code, result
    assert said in result.stdout
    assert said in result.stderr
    if form in ("json", "sarif", "gitlab"):
        json.loads(result.stdout)


@pytest.mark.parametrize(("arrange", "code", "said"), REASONS)
def test_all_files_and_the_summary_are_written_from_one_run(
    arrange: Callable[[Project], None], code: int, said: str, project: Project
) -> None:
    arrange(project)
    project.environment["GITHUB_STEP_SUMMARY"] = str(project.write_file("summary.md", ""))
    options = [word for form in FORMS for word in ("--write", f"{form}=out.{form}")]
    result = project.run("plan", "--step-summary", "--out", "plan.json", *options)
    assert result.code == code, result
    assert result.stdout == ""
    for name in ("summary.md", *(f"out.{form}" for form in FORMS)):
        assert said in (project.folder / name).read_text(encoding="utf-8"), name
    assert not (project.folder / "plan.json").exists()


@pytest.mark.parametrize(("arrange", "code", "said"), REASONS)
def test_a_comment_without_a_plan_belongs_to_the_comment_with_one(
    arrange: Callable[[Project], None], code: int, said: str, project: Project
) -> None:
    arrange(project)
    lines = project.run("plan", "--format", "markdown").stdout.splitlines()
    assert lines[0] == "<!-- clearml-reconciler: acme-ml workspace.yaml -->"
    assert lines[1].startswith("### No plan for `acme-ml`: ")
    assert f"exit code {code}" in lines[3]


@pytest.mark.parametrize("text", ["version: [\n", "workspace: [name, x]\nversion: {\n", "\x00", ""])
def test_a_workspace_whose_name_cannot_be_read_is_known_by_its_declaration(text: str, project: Project) -> None:
    (project.folder / "workspace.yaml").write_text(text, encoding="utf-8")
    result = project.run("plan", "--format", "markdown")
    assert result.code == 3
    assert result.stdout.startswith("<!-- clearml-reconciler: ? workspace.yaml -->\n### No plan for `workspace.yaml`: ")


def test_a_declaration_that_is_not_there(project: Project) -> None:
    result = project.run("plan", "--format", "github", "teams/absent.yaml")
    assert result.code == 3
    assert result.stdout.startswith("::error file=teams/absent.yaml,line=1,col=1,title=file-not-found::")


def test_annotations_stand_where_the_problems_are(project: Project) -> None:
    invalid(project)
    lines = project.run("plan", "--format", "github").stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("::error file=workspace.yaml,line=5,col=")
    assert {line.partition("title=")[2].partition("::")[0] for line in lines} >= {"unknown-key"}


def test_a_report_for_code_quality_names_places_and_tells_one_issue_from_another(project: Project) -> None:
    invalid(project)
    issues = project.run("plan", "--format", "gitlab").json
    assert {issue["location"]["path"] for issue in issues} == {"workspace.yaml"}
    assert {issue["location"]["lines"]["begin"] for issue in issues} == {5, 6}
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 3
    assert {issue["severity"] for issue in issues} == {"blocker"}


def test_tests_fail_for_problems_and_cannot_run_without_a_server(project: Project) -> None:
    invalid(project)
    (suite,) = JUnitXml.fromstring(project.run("plan", "--format", "junit").stdout.encode())
    first, *others = suite
    assert (suite.name, first.name, type(first.result[0])) == ("acme-ml", "plan", Error)
    assert others
    assert all(isinstance(found, Failure) for case in others for found in case.result)
    server_down(project)
    (suite,) = JUnitXml.fromstring(project.run("plan", "--format", "junit").stdout.encode())
    (only,) = suite
    assert only.result[0].type == "server"


def test_a_failed_run_is_one_in_sarif(project: Project) -> None:
    server_down(project)
    (run,) = project.run("plan", "--format", "sarif").json["runs"]
    (invocation,) = run["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 7)
    assert run["automationDetails"] == {"id": "clearml-reconciler/plan/acme-ml/"}
    (result,) = run["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "workspace.yaml"


def test_what_people_write_stays_text_in_each_form(project: Project) -> None:
    project.declare('groups: [{name: ops, "<script>alert(1)</script> @ada ::error::x": 1}]\n')
    for form in FORMS:
        shown = project.run("plan", "--format", form).stdout
        assert "\n::error::x" not in shown
        if form in ("html", "junit"):
            assert "<script>alert" not in shown
    assert "`<script>alert(1)</script> @ada ::error::x`" in project.run("plan", "--format", "markdown").stdout


def test_a_secret_is_in_none_of_them(project: Project) -> None:
    project.declare(
        "secrets: {A: {env: A}, B: {env: B}}\ngroups: [{name: ops}]\n"
        'vaults: [{name: s3, groups: [ops], format: hocon, content: \'sdk.aws.s3 {key: "@{A}", secret: "@{B}"}\'}]\n'
    )
    project.environment["A"] = SECRET
    options = [word for form in FORMS for word in ("--write", f"{form}=out.{form}")]
    assert project.run("plan", *options).code == 3
    assert all(SECRET not in path.read_text(encoding="utf-8") for path in project.folder.glob("out.*"))


@pytest.mark.parametrize("value", ["html", "pdf=x", "=x", "html="])
def test_a_form_and_a_file_have_to_be_named(value: str, project: Project) -> None:
    project.declare("groups: []")
    result = project.run("plan", "--write", value)
    assert (result.code, "FORM=FILE" in result.stderr) == (64, True)


@pytest.mark.parametrize("form", ["json", "markdown", "github", "sarif", "junit", "gitlab"])
@pytest.mark.parametrize(("body", "code"), [("groups: [{nme: x}]", 3), ("groups: [{name: ops}]", 0)])
def test_validate_has_the_forms_too(form: str, body: str, code: int, project: Project) -> None:
    project.declare(body)
    result = project.run("validate", "--format", form, "--write", "markdown=problems.md")
    assert result.code == code, result
    assert ("nme" in result.stdout) == (code == 3)
    text = Path(project.folder, "problems.md").read_text(encoding="utf-8")
    assert text.startswith("### `workspace.yaml`\n")
