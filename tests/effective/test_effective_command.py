from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.project import Project
from tests.support.runner import Result, clean_environment, invoke, session_at

TEAM = """\
members:
  - {email: root@acme.io, role: admin}
  - {email: lena@acme.io}
service_accounts:
  - {name: agent, impersonation: true, vault: {data: "case { a: own, list: [9] }"}}
groups:
  - {name: researchers, members: [lena@acme.io], service_accounts: [agent]}
  - {name: operators, members: [lena@acme.io], service_accounts: []}
vaults:
  - name: s3
    group: researchers
    file: s3.conf
    secrets: {KEY: {env: KEY}}
  - {name: off, group: researchers, enabled: false, data: "case.off: 1"}
  - {name: ui, group: researchers, target: ui-storage, data: "a: 1"}
  - {name: broken, group: researchers, format: yaml, send_as: yaml, data: "- 1"}
  - {name: ops, group: operators, data: "case.a: ops"}
  - {name: everyone, group: Users, data: "case.everyone: true"}
"""
S3 = """\
# what researchers share
sdk.aws.s3 {
  key: "@{KEY}"
  region: "eu-west-1"
}
case { a: s3, copy: ${sdk.aws.s3.key}, list: [1, 2], env: ${?HOME_DIRECTORY} }
agent.worker_id: same-for-all
"""
BASE = 'sdk.aws.s3.region: "us-east-1"\ncase { list: [0], base: 1 }\napi.credentials.secret_key: basesecretvalue\n'
VALUE = "hunter2-hunter2"


@pytest.fixture
def team(project: Project) -> Project:
    project.declare(TEAM)
    project.write(s3_dot_conf=S3, clearml_dot_conf=BASE)
    project.commit()
    return project


def in_terminal(project: Project, *arguments: str) -> Result:
    environment = clean_environment(project.folder / "home", NO_COLOR="1", **project.environment)
    return invoke(*arguments, folder=project.folder, environment=environment, session=session_at(), terminal=True)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("account.txt", ("agent", "--base", "clearml.conf")),
        ("conflict.txt", ("lena@acme.io",)),
        ("account.conf", ("agent", "--base", "clearml.conf", "--format", "hocon")),
        ("account.yaml", ("agent", "--base", "clearml.conf", "--format", "yaml")),
        ("path.txt", ("agent", "--path", "sdk.aws")),
        ("nothing.txt", ("root@acme.io", "--path", "sdk.aws")),
    ],
)
def test_what_it_shows(
    team: Project, golden: Callable[[str, str], None], name: str, arguments: tuple[str, ...]
) -> None:
    result = team.run("effective", *arguments)
    assert result.code == 0, result
    golden(name, result.stdout)


def test_no_server_and_no_secret_is_needed_and_none_is_shown(team: Project) -> None:
    without = team.run("effective", "agent", "--format", "json")
    team.environment["KEY"] = VALUE
    with_value = team.run("effective", "agent", "--format", "json")
    assert without.json == with_value.json
    assert with_value.json["sdk"]["aws"]["s3"]["key"] == "(secret)"
    assert with_value.json["case"]["copy"] == "(secret)"
    assert VALUE not in with_value.output
    assert not team.sandbox.truth().vaults


def test_secrets_are_revealed_in_a_terminal_only(team: Project) -> None:
    team.environment["KEY"] = VALUE
    refused = team.run("effective", "agent", "--reveal")
    assert (refused.code, refused.stdout) == (64, "")
    assert "only in a terminal" in refused.stderr
    revealed = in_terminal(team, "effective", "agent", "--reveal", "--format", "json")
    assert revealed.json["case"]["copy"] == VALUE
    assert "hunter2" not in in_terminal(team, "effective", "agent").output


def test_vaults_that_disagree_are_a_conflict_and_not_a_value(team: Project) -> None:
    result = team.run("effective", "lena@acme.io", "--format", "json")
    assert result.json["case"]["a"] == "(conflict)"
    assert "Conflict: 1 value where vaults disagree (case.a)" in result.stderr


def test_live_and_declared_are_told_apart(team: Project) -> None:
    team.environment["KEY"] = VALUE
    fresh = team.run("effective", "agent", "--diff")
    assert "agent is not in the workspace yet" in fresh.stderr
    assert team.apply("--allow", "everyone").code == 0
    waiting = team.run("effective", "lena@acme.io", "--live")
    assert "only invited so far" in waiting.stdout
    team.sandbox.accept("lena@acme.io")
    assert team.run("effective", "lena@acme.io", "--live", "--path", "sdk").stdout.count("Nothing is set at sdk.") == 1
    assert team.apply().code == 0
    assert "has what is declared" in team.run("effective", "agent", "--diff").stdout
    team.sandbox.set_vault("s3", "researchers", 'sdk.aws.s3 { key: "another-secret", region: "eu-west-1" }, case.b: 1')
    found = team.run("effective", "agent", "--diff", "--format", "json")
    edits: dict[str, Any] = {edit["path"]: (edit["before"], edit["after"]) for edit in found.json["differences"]}
    assert edits["sdk.aws.s3.key"] == ("(secret)", "(secret)")
    assert edits["case.b"] == ("1", None)
    assert "another-secret" not in found.output
    assert "another-secret" not in team.run("effective", "agent", "--live").output


def test_a_secret_that_the_run_does_not_have_is_left_out_of_the_difference(team: Project) -> None:
    team.environment["KEY"] = VALUE
    assert team.apply("--allow", "everyone").code == 0
    del team.environment["KEY"]
    found = team.run("effective", "agent", "--diff")
    assert "has what is declared" in found.stdout
    assert "2 secret values not compared" in found.stdout


def test_a_live_value_in_a_place_that_is_declared_secret_is_hidden_without_the_secret(team: Project) -> None:
    team.write_file("s3.conf", 'case.innocent: "@{KEY}"\n')
    team.environment["KEY"] = VALUE
    assert team.apply("--allow", "everyone").code == 0
    del team.environment["KEY"]
    assert team.run("effective", "agent", "--live", "--format", "json").json["case"]["innocent"] == "(secret)"


def test_a_vault_of_the_whole_organization_is_seen_live(team: Project) -> None:
    team.environment["KEY"] = VALUE
    assert team.apply("--allow", "everyone").code == 0
    vault = {"description": "all", "data": "case.wide: 1", "format": "hocon", "type": "config", "scope": "organization"}
    team.sandbox.call("users.add_or_update_vault", vault=vault)
    shown = team.run("effective", "agent", "--live", "--path", "case.wide").stdout
    assert "reach unknown: it is a vault of the whole organization" in shown
    assert "Nothing is set at case.wide." in shown
    assert "who receives vault all of the whole organization; its values are not merged" in shown
    assert "case.wide  1" in shown
    document = team.run("effective", "agent", "--live", "--format", "json")
    assert "wide" not in document.stdout
    assert "case.wide  1" in document.stderr
    planned = team.run("plan", "--detailed-exitcode")
    assert planned.code == 0, planned


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("agnt",), "agnt is neither a member nor a service account"),
        (("agent", "--live", "--diff"), "--diff compares with the live workspace already"),
        (("agent", "--diff", "--format", "yaml"), "--diff can be shown as text or json"),
        (("agent", "--path", "a..b"), "a..b is not a path"),
        (("agent", "--base", "missing.conf"), "missing.conf cannot be read"),
        (("agent", "--base", "workspace.yaml"), "workspace.yaml:"),
    ],
)
def test_what_cannot_work_is_said(team: Project, arguments: tuple[str, ...], message: str) -> None:
    result = team.run("effective", *arguments)
    assert (result.code, result.stdout) == (64, "")
    assert message in result.stderr


def test_known_secrets_are_masked_wherever_they_come_up(team: Project) -> None:
    """The last net: a value that an author also wrote where nobody expects it."""
    team.environment["KEY"] = VALUE
    team.write_file("s3.conf", f'key: "@{{KEY}}"\ncase.innocent: "{VALUE}"\n')
    for form in ("text", "json"):
        assert VALUE not in team.run("plan", "--format", form, "--out", "saved.json").output
    saved = (team.folder / "saved.json").read_text(encoding="utf-8")
    assert VALUE not in saved
    assert json.loads(saved)["changes"]
    result = team.run("apply", "--yes", "--plan", "saved.json", "--allow", "everyone")
    assert result.code == 0, result
    assert VALUE not in result.output
