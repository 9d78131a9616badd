"""Facts of the published API that our client has to know, each through the whole command against the sandbox.

Source: ``docs/explanation/clearml-api.md``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from reconciler.sandbox import state
from tests.support.project import Project
from tests.support.wires import endpoint_of, rewriting, tampering

ROOT = "{email: root@acme.io, role: admin}"


class Bodies:
    """Remembers what was sent, by endpoint."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    @property
    def wire(self) -> Any:
        return tampering(before=self._note)

    def _note(self, request: httpx.Request) -> None:
        self.sent.append((endpoint_of(request), json.loads(request.content or b"{}")))

    def of(self, endpoint: str) -> list[dict[str, Any]]:
        return [body for name, body in self.sent if name == endpoint]


@pytest.fixture
def bodies(project: Project) -> Bodies:
    found = Bodies()
    project.wire = found.wire
    return found


class TestInvitations:
    def test_a_role_is_sent_to_a_server_that_knows_the_field(self, project: Project, bodies: Bodies) -> None:
        project.declare(f"members: [{ROOT}, {{email: ada@acme.io, role: consumer}}]\n")
        assert project.apply().code == 0
        assert bodies.of("login.add_whitelist_entries") == [{"emails": ["ada@acme.io"], "role": "consumer"}]
        assert project.sandbox.truth().invited == {"ada@acme.io": "consumer"}

    @pytest.mark.parametrize("version", ["2.36", "2.9"])
    def test_an_older_server_is_told_of_an_admin_by_the_field_of_its_time(
        self, project: Project, bodies: Bodies, version: str
    ) -> None:
        project.sandbox.change_settings(api_version=version)
        project.declare(f"members: [{ROOT}, {{email: ada@acme.io, role: admin}}, {{email: bob@acme.io}}]\n")
        assert project.apply().code == 0
        sent = sorted(bodies.of("login.add_whitelist_entries"), key=lambda body: body["emails"])
        assert sent == [
            {"emails": ["ada@acme.io"], "is_admin": True},
            {"emails": ["bob@acme.io"], "is_admin": False},
        ]
        assert project.sandbox.truth().invited == {"ada@acme.io": "admin", "bob@acme.io": "user"}

    def test_a_role_that_an_older_server_cannot_be_sent_is_an_error_and_nobody_is_invited(
        self, project: Project, bodies: Bodies
    ) -> None:
        project.sandbox.change_settings(api_version="2.36")
        project.declare(f"members: [{ROOT}, {{email: ada@acme.io, role: consumer}}, {{email: bob@acme.io}}]\n")
        for command in (["plan"], ["apply", "--yes"]):
            result = project.run(*command)
            assert result.code == 3, result
            assert "ada@acme.io cannot be invited as consumer" in result.stderr
            assert "API 2.37" in result.stderr
        assert bodies.of("login.add_whitelist_entries") == []
        assert project.sandbox.truth().invited == {}

    def test_an_older_server_gives_that_role_to_somebody_who_has_joined(self, project: Project) -> None:
        project.sandbox.change_settings(api_version="2.36")
        project.sandbox.call("login.add_whitelist_entries", emails=["ada@acme.io"])
        project.sandbox.accept("ada@acme.io")
        project.declare(f"members: [{ROOT}, {{email: ada@acme.io, role: consumer}}]\n")
        project.converge()
        assert project.sandbox.truth().members["ada@acme.io"] == "consumer"


PROJECT_RULE = """\
access_rules:
- {name: cats, resource: {project: Vision/.datasets/cats}, permission: read, members: [root@acme.io]}
"""


class TestEntities:
    def test_what_is_hidden_is_found(self, project: Project, bodies: Bodies) -> None:
        project.sandbox.add_entity("project", "Vision/.datasets/cats")
        project.declare(f"members: [{ROOT}]\n{PROJECT_RULE}")
        project.converge()
        assert project.sandbox.truth().rules["cats"][1] == "Vision/.datasets/cats"
        assert {body["search_hidden"] for body in bodies.of("projects.get_all_ex")} == {True}

    def test_what_belongs_to_others_and_is_public_is_not(self, project: Project, bodies: Bodies) -> None:
        workspace = project.sandbox.truth().workspace
        public = state.Entity("project", "p" * 32, "Shared", public=True)
        project.sandbox.load(replace(workspace, entities=(public,)))
        project.declare(f"members: [{ROOT}]\n{PROJECT_RULE.replace('Vision/.datasets/cats', 'Shared')}")
        result = project.run("plan")
        assert result.code == 3, result
        assert "the workspace has no project Shared" in result.stderr
        assert {body["allow_public"] for body in bodies.of("projects.get_all_ex")} == {False}

    @pytest.mark.parametrize(
        ("kind", "endpoint", "asked"),
        [
            ("queue", "queues.get_all", {"search_hidden": True}),
            ("dataview", "dataviews.get_all", {}),
            (
                "task",
                "tasks.get_all_ex",
                {"search_hidden": True, "include_hidden_projects": True, "allow_public": False},
            ),
            ("model", "models.get_all_ex", {"allow_public": False}),
            ("dataset", "datasets.get_all_ex", {"allow_public": False}),
            ("route", "routers.get_routes", {}),
        ],
    )
    def test_each_type_is_looked_up_by_its_own_call_with_what_that_call_knows(
        self, project: Project, bodies: Bodies, kind: str, endpoint: str, asked: dict[str, bool]
    ) -> None:
        project.sandbox.add_entity(kind, "thing")
        project.declare(
            f"members: [{ROOT}]\n{PROJECT_RULE.replace('project: Vision/.datasets/cats', f'{kind}: thing')}"
        )
        assert project.run("plan").code == 0
        (body,) = bodies.of(endpoint)
        plain = {"name": "^thing$", "only_fields": ["id", "name"], "page": 0, "page_size": 500}
        assert body == plain | asked


TEAM = f"""\
members: [{ROOT}]
service_accounts: [{{name: agent, vault: {{data: "x: 1"}}}}]
groups: [{{name: crew, members: [root@acme.io]}}]
vaults: [{{name: s3, group: crew, data: "a: 1"}}]
"""


class TestLogAndActivity:
    def test_the_log_is_asked_for_the_accounts_own_vaults_too_and_for_every_single_entry(
        self, project: Project, bodies: Bodies
    ) -> None:
        project.declare(TEAM)
        project.converge()
        project.sandbox.set_vault("s3", "crew", "a: 2")
        result = project.run("drift")
        assert "changed by root@acme.io" in result.stdout
        (body,) = bodies.of("users.get_vault_operations_log")
        assert (body["order"], body["page"], body["page_size"], body["group"]) == ("desc", 0, 1, None)
        assert set(body["scope"]) == {"organization", "group", "user", "service_account"}
        assert datetime.fromisoformat(body["from_timestamp"]).tzinfo == UTC

    def test_an_entry_whose_user_is_only_named_or_gone_is_no_reason_to_stop(self, project: Project) -> None:
        project.declare(TEAM)
        project.converge()
        project.sandbox.set_vault("s3", "crew", "a: 2")

        def stranger(data: dict[str, Any]) -> None:
            for entry in data["operations"]:
                entry["user"] = {"name": "somebody"}

        project.wire = rewriting("users.get_vault_operations_log", stranger)
        assert project.run("drift").code == 2

    def test_activity_is_asked_for_together_with_what_it_needs(self, project: Project, bodies: Bodies) -> None:
        project.declare(TEAM)
        project.converge()
        project.run("drift", "--inactive-for", "30d")
        asked = [body for body in bodies.of("users.get_all_ex") if body.get("include_activity")]
        assert asked
        assert all(body["include_auth"] for body in asked)


def share_group(project: Project, *people: str, name: str = "shared") -> None:
    """Make a group as one that is shared between tenants: not the server's own, and not ours to change."""
    project.sandbox.set_group(name, *people, description="of all tenants")
    workspace = project.sandbox.truth().workspace
    groups = tuple(replace(group, assignable=group.name != name and group.assignable) for group in workspace.groups)
    project.sandbox.load(replace(workspace, groups=groups))


class TestGroupsThatAreNotOurs:
    @pytest.mark.parametrize(
        "entry",
        [
            "{name: shared, members: []}",
            "{name: shared, members: [root@acme.io], description: ours}",
            "{name: renamed, was: shared, members: []}",
        ],
    )
    def test_one_that_is_not_assignable_is_never_written_and_that_is_said(
        self, project: Project, bodies: Bodies, entry: str
    ) -> None:
        project.sandbox.add_member("eve@acme.io")
        share_group(project, "eve@acme.io")
        project.declare(f"members: [{ROOT}, {{email: eve@acme.io}}]\ngroups: [{entry}]\n")
        for command in (["plan", "--detailed-exitcode"], ["apply", "--yes"]):
            result = project.run(*command)
            assert result.code == 0, result
            assert "the server does not let this group be changed" in result.output
        assert bodies.of("permissions.add_or_update_user_group") == []
        assert project.sandbox.truth().groups["shared"] == {"eve@acme.io"}

    def test_one_that_is_not_declared_is_not_removed(self, project: Project, bodies: Bodies) -> None:
        share_group(project, "root@acme.io")
        project.declare(f"members: [{ROOT}]\ngroups: []\n")
        result = project.converge()
        assert bodies.of("permissions.delete_user_groups") == []
        assert "shared" in project.sandbox.truth().groups
        assert "1 group (the server does not let them be removed)" in project.run("plan").stdout, result

    def test_one_that_is_declared_as_it_is_can_be_named_elsewhere(self, project: Project) -> None:
        share_group(project, "root@acme.io")
        project.declare(
            f"members: [{ROOT}]\ngroups: [{{name: shared, members: [root@acme.io]}}]\n"
            "vaults: [{name: s3, group: shared, data: 'a: 1'}]\n"
        )
        project.converge()
        assert "does not let" not in project.run("plan").output

    def test_one_that_stops_being_assignable_after_the_plan_is_left_alone(self, project: Project) -> None:
        project.sandbox.set_group("crew", "root@acme.io")
        project.declare(f"members: [{ROOT}]\ngroups: [{{name: crew, members: [root@acme.io], description: new}}]\n")

        def taken_away(request: httpx.Request, response: httpx.Response) -> httpx.Response:
            if endpoint_of(request) == "permissions.get_user_groups" and b"groups" in request.content:
                envelope = response.json()
                envelope["data"]["groups"][0]["assignable"] = False
                return httpx.Response(200, json=envelope)
            return response

        result = project.apply(wire=tampering(after=taken_away))
        assert result.code == 6, result
        assert "since the plan was made; it was left alone" in result.output

    def test_import_declares_one_without_its_members(self, project: Project) -> None:
        project.sandbox.add_member("eve@acme.io")
        share_group(project, "eve@acme.io")
        assert project.run("import", "--server", project.sandbox.server, "--out", "imported").code == 0
        result = project.run("plan", "imported/workspace.yaml", "--detailed-exitcode")
        assert result.code == 0, result
        assert "- {name: shared}" in (project.folder / "imported/workspace.yaml").read_text()
        assert "eve" not in (project.folder / "imported/workspace.yaml").read_text().partition("groups:")[2]


ACCOUNT = f"members: [{ROOT}]\nservice_accounts: [{{name: agent, credentials: []}}]\n"


def with_vault(text: str) -> str:
    return ACCOUNT.replace("credentials: []", f"credentials: [], vault: {text}")


def own_vaults(project: Project) -> dict[str, state.Vault]:
    return {vault.id: vault for vault in project.sandbox.truth().workspace.vaults if vault.scope == "user"}


def add_own_vault(project: Project, description: str = "", data: str = "a: 1", **fields: Any) -> str:
    """Make an account's own vault as the web page does, which gives it no description."""
    vault = {"description": description, "data": data, "format": "hocon", "type": "config", "scope": "user"} | fields
    user = project.sandbox.truth().id_of("agent")
    identifier: str = project.sandbox.call("users.add_or_update_vault", vault=vault, user=user)["vault"]
    return identifier


@pytest.fixture
def account(project: Project) -> Project:
    project.declare(ACCOUNT)
    project.converge()
    return project


class TestOwnVaults:
    @pytest.mark.parametrize("description", ["", "made by hand", "agent", " "])
    def test_one_is_known_by_its_owner_and_a_declaration_updates_it_in_place(
        self, account: Project, description: str
    ) -> None:
        made = add_own_vault(account, description)
        account.declare(with_vault("{data: 'a: 1'}"))
        assert account.run("plan", "--detailed-exitcode").code == 0
        assert account.run("drift").code == 0
        account.declare(with_vault("{data: 'a: 2'}"))
        assert "~ vault" in account.run("plan").stdout
        account.converge()
        (found,) = own_vaults(account).items()
        assert (found[0], found[1].data, found[1].enabled) == (made, "a: 2", True)
        assert found[1].description in (description, "agent")

    def test_one_gets_a_declared_name(self, account: Project) -> None:
        made = add_own_vault(account)
        account.declare(with_vault("{name: tuned, data: 'a: 1'}"))
        account.converge()
        assert {key: vault.description for key, vault in own_vaults(account).items()} == {made: "tuned"}

    @pytest.mark.parametrize("description", ["", "made by hand"])
    def test_import_takes_one(self, account: Project, description: str) -> None:
        add_own_vault(account, description)
        assert account.run("import", "--server", account.sandbox.server, "--out", "imported").code == 0
        text = (account.folder / "imported/workspace.yaml").read_text()
        assert "vault:" in text
        assert ("name: made by hand" in text) == bool(description)
        result = account.run("plan", "imported/workspace.yaml", "--detailed-exitcode")
        assert result.code == 0, result

    def test_adopt_takes_one(self, account: Project) -> None:
        account.declare(with_vault("{data: 'a: 1'}"))
        account.converge()
        (made,) = own_vaults(account)
        vault = {"id": made, "description": "", "data": "a: 7", "scope": "user"}
        account.sandbox.call("users.add_or_update_vault", vault=vault, user=account.sandbox.truth().id_of("agent"))
        assert account.run("adopt").code == 0
        assert account.run("plan", "--detailed-exitcode").code == 0
        assert "a: 7" in (account.folder / "workspace.yaml").read_text()

    def test_one_that_is_not_wanted_is_switched_off_and_emptied_but_never_deleted(
        self, account: Project, bodies: Bodies
    ) -> None:
        made = add_own_vault(account, "made by hand")
        account.declare(with_vault("null"))
        assert "- vault" in account.run("plan").stdout
        account.converge("--allow", "empty-kind")
        assert bodies.of("users.delete_vaults") == []
        vault = own_vaults(account)[made]
        assert (vault.data, vault.enabled, vault.description) == ("", False, "made by hand")
        assert account.run("drift").code == 0

        assert account.run("import", "--server", account.sandbox.server, "--out", "imported").code == 0
        assert "vault:" not in (account.folder / "imported/workspace.yaml").read_text()
        assert account.run("plan", "imported/workspace.yaml", "--detailed-exitcode").code == 0

        account.declare(with_vault("{data: 'a: 2'}"))
        account.converge()
        assert {key: (vault.data, vault.enabled) for key, vault in own_vaults(account).items()} == {
            made: ("a: 2", True)
        }

    def test_a_switched_off_one_without_text_can_be_declared(self, account: Project) -> None:
        account.declare(with_vault("{data: '', enabled: false}"))
        account.converge()
        assert [(vault.data, vault.enabled) for vault in own_vaults(account).values()] == [("", False)]

    def test_one_follows_its_renamed_account(self, account: Project) -> None:
        made = add_own_vault(account)
        account.declare(with_vault("{data: 'a: 2'}").replace("name: agent", "name: robot, was: agent"))
        account.converge()
        assert {key: vault.data for key, vault in own_vaults(account).items()} == {made: "a: 2"}

    def test_several_stop_only_a_declaration_of_them(self, account: Project) -> None:
        add_own_vault(account)
        add_own_vault(account, "another")
        assert account.run("plan", "--detailed-exitcode").code == 0
        imported = account.run("import", "--server", account.sandbox.server, "--out", "imported")
        assert imported.code == 0
        assert "agent has 2 vaults of its own; they are left out" in imported.stderr
        text = (account.folder / "imported/workspace.yaml").read_text()
        assert "vault:" not in text
        assert "manage:" not in text
        account.declare(with_vault("{data: 'a: 2'}"))
        result = account.run("plan")
        assert result.code == 7
        assert "agent" in result.stderr
        assert {vault.data for vault in own_vaults(account).values()} == {"a: 1"}


class TestVaultsWithoutAName:
    def test_one_of_a_group_is_left_out_of_an_import_and_shown_in_a_plan(self, project: Project) -> None:
        project.sandbox.set_group("crew", "root@acme.io")
        project.sandbox.set_vault("", "crew", "a: 1")
        imported = project.run("import", "--server", project.sandbox.server, "--out", "imported")
        assert "vault without a name is left out" in imported.stderr
        assert project.run("plan", "imported/workspace.yaml", "--detailed-exitcode").code == 0
        project.declare(f"members: [{ROOT}]\ngroups: [{{name: crew}}]\nvaults: []\n")
        assert "- vault            (without a name) → crew" in project.run("plan").stdout


class TestPeopleThatAreNotOurs:
    @pytest.mark.parametrize("listed", [True, False])
    def test_service_accounts_may_be_listed_among_the_users_without_an_address(
        self, account: Project, listed: bool
    ) -> None:
        account.sandbox.change_settings(list_service_users=listed)
        assert account.run("plan", "--detailed-exitcode").code == 0
        assert account.run("import", "--server", account.sandbox.server, "--out", "imported").code == 0
        assert "{email: root@acme.io" in (account.folder / "imported/workspace.yaml").read_text()

    def test_the_servers_own_users_are_left_alone(self, account: Project) -> None:
        account.sandbox.change_settings(list_system_users=True)
        assert account.run("plan", "--detailed-exitcode").code == 0
        assert account.run("drift").code == 0
        imported = account.run("import", "--server", account.sandbox.server, "--out", "imported")
        assert imported.stderr == "Wrote imported/workspace.yaml and 0 vault documents.\n"

    @pytest.mark.parametrize("why", ["read_only", "support"])
    def test_users_that_the_server_fixes_are_left_alone_unless_declared(self, project: Project, why: str) -> None:
        workspace = project.sandbox.truth().workspace
        fixed = state.Person("u-fixed", "support@vendor.io", "Support", "admin", **{why: True})
        project.sandbox.load(replace(workspace, people=(*workspace.people, fixed)))
        assert project.run("import", "--server", project.sandbox.server, "--out", "imported").code == 0
        assert "vendor.io" not in (project.folder / "imported/workspace.yaml").read_text()
        planned = project.run("plan", "imported/workspace.yaml", "--detailed-exitcode")
        assert planned.code == 0, planned
        assert "1 member (the server does not let them be removed)" in planned.stdout

        project.declare(f"members: [{ROOT}, {{email: support@vendor.io, role: user}}]\n")
        planned = project.run("plan", "--detailed-exitcode")
        assert planned.code == 0, planned
        assert "the server keeps this user's role (admin)" in planned.stdout


def without_what_is_empty(data: dict[str, Any]) -> None:
    for rule in data["rules"]:
        for name in [name for name, value in rule.items() if not value]:
            del rule[name]


class TestRulesOfAServerThatLeavesOutWhatIsEmpty:
    def test_one_that_is_not_declared_is_removed_and_one_that_is_declared_is_in_sync(self, project: Project) -> None:
        project.sandbox.set_group("crew", "root@acme.io")
        for name, people in (("kept", ["crew"]), ("gone", ["root@acme.io"])):
            project.sandbox.set_rule(name, *people)
        project.declare(
            f"members: [{ROOT}]\n"
            "access_rules: [{name: kept, resource: {project: '*'}, permission: read, groups: [crew]}]\n"
        )
        project.wire = rewriting("permissions.get_access_rules", without_what_is_empty)
        project.converge()
        assert set(project.sandbox.truth().rules) == {"kept"}

    def test_a_default_one_of_which_that_is_not_said_is_left_alone(self, project: Project) -> None:
        project.declare(f"members: [{ROOT}]\naccess_rules: []\n")

        def one_is_not_marked(data: dict[str, Any]) -> None:
            del next(rule for rule in data["rules"] if rule["entity_type"] == "queue")["autocreated"]

        project.wire = rewriting("permissions.get_access_rules", one_is_not_marked)
        planned = project.run("plan", "--detailed-exitcode")
        assert planned.code == 2, planned
        assert "it may be one of the server's own" in planned.stdout
        assert "- access_rule" not in planned.stdout


class TestVaultsThatTheServerKeepsEncrypted:
    @pytest.fixture
    def sealed(self, project: Project) -> Project:
        project.sandbox.set_group("crew", "root@acme.io")
        project.sandbox.set_vault("s3", "crew", "0xSEALED")
        workspace = project.sandbox.truth().workspace
        vaults = tuple(replace(vault, editable=False) for vault in workspace.vaults)
        project.sandbox.load(replace(workspace, vaults=vaults))
        return project

    @pytest.mark.parametrize(
        "vaults", ["[]", "[{name: s3, group: crew, data: 'a: 1'}]"], ids=["undeclared", "declared"]
    )
    def test_one_is_neither_compared_nor_written_nor_removed(self, sealed: Project, vaults: str) -> None:
        sealed.declare(f"members: [{ROOT}]\ngroups: [{{name: crew}}]\nvaults: {vaults}\n")
        calls = Bodies()
        result = sealed.apply(wire=calls.wire)
        assert result.code == 2, result
        assert "editable is false" in result.stdout
        assert not calls.of("users.add_or_update_vault") + calls.of("users.delete_vaults")
        assert [vault.data for vault in sealed.sandbox.truth().workspace.vaults] == ["0xSEALED"]

    def test_import_leaves_one_out(self, sealed: Project) -> None:
        imported = sealed.run("import", "--server", sealed.sandbox.server, "--out", "imported")
        assert imported.code == 0, imported
        assert "s3 → crew is left out" in imported.stderr
        assert not list((sealed.folder / "imported").rglob("*.conf"))


@pytest.mark.parametrize("role", ["admin", "system", "root"])
def test_somebody_in_users_without_an_address_is_never_removed(project: Project, role: str) -> None:
    """As the internal admin of a tenant and the fixed users of a server's configuration may be listed."""
    project.sandbox.add_member("internal@acme.io", "admin")
    project.declare(f"members: [{ROOT}]\n")

    def hide(data: dict[str, Any]) -> None:
        for user in data["users"]:
            if user.get("email") == "internal@acme.io":
                del user["email"]
                user["role"] = role

    calls = Bodies()

    def wire(inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return calls.wire(rewriting("users.get_all_ex", hide)(inner))

    result = project.apply("--allow", "min-admins", wire=wire)
    assert result.code in (0, 2), result
    assert calls.of("auth.delete_user") == []


def test_a_rule_with_somebody_in_it_who_cannot_be_read_is_not_made_to_give_more(project: Project) -> None:
    project.sandbox.add_member("bob@acme.io")
    project.sandbox.set_rule("see", "root@acme.io", "bob@acme.io")

    def hide(data: dict[str, Any]) -> None:
        for user in data["users"]:
            if user.get("email") == "bob@acme.io":
                user["email"] = ""

    project.declare(
        f"members: [{ROOT}]\n"
        "access_rules: [{name: see, resource: {project: '*'}, permission: read_write, members: [root@acme.io]}]\n"
    )
    result = project.apply(wire=rewriting("users.get_all_ex", hide))
    assert result.code == 2, result
    assert "1 of its users cannot be read" in result.stdout
    assert project.sandbox.truth().rules["see"][2:] == ("read", {"root@acme.io", "bob@acme.io"})
