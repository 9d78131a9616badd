"""The command: declared and live, in its three forms and three formats."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from tests.support.project import Project, complete_example

WORKSPACE = """
members:
  - {email: root@acme.io, role: admin}
  - {email: bob@acme.io}
service_accounts: [{name: agent, impersonation: true}]
groups:
  - {name: researchers, members: [bob@acme.io], service_accounts: [agent]}
vaults:
  - {name: s3, group: researchers, data: 'sdk.aws.s3 { region: "eu-west-1", secret: "hunter2-secret" }'}
access_rules:
  - {name: vision-rw, resource: {project: Vision}, permission: read_write, groups: [researchers]}
  - {name: queue, resource: {queue: "*"}, permission: read, members: [root@acme.io]}
"""


@pytest.fixture
def workspace(project: Project) -> Project:
    project.declare(WORKSPACE)
    return project


@pytest.fixture
def applied(workspace: Project) -> Project:
    workspace.sandbox.add_entity("project", "Vision", "id-of-vision")
    workspace.sandbox.add_entity("project", "Finance", "id-of-finance")
    workspace.sandbox.add_member("bob@acme.io")
    allowed = [f"--allow={guard}" for guard in _guards(workspace)]
    result = workspace.apply(*allowed)
    assert result.code == 0, result
    return workspace


def _guards(project: Project) -> set[str]:
    return {refusal["guard"] for refusal in project.run("plan", "--format", "json").json["refusals"]}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    "arguments", [("bob@acme.io",), ("agent",), ("root@acme.io",), ("--entity", "project:Vision"), ("--all",)]
)
def test_it_reads_well(arguments: tuple[str, ...], workspace: Project, golden: Callable[[str, str], None]) -> None:
    result = workspace.run("access", *arguments)
    assert result.code == 0
    assert result.stderr.count("\n") == 1
    assert "`s3` seems to hold a secret in plain text at sdk.aws.s3.secret" in result.stderr
    golden(f"{arguments[-1].removeprefix('--').replace(':', '-').replace('@', '-at-')}.txt", result.stdout)
    assert workspace.run("access", *arguments, "workspace.yaml").stdout == result.stdout


@pytest.mark.parametrize("arguments", [("bob@acme.io",), ("--entity", "project:Vision"), ("--all",)])
def test_live_and_declared_are_the_same_once_applied(arguments: tuple[str, ...], applied: Project) -> None:
    declared = applied.run("access", *arguments, "--format", "json").json
    live = applied.run("access", *arguments, "--live", "--format", "json").json
    assert live["source"] == "live"
    assert (live["beside_defaults"], declared["beside_defaults"]) == (False, True)
    assert _of_people(live["facts"]) == _of_people(declared["facts"])


def _of_people(facts: list[dict[str, object]]) -> list[dict[str, object]]:
    """Leave out what only the server knows: its own rules, and what they leave open."""
    return [
        fact
        for fact in facts
        if "Admins" not in (fact["subject"], fact["group"]) and fact["through"] != "default" and fact["level"] != "none"
    ]


@pytest.mark.parametrize("arguments", [("bob@acme.io",), ("--entity", "project:Vision"), ("--all",)])
def test_it_reads_well_live(arguments: tuple[str, ...], applied: Project, golden: Callable[[str, str], None]) -> None:
    result = applied.run("access", *arguments, "--live")
    name = arguments[-1].removeprefix("--").replace(":", "-").replace("@", "-at-")
    golden(f"live-{name}.txt", result.stdout.replace(str(applied.sandbox.path), "sandbox.db"))


def test_live_needs_no_declaration_and_tells_what_is_there(applied: Project) -> None:
    applied.sandbox.set_rule("by-hand", "bob@acme.io", entity_type="project", entity_id="id-of-finance")
    (applied.folder / "workspace.yaml").unlink()
    server = ("--live", "--server", applied.sandbox.server)
    assert "rule by-hand" in applied.run("access", "bob@acme.io", *server).stdout
    by_name = applied.run("access", "--entity", "project:Finance", *server)
    assert "bob@acme.io" in by_name.stdout
    assert applied.run("access", "--entity", "project:id-of-finance", *server).stdout == by_name.stdout
    missing = applied.run("access", "--entity", "project:Finnance", *server)
    assert (missing.code, "did you mean project:Finance?" in missing.stderr) == (64, True)


def test_an_entity_without_a_rule_is_found_live(applied: Project) -> None:
    result = applied.run("access", "--entity", "project:Finance", "--live")
    said = "everyone             read and write  the server's default rule Users: all of project on project *"
    assert said in result.stdout


def test_no_value_of_a_vault_is_shown(workspace: Project) -> None:
    for form in ("text", "json", "csv"):
        result = workspace.run("access", "bob@acme.io", "--format", form)
        assert "s3" in result.stdout
        assert "hunter2" not in result.output
        assert "eu-west-1" not in result.output


def test_csv_has_one_row_per_fact(workspace: Project) -> None:
    result = workspace.run("access", "--all", "--format", "csv")
    assert result.stdout.count("\r\n") == len(rows(result.stdout)) + 1
    found = [row for row in rows(result.stdout) if row["principal"] == "bob@acme.io" and row["aspect"] == "access"]
    assert [(row["subject"], row["level"], row["rule"], row["group"]) for row in found] == [
        ("project Vision", "read_write", "vision-rw", "researchers"),
    ]
    live = workspace.run("access", "--all", "--live", "--format", "csv")
    everything = [
        row for row in rows(live.stdout) if row["principal"] == "root@acme.io" and row["subject"] == "everything"
    ]
    assert [(row["level"], row["through"], row["certain"]) for row in everything] == [("read_write", "default", "yes")]
    facts = workspace.run("access", "--all", "--format", "json").json["facts"]
    assert len(facts) == len(rows(result.stdout))


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")', "\uff1d1", 'a "quoted", name']
)
def test_csv_is_no_formula(name: str, workspace: Project) -> None:
    quoted = name.replace("'", "''")
    workspace.declare(
        f"members: [{{email: bob@acme.io, role: admin}}]\ngroups: [{{name: '{quoted}', members: [bob@acme.io]}}]\n"
    )
    result = workspace.run("access", "bob@acme.io", "--format", "csv")
    assert result.code == 0, result
    for row in csv.reader(io.StringIO(result.stdout, newline="")):
        for cell in row:
            assert cell[:1] not in tuple("=+-@\uff1d\uff0b\uff0d\uff20")
    assert any(name in row["subject"] for row in rows(result.stdout))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "missing argument WHO"),
        (("bbo@acme.io",), "did you mean bob@acme.io"),
        (("workspace.yaml",), "FILE comes last"),
        (("bob@acme.io", "workspace.yaml", "more"), "too many arguments"),
        (("--entity", "project:Vision", "workspace.yaml", "more"), "too many arguments"),
        (("--entity", "project:Vision", "--all"), "cannot be combined"),
        (("--entity", "project:Visoin"), "did you mean project:Vision?"),
        (("--entity", "Vision"), "names no entity"),
    ],
)
def test_wrong_usage_says_what_is_right(arguments: tuple[str, ...], said: str, workspace: Project) -> None:
    result = workspace.run("access", *arguments)
    assert (result.code, result.stdout) == (64, "")
    assert said in result.stderr


def test_a_whole_organization_is_told(tmp_path: object) -> None:
    project = complete_example(tmp_path, "large-organization")  # type: ignore[arg-type]
    result = project.run("access", "--all", "--format", "csv")
    assert result.code == 0, result
    people = {row["principal"] for row in rows(result.stdout)}
    assert {"ada@acme.io", "production-agent", "root@acme.io"} <= people


def test_what_the_declaration_leaves_alone_is_said(workspace: Project) -> None:
    workspace.declare("members: [{email: bob@acme.io, role: admin}]\n")
    assert (
        "there may be service accounts, groups, vaults, access rules" in workspace.run("access", "bob@acme.io").stdout
    )
