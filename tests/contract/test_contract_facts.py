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
