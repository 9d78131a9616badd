"""A team that was applied, and what can happen to it afterwards: outside, or in the declaration."""

from __future__ import annotations

from tests.support.project import Project
from tests.support.sandboxes import Sandbox

TEAM = """\
members:
  - {email: root@acme.io, role: admin}
  - {email: ada@acme.io, name: Ada}
  - {email: bob@acme.io}
groups:
  - {name: operators, description: Who runs it, members: [ada@acme.io, bob@acme.io], service_accounts: [agent]}
  - {name: readers, members: [bob@acme.io]}
vaults:
  - {name: s3, group: operators, format: hocon, data: "region: eu"}
service_accounts:
  - name: agent
    impersonation: false
    credentials: [{label: ci, deliver: {file: out/ci.conf}}]
    vault: {format: hocon, data: "x: 1"}
access_rules:
  - {name: vision, resource: {project: Vision}, permission: read, members: [ada@acme.io], groups: [operators]}
"""


def applied_team(project: Project, body: str = TEAM) -> Project:
    """Return the project with the team applied and everybody signed in."""
    (project.folder / "out").mkdir()
    for name in ("Vision", "Audio"):
        project.sandbox.add_entity("project", name)
    project.declare(body)
    assert project.apply().code in (0, 2)
    project.sandbox.accept("ada@acme.io", "bob@acme.io")
    project.converge()
    assert project.run("drift").code == 0
    return project


def remove_member(sandbox: Sandbox, email: str) -> None:
    sandbox.call("auth.delete_user", user=sandbox.truth().id_of(email))


def remove_group(sandbox: Sandbox, name: str) -> None:
    sandbox.call("permissions.delete_user_groups", groups=[sandbox.truth().id_of(name)])


def remove_vault(sandbox: Sandbox, title: str) -> None:
    sandbox.call("users.delete_vaults", vaults=[sandbox.truth().vaults[title].id])


def remove_rule(sandbox: Sandbox, name: str) -> None:
    (rule,) = [rule.id for rule in sandbox.truth().workspace.rules if rule.name == name]
    sandbox.call("permissions.delete_access_rules", rules=[rule])


def revoke(sandbox: Sandbox, account: str = "agent") -> None:
    for key in sandbox.truth().accounts[account].credentials:
        sandbox.acting_as(account, "auth.revoke_credentials", access_key=key.access_key)


def group_with(sandbox: Sandbox, *people: str, description: str = "Who runs it") -> None:
    sandbox.set_group("operators", *people, description=description)


def set_role(sandbox: Sandbox, email: str, role: str) -> None:
    sandbox.call("users.set_role", user=sandbox.truth().id_of(email), role=role)


def rename_user(sandbox: Sandbox, email: str, name: str) -> None:
    sandbox.call("users.update", user=sandbox.truth().id_of(email), name=name)


def impersonate(sandbox: Sandbox, on: bool) -> None:
    sandbox.call("users.update_service_user", user=sandbox.truth().id_of("agent"), allow_running_as_owner=on)


def own_vault(sandbox: Sandbox, text: str) -> None:
    vault = sandbox.truth().vaults["agent → agent"]
    content = {"id": vault.id, "description": "agent", "data": text, "scope": "user"}
    sandbox.call("users.add_or_update_vault", vault=content, user=sandbox.truth().id_of("agent"))
