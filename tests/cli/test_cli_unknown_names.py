from __future__ import annotations

import pytest

from tests.support.project import Project


@pytest.mark.parametrize("command", [["plan"], ["drift"], ["apply", "--yes"]])
def test_a_credential_without_delivery_is_told_with_its_place(project: Project, command: list[str]) -> None:
    project.declare("service_accounts: [{name: agent, credentials: [{label: primary}]}]\n")
    result = project.run(*command)
    assert result.code == 3, result
    assert "workspace.yaml:4:" in result.stderr
    assert "credential agent / primary has to be created" in result.stderr
    assert "Error: the declaration has 1 error" in result.stderr


def test_each_problem_of_a_file_is_told_once(project: Project) -> None:
    project.declare("members: [{emial: ada@acme.io}]\n")
    result = project.run("plan")
    assert result.code == 3, result
    assert result.stderr.count("unknown key `emial`") == 1
