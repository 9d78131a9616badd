"""Somebody who can swap an artifact: a plan that nobody reviewed, or not all of one, is not applied."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.model.secret import Secret
from reconciler.plan.fingerprints import DigestKey
from tests.support.project import Project
from tests.support.sandboxes import new_sandbox
from tests.support.wires import Calls

Json = dict[str, Any]
BODY = """
members: [{email: root@acme.io, role: admin}, {email: ada@acme.io}, {email: bob@acme.io}]
groups: [{name: ops, members: [root@acme.io]}]
"""
KEY = "the key of the team, of 32 bytes or more"
THEIRS = "a key of somebody else, just as long as it"


@pytest.fixture
def reviewed(project: Project) -> Project:
    project.environment["RECONCILER_KEY"] = KEY
    project.declare(BODY)
    assert project.run("plan", "--out", "plan.json").code == 0
    return project


def rewritten(project: Project, change: Callable[[Json], object], key: str | None = None) -> None:
    """Change the saved plan, and make everything of it that can be made without the key of the team."""
    path = project.folder / "plan.json"
    plan = json.loads(path.read_text())
    change(plan)
    del plan["digest"]
    seal = plan.pop("seal")
    text = json.dumps(plan, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    plan["digest"] = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    plan["seal"] = seal if key is None else DigestKey.derive(Secret(key)).seal("plan", plan["digest"].encode())
    path.write_text(json.dumps(plan))


def refused(project: Project, *options: str) -> str:
    calls = Calls()
    before = project.sandbox.truth()
    result = project.run("apply", "--yes", "--plan", "plan.json", *options, wire=calls.wire)
    assert result.code == 5, result
    assert calls.writes == []
    assert project.sandbox.truth() == before
    return result.stderr


ALTERED = {
    "a change dropped": lambda plan: plan["changes"].pop(),
    "impact and refusals emptied": lambda plan: plan.update(impact={}, refusals=[]),
    "the id of the key zeroed": lambda plan: plan.update(key_id="000000000000"),
    "a selection that nobody made": lambda plan: plan.update(selection=["member:ada@acme.io"]),
    "nothing": lambda plan: None,
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED)
@pytest.mark.parametrize("key", [None, THEIRS], ids=["the old seal", "a seal of their own"])
def test_a_plan_that_was_made_anew_is_not_applied(
    change: Callable[[Json], object], key: str | None, reviewed: Project
) -> None:
    if key is None and change is ALTERED["nothing"]:
        pytest.skip("that is the reviewed plan")
    rewritten(reviewed, change, key)
    assert "plan.json: " in refused(reviewed)


def test_a_plan_of_somebodys_own_sandbox_is_not_applied_elsewhere(project: Project) -> None:
    project.declare(BODY)
    project.environment["RECONCILER_KEY"] = KEY
    own = new_sandbox(project.folder / "own.db")
    del project.environment["RECONCILER_KEY"]
    assert project.run("plan", "--server", own.server, "--out", "plan.json").code == 0
    project.environment["RECONCILER_KEY"] = KEY
    rewritten(project, lambda plan: plan.update(server=project.sandbox.server))
    assert "was made with another key" in refused(project)


@pytest.mark.parametrize("now", [THEIRS, None], ids=["rotated", "gone"])
def test_after_the_key_was_changed_a_new_plan_is_needed(now: str | None, reviewed: Project) -> None:
    del reviewed.environment["RECONCILER_KEY"]
    if now is not None:
        reviewed.environment["RECONCILER_KEY"] = now
    assert "make a new plan" in refused(reviewed)


def test_a_declared_change_that_the_plan_lacks_is_not_left_out(reviewed: Project) -> None:
    reviewed.sandbox.set_group("ops", "root@acme.io", description="changed outside")
    assert reviewed.apply().code == 0
    reviewed.declare(BODY.replace("name: ops", "name: ops, description: as declared"))
    assert reviewed.run("plan", "--out", "plan.json").code == 0
    reviewed.sandbox.call("users.set_role", user=reviewed.sandbox.truth().id_of("root@acme.io"), role="admin")
    reviewed.declare(
        BODY.replace("name: ops", "name: ops, description: as declared") + "service_accounts: [{name: a}]\n"
    )
    assert "service_account a: not in the plan" in refused(reviewed)


def test_a_declaration_in_the_place_of_a_plan_runs_nothing(reviewed: Project) -> None:
    program = {"secrets": {"KEY": {"command": ["touch", "was-run"]}}}
    declaration = {
        "version": 1,
        "workspace": {"name": "acme-ml", "server": reviewed.sandbox.server},
        "groups": [{"name": "ops"}],
        "vaults": [{"name": "v", "group": "ops", "data": "a.key: '@{KEY}'"}],
        **program,
    }
    (reviewed.folder / "plan.json").write_text(json.dumps(declaration))
    assert "not a plan" in refused(reviewed)
    assert not (reviewed.folder / "was-run").exists()


@pytest.mark.parametrize("command", [("apply", "--yes"), ("apply", "--yes", "--plan", "plan.json")])
def test_a_plan_in_the_place_of_a_declaration_is_named(command: tuple[str, ...], reviewed: Project) -> None:
    result = reviewed.run(*command, "plan.json")
    assert result.code == 64, result
    assert "plan.json is a saved plan, not a declaration" in result.stderr
    assert "apply --plan plan.json" in result.stderr


@pytest.mark.parametrize("named", ["/etc/passwd", "../workspace.yaml", "other.yaml", "sub/../../x.yaml"])
def test_a_plan_names_no_file_that_is_read(named: str, reviewed: Project) -> None:
    rewritten(reviewed, lambda plan: plan.update(declaration=named), KEY)
    assert f"was made from {named}, not from workspace.yaml" in refused(reviewed)


def test_a_plan_is_applied_with_the_declaration_that_it_was_made_from(project: Project) -> None:
    project.environment["RECONCILER_KEY"] = KEY
    project.declare(BODY)
    (project.folder / "team").mkdir()
    (project.folder / "workspace.yaml").rename(project.folder / "team" / "workspace.yaml")
    assert project.run("plan", "--out", "plan.json", "team/workspace.yaml").code == 0
    assert "name the declaration too" in project.run("apply", "--yes", "--plan", "plan.json", "team/../x.yaml").stderr
    assert project.run("apply", "--yes", "--plan", "plan.json", "./team/workspace.yaml").code == 0


def test_a_short_key_is_refused(reviewed: Project) -> None:
    reviewed.environment["RECONCILER_KEY"] = "x" * 31
    for command in (("plan",), ("apply", "--yes", "--plan", "plan.json"), ("drift",)):
        result = reviewed.run(*command)
        assert (result.code, "RECONCILER_KEY is too short: at least 32 bytes" in result.stderr) == (64, True), result


def test_the_key_is_in_no_output_and_no_file(reviewed: Project) -> None:
    applied = reviewed.run("apply", "--yes", "--plan", "plan.json")
    assert applied.code == 0
    files = (path.read_bytes() for path in reviewed.folder.rglob("*.json"))
    assert [text for text in (applied.output.encode(), *files) if KEY.encode() in text] == []


def test_a_plan_that_is_not_there_is_named_before_a_terminal_is_asked_for(project: Project) -> None:
    project.declare(BODY)
    result = project.run("apply", "--plan", "absent.json")
    assert result.code == 64
    assert "there is no plan at absent.json" in result.stderr
