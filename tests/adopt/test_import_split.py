"""``import --split``: one workspace in several files, each in the canonical style, and a plan right after is empty."""

from __future__ import annotations

import pytest

from reconciler.sandbox import state
from tests.support.project import Project
from tests.support.runner import clean_environment, invoke, session_at

WORKSPACE = state.Workspace(
    people=(
        state.Person("u-root", "root@acme.io", "Root", "admin"),
        state.Person("u-ada", "ada@acme.io", "Ada", "admin"),
    ),
    service_accounts=(state.ServiceAccount("s-agent", "agent"),),
    groups=(
        state.Group("g-1", "Research & more", "People", frozenset({"u-ada"})),
        state.Group("g-2", "research-more", "", frozenset({"u-root", "s-agent"})),
    ),
    vaults=(
        state.Vault("v-1", "s3", "a: 1", "group", "g-1"),
        state.Vault("v-2", "own", "b: 1", "user", user="s-agent"),
    ),
)


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("none", {"workspace.yaml"}),
        (
            "kind",
            {
                "workspace.yaml",
                "members.yaml",
                "service-accounts.yaml",
                "groups.yaml",
                "vaults.yaml",
                "access-rules.yaml",
            },
        ),
        ("group", {"workspace.yaml", "teams/research-more.yaml", "teams/research-more-2.yaml"}),
    ],
)
def test_a_plan_right_after_is_empty(project: Project, split: str, expected: set[str]) -> None:
    project.sandbox.load(WORKSPACE)
    project.sandbox.add_entity("project", "Vision", "id-vision")
    project.sandbox.set_rule("of one", "Research & more", entity_id="id-vision")
    project.sandbox.set_rule("of two", "Research & more", "research-more", entity_id="id-vision")
    result = project.run("import", "--server", project.sandbox.server, "--out", "imported", "--split", split)
    assert result.code == 0, result
    folder = project.folder / "imported"
    assert {str(path.relative_to(folder)) for path in folder.rglob("*.yaml")} == expected
    for arguments in (("plan", "--detailed-exitcode"), ("fmt", "--check"), ("validate",)):
        done = invoke(*arguments, folder=folder, environment=clean_environment(folder), session=session_at())
        assert done.code == 0, done
    if split == "group":
        first = (folder / "teams/research-more.yaml").read_text()
        assert [word in first for word in ("Research & more", "s3", "of one", "of two")] == [True, True, True, False]


def test_a_split_workspace_without_groups_is_one_file(project: Project) -> None:
    result = project.run("import", "--server", project.sandbox.server, "--out", "imported", "--split", "group")
    assert result.code == 0, result
    assert "include" not in (project.folder / "imported/workspace.yaml").read_text()


def test_it_overwrites_nothing(project: Project) -> None:
    project.write_file("imported/members.yaml", "members: []\n")
    result = project.run("import", "--server", project.sandbox.server, "--out", "imported", "--split", "kind")
    assert (result.code, "members.yaml is there already" in result.stderr) == (64, True), result
    assert not (project.folder / "imported/workspace.yaml").exists()
