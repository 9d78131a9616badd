"""A server that tells of something in a way that nobody can be sure about: that is left alone, and said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.project import Project
from tests.support.wires import Calls, endpoint_of, failing, refusal, rewriting, tampering

TEAM = """
members:
- {email: root@acme.io, role: admin}
- {email: ada@acme.io}
- {email: bob@acme.io}
service_accounts:
- {name: bot}
groups:
- {name: Research, description: people, members: [ada@acme.io]}
- {name: Empty, members: []}
vaults:
- {name: s3, group: Research, data: "a: 1"}
access_rules:
- {name: Queues, resource: {queue: "*"}, permission: read, groups: [Research]}
"""


@pytest.fixture
def team(project: Project) -> Project:
    project.sandbox.add_member("ada@acme.io")
    project.sandbox.add_member("bob@acme.io")
    project.declare(TEAM)
    project.converge()
    return project


def altering(endpoint: str, listed: str, who: str, **fields: object) -> Any:
    """Return a wire on which one entry of a list has other fields; ``...`` leaves one out."""

    def change(data: dict[str, Any]) -> None:
        for entry in data[listed]:
            if who in (entry.get("name"), entry.get("email"), entry.get("description")):
                for field, value in fields.items():
                    entry.pop(field, None) if value is ... else entry.update({field: value})

    return rewriting(endpoint, change)


def listless(endpoint: str, name: str, value: object = ...) -> Any:
    return rewriting(endpoint, lambda data: data.pop(name) if value is ... else data.update({name: value}))


def test_a_role_that_nobody_knows_names_the_member_and_the_value(team: Project) -> None:
    wire = altering("users.get_all_ex", "users", "bob@acme.io", role="guest")
    planned = team.run("plan", "--detailed-exitcode", wire=wire)
    assert planned.code == 2
    assert "Unreadable: member bob@acme.io" in planned.stdout
    assert "role: role is an unknown one: guest" in planned.stdout
    assert "In sync" not in planned.stdout


def test_what_could_not_be_read_is_in_every_form(team: Project) -> None:
    wire = altering("users.get_all_ex", "users", "bob@acme.io", role="guest")
    for form in ("json", "markdown", "html", "github", "sarif"):
        shown = team.run("plan", "--format", form, wire=wire)
        assert shown.code == 0
        assert "is an unknown one: guest" in shown.stdout, form
        assert "In sync" not in shown.stdout, form
    (item,) = team.run("plan", "--format", "json", wire=wire).json["unreadable"]
    assert (item["kind"], item["title"], item["field"], item["accepted"]) == ("member", "bob@acme.io", "role", False)


def test_it_is_a_difference_until_it_is_accepted_by_name(team: Project) -> None:
    wire = altering("users.get_all_ex", "users", "bob@acme.io", role="guest")
    assert team.run("drift", wire=wire).code == 2
    assert team.apply(wire=wire).code == 2
    team.declare(TEAM, policy="min_admins: 1, unreadable: {members: [bob@acme.io]}")
    assert team.run("drift", wire=wire).code == 0
    assert team.apply(wire=wire).code == 0
    accepted = team.run("plan", "--detailed-exitcode", wire=wire)
    assert accepted.code == 0
    assert "(accepted)" in accepted.stdout


def test_drift_tells_of_it_in_every_form(team: Project) -> None:
    wire = altering("users.get_all_ex", "users", "bob@acme.io", role="guest")
    text = team.run("drift", "--issue-body", "issue.md", "--metrics", "metrics.prom", wire=wire)
    assert "unknown one: guest" in text.stdout
    assert "unknown one: guest" in (team.folder / "issue.md").read_text()
    assert 'reconciler_attention{what="unreadable"} 1' in (team.folder / "metrics.prom").read_text()
    report = team.run("drift", "--format", "json", wire=wire).json
    assert report["in_sync"] is False
    assert [item["reason"] for item in report["unreadable"]] == ["role is an unknown one: guest"]


def test_somebody_whose_role_is_unknown_is_neither_removed_nor_counted_as_an_admin(team: Project) -> None:
    team.declare(TEAM.replace("- {email: bob@acme.io}\n", ""))
    wire = altering("users.get_all_ex", "users", "bob@acme.io", role="guest")
    calls = Calls()
    assert team.apply(wire=lambda inner: wire(calls.wire(inner))).code == 2
    assert "bob@acme.io" in team.sandbox.truth().members
    team.sandbox.add_member("carol@acme.io", "admin")
    team.declare(TEAM.replace("{email: bob@acme.io}", "{email: bob@acme.io, role: admin}"), policy="min_admins: 2")
    refused = team.apply(wire=wire)
    assert refused.code == 4
    assert "min-admins: 1 admin would be left" in refused.stderr


def test_a_declared_twin_of_what_cannot_be_read_is_not_created(team: Project) -> None:
    """The rule is there, and its type is one that nobody knows: it would be created a second time."""
    wire = altering("permissions.get_access_rules", "rules", "Queues", entity_type="planet")
    calls = Calls()
    result = team.apply(wire=lambda inner: wire(calls.wire(inner)))
    assert result.code == 2
    assert "access rule Queues is not created" in result.stdout
    assert calls.writes == []


def test_a_new_member_is_not_invited_while_one_without_e_mail_may_be_it(team: Project) -> None:
    wire = altering("users.get_all_ex", "users", "bob@acme.io", email=..., name="Bob")
    result = team.run("plan", "--detailed-exitcode", wire=wire)
    assert result.code == 2
    assert "member bob@acme.io is not created" in result.stdout
    assert "to add" not in result.stdout


def test_who_accepts_a_nameless_one_by_its_id_says_that_it_is_another(team: Project) -> None:
    bob = team.sandbox.truth().id_of("bob@acme.io")
    team.declare(TEAM + "", policy=f"min_admins: 1, unreadable: {{members: ['{bob}']}}")
    team.write_file(
        "workspace.yaml", (team.folder / "workspace.yaml").read_text().replace("bob@acme.io", "eve@acme.io")
    )
    wire = altering("users.get_all_ex", "users", "bob@acme.io", email=...)
    planned = team.run("plan", wire=wire)
    assert "eve@acme.io (user)" in planned.stdout
    assert "1 to add, 0 to change, 0 to remove" in planned.stdout


@pytest.mark.parametrize("value", [..., None])
def test_a_group_without_its_users_is_never_written(team: Project, value: object) -> None:
    team.declare(TEAM.replace("members: [ada@acme.io]", "members: [ada@acme.io, bob@acme.io]"))
    wire = altering("permissions.get_user_groups", "groups", "Research", users=value)
    result = team.apply(wire=wire)
    assert result.code == 2
    assert "group Research" in result.stdout
    assert team.sandbox.truth().groups["Research"] == {"ada@acme.io"}


def test_an_empty_group_that_is_left_out_is_as_declared(team: Project) -> None:
    wire = altering("permissions.get_user_groups", "groups", "Empty", users=...)
    assert team.run("plan", "--detailed-exitcode", wire=wire).code == 0


def test_people_join_an_empty_group_if_everybody_says_that_they_are_not_in_it(project: Project) -> None:
    project.sandbox.add_member("ada@acme.io")
    project.declare(
        "members: [{email: root@acme.io, role: admin}, {email: ada@acme.io}]\ngroups: [{name: Empty, members: []}]"
    )
    project.converge()
    project.declare(
        "members: [{email: root@acme.io, role: admin}, {email: ada@acme.io}]\n"
        "groups: [{name: Empty, members: [ada@acme.io]}]"
    )

    def left_out(data: dict[str, Any]) -> None:
        for group in data["groups"]:
            if not group["users"]:
                del group["users"]

    assert project.apply(wire=rewriting("permissions.get_user_groups", left_out)).code == 0
    assert project.sandbox.truth().groups["Empty"] == {"ada@acme.io"}


LISTS = {
    "members": ("users.get_all_ex", "users"),
    "groups": ("permissions.get_user_groups", "groups"),
    "vaults": ("users.get_organization_vaults", "vaults"),
    "access_rules": ("permissions.get_access_rules", "rules"),
    "service_accounts": ("users.get_service_users", "users"),
}


@pytest.mark.parametrize("value", [..., None, 7])
@pytest.mark.parametrize("kind", LISTS)
def test_a_list_that_is_not_there_stops_a_run_that_manages_it(team: Project, kind: str, value: object) -> None:
    endpoint, name = LISTS[kind]
    result = team.run("plan", wire=listless(endpoint, name, value))
    assert result.code == 7
    assert endpoint in result.stderr


@pytest.mark.parametrize("kind", ["groups", "vaults", "access_rules", "service_accounts"])
def test_nothing_of_a_kind_that_is_not_managed_can_stop_a_run(project: Project, kind: str) -> None:
    endpoint, name = LISTS[kind]
    project.declare("members: [{email: root@acme.io, role: admin}]\n")
    assert project.run("plan", "--detailed-exitcode", wire=listless(endpoint, name)).code == 0
    gone = failing(endpoint, lambda: refusal(404, 0, f"Unable to find endpoint for name {endpoint} and version 2.31"))
    assert project.run("plan", "--detailed-exitcode", wire=gone).code == 0
    assert project.apply(wire=gone).code == 0
    assert project.run("drift", wire=gone).code == 0


def test_import_leaves_out_what_cannot_be_read_and_manages_the_rest(team: Project) -> None:
    wire = altering("users.get_all_ex", "users", "bob@acme.io", role="guest")
    result = team.run("import", "--server", team.sandbox.server, "--out", "imported", wire=wire)
    assert result.code == 0
    assert "member bob@acme.io is left out: its role cannot be read: role is an unknown one: guest" in result.output
    text = (team.folder / "imported" / "workspace.yaml").read_text()
    assert "ada@acme.io" in text
    assert "bob@acme.io" not in text
    planned = team.run("plan", "--detailed-exitcode", Path("imported/workspace.yaml"), wire=wire)
    assert "0 to add, 0 to change, 0 to remove" in planned.stdout or "Nothing to change" in planned.stdout


def test_import_leaves_out_a_list_that_the_server_refuses(team: Project) -> None:
    wire = failing("permissions.get_access_rules", lambda: refusal(403, 20, "feature is off"))
    result = team.run("import", "--server", team.sandbox.server, "--out", "imported", wire=wire)
    assert result.code == 0
    assert "access_rules are left out: permissions.get_access_rules: the server refused" in result.output
    assert "access_rules" not in (team.folder / "imported" / "workspace.yaml").read_text()


def test_access_says_that_there_may_be_more(team: Project) -> None:
    wire = altering("permissions.get_access_rules", "rules", "Queues", access_permission="own")
    assert "may give more" in team.run("access", "--live", "bob@acme.io", wire=wire).stdout


def pending_twin(team: Project) -> Any:
    def change(data: dict[str, Any]) -> None:
        data["whitelist_entries"].append({"email": "BOB@acme.io", "status": "pending"})

    return rewriting("login.get_settings", change)


def test_an_invitation_that_differs_from_a_member_in_case_is_shown(team: Project) -> None:
    for command in (("plan",), ("drift",)):
        result = team.run(*command, wire=pending_twin(team))
        assert result.code == 7
        assert "2 members named bob@acme.io" in result.stderr
        assert "invitation BOB@acme.io" in result.stderr


def test_a_rule_that_changes_between_plan_and_write_so_that_it_cannot_be_read_is_left_alone(team: Project) -> None:
    team.declare(TEAM.replace("permission: read,", "permission: read_write,"))

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if endpoint_of(request) == "permissions.get_access_rules" and b"rules" in request.content:
            envelope = json.loads(response.content)
            for rule in envelope["data"]["rules"]:
                rule.pop("users")
            return httpx.Response(200, content=json.dumps(envelope).encode())
        return response

    result = team.apply(wire=tampering(after=after))
    assert result.code == 6
    assert "can no longer be read as a whole" in result.stdout


def test_server_rules_that_nobody_knows_change_nothing(team: Project) -> None:
    def odd(data: dict[str, Any]) -> None:
        data["rules"].append(
            {
                "id": "auto",
                "name": "All datasets",
                "entity_type": "dataset_version",
                "access_permission": "read_write",
                "autocreated": True,
                "groups": [],
                "users": None,
            }
        )

    assert team.run("plan", "--detailed-exitcode", wire=rewriting("permissions.get_access_rules", odd)).code == 0
