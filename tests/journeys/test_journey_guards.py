from __future__ import annotations

import re

import pytest

from tests.support.project import Project
from tests.support.sandboxes import Sandbox

ROOT = "{email: root@acme.io, role: admin}"


def five_members(sandbox: Sandbox) -> None:
    for name in ("ada", "lena", "tom", "ida"):
        sandbox.add_member(f"{name}@acme.io")


def one_removal_of_five(project: Project) -> None:
    five_members(project.sandbox)
    people = ", ".join(f"{{email: {name}@acme.io}}" for name in ("ada", "lena", "tom"))
    project.declare(f"members: [{ROOT}, {people}]", policy="min_admins: 1, max_removals: {share: 10%, at_least: 0}")


def fewer_admins(project: Project) -> None:
    for name in ("ada", "lena", "tom", "ida"):
        project.sandbox.add_member(f"{name}@acme.io", "admin")
    people = ", ".join(f"{{email: {name}@acme.io, role: admin}}" for name in ("ada", "lena", "tom"))
    project.declare(f"members: [{ROOT}, {people}, {{email: ida@acme.io}}]", policy="min_admins: 4")
    project.sandbox.call("users.set_role", user=project.sandbox.truth().id_of("tom@acme.io"), role="user")
    project.declare(
        f"manage: {{members: declared}}\nmembers: [{ROOT}, {{email: ida@acme.io}}]",
        policy="min_admins: 4, max_removals: 100%",
    )


def a_protected_member(project: Project) -> None:
    five_members(project.sandbox)
    people = ", ".join(f"{{email: {name}@acme.io}}" for name in ("ada", "lena", "tom"))
    project.declare(
        f"members: [{ROOT}, {people}]",
        policy="min_admins: 1, max_removals: 100%, protect: {members: [ida@acme.io]}",
    )


def the_last_group(project: Project) -> None:
    project.sandbox.set_group("ops", "root@acme.io")
    project.declare("groups: []")


def an_emptied_group(project: Project) -> None:
    project.sandbox.set_group("ops", "root@acme.io")
    project.declare("groups: [{name: ops, members: []}]")


def many_leave_a_group(project: Project) -> None:
    five_members(project.sandbox)
    project.sandbox.set_group("ops", "root@acme.io", "ada@acme.io", "lena@acme.io")
    project.declare("groups: [{name: ops, members: [root@acme.io]}]", policy='min_admins: 1, max_removals: "20%"')


REFUSALS = [
    pytest.param(
        one_removal_of_five,
        "max-removals",
        "max-removals: 1 of 5 members is 20 %, the limit is 10 % (ida@acme.io)",
        id="more removals than the limit",
    ),
    pytest.param(
        fewer_admins,
        "min-admins",
        "min-admins: 3 admins would be left, the minimum is 4 (no longer admin: ida@acme.io)",
        id="too few admins",
    ),
    pytest.param(
        a_protected_member,
        "protect",
        "protect: member ida@acme.io is protected by the policy; it would be removed",
        id="a protected member",
    ),
    pytest.param(
        the_last_group,
        "empty-kind",
        "empty-kind: the only group would be removed (ops)",
        id="all that there is of a kind",
    ),
    pytest.param(
        an_emptied_group,
        "empty-group",
        "empty-group: everyone in group ops would leave it (root@acme.io)",
        id="everybody of a group",
    ),
    pytest.param(
        many_leave_a_group,
        "max-removals",
        "max-removals: 2 of 3 memberships of group ops is 67 %, the limit is 20 % (ada@acme.io, lena@acme.io)",
        id="more memberships than the limit",
    ),
]


@pytest.mark.parametrize(("arrange", "guard", "sentence"), REFUSALS)
def test_a_guard_says_which_rule_what_would_have_happened_and_how_to_allow_it(
    arrange: object, guard: str, sentence: str, project: Project
) -> None:
    arrange(project)  # type: ignore[operator]
    before = project.sandbox.truth()
    planned = project.run("plan")
    assert planned.code == 4, planned
    assert f"Refused:    {sentence}   (--allow {guard}" in planned.stdout
    applied = project.apply()
    assert applied.code == 4
    assert f"{sentence}   (--allow {guard}" in applied.stderr
    assert "nothing was changed" in applied.stderr
    assert project.sandbox.truth() == before


@pytest.mark.parametrize(("arrange", "guard", "sentence"), REFUSALS)
def test_a_guard_is_lifted_by_its_name_and_by_no_other(
    arrange: object, guard: str, sentence: str, project: Project
) -> None:
    arrange(project)  # type: ignore[operator]
    others = {"max-removals", "min-admins", "protect", "empty-kind", "empty-group"} - {guard}
    wrong = [option for other in sorted(others) for option in ("--allow", other)]
    assert project.apply(*wrong).code == 4
    planned = project.run("plan", "--allow", guard)
    assert planned.code == 0
    assert f"Allowed:    {sentence}" in planned.stdout
    applied = project.apply("--allow", guard)
    assert applied.code == 0, applied
    assert project.run("drift").code == 0


@pytest.mark.parametrize(("arrange", "guard", "sentence"), REFUSALS)
def test_a_guard_is_lifted_by_what_its_refusal_says(
    arrange: object, guard: str, sentence: str, project: Project
) -> None:
    arrange(project)  # type: ignore[operator]
    (remedy,) = re.findall(rf"\(--allow ({guard}\S*)\)", project.run("plan").stdout)
    assert project.apply("--allow", remedy).code == 0
    assert project.run("drift").code == 0


def test_a_guard_that_is_lifted_for_one_group_still_stops_the_plan_for_another(project: Project) -> None:
    project.sandbox.set_group("ops", "root@acme.io")
    project.sandbox.set_group("ml", "root@acme.io")
    project.declare("groups: [{name: ops, members: []}, {name: ml, members: []}]")
    refused = project.apply("--allow", "empty-group=group:ops")
    assert refused.code == 4
    assert "everyone in group ml would leave it" in refused.stderr
    assert "group ops" not in refused.stderr
    assert project.apply("--allow", "empty-group=group:ops", "--allow", "empty-group=group:m*").code == 0


def test_single_removals_from_small_groups_pass_unasked(project: Project) -> None:
    """A team of forty in ten groups of four: three people change their team in a week."""
    names = [f"p{number:02}@acme.io" for number in range(40)]
    for name in names:
        project.sandbox.add_member(name)
    teams = {f"team-{number}": names[4 * number : 4 * number + 4] for number in range(10)}
    for team, people in teams.items():
        project.sandbox.set_group(team, *people)
    leaving = {team: people[1:] if team in ("team-1", "team-4", "team-7") else people for team, people in teams.items()}
    groups = "".join(f"  - {{name: {team}, members: {people}}}\n" for team, people in leaving.items())
    project.declare(f"groups:\n{groups}".replace("'", ""), policy="min_admins: 1")
    assert project.apply().code == 0


def test_guards_also_stop_the_apply_of_a_saved_plan_and_are_allowed_again_there(project: Project) -> None:
    an_emptied_group(project)
    assert project.run("plan", "--allow", "empty-group", "--out", "plan.json").code == 0
    assert project.run("apply", "--yes", "--plan", "plan.json").code == 4
    assert project.sandbox.truth().groups["ops"] == {"root@acme.io"}
    assert project.run("apply", "--yes", "--allow", "empty-group", "--plan", "plan.json").code == 0
    assert project.sandbox.truth().groups["ops"] == set()


def test_a_guard_that_does_not_exist_or_cannot_be_lifted_is_wrong_usage(project: Project) -> None:
    project.declare("members: [{email: root@acme.io, role: admin}]")
    for name in ("everything", "own-identity", "server-limit"):
        result = project.run("apply", "--yes", "--allow", name)
        assert result.code == 64
        assert name in result.stderr
    assert project.run("apply", "--yes", "--force").code == 64


class TestTheOneWhoRunsIt:
    def test_is_never_demoted(self, project: Project) -> None:
        project.sandbox.add_member("ada@acme.io", "admin")
        project.declare("members: [{email: root@acme.io}, {email: ada@acme.io, role: admin}]")
        result = project.apply("--allow", "min-admins")
        assert result.code == 4
        assert "own-identity: root@acme.io is the identity of this run" in result.stderr
        assert "cannot be allowed" in result.stderr
        assert project.sandbox.truth().members["root@acme.io"] == "admin"

    def test_is_never_removed(self, project: Project) -> None:
        project.sandbox.add_member("ada@acme.io", "admin")
        project.declare("members: [{email: ada@acme.io, role: admin}]")
        assert project.apply().code == 4
        assert "root@acme.io" in project.sandbox.truth().members

    def test_keeps_its_own_credential(self, project: Project) -> None:
        sandbox = project.sandbox
        made = sandbox.call("auth.create_service_user", name="robot")
        sandbox.call("users.set_role", user=made["id"], role="admin")
        pair = made["credentials"]
        sandbox.acting_as("robot", "auth.edit_credentials", access_key=pair["access_key"], label="ci")
        project.environment["CLEARML_API_ACCESS_KEY"] = pair["access_key"]
        project.environment["CLEARML_API_SECRET_KEY"] = pair["secret_key"]
        project.declare("service_accounts: [{name: robot, admin: true, credentials: []}]")
        with sandbox.on_a_port() as url:
            result = project.apply("--server", url, "--allow", "empty-kind")
        assert result.code == 4, result
        assert "own-identity: robot / ci is the identity of this run" in result.stderr
        assert sandbox.truth().labels("robot") == ["ci"]


class TestServerLimits:
    def test_more_service_accounts_than_the_server_takes(self, project: Project) -> None:
        project.sandbox.change_settings(allowed_service_users=1)
        project.declare("service_accounts: [{name: a}, {name: b}]")
        result = project.apply()
        assert result.code == 4
        assert "2 service accounts would be more than the server's maximum of 1 (a, b)" in result.stderr
        assert project.sandbox.truth().accounts == {}

    def test_admin_accounts_where_the_server_has_none(self, project: Project) -> None:
        project.sandbox.change_settings(allow_admins=False)
        project.declare("service_accounts: [{name: a, admin: true}]")
        result = project.apply()
        assert result.code == 4
        assert "this server allows no admin service accounts (a)" in result.stderr

    def test_an_admin_account_that_the_server_no_longer_changes(self, project: Project) -> None:
        project.declare("service_accounts: [{name: a, admin: true}]")
        project.converge()
        project.sandbox.change_settings(allow_admins=False)
        project.declare("service_accounts: [{name: a}]")
        result = project.apply()
        assert result.code == 4
        assert "this server allows no admin service accounts (a)" in result.stderr

    def test_a_group_with_a_vault_that_is_left_alone(self, project: Project) -> None:
        project.sandbox.set_group("ops")
        project.sandbox.set_vault("v", "ops", "a: 1")
        project.declare("groups: []")
        result = project.apply("--allow", "empty-kind")
        assert result.code == 4
        assert "group ops would be removed, but this declaration leaves alone vaults that belong to it" in result.stderr
        assert project.apply("--allow", "empty-kind", "--allow", "still-used").code == 6

    def test_an_invitation_past_the_maximum_fails_and_the_rest_is_done(self, project: Project) -> None:
        project.sandbox.change_settings(maximum_members=1)
        project.declare(f"members: [{ROOT}, {{email: ada@acme.io}}]\ngroups: [{{name: ops}}]\n")
        result = project.apply()
        assert result.code == 6
        assert "failed   invite ada@acme.io" in result.stdout
        assert "1 added" in result.stdout
        assert "ops" in project.sandbox.truth().groups


class TestRemovals:
    def test_an_account_goes_with_its_credentials_and_its_vault(self, project: Project) -> None:
        (project.folder / "out").mkdir()
        project.declare(
            """
            service_accounts:
              - {name: agent, credentials: [{label: ci, deliver: {file: out/ci}}], vault: {data: "a: 1"}}
              - {name: other}
            groups: [{name: ops, service_accounts: [agent, other]}]
            """
        )
        project.converge()
        project.declare("service_accounts: [{name: other}]\ngroups: [{name: ops, service_accounts: [other]}]\n")
        planned = project.run("plan")
        assert "- service_account  agent" in planned.stdout
        assert "1 credential will stop working" in planned.stdout
        project.converge("--allow", "revocation=service_account:agent")
        truth = project.sandbox.truth()
        assert list(truth.accounts) == ["other"]
        assert truth.groups["ops"] == {"other"}
        assert truth.vaults == {}

    def test_a_group_goes_after_its_vaults(self, project: Project) -> None:
        project.declare('groups: [{name: ops}, {name: g}]\nvaults: [{name: v, group: ops, data: "a: 1"}]\n')
        project.converge()
        project.declare("groups: [{name: g}]\nvaults: []\n")
        project.converge("--allow", "empty-kind")
        truth = project.sandbox.truth()
        assert (set(truth.groups), truth.vaults) == ({"g", "Queue admins"}, {})

    def test_an_admin_is_replaced_without_a_moment_with_too_few(self, project: Project) -> None:
        for name in ("ada", "lena"):
            project.sandbox.add_member(f"{name}@acme.io", "admin" if name == "ada" else "user")
        project.declare(
            f"members: [{ROOT}, {{email: ada@acme.io}}, {{email: lena@acme.io, role: admin}}]", policy="min_admins: 2"
        )
        project.converge()
        assert project.sandbox.truth().members == {
            "root@acme.io": "admin",
            "ada@acme.io": "user",
            "lena@acme.io": "admin",
        }

    def test_what_is_not_mentioned_or_only_managed_as_declared_is_left_alone(self, project: Project) -> None:
        project.sandbox.add_member("ada@acme.io")
        project.sandbox.call("auth.create_service_user", name="robot")
        project.sandbox.set_group("ops", "ada@acme.io")
        project.declare("manage: {members: declared}\nmembers: [{email: root@acme.io, role: admin}]\n")
        result = project.run("plan", "--detailed-exitcode")
        assert result.code == 0
        assert "Left alone: 1 member (not declared here)" in result.stdout
        assert "Left alone: 1 service account (the declaration does not mention this kind)" in result.stdout
        assert "Left alone: 1 group (the declaration does not mention this kind)" in result.stdout
