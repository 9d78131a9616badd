"""A workspace and a declaration whose plan has every kind of operation, and what must hold whatever fails."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.sandbox import state
from reconciler.sandbox.bulk import dump_workspace
from reconciler.sandbox.clock import Clock, system_clock
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
    rules=(
        state.Rule("r-wide", "wide", "project", "p-vision", "read", frozenset({"u-kim"}), frozenset({"g-left"})),
        state.Rule("r-narrow", "narrow", "queue", "*", "read_write", frozenset({"u-kim", "u-tom"})),
        state.Rule("r-turn", "turn", "project", "p-audio", "read_write", frozenset({"u-kim", "u-ada"})),
        state.Rule("r-was", "was", "project", "p-vision", "read", groups=frozenset({"g-was"})),
        state.Rule("r-gone", "gone", "project", "p-vision", "read", frozenset({"u-ada"}), frozenset({"g-gone"})),
    ),
    entities=(state.Entity("project", "p-vision", "Vision"), state.Entity("project", "p-audio", "Audio")),
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
access_rules:
  - {name: wide, resource: {project: Vision}, permission: read, members: [kim@acme.io, tom@acme.io], groups: [left, right]}
  - {name: narrow, resource: {queue: "*"}, permission: read_write, members: [kim@acme.io]}
  - {name: turn, resource: {project: Audio}, permission: read, members: [kim@acme.io, tom@acme.io]}
  - {name: is, was: was, description: new words, resource: {project: Vision}, permission: read, groups: [is]}
  - name: made
    resource: {project: {id: p-audio}}
    permission: read_write
    members: [ada@acme.io, new@acme.io]
    service_accounts: [maker]
    groups: [made, is]
"""

ALLOWED = (
    "min-admins",
    "max-removals",
    "empty-kind",
    "empty-group",
    "revocation",
    "new-admin",
    "impersonation",
    "admin-impersonation",
    "everyone",
    "write-gains",
)
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
    clock: Clock = system_clock

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
        self.unlawful += _unlawful_rules({rule.id: rule for rule in workspace.rules})

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
            found[name] = self.project.sandbox.sign_in(*match.groups(), clock=self.clock) == 200
        return found


def _unlawful_rules(rules: dict[str, state.Rule]) -> Iterator[str]:
    wide, narrow, turn = rules["r-wide"], rules["r-narrow"], rules["r-turn"]
    if not all("u-kim" in rule.users for rule in (wide, narrow, turn)) or wide.groups < {"g-left"}:
        yield "somebody who stays was not in an access rule"
    if "u-tom" in turn.users and turn.access_permission != "read":
        yield "tom, who shall only read, could write"
    made = {user for rule in rules.values() if rule.name == "made" for user in rule.users}
    if "r-gone" not in rules and "u-ada" not in made:
        yield "the rule gone was removed before ada had another one"


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
        [rule.name for rule in truth.workspace.rules if not rule.autocreated],
        [invitation.email for invitation in truth.workspace.invitations],
    ):
        assert not [name for name, times in Counter(what).items() if times > 1]
    for account, labels in LABELS.items():
        assert Counter(truth.labels(account)) == labels
    assert scenario.working_keys() == dict.fromkeys(DELIVERED, True)
    assert scenario.unlawful == []
    assert not list(scenario.project.folder.glob(".*.*"))
