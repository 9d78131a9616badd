"""``show``: one saved plan in every form, without a server, a declaration or a secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from junitparser import Failure, JUnitXml, Skipped
from msgspec.structs import replace

from reconciler.model.secret import Secret
from reconciler.plan.document import read_plan
from reconciler.plan.fingerprints import DigestKey
from reconciler.views.plan_forms import PlanFormat
from tests.support.project import Project


@pytest.fixture
def refused(project: Project) -> Project:
    """A folder with nothing but a saved plan that two guards refuse, one of them lifted."""
    project.sandbox.set_group("ops", "root@acme.io")
    project.sandbox.set_group("readers", "root@acme.io")
    project.declare("groups: []", policy="min_admins: 1, max_removals: 1")
    project.environment["GITHUB_STEP_SUMMARY"] = str(project.write_file("summary.md", ""))
    forms = [word for form in PlanFormat for word in ("--write", f"{form}=first.{form}")]
    assert project.run("plan", "--out", "plan.json", *forms).code == 4
    (project.folder / "workspace.yaml").unlink()
    Path(project.folder, "sandbox.db").unlink()
    return project


@pytest.mark.parametrize("form", list(PlanFormat))
def test_a_saved_plan_is_shown_as_it_was(form: PlanFormat, refused: Project) -> None:
    shown = refused.run("show", "plan.json", "--format", form, "--impact", "full")
    assert shown.code == 0, shown
    assert shown.stdout == (refused.folder / f"first.{form}").read_text(encoding="utf-8")
    assert "authentic" in shown.stderr


def test_forms_are_written_and_summed_up_from_a_saved_plan(refused: Project) -> None:
    shown = refused.run("show", "plan.json", "--write", "html=plan.html", "--write", "sarif=a.sarif", "--step-summary")
    assert shown.code == 0, shown
    assert (refused.folder / "plan.html").read_text() == (refused.folder / "first.html").read_text()
    assert (refused.folder / "a.sarif").read_text() == (refused.folder / "first.sarif").read_text()
    assert "### Plan for `acme-ml`: " in (refused.folder / "summary.md").read_text()


def test_each_guard_is_a_test(refused: Project) -> None:
    (suite,) = JUnitXml.fromstring(refused.run("show", "plan.json", "--format", "junit").stdout.encode())
    results = {case.name: [type(result) for result in case.result] for case in suite}
    assert results["plan"] == []
    assert results["max-removals"] == [Failure]
    assert results["min-admins"] == []
    assert suite.failures == sum(result == [Failure] for result in results.values())
    assert Skipped not in results["max-removals"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "cannot be read"),
        ("version: 1\n", "not a saved plan"),
        ('{"format": "clearml-reconciler/plan/999"}', "not a plan that this version can read"),
    ],
)
@pytest.mark.parametrize("form", ["markdown", "json", "github"])
def test_what_is_no_plan_says_so_in_every_form(form: str, text: str | None, why: str, project: Project) -> None:
    if text is not None:
        project.write_file("plan.json", text)
    shown = project.run("show", "plan.json", "--format", form)
    assert shown.code == 5, shown
    assert why in shown.stderr
    assert why in shown.stdout


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "This plan is authentic"),
        ({"RECONCILER_KEY": "another-key-of-thirty-two-bytes-or-more"}, "Whether this plan is authentic is not known"),
        ({"RECONCILER_KEY": "short"}, "Whether this plan is authentic is not known"),
    ],
)
def test_it_says_whether_the_plan_is_authentic(variables: dict[str, str], said: str, refused: Project) -> None:
    refused.environment |= variables
    shown = refused.run("show", "plan.json")
    assert (shown.code, said in shown.stderr) == (0, True), shown


def test_a_plan_with_a_seal_of_somebody_else_is_not_shown(refused: Project) -> None:
    path = refused.folder / "plan.json"
    forged = replace(read_plan(path.read_text(), "plan.json"), changes=())
    path.write_text(forged.sealed(DigestKey.derive(Secret("a key that somebody made up by himself"))).to_json())
    shown = refused.run("show", "plan.json")
    assert (shown.code, shown.stdout) == (5, "")
    assert "altered" in shown.stderr


def test_an_altered_plan_is_not_shown(refused: Project) -> None:
    path = refused.folder / "plan.json"
    path.write_text(path.read_text().replace('"readers"', '"friends"'))
    shown = refused.run("show", "plan.json")
    assert (shown.code, shown.stdout) == (5, "")
    assert "altered" in shown.stderr
