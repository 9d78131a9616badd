"""A workspace and a declaration whose plan has every kind of operation, and what must hold whatever fails."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.sandbox import state
from reconciler.sandbox.bulk import dump_workspace
from reconciler.sandbox.store import Store
from tests.faults.faulty_wire import FaultyWire, Killed
from tests.support.project import Project, new_project
from tests.support.runner import Result
from tests.support.sandboxes import Truth

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOON = NOW + timedelta(days=3)
LATER = datetime(2099, 1, 1, tzinfo=UTC)

BEFORE = state.Workspace(
    people=(
        state.Person("u-0root", "root@acme.io", "Root", "admin"),
        state.Person("u-ada", "ada@acme.io", "Ada", "user"),
        state.Person("u-bob", "bob@acme.io", "Bob", "admin"),
        state.Person("u-eve", "eve@acme.io", "Eve", "admin"),
        state.Person("u-kim", "kim@acme.io", "K", "user"),
        state.Person("u-tom", "tom@acme.io", "Tom", "user"),
    ),
    invitations=(state.Invitation("old@acme.io"),),
    service_accounts=(
        state.ServiceAccount(
            "a-agent",
            "agent",
            "user",
            True,
            (
                state.AccessKey("KEYCI", "ci", NOW - timedelta(days=9), LATER, NOW),
                state.AccessKey("KEYGONE", "gone", NOW - timedelta(days=9), LATER, NOW),
                state.AccessKey("KEYDUE", "due", NOW - timedelta(days=9), SOON, NOW),
                state.AccessKey("KEYLATE", "late", NOW - timedelta(days=9), NOW - timedelta(days=1), NOW),
                state.AccessKey("KEYSPELL", "Spelling", NOW - timedelta(days=9), LATER, NOW),
            ),
        ),
        state.ServiceAccount("a-boss", "boss", "admin"),
        state.ServiceAccount("a-gone", "gone-agent"),
        state.ServiceAccount("a-was", "was-agent"),
    ),
    groups=(
        state.Group("g-left", "left", "", frozenset({"u-tom", "u-kim", "a-agent"})),
        state.Group("g-right", "right", "", frozenset({"u-0root", "u-eve"})),
        state.Group("g-was", "was", "old words", frozenset({"u-ada"})),
        state.Group("g-gone", "gone", "", frozenset({"u-ada", "u-eve"})),
    ),
    vaults=(
        state.Vault("v-change", "change", "a: 1", "group", group="g-right"),
        state.Vault("v-off", "off", "a: 1", "group", group="g-right"),
        state.Vault("v-gone", "gone", "a: 1", "group", group="g-gone"),
    ),
)

DECLARED = """
members:
  - {email: root@acme.io, role: admin}
  - {email: ada@acme.io, role: admin}
  - {email: bob@acme.io, role: user}
  - {email: kim@acme.io, name: Kim}
  - {email: tom@acme.io}
  - {email: new@acme.io}
service_accounts:
  - name: agent
    impersonation: false
    credentials:
      - {label: ci}
      - {label: due, expires_in: 90d, rotate_before: 14d, deliver: {file: due.conf}}
      - {label: late, expires_in: 90d, deliver: {kubernetes_secret: {file: late.json, name: agent}}}
      - {label: extra, deliver: {env_file: extra.env}}
      - {label: spelling}
  - {name: boss, admin: false}
  - {name: is-agent, was: was-agent}
  - name: maker
    admin: true
    credentials:
      - {label: first, deliver: {file: first.conf}}
      - {label: second, deliver: {file: second.conf}}
    vault: {data: "m: 1"}
  - {name: silent, credentials: []}
groups:
  - {name: left, members: [kim@acme.io], service_accounts: [agent, maker]}
  - {name: right, members: [root@acme.io, tom@acme.io], service_accounts: []}
  - {name: is, was: was, description: new words, members: [ada@acme.io]}
  - {name: made, members: [ada@acme.io], service_accounts: [silent]}
vaults:
  - {name: change, group: right, data: "a: 2"}
  - {name: "off", group: right, data: "a: 1", enabled: false}
  - {name: made, group: made, data: "a: 1"}
"""

ALLOWED = ("min-admins", "max-removals", "empty-kind", "empty-group")
LABELS = {
    "agent": Counter({"ci": 1, "due": 1, "due [retiring]": 1, "late": 1, "extra": 1, "spelling": 1}),
    "maker": Counter({"first": 1, "second": 1}),
    "silent": Counter(),
}
DELIVERED = ("due.conf", "late.json", "extra.env", "first.conf", "second.conf")
PAIR = re.compile(r"(?:access_key: \"|ACCESS_KEY=)([^\"\n]+).*?(?:secret_key: \"|SECRET_KEY=)([^\"\n]+)", re.DOTALL)


@dataclass
class Scenario:
    """One run of the story in a folder of its own."""

    project: Project
    unlawful: list[str] = field(default_factory=list)

    def apply(self, wire: FaultyWire) -> Result | None:
        """Apply over a wire; ``None`` if the process was killed."""
        wire.after_each = self.look
        options = [word for guard in ALLOWED for word in ("--allow", guard)]
        try:
            return self.project.run("apply", "--yes", *options, wire=wire.wrap)
        except Killed:
            return None

    def look(self) -> None:
        """Note what is not lawful at this moment."""
        with Store.open(self.project.sandbox.path) as store:
            workspace = dump_workspace(store)
        admins = {person.id for person in workspace.people if person.role == "admin"}
        groups = {group.id: group.users for group in workspace.groups}
        present = {person.id for person in workspace.people}
        if len(admins) < 2:
            self.unlawful.append(f"only {len(admins)} admins")
        if "u-0root" not in admins:
            self.unlawful.append("root is no admin")
        if "u-bob" not in admins and "u-ada" not in admins:
            self.unlawful.append("bob was demoted before ada was promoted")
        if "u-eve" not in present and "u-ada" not in admins:
            self.unlawful.append("eve was removed before ada was promoted")
        if "u-tom" not in groups["g-left"] | groups["g-right"]:
            self.unlawful.append("tom was in neither group")
        if not {"u-kim", "a-agent"} <= groups["g-left"] or "u-0root" not in groups["g-right"]:
            self.unlawful.append("somebody who stays was not in the group")

    def truth(self) -> Truth:
        return self.project.sandbox.truth()

    def working_keys(self) -> dict[str, bool]:
        """Return, for each delivered file, whether the key in it can be signed in with."""
        found = {}
        for name in DELIVERED:
            text = (self.project.folder / name).read_text()
            if name.endswith(".json"):
                text = base64.b64decode(json.loads(text)["data"]["clearml.conf"]).decode()
            match = PAIR.search(text)
            assert match, name
            found[name] = self.project.sandbox.sign_in(*match.groups()) == 200
        return found


class Stage:
    """Makes scenarios quickly: the workspace is loaded once and copied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        project = self._project()
        project.sandbox.load(BEFORE)
        self.template = project.sandbox.path

    def _project(self) -> Project:
        self.count += 1
        folder = self.folder / f"run-{self.count}"
        folder.mkdir()
        return new_project(folder)

    def scenario(self) -> Scenario:
        project = self._project()
        shutil.copy(self.template, project.sandbox.path)
        project.declare(DECLARED, policy="min_admins: 2, max_removals: 20%")
        return Scenario(project)


def check_converged(scenario: Scenario) -> None:
    """Assert that all is as declared, nothing is there twice, and every delivered key works."""
    result = scenario.project.run("plan", "--detailed-exitcode")
    assert result.code == 0, result
    truth = scenario.truth()
    for what in (
        [account.name for account in truth.workspace.service_accounts],
        [group.name for group in truth.workspace.groups],
        [f"{vault.description} of {vault.group or vault.user}" for vault in truth.workspace.vaults],
        [invitation.email for invitation in truth.workspace.invitations],
    ):
        assert not [name for name, times in Counter(what).items() if times > 1]
    for account, labels in LABELS.items():
        assert Counter(truth.labels(account)) == labels
    assert scenario.working_keys() == dict.fromkeys(DELIVERED, True)
    assert scenario.unlawful == []
    assert not list(scenario.project.folder.glob(".*.*"))
