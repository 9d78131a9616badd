"""A pull request that names another server: no key is sent to it, and a sandbox does not stand in for the real one."""

from __future__ import annotations

import pytest

from tests.support.project import Project

KEYS = {"CLEARML_API_ACCESS_KEY": "AKIA-OF-THE-TEAM", "CLEARML_API_SECRET_KEY": "secret-of-the-team"}
PINNED = {"CLEARML_API_HOST": "https://api.acme.io"}
READING = (["plan"], ["drift"], ["effective", "root@acme.io", "--live"])


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
def test_a_declared_sandbox_is_held_against_the_pin(command: list[str], project: Project) -> None:
    project.declare("groups: []\n")
    project.environment.update(PINNED | KEYS)
    result = project.run(*command)
    assert (result.code, "CLEARML_API_HOST names 'https://api.acme.io'" in result.stderr) == (64, True), result


def test_a_declared_sandbox_can_be_pinned(project: Project) -> None:
    project.declare("groups: []\n")
    project.environment["CLEARML_API_HOST"] = project.sandbox.server
    assert project.run("plan").code == 0


@pytest.mark.parametrize("server", ["https://evil.test", "sandbox:sandbox.db"])
@pytest.mark.parametrize("ci", [{"CI": "true"}, {"TF_BUILD": "True"}, {"JENKINS_URL": "https://ci.acme.io"}])
def test_in_ci_a_server_that_only_the_declaration_names_gets_no_key(
    server: str, ci: dict[str, str], project: Project
) -> None:
    project.declare("groups: []\n")
    text = (project.folder / "workspace.yaml").read_text().replace(project.sandbox.server, server)
    (project.folder / "workspace.yaml").write_text(text)
    project.environment.update(KEYS | ci)
    result = project.run("plan")
    assert (result.code, "in CI that is not enough" in result.stderr) == (64, True), result


@pytest.mark.parametrize("pin", [("--server",), ()], ids=["option", "variable"])
def test_in_ci_a_pinned_server_is_asked(pin: tuple[str, ...], project: Project) -> None:
    project.declare("groups: []\n")
    project.environment.update(KEYS | {"CI": "true"})
    if not pin:
        project.environment["CLEARML_API_HOST"] = project.sandbox.server
    assert project.run("plan", *[word for name in pin for word in (name, project.sandbox.server)]).code == 0


@pytest.mark.parametrize("command", [*READING, ["apply", "--yes"]], ids=lambda command: command[0])
def test_a_declared_sandbox_is_never_created(command: list[str], project: Project) -> None:
    new, empty = project.folder / "new.db", project.folder / "empty.db"
    empty.touch()
    for path in (new, empty):
        (project.folder / "workspace.yaml").write_text(
            f'version: 1\nworkspace: {{name: acme-ml, server: "sandbox:{path}"}}\ngroups: []\n'
        )
        result = project.run(*command)
        assert (result.code, "there is no sandbox" in result.stderr) == (64, True), result
    assert not new.exists()
    assert empty.read_bytes() == b""


def test_reading_creates_no_sandbox_that_the_caller_names(project: Project) -> None:
    project.declare("groups: []\n")
    assert project.run("plan", "--server", "sandbox:new.db").code == 64
    assert not (project.folder / "new.db").exists()
