from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.sandboxes import new_sandbox
from tests.support.wires import Calls

BODY = """
members: [{email: root@acme.io, role: admin}, {email: ada@acme.io}]
groups: [{name: ops, description: one, members: [root@acme.io]}]
vaults: [{name: v, group: ops, data: "a.b: one, a.token: hunter2"}]
"""


@pytest.fixture
def saved(project: Project) -> Project:
    project.declare(BODY)
    project.sandbox.set_group("ops", description="live")
    project.sandbox.set_vault("v", "ops", "a.b: zero, a.token: hunter1")
    assert project.run("plan", "--out", "plan.json").code == 0
    return project


def refused_as_stale(project: Project, *arguments: str) -> str:
    before, calls = project.sandbox.truth(), Calls()
    result = project.run("apply", "--yes", "--plan", "plan.json", *arguments, wire=calls.wire)
    assert result.code == 5, result
    assert project.sandbox.truth() == before
    assert calls.writes == []
    assert result.stdout == ""
    return result.stderr


def test_a_saved_plan_is_applied_as_it_was_reviewed(saved: Project) -> None:
    result = saved.run("apply", "--yes", "--plan", "plan.json")
    assert result.code == 0, result
    assert "Applied: 1 added, 2 changed, 0 removed. The workspace is as declared." in result.stdout


def test_a_plan_that_was_applied_has_nothing_left_to_do(saved: Project) -> None:
    assert saved.run("apply", "--yes", "--plan", "plan.json").code == 0
    again = saved.run("apply", "--yes", "--plan", "plan.json")
    assert again.code == 0
    assert "This plan was applied already" in again.stderr


def test_a_plan_whose_changes_somebody_made_by_hand_has_nothing_left_to_do_either(saved: Project) -> None:
    assert saved.apply().code == 0
    assert saved.run("apply", "--yes", "--plan", "plan.json").code == 0


def test_a_plan_that_was_refused_needs_its_guards_allowed_even_if_the_limits_have_moved(project: Project) -> None:
    body = "members: [{email: root@acme.io, role: admin}]\ngroups: []\n"
    for name in ("one", "two"):
        project.sandbox.set_group(name)
    project.declare(body, policy="min_admins: 1, max_removals: 0, protect: {groups: [one]}")
    assert project.run("plan", "--out", "plan.json", "--allow", "empty-kind").code == 4
    project.declare(body, policy="min_admins: 1, max_removals: 100%")
    result = project.run("apply", "--yes", "--plan", "plan.json", "--allow", "empty-kind")
    assert result.code == 4, result
    assert "max-removals" in result.stderr
    assert set(project.sandbox.truth().groups) >= {"one", "two"}


def test_a_plan_holds_no_secret(saved: Project) -> None:
    text = (saved.folder / "plan.json").read_text()
    assert "hunter" not in text
    assert '"secret": true' in text


def test_the_plan_on_stdout_is_the_saved_one(saved: Project) -> None:
    assert saved.run("plan", "--format", "json").stdout == (saved.folder / "plan.json").read_text()


def test_a_workspace_that_moved_makes_it_stale_and_says_where(saved: Project) -> None:
    saved.sandbox.set_group("ops", "root@acme.io", description="live")
    assert "group ops: the workspace has moved" in refused_as_stale(saved)


def test_a_document_that_moved_makes_it_stale(saved: Project) -> None:
    saved.sandbox.set_vault("v", "ops", "a.b: zero, a.token: hunter3")
    assert "vault v → ops: the workspace has moved" in refused_as_stale(saved)


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [
        pytest.param("description: one", "description: two", "group ops: the declaration has moved", id="another value"),
        pytest.param("hunter2", "hunter9", "vault v → ops: the declaration has moved", id="another secret"),
        pytest.param(", {email: ada@acme.io}", "", "member ada@acme.io: no longer needs this change", id="one thing less"),
        pytest.param("groups: [", "groups: [{name: new}, ", "group new: not in the plan", id="one thing more"),
    ],
)  # fmt: skip
def test_a_declaration_that_moved_makes_it_stale(old: str, new: str, moved: str, saved: Project) -> None:
    saved.declare(BODY.replace(old, new))
    assert moved in refused_as_stale(saved)


def test_unrelated_drift_since_the_plan_is_neither_an_obstacle_nor_touched(saved: Project) -> None:
    saved.sandbox.set_group("stranger", "root@acme.io")
    result = saved.run("apply", "--yes", "--plan", "plan.json")
    assert (
        "Applied: 1 added, 2 changed, 0 removed. 1 other difference has come up since: make a new plan."
        in result.stdout
    )
    assert result.code == 0
    assert "stranger" in saved.sandbox.truth().groups


def test_moving_lines_in_the_declaration_does_not_matter(saved: Project) -> None:
    saved.declare("\n\n# a comment\n" + BODY)
    assert saved.run("apply", "--yes", "--plan", "plan.json").code == 0


def test_a_plan_for_another_server_is_refused(saved: Project) -> None:
    other = new_sandbox(saved.folder / "other.db")
    told = refused_as_stale(saved, "--server", other.server)
    assert f"the plan was made for {saved.sandbox.server}, this is {other.server}" in told


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        pytest.param(lambda plan: plan["changes"].pop(), "was altered after it was made", id="a change taken away"),
        pytest.param(lambda plan: plan.update(totals=1), "is damaged", id="a wrong type"),
        pytest.param(lambda plan: plan.update(extra=1), "is damaged", id="an unknown field"),
        pytest.param(
            lambda plan: plan.update(format="clearml-reconciler/plan/9"),
            "not a plan that this version can read",
            id="another version",
        ),
    ],
)
def test_a_plan_that_was_tampered_with_is_refused(tamper: object, told: str, saved: Project) -> None:
    path = saved.folder / "plan.json"
    plan = json.loads(path.read_text())
    tamper(plan)  # type: ignore[operator]
    path.write_text(json.dumps(plan, indent=1))
    assert told in refused_as_stale(saved)


def test_half_a_plan_is_refused(saved: Project) -> None:
    path = saved.folder / "plan.json"
    path.write_text(path.read_text()[:-200])
    assert "not a saved plan: it is not JSON" in refused_as_stale(saved)


def test_a_plan_without_secrets_shows_what_it_left_out_and_cannot_be_applied(saved: Project) -> None:
    planned = saved.run("plan", "--without-secrets", "--out", "plan.json")
    assert planned.code == 0
    assert "this plan cannot be applied" in planned.stdout
    assert "was made without secret values, so it cannot be applied" in refused_as_stale(saved)


def test_secrets_need_not_be_at_hand_for_a_plan_without_them(small_team: Project) -> None:
    del small_team.environment["S3_SECRET"]
    server = ("--server", small_team.sandbox.server)
    lacking = small_team.run("plan", *server)
    assert lacking.code == 3
    assert "S3_SECRET is not set" in lacking.stderr
    without = small_team.run("plan", "--without-secrets", *server)
    assert without.code == 0
    assert "2 secret values not compared (--without-secrets)" in without.stdout
    assert small_team.run("drift", "--without-secrets", *server).code == 2


def test_a_declared_change_that_the_plan_lacks_makes_it_stale(project: Project) -> None:
    sandbox = project.sandbox
    for name in ("ada", "bob"):
        sandbox.add_member(f"{name}@acme.io", "admin")
    people = "{email: root@acme.io, role: admin}, {email: ada@acme.io}, {email: bob@acme.io, role: admin}"
    project.declare(f"members: [{people}]", policy="min_admins: 2")
    assert project.run("plan", "--out", "plan.json").code == 0
    sandbox.call("users.set_role", user=sandbox.truth().id_of("bob@acme.io"), role="user")
    result = project.run("apply", "--yes", "--plan", "plan.json")
    assert result.code == 5, result
    assert "member bob@acme.io: not in the plan" in result.stderr
    assert sandbox.truth().admins == 2


def test_removals_that_nobody_reviewed_are_no_reason_to_refuse(saved: Project) -> None:
    saved.declare(BODY, policy="min_admins: 1, max_removals: 0")
    assert saved.run("plan", "--out", "plan.json").code == 0
    saved.sandbox.set_group("stranger")
    assert saved.run("apply", "--yes", "--plan", "plan.json").code == 0
    assert saved.sandbox.truth().invited == {"ada@acme.io": "user"}


@pytest.mark.parametrize("name", [".", "missing/plan.json", "workspace.yaml/plan.json", ""])
def test_a_plan_that_cannot_be_saved_is_wrong_usage(name: str, saved: Project) -> None:
    result = saved.run("plan", "--out", name)
    assert result.code == 64, result
    assert "cannot be written" in result.stderr
    assert sorted(path.name for path in Path(saved.folder).glob(".*")) == []


def test_a_plan_is_saved_into_a_pipe_without_replacing_it_and_never_through_a_link(saved: Project) -> None:
    pipe, link, target = (saved.folder / name for name in ("pipe", "link", "target"))
    os.mkfifo(pipe)
    link.symlink_to(target)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert saved.run("plan", "--out", "pipe").code == 0
        assert os.read(reader, 1 << 20).startswith(b'{\n "format": "clearml-reconciler/plan/1"')
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert saved.run("plan", "--out", "link").code == 0
    assert not target.exists()
    assert link.read_text() == (saved.folder / "plan.json").read_text()
