from __future__ import annotations

import re

import pytest

from tests.support.project import Project
from tests.support.sandboxes import ADMIN_KEY, ADMIN_SECRET


def in_process(project: Project) -> tuple[str, ...]:
    return ("--server", project.sandbox.server)


def through_the_whole_story(project: Project, *server: str) -> None:
    before = project.sandbox.truth()
    planned = project.run("plan", *server)
    assert planned.code == 0
    assert "Plan: 9 to add, 0 to change, 0 to remove. Nothing has been changed yet." in planned.stdout
    assert project.sandbox.truth().workspace.people == before.workspace.people
    assert project.sandbox.truth().groups == before.groups

    applied = project.apply(*server)
    assert applied.code == 0, applied
    assert (
        "Applied: 9 added, 0 changed, 0 removed. The workspace is as declared, but for 5 things waiting for invitations"
        in applied.stdout
    )

    again = project.run("plan", "--detailed-exitcode", *server)
    assert again.code == 0
    assert "In sync with workspace.yaml" in again.stdout

    project.sandbox.add_member("eve@evil.example")
    project.sandbox.set_group("operators", "root@acme.io", "eve@evil.example")
    drifted = project.run("drift", *server)
    assert drifted.code == 2
    assert "- member           eve@evil.example (user)" in drifted.stdout
    assert "members  - eve@evil.example" in drifted.stdout

    repaired = project.apply("--allow", "max-removals", *server)
    assert repaired.code == 0, repaired
    assert "eve@evil.example" not in project.sandbox.truth().members
    assert project.run("drift", *server).code == 0


def test_an_empty_sandbox_is_taken_to_converged_and_kept_there(small_team: Project) -> None:
    through_the_whole_story(small_team, *in_process(small_team))


def test_the_same_over_a_port_with_a_key_pair_from_the_environment(small_team: Project) -> None:
    small_team.environment |= {"CLEARML_API_ACCESS_KEY": ADMIN_KEY, "CLEARML_API_SECRET_KEY": ADMIN_SECRET}
    with small_team.sandbox.on_a_port() as url:
        through_the_whole_story(small_team, "--server", url)


def test_over_a_port_with_a_configuration_file_and_the_server_from_the_declaration(project: Project) -> None:
    with project.sandbox.on_a_port() as url:
        conf = (
            f'api {{ api_server: "{url}", credentials {{ access_key: "{ADMIN_KEY}", secret_key: "{ADMIN_SECRET}" }} }}'
        )
        project.write_file("home/clearml.conf", conf)
        project.write_file("workspace.yaml", f'version: 1\nworkspace: {{name: acme-ml, server: "{url}"}}\ngroups: []\n')
        result = project.run("plan")
    assert result.code == 0, result


class TestInvitations:
    def test_what_waits_for_people_is_completed_by_the_next_run(self, small_team: Project) -> None:
        server = in_process(small_team)
        assert small_team.apply(*server).code == 0
        assert small_team.sandbox.truth().invited == {
            "ada@acme.io": "admin",
            "lena@acme.io": "user",
            "tom@acme.io": "user",
        }
        waiting = small_team.run("drift", *server)
        assert waiting.code == 0
        assert "Waiting:    3 memberships and 2 names, until ada@acme.io, lena@acme.io, tom@acme.io" in waiting.stdout

        accepted = small_team.run("sandbox", "accept", "lena@acme.io", "--db", "sandbox.db")
        assert accepted.code == 0
        assert small_team.run("drift", *server).code == 2
        assert small_team.apply(*server).code == 0
        truth = small_team.sandbox.truth()
        assert truth.groups["researchers"] == {"root@acme.io", "lena@acme.io", "train-agent"}
        assert truth.names["lena@acme.io"] == "Lena"

        small_team.sandbox.accept("ada@acme.io", "tom@acme.io")
        assert small_team.apply(*server).code == 0
        final = small_team.run("drift", *server)
        assert final.code == 0
        assert "Waiting" not in final.stdout
        assert small_team.sandbox.truth().members["ada@acme.io"] == "admin"

    def test_an_invitation_that_is_no_longer_declared_is_taken_back(self, project: Project) -> None:
        project.declare("members: [{email: root@acme.io, role: admin}, {email: ada@acme.io}]")
        assert project.apply().code == 0
        project.declare("members: [{email: root@acme.io, role: admin}]")
        planned = project.run("plan")
        assert "- member           ada@acme.io (invitation)" in planned.stdout
        project.converge()
        assert project.sandbox.truth().invited == {}

    def test_an_invitation_accepted_between_plan_and_apply_makes_the_plan_stale(self, project: Project) -> None:
        project.declare("members: [{email: root@acme.io, role: admin}]")
        project.sandbox.call("login.add_whitelist_entries", emails=["ada@acme.io"], role="user")
        assert project.run("plan", "--out", "plan.json").code == 0
        project.sandbox.accept("ada@acme.io")
        result = project.run("apply", "--yes", "--plan", "plan.json")
        assert result.code == 5
        assert "member ada@acme.io: the workspace has moved" in result.stderr
        assert "ada@acme.io" in project.sandbox.truth().members

    def test_someone_invited_as_another_role_is_put_right_after_the_first_sign_in(self, project: Project) -> None:
        project.sandbox.call("login.add_whitelist_entries", emails=["ada@acme.io"], role="admin")
        project.declare("members: [{email: root@acme.io, role: admin}, {email: ada@acme.io, role: consumer}]")
        assert project.run("plan", "--detailed-exitcode").code == 0
        project.sandbox.accept("ada@acme.io")
        project.converge()
        assert project.sandbox.truth().members["ada@acme.io"] == "consumer"


class TestRenames:
    def test_a_group_keeps_its_id_its_people_and_its_vaults(self, project: Project) -> None:
        project.declare(
            """
            groups: [{name: research, members: [root@acme.io]}]
            vaults: [{name: v, group: research, data: "a: 1"}]
            """
        )
        project.converge()
        before = project.sandbox.truth()
        project.declare(
            """
            groups: [{name: researchers, was: research, members: [root@acme.io]}]
            vaults: [{name: v, group: researchers, data: "a: 1"}]
            """
        )
        planned = project.run("plan")
        assert "~ group            researchers" in planned.stdout
        assert 'name  "research" → "researchers"' in planned.stdout
        project.converge()
        after = project.sandbox.truth()
        assert after.id_of("researchers") == before.id_of("research")
        assert after.vaults["v → researchers"] == before.vaults["v → research"]

    def test_a_service_account_keeps_its_id_its_credentials_and_its_vault(self, project: Project) -> None:
        project.write_file("out/.keep", "")
        body = """
            service_accounts:
              - name: {name}
                credentials: [{{label: ci, deliver: {{file: out/ci.conf}}}}]
                vault: {{data: "a: 1"}}
            groups: [{{name: ops, service_accounts: [{account}]}}]
            """
        project.declare(body.format(name="agent", account="agent"))
        project.converge()
        before = project.sandbox.truth().accounts["agent"]
        project.declare(body.format(name="trainer\n                was: agent", account="trainer"))
        planned = project.run("plan")
        assert "Plan: 0 to add, 2 to change, 0 to remove." in planned.stdout
        project.converge()
        after = project.sandbox.truth()
        assert after.accounts["trainer"].id == before.id
        assert after.accounts["trainer"].credentials == before.credentials
        assert after.groups["ops"] == {"trainer"}
        assert list(after.vaults) == ["trainer → trainer"]

    def test_a_vault_keeps_its_id(self, project: Project) -> None:
        project.declare('groups: [{name: g}]\nvaults: [{name: old, group: g, data: "a: 1"}]\n')
        project.converge()
        before = project.sandbox.truth().vaults["old → g"]
        project.declare('groups: [{name: g}]\nvaults: [{name: new, was: old, group: g, data: "a: 1"}]\n')
        project.converge()
        assert project.sandbox.truth().vaults["new → g"].id == before.id

    def test_a_group_and_its_vault_are_renamed_together(self, project: Project) -> None:
        project.declare('groups: [{name: a}]\nvaults: [{name: old, group: a, data: "a: 1"}]\n')
        project.converge()
        before = project.sandbox.truth().vaults["old → a"]
        project.declare('groups: [{name: b, was: a}]\nvaults: [{name: new, was: old, group: b, data: "a: 1"}]\n')
        assert "Plan: 0 to add, 2 to change, 0 to remove." in project.run("plan").stdout
        project.converge()
        assert project.sandbox.truth().vaults["new → b"].id == before.id

    def test_only_the_spelling_of_a_name_changes(self, project: Project) -> None:
        project.declare("groups: [{name: research}]")
        project.converge()
        before = project.sandbox.truth().id_of("research")
        project.declare("groups: [{name: Research}]")
        project.converge()
        assert project.sandbox.truth().id_of("Research") == before


class TestVaultDocuments:
    def test_a_value_that_someone_edited_is_shown_by_path_and_put_back(self, small_team: Project) -> None:
        server = in_process(small_team)
        assert small_team.apply(*server).code == 0
        vault = small_team.sandbox.truth().vaults["s3-defaults → researchers"]
        edited = vault.data.replace("eu-west-1", "us-east-1").replace("hunter2-small-team", "a-leaked-other-secret")
        small_team.sandbox.set_vault("s3-defaults", "researchers", edited)
        drifted = small_team.run("drift", *server)
        assert drifted.code == 2
        assert re.search(r'sdk\.aws\.s3\.region +"us-east-1" → "eu-west-1"', drifted.stdout)
        assert re.search(r"sdk\.aws\.s3\.credentials\[0\]\.secret +\(secret changed\)", drifted.stdout)
        assert "a-leaked-other-secret" not in drifted.output
        assert "hunter2-small-team" not in drifted.output
        assert small_team.apply(*server).code == 0
        assert small_team.sandbox.truth().vaults["s3-defaults → researchers"].data == vault.data

    def test_a_rotated_secret_reaches_the_vault(self, small_team: Project) -> None:
        server = in_process(small_team)
        assert small_team.apply(*server).code == 0
        small_team.environment["S3_SECRET"] = "the-rotated-secret-value"
        assert small_team.run("plan", "--detailed-exitcode", *server).code == 2
        assert small_team.apply(*server).code == 0
        assert "the-rotated-secret-value" in small_team.sandbox.truth().vaults["s3-defaults → researchers"].data

    def test_switching_a_vault_off_leaves_its_text_alone(self, project: Project) -> None:
        project.declare("groups: [{name: g}]")
        project.converge()
        project.sandbox.set_vault("v", "g", "a   :   1  # by hand")
        project.declare('groups: [{name: g}]\nvaults: [{name: v, group: g, data: "a: 1", enabled: false}]\n')
        project.converge()
        vault = project.sandbox.truth().vaults["v → g"]
        assert (vault.enabled, vault.data) == (False, "a   :   1  # by hand")

    def test_another_text_of_the_same_meaning_is_changed_only_on_demand(self, project: Project) -> None:
        project.declare("groups: [{name: g}]")
        project.converge()
        project.sandbox.set_vault("v", "g", "a { b = 1 }")
        project.declare('groups: [{name: g}]\nvaults: [{name: v, group: g, data: "a.b: 1"}]\n')
        told = project.run("drift")
        assert told.code == 0
        assert "Text only:  1 vault written differently with the same meaning (v → g)" in told.stdout
        assert project.run("drift", "--exact-documents").code == 2
        assert project.apply("--exact-documents").code == 0
        assert project.sandbox.truth().vaults["v → g"].data == "a.b: 1"

    @pytest.mark.parametrize("target", ["ui-storage", "ssh-server", "monitoring", "type:another"])
    def test_other_targets_reach_the_server(self, target: str, project: Project) -> None:
        project.declare(f'groups: [{{name: g}}]\nvaults: [{{name: v, group: g, target: {target}, data: "a: 1"}}]\n')
        project.converge()


class TestExamples:
    def test_the_small_team_validates(self, small_team: Project) -> None:
        result = small_team.run("validate")
        assert result.code == 0
        assert (
            "workspace.yaml is valid: 4 members, 1 service account, 1 credential, 2 groups, 2 vaults." in result.stderr
        )
