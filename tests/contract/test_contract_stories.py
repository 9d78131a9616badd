"""What a team does from its first import to a removal, against a server written from the contract alone.

The stand-in answers in three styles (:class:`tests.contract.stand_in.Style`), over a real port.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.build import GAINS
from tests.contract.stand_in import ACCESS_KEY, SECRET_KEY, StandIn, Style
from tests.support.runner import Result, clean_environment, invoke, session_at


@dataclass
class Team:
    """A team's folder, and the server of its workspace."""

    folder: Path
    server: StandIn
    url: str

    @property
    def declaration(self) -> Path:
        return self.folder / "ws" / "workspace.yaml"

    def run(self, command: str, *options: str) -> Result:
        lifts = [word for guard in GAINS for word in ("--allow", guard.value)] if command in ("plan", "apply") else []
        keys = {"CLEARML_API_ACCESS_KEY": ACCESS_KEY, "CLEARML_API_SECRET_KEY": SECRET_KEY}
        folder = self.folder / "ws" if self.declaration.exists() else self.folder
        return invoke(
            command,
            *lifts,
            *options,
            folder=folder,
            environment=clean_environment(self.folder, **keys),
            session=session_at(),
        )

    def edit(self, old: str, new: str) -> None:
        text = self.declaration.read_text(encoding="utf-8")
        assert old in text, text
        self.declaration.write_text(text.replace(old, new, 1), encoding="utf-8")

    def changes(self, *expected: str) -> None:
        """Plan, expect exactly these changes, apply them, and expect that nothing is left."""
        planned = self.run("plan")
        lines = [line for line in planned.stdout.splitlines() if line[:2] in ("+ ", "~ ", "- ")]
        assert [" ".join(line.split()[:3]) for line in lines] == list(expected), planned
        applied = self.run("apply", "--yes")
        assert applied.code == 0, applied.output
        assert self.run("plan", "--detailed-exitcode").code == 0

    def is_in_sync(self) -> None:
        for command in (["plan", "--detailed-exitcode"], ["drift"]):
            result = self.run(*command)
            assert result.code == 0, result


@pytest.fixture(params=Style, ids=lambda style: style.name.lower())
def team(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Team]:
    server = StandIn(request.param)
    server.projects["p-vision"] = "Vision"
    server.queues["q-gpu"] = "gpu"
    with server.on_a_port() as url:
        yield Team(tmp_path, server, url)


def test_a_team_from_its_first_import_to_a_removal(team: Team) -> None:
    server = team.server

    # 1. a first import, 2. which is in sync
    imported = team.run("import", "--server", team.url, "--out", "ws")
    assert imported.code == 0, imported
    team.is_in_sync()
    assert "support@vendor.io" not in team.declaration.read_text(), "the server's own users are not declared"

    # 3. somebody is invited, with a place in a group
    team.edit("groups: []", "groups:\n  - {name: crew, members: [ada@acme.io]}")
    team.edit("members:\n", "members:\n  - {email: ada@acme.io, role: user}\n")
    team.changes("+ member ada@acme.io", "+ group crew")
    assert server.invitations["ada@acme.io"]["role"] == "user"
    assert server.members_of("crew") == set()

    # 4. who joins, and gets it
    server.join("ada@acme.io")
    team.changes("~ group crew")
    assert server.members_of("crew") == {"ada@acme.io"}

    # 5. a group changes
    team.edit("crew, members: [ada@acme.io]", "crew, description: All hands, members: [ada@acme.io, root@acme.io]")
    team.changes("~ group crew")
    assert server.members_of("crew") == {"ada@acme.io", "root@acme.io"}

    # 6. a service account with a credential and a vault of its own
    team.edit(
        "service_accounts: []",
        "service_accounts:\n  - name: agent\n    credentials: [{label: k8s, deliver: {file: key.conf}}]\n"
        "    vault: {data: 'agent { git_user: bot }'}",
    )
    team.edit("[ada@acme.io, root@acme.io]", "[ada@acme.io, root@acme.io], service_accounts: [agent]")
    team.changes("+ service_account agent", "+ credential agent", "~ group crew", "+ vault agent")
    (account,) = [user for user in server.users.values() if user.name == "agent"]
    assert [key["label"] for key in server.keys.values() if key["user"] == account.id] == ["k8s"]
    assert (team.folder / "ws" / "key.conf").exists()

    # 7. access rules
    team.edit(
        "access_rules: []",
        "access_rules:\n  - {name: see, resource: {project: Vision}, permission: read, groups: [crew]}\n"
        "  - {name: run, resource: {queue: gpu}, permission: read_write, members: [ada@acme.io]}",
    )
    team.changes("+ access_rule run", "+ access_rule see")
    rules = {rule["name"]: rule for rule in server.rules.values()}
    assert (rules["see"]["entity_id"], rules["run"]["entity_id"]) == ("p-vision", "q-gpu")

    # 8. an administrator vault, changed later
    team.edit("vaults:\n", "vaults:\n  - {name: s3, group: crew, data: 'sdk.aws.s3.region: eu'}\n")
    team.changes("+ vault s3")
    team.edit("s3.region: eu", "s3.region: us")
    team.changes("~ vault s3")

    # 9. drift is seen, and undone
    (crew,) = [group for group in server.groups.values() if group["name"] == "crew"]
    crew["users"] = [user for user in crew["users"] if user != "u-root"]
    (vault,) = [vault for vault in server.vaults.values() if vault["description"] == "s3"]
    vault["enabled"] = False
    drifted = team.run("drift")
    assert drifted.code == 2, drifted
    assert "Drift: 2 resources" in drifted.stdout
    team.changes("~ group crew", "~ vault s3")

    # 10. a person is removed, and so is all the rest
    team.edit("  - {email: ada@acme.io, role: user}\n", "")
    team.edit("[ada@acme.io, root@acme.io]", "[root@acme.io]")
    team.edit("\n  - {name: run, resource: {queue: gpu}, permission: read_write, members: [ada@acme.io]}", "")
    team.edit("vault: {data: 'agent { git_user: bot }'}", "vault: null")
    lifts = [word for guard in ("max-removals", "empty-kind", "revocation") for word in ("--allow", guard)]
    applied = team.run("apply", "--yes", *lifts)
    assert applied.code == 0, applied.output
    team.is_in_sync()
    assert "ada@acme.io" not in {user.email for user in server.users.values()}
    assert server.members_of("crew") == {"root@acme.io", "agent"}
    assert {vault["data"] for vault in server.vaults.values() if vault.get("user")} == {""}
    assert server.called("users.delete_vaults") == []
