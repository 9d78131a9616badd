"""Many rounds of declarations, edits from outside and failing applies: one clean apply always puts things right."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.faults.faulty_wire import Fault, FaultyWire, Killed
from tests.faults.scenario import ALLOWED
from tests.support.project import Project, new_project
from tests.support.runner import Result

PEOPLE = [f"p{number}@acme.io" for number in range(5)]
ACCOUNTS = [f"agent-{number}" for number in range(3)]
GROUPS = [f"group-{number}" for number in range(3)]
LABELS = ["ci", "k8s"]
ALLOW = [word for guard in ALLOWED for word in ("--allow", guard)]


@dataclass
class Wanted:
    members: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, set[str]] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=dict)
    vaults: dict[str, int] = field(default_factory=dict)

    def text(self) -> str:
        lines = ["members:", "  - {email: root@acme.io, role: admin}"]
        lines += [f"  - {{email: {email}, role: {role}}}" for email, role in self.members.items()]
        lines.append("service_accounts: []" if not self.accounts else "service_accounts:")
        for name, labels in self.accounts.items():
            keys = ", ".join(f"{{label: {label}, deliver: {{file: {name}-{label}.conf}}}}" for label in sorted(labels))
            lines.append(f"  - {{name: {name}, credentials: [{keys}]}}")
        lines.append("groups: []" if not self.groups else "groups:")
        for name, people in self.groups.items():
            members = ", ".join(sorted(people & (self.members.keys() | {"root@acme.io"})))
            accounts = ", ".join(sorted(people & self.accounts.keys()))
            lines.append(f"  - {{name: {name}, members: [{members}], service_accounts: [{accounts}]}}")
        reached = {group: number for group, number in self.vaults.items() if group in self.groups}
        lines.append("vaults: []" if not reached else "vaults:")
        lines += [f'  - {{name: v, group: {name}, data: "a: {number}"}}' for name, number in reached.items()]
        return "\n".join(lines) + "\n"


class Workspace(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.project: Project = new_project(self.folder)
        self.wanted = Wanted()

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @rule(email=st.sampled_from(PEOPLE), role=st.sampled_from(["admin", "user", "consumer"]))
    def declare_a_member(self, email: str, role: str) -> None:
        self.wanted.members[email] = role

    @rule(email=st.sampled_from(PEOPLE))
    def drop_a_member(self, email: str) -> None:
        self.wanted.members.pop(email, None)

    @rule(name=st.sampled_from(ACCOUNTS), labels=st.sets(st.sampled_from(LABELS)))
    def declare_an_account(self, name: str, labels: set[str]) -> None:
        self.wanted.accounts[name] = labels

    @rule(name=st.sampled_from(ACCOUNTS))
    def drop_an_account(self, name: str) -> None:
        self.wanted.accounts.pop(name, None)

    @rule(name=st.sampled_from(GROUPS), people=st.sets(st.sampled_from([*PEOPLE, *ACCOUNTS, "root@acme.io"])))
    def declare_a_group(self, name: str, people: set[str]) -> None:
        self.wanted.groups[name] = people

    @rule(name=st.sampled_from(GROUPS))
    def drop_a_group(self, name: str) -> None:
        self.wanted.groups.pop(name, None)

    @rule(name=st.sampled_from(GROUPS), number=st.integers(1, 3))
    def declare_a_vault(self, name: str, number: int) -> None:
        self.wanted.vaults[name] = number

    @rule(email=st.sampled_from(PEOPLE))
    def somebody_is_added_from_outside(self, email: str) -> None:
        truth = self.project.sandbox.truth()
        if email not in truth.members and email not in truth.invited:
            self.project.sandbox.add_member(email)

    @rule(name=st.sampled_from(GROUPS), people=st.sets(st.sampled_from([*PEOPLE, "root@acme.io"])))
    def a_group_is_edited_from_outside(self, name: str, people: set[str]) -> None:
        present = set(self.project.sandbox.truth().members)
        self.project.sandbox.set_group(name, *sorted(people & present))

    @rule()
    def the_invited_accept(self) -> None:
        self.project.sandbox.accept(*self.project.sandbox.truth().invited)

    @rule(fault=st.sampled_from(Fault), position=st.integers(0, 60), lasting=st.booleans())
    def an_apply_fails(self, fault: Fault, position: int, lasting: bool) -> None:
        try:
            result = self._apply(FaultyWire(fault, position, lasting))
        except Killed:
            return
        assert result.code in (0, 6, 7), result

    @rule()
    def an_apply_puts_things_right(self) -> None:
        for _ in range(2):
            result = self._apply(FaultyWire(None, 0))
            assert result.code == 0, result
            self.the_invited_accept()
        self._check_in_sync()

    def _apply(self, wire: FaultyWire) -> Result:
        self.project.declare(self.wanted.text())
        return self.project.run("apply", "--yes", *ALLOW, wire=wire.wrap)

    def _check_in_sync(self) -> None:
        result = self.project.run("drift")
        assert result.code == 0, result
        truth = self.project.sandbox.truth()
        assert truth.members == {"root@acme.io": "admin"} | self.wanted.members
        assert {name: sorted(map(str, truth.labels(name))) for name in truth.accounts} == {
            name: sorted(labels) for name, labels in self.wanted.accounts.items()
        }

    @invariant()
    def root_is_an_admin(self) -> None:
        assert self.project.sandbox.truth().members["root@acme.io"] == "admin"


Workspace.TestCase.settings = settings(
    max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
TestWorkspace = Workspace.TestCase
