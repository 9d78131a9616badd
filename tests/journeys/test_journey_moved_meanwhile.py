"""What changes by hand between the plan and the write is looked at once more, and left alone."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import dataclass, field

import httpx
import pytest

from tests.support.project import Project
from tests.support.runner import Result
from tests.support.wires import endpoint_of, tampering

BEFORE = """
members:
  - {email: root@acme.io, role: admin}
  - {email: ada@acme.io, role: admin}
  - {email: tom@acme.io}
service_accounts: [{name: agent, credentials: []}, {name: boss, admin: true, impersonation: true, credentials: []}]
groups: [{name: ops, members: [tom@acme.io]}, {name: lab, members: [tom@acme.io]}]
vaults: [{name: v, group: lab, data: "a: 1"}, {name: w, group: lab, data: "a: 1"}]
"""
ALLOWED = [word for guard in ("empty-kind", "empty-group", "min-admins") for word in ("--allow", guard)]


@dataclass
class Meanwhile:
    """Alters the workspace when everything has been read and the first thing is looked at again."""

    project: Project
    statement: str
    made: list[str] = field(default_factory=list)
    altered: bool = False

    def __call__(self, request: httpx.Request) -> None:
        endpoint = endpoint_of(request)
        if not self.altered and endpoint in self.made:
            self.altered = True
            with contextlib.closing(sqlite3.connect(self.project.sandbox.path)) as database, database:
                database.execute("PRAGMA foreign_keys = ON")
                assert database.execute(self.statement).rowcount == 1, self.statement
        self.made.append(endpoint)


@pytest.fixture
def team(project: Project) -> Project:
    for email in ("ada@acme.io", "tom@acme.io"):
        project.sandbox.add_member(email)
    project.declare(BEFORE)
    project.converge()
    return project


def apply_while(team: Project, declared: str, statement: str) -> tuple[Meanwhile, Result]:
    """Declare something and apply it, while this statement alters the workspace."""
    team.declare(declared)
    meanwhile = Meanwhile(team, statement)
    result = team.apply(*ALLOWED, wire=tampering(before=meanwhile))
    assert meanwhile.altered
    return meanwhile, result


def without(*lines: str) -> str:
    found = BEFORE
    for line in lines:
        assert line in found
        found = found.replace(line, "")
    return found


NO_TOM = without("  - {email: tom@acme.io}\n").replace("[tom@acme.io]", "[ada@acme.io]")
NO_AGENT, NO_BOSS = (
    without("{name: agent, credentials: []}, "),
    without(", {name: boss, admin: true, impersonation: true, credentials: []}"),
)
NO_OPS, NO_V = without("{name: ops, members: [tom@acme.io]}, "), without('{name: v, group: lab, data: "a: 1"}, ')
ADA_USER = BEFORE.replace("ada@acme.io, role: admin", "ada@acme.io")
BOSS_USER = BEFORE.replace("boss, admin: true", "boss")
BOSS_ALONE = BEFORE.replace("impersonation: true", "impersonation: false")

OF_TOM, OF_ADA = "WHERE email = 'tom@acme.io'", "WHERE email = 'ada@acme.io'"
OF_AGENT, OF_BOSS = "WHERE name = 'agent' AND kind = 'service'", "WHERE name = 'boss' AND kind = 'service'"
JOINS = (
    "INSERT INTO memberships SELECT g.id, u.id FROM groups g, users u WHERE g.name = 'ops' AND u.email = 'ada@acme.io'"
)


@pytest.mark.parametrize(
    ("declared", "statement", "told"),
    [
        pytest.param(NO_TOM, f"UPDATE users SET role = 'admin' {OF_TOM}", "tom@acme.io was changed", id="a member to remove, by role"),
        pytest.param(NO_TOM, f"UPDATE users SET email = 'tim@acme.io' {OF_TOM}", "tom@acme.io was changed", id="a member to remove, by e-mail"),
        pytest.param(NO_TOM, f"UPDATE users SET email = NULL {OF_TOM}", "tom@acme.io was changed", id="a member to remove, without an e-mail"),
        pytest.param(ADA_USER, f"UPDATE users SET role = 'consumer' {OF_ADA}", "ada@acme.io was changed", id="an admin to demote"),
        pytest.param(NO_AGENT, f"UPDATE users SET role = 'admin' {OF_AGENT}", "agent was changed", id="an account to remove, by role"),
        pytest.param(NO_AGENT, f"UPDATE users SET name = 'robot' {OF_AGENT}", "agent was changed", id="an account to remove, by name"),
        pytest.param(NO_BOSS, f"UPDATE users SET role = 'user' {OF_BOSS}", "boss was changed", id="an admin account to remove"),
        pytest.param(BOSS_USER, f"UPDATE users SET name = 'chief' {OF_BOSS}", "boss was changed", id="an account to demote"),
        pytest.param(BOSS_ALONE, f"UPDATE users SET name = 'chief' {OF_BOSS}", "boss was changed", id="an account to take tasks from"),
        pytest.param(NO_OPS, JOINS, "ops got other members", id="a group to remove"),
        pytest.param(NO_V, "UPDATE vaults SET data = 'a: 9' WHERE description = 'v'", "v → lab was changed", id="a vault to remove"),
    ],
)  # fmt: skip
def test_what_is_no_longer_what_was_planned_for_is_left_alone(
    declared: str, statement: str, told: str, team: Project
) -> None:
    meanwhile, result = apply_while(team, declared, statement)
    assert result.code == 6, result
    assert f"{told} since the plan was made; it was left alone" in result.output
    assert not {"auth.delete_user", "users.set_role", "users.update_service_user"} & set(meanwhile.made)
    assert not {"permissions.delete_user_groups", "users.delete_vaults"} & set(meanwhile.made)


@pytest.mark.parametrize(
    ("declared", "statement", "call"),
    [
        pytest.param(NO_TOM, f"DELETE FROM users {OF_TOM}", "auth.delete_user", id="a member"),
        pytest.param(NO_AGENT, f"DELETE FROM users {OF_AGENT}", "auth.delete_user", id="an account"),
        pytest.param(NO_OPS, "DELETE FROM groups WHERE name = 'ops'", "permissions.delete_user_groups", id="a group"),
        pytest.param(NO_V, "DELETE FROM vaults WHERE description = 'v'", "users.delete_vaults", id="a vault"),
    ],
)
def test_what_somebody_else_removed_is_not_removed_again(
    declared: str, statement: str, call: str, team: Project
) -> None:
    meanwhile, result = apply_while(team, declared, statement)
    assert result.code == 0, result
    assert call not in meanwhile.made


def test_an_invitation_that_was_accepted_meanwhile_is_not_taken_back(team: Project) -> None:
    team.sandbox.call("login.add_whitelist_entries", emails=["new@acme.io"], role="user")
    meanwhile = Meanwhile(team, "DELETE FROM invitations WHERE email = 'new@acme.io'")
    result = team.apply(wire=tampering(before=meanwhile))
    assert result.code == 6, result
    assert "new@acme.io accepted the invitation since the plan was made; it was left alone" in result.output
    assert "login.remove_whitelist_entries" not in meanwhile.made


def test_whoever_came_into_a_group_meanwhile_stays_until_the_next_plan(team: Project) -> None:
    team.declare(BEFORE.replace("ops, members: [tom@acme.io]", "ops, members: [root@acme.io]"))
    result = team.apply(*ALLOWED, wire=tampering(before=Meanwhile(team, JOINS)))
    assert "Not converged: 1 change remains" in result.output
    assert team.sandbox.truth().groups["ops"] == {"root@acme.io", "ada@acme.io"}


def test_a_write_keeps_what_it_does_not_speak_of(team: Project) -> None:
    team.sandbox.set_group("lab", "tom@acme.io", "ada@acme.io", description="words by hand")
    declared = BEFORE.replace("lab, members: [tom@acme.io]", "lab, members: [ada@acme.io]")
    team.declare(declared.replace("{name: v, group: lab,", "{name: v, group: lab, enabled: false, target: ui-storage,"))
    sent: list[object] = []

    def look(request: httpx.Request) -> None:
        if endpoint_of(request) == "permissions.add_or_update_user_group":
            sent.append(json.loads(request.content)["description"])

    assert team.apply(*ALLOWED, wire=tampering(before=look)).code == 0
    assert set(sent) == {"words by hand"}
    (lab,) = (group for group in team.sandbox.truth().workspace.groups if group.name == "lab")
    assert (lab.description, team.sandbox.truth().groups["lab"]) == ("words by hand", {"ada@acme.io"})
    vault = team.sandbox.truth().vaults["v → lab"]
    assert (vault.data, vault.enabled, vault.type != "config") == ("a: 1", False, True)


def test_a_group_with_accounts_in_it_can_go(team: Project) -> None:
    team.declare(
        BEFORE.replace("ops, members: [tom@acme.io]", "ops, members: [tom@acme.io], service_accounts: [agent]")
    )
    team.converge()
    team.declare(NO_OPS)
    team.converge(*ALLOWED)
    assert "ops" not in team.sandbox.truth().groups
