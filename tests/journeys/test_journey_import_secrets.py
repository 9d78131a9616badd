"""What `import` does with secrets: none in a file that may be committed, and nothing to be copied by hand."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from reconciler.sandbox import state
from tests.support.project import Project
from tests.support.runner import Result, clean_environment, invoke, session_at

PASSWORD = 'it\'s "hunter2" $HOME `x` \\ end'
UNKNOWN = "only-the-server-knows"
GROUP = state.Group("g-1", "ml", users=frozenset({"u-root"}))
DOCUMENT = f"""\
agent.git_pass: {UNKNOWN}-password
agent.extra_docker_arguments: ["--password", "{UNKNOWN}-argument", "--ipc=host"]
agent.package_manager.type: uv
company {{ note: "{UNKNOWN}", size: 3, hosts: ["{UNKNOWN}-host", "{UNKNOWN}-other"] }}
environment {{ LEVEL: info, LICENSE: "q8Zk3mPx2vR7" }}
"""


@pytest.fixture
def company(project: Project) -> Project:
    """A workspace with a vault that holds secrets, harmless settings, and what nobody knows."""
    quoted = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
    vaults = (
        state.Vault("v-1", "mixed", DOCUMENT, "group", "g-1"),
        state.Vault("v-2", "awkward", f'{{"password": "{quoted}"}}', "group", "g-1", format="json"),
        state.Vault("v-3", "plain", "agent.package_manager.type: pip\nsdk.aws.s3.region: eu\n", "group", "g-1"),
    )
    root = state.Person("u-root", "root@acme.io", "Root", "admin")
    project.sandbox.load(state.Workspace(people=(root,), groups=(GROUP,), vaults=vaults))
    return project


def run_import(project: Project, *options: str) -> Result:
    return project.run("import", "--server", project.sandbox.server, "--out", "imported", *options)


def plan_with(project: Project, secrets: str) -> Result:
    """Plan with the variables that a shell has after reading the file of secrets."""
    read = f". {shlex.quote(secrets)} && env -0"
    output = subprocess.run(["sh", "-c", read], cwd=project.folder, capture_output=True, check=True, text=True).stdout
    variables = dict(line.split("=", 1) for line in output.split("\0") if line)
    folder = project.folder / "imported"
    names = {name: value for name, value in variables.items() if name.startswith("ML_")}
    return invoke(
        "plan",
        "--detailed-exitcode",
        folder=folder,
        environment=clean_environment(folder, **names),
        session=session_at(),
    )


@pytest.mark.parametrize("options", [(), ("--hide-unknown",)])
def test_the_first_plan_is_empty_without_copying_anything(company: Project, options: tuple[str, ...]) -> None:
    result = run_import(company, "--secrets-to", "secrets.env", *options)
    assert result.code == 0, result
    assert "For plan and apply: . ./secrets.env\n" in result.stderr
    secrets = company.folder / "secrets.env"
    assert secrets.stat().st_mode & 0o777 == 0o600
    planned = plan_with(company, "./secrets.env")
    assert planned.code == 0, planned


def written(project: Project) -> str:
    return "".join(path.read_text() for path in (project.folder / "imported").rglob("*") if path.is_file())


def test_what_looks_like_a_secret_is_not_written(company: Project) -> None:
    result = run_import(company)
    for value in (f"{UNKNOWN}-password", f"{UNKNOWN}-argument", "q8Zk3mPx2vR7", PASSWORD):
        assert value not in written(company)
        assert value not in result.output
    assert "LEVEL: info" in written(company)
    assert "uv" in written(company)


def test_documents_with_values_that_nobody_knows_are_listed(company: Project) -> None:
    result = run_import(company)
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Look for secrets")]
    assert line == (
        "Look for secrets in vaults/ml-mixed.conf before you commit it: agent.extra_docker_arguments[0], "
        "agent.extra_docker_arguments[2], company.note, company.hosts[0], company.hosts[1] and 1 more"
    )
    assert UNKNOWN not in result.output


def test_what_nobody_knows_can_be_taken_for_secrets(company: Project) -> None:
    result = run_import(company, "--hide-unknown")
    assert UNKNOWN not in written(company)
    assert "Look for secrets" not in result.stderr
    assert "size: 3" in written(company)
    assert "uv" in written(company)


def git(project: Project, *arguments: str) -> None:
    environment = clean_environment(project.folder / "home")
    subprocess.run(["git", *arguments], cwd=project.folder, check=True, env=environment)


@pytest.mark.parametrize("file", ["secrets.env", "deep/secrets.env", "imported/secrets.env"])
def test_secrets_are_not_written_where_a_commit_could_take_them_along(company: Project, file: str) -> None:
    git(company, "init", "-q")
    refused = run_import(company, "--secrets-to", file)
    assert refused.code == 64
    assert "is in a git work tree and is not ignored" in refused.stderr
    assert not (company.folder / "imported").exists()
    company.write_file(".gitignore", "secrets.env\n")
    assert run_import(company, "--secrets-to", file).code == 0
    assert (company.folder / file).stat().st_mode & 0o777 == 0o600


def test_an_ignored_file_that_is_tracked_all_the_same_is_refused(company: Project) -> None:
    company.write_file("secrets.env", "old\n")
    company.write_file(".gitignore", "secrets.env\n")
    git(company, "init", "-q")
    git(company, "add", "-f", "secrets.env")
    (company.folder / "secrets.env").unlink()
    assert run_import(company, "--secrets-to", "secrets.env").code == 64


def test_a_file_that_is_there_is_left_as_it_is(company: Project) -> None:
    company.write_file("secrets.env", "old\n")
    refused = run_import(company, "--secrets-to", "secrets.env")
    assert (refused.code, (company.folder / "secrets.env").read_text()) == (64, "old\n")
    link = company.folder / "link.env"
    link.symlink_to("nowhere")
    assert run_import(company, "--secrets-to", "link.env").code == 64
    assert link.is_symlink()


def test_a_link_into_a_work_tree_does_not_help(company: Project) -> None:
    inside = company.folder / "repository"
    inside.mkdir()
    environment = clean_environment(company.folder / "home")
    subprocess.run(["git", "init", "-q"], cwd=inside, check=True, env=environment)
    (company.folder / "outside").symlink_to("repository")
    assert run_import(company, "--secrets-to", "outside/secrets.env").code == 64
