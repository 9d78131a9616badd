from __future__ import annotations

import threading
from dataclasses import dataclass

import httpx
import pytest

from reconciler.sandbox import state
from tests.support.project import Project
from tests.support.runner import clean_environment, invoke, session_at
from tests.support.wires import Calls, tampering

PEOPLE = """
members:
  - {email: root@acme.io, role: admin}
  - {email: ada@acme.io}
  - {email: tom@acme.io}
service_accounts: [{name: agent}]
groups:
  - {name: research, members: [ada@acme.io]}
  - {name: ops, members: [root@acme.io]}
"""
RULES = """
access_rules:
  - {name: vision-rw, description: The team, resource: {project: Vision}, permission: read_write, groups: [research]}
  - name: gpu
    resource: {queue: gpu}
    permission: read
    members: [tom@acme.io]
    service_accounts: [agent]
  - {name: everyone, resource: {dataset: "*"}, permission: read, groups: [Users]}
  - {name: notebooks, resource: {app_category: Notebooks}, permission: read_write, groups: [ops]}
"""


@pytest.fixture
def team(project: Project) -> Project:
    """A workspace with people, two projects and a queue, as declared."""
    for kind, name in (("project", "Vision"), ("project", "Vision/Robots"), ("queue", "gpu"), ("project", "Audio")):
        project.sandbox.add_entity(kind, name, f"id-{kind}-{name}")
    project.declare(PEOPLE)
    project.apply()
    project.sandbox.accept("ada@acme.io", "tom@acme.io")
    project.converge()
    return project


@pytest.fixture
def ruled(team: Project) -> Project:
    team.declare(PEOPLE + RULES)
    team.converge()
    return team


@dataclass
class Edit:
    """Gives a rule other people by hand, right before the apply looks at the first single rule."""

    project: Project
    rule: tuple[str, ...]
    made: bool = False

    def __call__(self, request: httpx.Request) -> None:
        if not self.made and b'"rules"' in request.content:
            self.made = True
            by_hand = threading.Thread(target=self.project.sandbox.set_rule, args=self.rule)
            by_hand.start()
            by_hand.join()


def test_rules_are_planned_made_and_kept(team: Project) -> None:
    team.declare(PEOPLE + RULES)
    calls = Calls()
    planned = team.run("plan", wire=calls.wire)
    assert planned.code == 0, planned
    assert "+ access_rule      vision-rw                                 workspace.yaml:" in planned.stdout
    assert '    resource     + "project Vision"\n    permission   + "read_write"\n' in planned.stdout
    assert "    groups       + research\n" in planned.stdout
    assert "Left alone: 9 access rules (created by the server)" in planned.stdout
    assert calls.writes == []
    assert calls.made.count("permissions.get_access_rules") == 1
    assert calls.made.count("projects.get_all_ex") == calls.made.count("queues.get_all") == 1

    applied = team.apply()
    assert applied.code == 0, applied
    assert team.sandbox.truth().rules == {
        "vision-rw": ("project", "Vision", "read_write", {"research"}),
        "gpu": ("queue", "gpu", "read", {"tom@acme.io", "agent"}),
        "everyone": ("dataset", "*", "read", {"Users"}),
        "notebooks": ("app_category", "Notebooks", "read_write", {"ops"}),
    }
    again = team.run("plan", "--detailed-exitcode")
    assert again.code == 0, again
    assert "4 access rules compared" in again.stdout


def test_an_edit_by_hand_is_drift_and_put_right(ruled: Project) -> None:
    ruled.sandbox.set_rule("vision-rw", "research", "tom@acme.io", "ops", entity_id="id-project-Audio")
    ruled.sandbox.set_rule("gpu", "agent", access_permission="read_write")
    ruled.sandbox.set_rule("by-hand", "tom@acme.io")
    drift = ruled.run("drift")
    assert drift.code == 2, drift
    assert 'resource  "project Audio" → "project Vision"' in drift.stdout
    assert "members   - tom@acme.io" in drift.stdout
    assert "groups    - ops" in drift.stdout
    assert 'permission  "read_write" → "read"' in drift.stdout
    assert "- access_rule      by-hand" in drift.stdout
    ruled.converge()
    assert ruled.run("drift").code == 0
    rules = ruled.sandbox.truth().rules
    assert rules["vision-rw"] == ("project", "Vision", "read_write", {"research"})
    assert rules["gpu"] == ("queue", "gpu", "read", {"tom@acme.io", "agent"})
    assert "by-hand" not in rules


def test_a_rule_and_the_group_in_it_are_renamed_in_place(ruled: Project) -> None:
    before = {rule.name: rule.id for rule in ruled.sandbox.truth().workspace.rules}
    text = (PEOPLE + RULES).replace("{name: research,", "{name: science, was: research,")
    text = text.replace("groups: [research]", "groups: [science]")
    ruled.declare(text.replace("{name: vision-rw,", "{name: vision, was: vision-rw,"))
    planned = ruled.run("plan")
    assert "Plan: 0 to add, 2 to change, 0 to remove." in planned.stdout
    assert 'name  "vision-rw" → "vision"' in planned.stdout
    ruled.converge()
    truth = ruled.sandbox.truth()
    assert {rule.name: rule.id for rule in truth.workspace.rules}["vision"] == before["vision-rw"]
    assert truth.rules["vision"] == ("project", "Vision", "read_write", {"science"})


def test_a_removal_is_counted_by_the_guards(ruled: Project) -> None:
    some = RULES.partition("  - {name: everyone")[0]
    ruled.declare(PEOPLE + some, policy="min_admins: 1")
    refused = ruled.apply()
    assert refused.code == 4, refused
    assert "max-removals: 2 of 4 access rules is 50 %" in refused.stderr
    ruled.declare(PEOPLE + "access_rules: []\n")
    assert "empty-kind: all 4 access rules would be removed" in ruled.apply().stderr
    ruled.declare(PEOPLE + some, policy="min_admins: 1, protect: {access_rules: [notebooks]}")
    assert "access rule notebooks is protected by the policy" in ruled.apply("--allow", "max-removals").stderr
    ruled.declare(PEOPLE + some, policy="min_admins: 1")
    ruled.converge("--allow", "max-removals")
    assert set(ruled.sandbox.truth().rules) == {"vision-rw", "gpu"}


def test_a_group_goes_only_on_purpose_while_a_rule_that_is_left_alone_names_it(ruled: Project) -> None:
    ruled.declare(PEOPLE.replace("  - {name: research, members: [ada@acme.io]}\n", ""))
    refused = ruled.apply()
    assert refused.code == 4, refused
    assert (
        "still-used: group research would be removed, but this declaration leaves alone access rules that name it "
        "(vision-rw)   (--allow still-used)"
    ) in refused.stderr
    tried = ruled.apply("--allow", "still-used")
    assert tried.code == 6, tried
    assert "failed   remove group research" in tried.stdout
    assert "research" in ruled.sandbox.truth().groups


def test_a_group_and_the_rule_that_names_it_go_together(ruled: Project) -> None:
    text = (PEOPLE + RULES).replace("  - {name: research, members: [ada@acme.io]}\n", "")
    rules = "".join(line for line in text.splitlines(keepends=True) if "vision-rw" not in line)
    ruled.declare(rules)
    ruled.converge()
    assert "research" not in ruled.sandbox.truth().groups


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ("{project: Visions}", ["the workspace has no project Visions", "did you mean Vision or Vision/Robots?"]),
        ("{project: vision}", ["the workspace has no project vision", "did you mean Vision"]),
        ("{queue: Vision}", ["the workspace has no queue Vision", "make the queue first"]),
        ("{project: Twin}", ["2 of them are called project Twin (ids t1, t2)", "resource: {project: {id: …}}"]),
        ("{project: '.*'}", ["the workspace has no project .*"]),
    ],
)
def test_an_entity_that_is_missing_or_ambiguous_is_told_with_its_place(
    team: Project, resource: str, words: list[str]
) -> None:
    team.sandbox.add_entity("project", "Twin", "t1")
    team.sandbox.add_entity("project", "Twin", "t2")
    team.declare(f"access_rules:\n  - {{name: r, resource: {resource}, permission: read, groups: [ops]}}\n")
    for command in ("plan", "drift"):
        result = team.run(command)
        assert result.code == 3, result
        assert "workspace.yaml:5:5" in result.stderr
        for word in words:
            assert word in result.stderr
    team.declare("access_rules:\n  - {name: r, resource: {project: {id: t2}}, permission: read, groups: [ops]}\n")
    team.converge()


def test_what_waits_for_somebody_invited_waits_in_rules_too(team: Project) -> None:
    text = PEOPLE.replace("  - {email: tom@acme.io}\n", "  - {email: tom@acme.io}\n  - {email: new@acme.io}\n")
    rules = """
access_rules:
  - {name: both, resource: {project: Vision}, permission: read, members: [tom@acme.io, new@acme.io]}
  - {name: alone, resource: {project: Vision}, permission: read_write, members: [new@acme.io]}
"""
    team.declare(text + rules)
    result = team.converge()
    assert "Waiting:    2 access rules, until new@acme.io accepts the invitation" in result.stdout
    assert team.sandbox.truth().rules == {"both": ("project", "Vision", "read", {"tom@acme.io"})}
    team.sandbox.accept("new@acme.io")
    team.converge()
    rules_now = team.sandbox.truth().rules
    assert rules_now["both"][3] == {"tom@acme.io", "new@acme.io"}
    assert rules_now["alone"] == ("project", "Vision", "read_write", {"new@acme.io"})


def test_the_servers_own_rules_are_never_touched_whatever_a_rule_is_called(team: Project) -> None:
    own = [rule for rule in team.sandbox.truth().workspace.rules if rule.autocreated]
    assert len(own) == 9
    team.declare(
        f'access_rules:\n  - {{name: "{own[0].name}", resource: {{queue: gpu}}, permission: read, groups: [ops]}}\n'
    )
    team.converge()
    team.declare("access_rules: []\n")
    team.converge("--allow", "empty-kind")
    assert list(team.sandbox.truth().workspace.rules) == own


def test_two_rules_of_one_name_stop_the_run(ruled: Project) -> None:
    ruled.sandbox.call(
        "permissions.add_or_update_access_rule",
        name="GPU", description="", entity_type="queue", entity_id="*", access_permission="read", users=[], groups=[],
    )  # fmt: skip
    result = ruled.run("plan")
    assert result.code == 7, result
    assert "the workspace has 2 access_rules named gpu" in result.stderr


def test_rules_that_are_not_declared_are_left_alone_if_so_declared(ruled: Project) -> None:
    ruled.declare(PEOPLE + "manage: {access_rules: declared}\naccess_rules: []\n")
    result = ruled.run("plan", "--detailed-exitcode")
    assert result.code == 0, result
    assert "Left alone: 9 access rules (created by the server)" in result.stdout
    assert "Left alone: 4 access rules (not declared here)" in result.stdout
    ruled.declare(PEOPLE)
    assert "Left alone: 4 access rules (the declaration does not mention this kind)" in ruled.run("plan").stdout


def test_a_rule_that_was_changed_after_the_plan_is_not_removed(ruled: Project) -> None:
    ruled.declare(PEOPLE + RULES.partition("  - {name: notebooks")[0])
    edit = Edit(ruled, ("notebooks", "ops", "tom@acme.io"))
    result = ruled.apply(wire=tampering(before=edit))
    assert edit.made
    assert result.code == 6, result
    assert "notebooks got others in it since the plan was made; it was left alone" in result.output
    assert "notebooks" in ruled.sandbox.truth().rules


def test_whoever_came_in_by_hand_during_the_apply_stays_until_the_next_one(ruled: Project) -> None:
    ruled.declare((PEOPLE + RULES).replace("permission: read\n", "permission: read_write\n"))
    edit = Edit(ruled, ("gpu", "tom@acme.io", "agent", "ada@acme.io"))
    result = ruled.apply(wire=tampering(before=edit))
    assert edit.made
    assert result.code == 6, result
    assert ruled.sandbox.truth().rules["gpu"] == (
        "queue",
        "gpu",
        "read_write",
        {"tom@acme.io", "agent", "ada@acme.io"},
    )
    ruled.converge()
    assert ruled.sandbox.truth().rules["gpu"][3] == {"tom@acme.io", "agent"}


class TestImport:
    def imported(self, project: Project) -> tuple[str, str]:
        result = project.run("import", "--server", project.sandbox.server, "--out", "imported")
        assert result.code == 0, result
        folder = project.folder / "imported"
        planned = invoke(
            "plan", "--detailed-exitcode", folder=folder, environment=clean_environment(folder), session=session_at()
        )
        assert planned.code == 0, planned
        return (folder / "workspace.yaml").read_text(), result.stderr

    def test_a_plan_right_after_is_empty(self, ruled: Project) -> None:
        ruled.sandbox.add_entity("project", "Twin", "t1")
        ruled.sandbox.add_entity("project", "Twin", "t2")
        ruled.sandbox.add_entity("project", "evil\x1b[31m", "evil")
        ruled.sandbox.set_rule("of-twin", "Users", entity_id="t2")
        ruled.sandbox.set_rule("of-evil", "agent", entity_id="evil", description="two\nlines")
        text, notes = self.imported(ruled)
        for words in (
            "project: Vision",
            "queue: gpu",
            'dataset: "*"',
            "app_category: Notebooks",
            "id: t2",
            "id: evil",
        ):
            assert words in text
        assert notes.count("Note:") == 0
        assert "made" not in text

    def test_what_cannot_be_declared_is_left_out_with_a_note_and_left_alone(self, ruled: Project) -> None:
        ruled.sandbox.set_rule("top", "Users", entity_id=None)
        ruled.sandbox.set_rule("nobody")
        ruled.sandbox.set_rule("evil\x1b[31m", "Users")
        text, notes = self.imported(ruled)
        assert "access_rules: declared" in text
        assert "access_rule top is left out: top level of projects cannot be declared" in notes
        assert "access_rule nobody is left out: it gives access to nobody" in notes
        assert "evil\\x1b[31m is left out: its name holds a line break" in notes

    def test_an_ambiguous_project_is_named_by_its_id(self, project: Project) -> None:
        rule = state.Rule("r", "r", "project", "t1", "read", groups=frozenset({"g"}))
        entities = tuple(state.Entity("project", identifier, "Twin") for identifier in ("t1", "t2"))
        people = (state.Person("u", "root@acme.io", "Root", "admin"),)
        project.sandbox.load(state.Workspace(people, groups=(state.Group("g", "g"),), rules=(rule,), entities=entities))
        assert "id: t1" in self.imported(project)[0]
