"""Rules of the organization's own, as validate, plan and apply show and keep them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import Project, complete_example

POLICY = "min_admins: 1, max_removals: 100%, rules: policy.yaml"
BODY = """
members:
  - {email: root@acme.io, role: admin}
  - {email: eve@other.io}
groups:
  - {name: finance, description: Money, members: [eve@other.io]}
"""


@pytest.fixture
def workspace(project: Project) -> Project:
    project.declare(BODY, policy=POLICY)
    return project


def rules(project: Project, *entries: str) -> None:
    """Write a policy file with these rules, each a flow mapping."""
    project.write_file("policy.yaml", "version: 1\nrules:\n" + "".join(f"  - {entry}\n" for entry in entries))


OURS = "{id: ours, on: group, require: 'group.domains.all(d, d == \"acme.io\")', message: '{title} holds {members}'}"
WARN = "{id: named, on: member, require: member.name != '', message: '{title} has no name', severity: warning}"
GAIN = (
    "{id: no-gain, on: gain, when: gain.domain == 'other.io', require: gain.aspect != 'workspace', "
    "message: '{title} would come in as {after}'}"
)


class TestValidate:
    def test_tells_each_broken_rule_at_the_entry_that_breaks_it(self, workspace: Project) -> None:
        rules(workspace, OURS, WARN)
        result = workspace.run("validate")
        assert result.code == 4
        assert "workspace.yaml:9:5: finance holds eve@other.io (rule ours, policy.yaml:3)" in result.stdout
        assert "workspace.yaml:6:5: warning: root@acme.io has no name (rule named, policy.yaml:4)" in result.stdout
        assert "breaks the rules of the policy in 1 place" in result.stderr

    def test_shows_the_same_in_every_form(self, workspace: Project) -> None:
        rules(workspace, OURS)
        document = workspace.run("validate", "--format", "json")
        assert (document.code, document.json["valid"]) == (4, False)
        (problem,) = document.json["problems"]
        assert (problem["rule"], problem["line"]) == ("policy/ours", 9)
        assert "::error file=workspace.yaml,line=9" in workspace.run("validate", "--format", "github").stdout
        sarif = workspace.run("validate", "--format", "sarif")
        assert (sarif.code, "policy/ours" in sarif.stdout) == (4, True)

    def test_passes_warnings(self, workspace: Project) -> None:
        rules(workspace, WARN)
        result = workspace.run("validate")
        assert (result.code, "is valid" in result.stderr) == (0, True)

    def test_asks_no_rule_on_gains(self, workspace: Project) -> None:
        rules(workspace, GAIN)
        assert workspace.run("validate").code == 0


class TestPlan:
    def test_is_refused_with_the_place_of_the_rule(self, workspace: Project) -> None:
        rules(workspace, OURS)
        result = workspace.run("plan")
        assert result.code == 4
        assert "policy: finance holds eve@other.io (rule ours)" in result.stdout
        assert "cannot be allowed: change the declaration, or the rule at policy.yaml:3" in result.stdout

    def test_holds_it_as_data(self, workspace: Project) -> None:
        rules(workspace, OURS, WARN)
        plan = workspace.run("plan", "--format", "json").json
        (refusal,) = [refusal for refusal in plan["refusals"] if refusal["guard"] == "policy"]
        assert (refusal["rule"], refusal["rule_place"], refusal["place"]) == (
            "ours",
            "policy.yaml:3",
            "workspace.yaml:9",
        )
        assert refusal["message"] == "finance holds eve@other.io"
        assert [warning["rule"] for warning in plan["warnings"]] == ["policy/named"] * 2

    def test_shows_a_warning_in_the_words_of_the_rule(self, workspace: Project) -> None:
        rules(workspace, WARN)
        result = workspace.run("plan")
        assert result.code == 0
        assert "\nWarning:    eve@other.io has no name\n" in result.stdout

    def test_is_refused_for_what_somebody_gains(self, workspace: Project) -> None:
        rules(workspace, GAIN)
        result = workspace.run("plan")
        assert result.code == 4
        assert "eve@other.io would come in as user (rule no-gain)" in result.stdout

    @pytest.mark.parametrize("form", ["markdown", "html", "github", "sarif"])
    def test_is_refused_in_every_form(self, form: str, workspace: Project) -> None:
        rules(workspace, OURS)
        result = workspace.run("plan", "--format", form)
        assert result.code in (4, 64), result
        if result.code == 4:
            assert "finance holds" in result.stdout

    def test_no_flag_lifts_it(self, workspace: Project) -> None:
        rules(workspace, OURS)
        assert workspace.run("plan", "--allow", "policy").code == 64
        assert workspace.apply().code == 4
        assert workspace.sandbox.truth().invited == {}

    def test_a_reviewed_plan_is_refused_where_the_rules_have_changed(self, workspace: Project) -> None:
        rules(workspace)
        workspace.write_file("policy.yaml", "version: 1\nrules: []\n")
        assert workspace.run("plan", "--out", "p.json").code == 0
        rules(workspace, OURS)
        assert workspace.run("apply", "--yes", "--plan", "p.json").code == 4
        assert workspace.sandbox.truth().invited == {}

    def test_many_findings_of_one_rule_are_counted(self, project: Project) -> None:
        people = "".join(f"  - {{email: user{number}@other.io}}\n" for number in range(60))
        project.declare(f"members:\n  - {{email: root@acme.io, role: admin}}\n{people}", policy=POLICY)
        rules(project, "{id: ours, on: member, require: member.domain == 'acme.io', message: '{title} is not ours'}")
        refusals = [it for it in project.run("plan", "--format", "json").json["refusals"] if it["guard"] == "policy"]
        assert len(refusals) == 51
        assert (refusals[-1]["count"], refusals[-1]["message"][:12]) == (10, "and 10 more:")


BROKEN = [
    ("rules: []", "the file needs `version`", 1),
    ("version: 2\nrules: []", "`version` must be 1", 1),
    ("version: 1\nrules:\n", "`rules` has no value", 2),
    ("version: 1\nrules: []\nlimits: 3", "unknown key `limits`", 3),
    ("version: 1\nrules: [{id: a, on: planet, require: 'true', message: m}]", "must be member, service_account", 2),
    ("version: 1\nrules: [{id: A b, on: group, require: 'true', message: m}]", "`rules[0].id`", 2),
    ("version: 1\nrules: [{id: a, on: group, message: m}]", "`rules[0]` needs `require`", 2),
    ("version: 1\nrules: [{id: a, on: group, require: true, message: m}]", "must be a string", 2),
    (
        "version: 1\nrules:\n  - {id: a, on: group, require: 'true', message: m}\n  - {id: a, on: group, require: 'true', message: m}",
        "already at policy.yaml:3",
        4,
    ),
    ("version: 1\nrules: [{id: a, on: group, require: 'true', message: '{titel}'}]", "has no field `titel`", 2),
    (
        "version: 1\nrules:\n- id: a\n  on: group\n  message: m\n  require: |\n    true &&\n    group.nam == ''\n",
        "`require` of rule a: a group has no field `nam`",
        8,
    ),
    (
        "version: 1\nrules:\n- id: a\n  on: group\n  message: m\n  require: >-\n    true &&\n    group.nam == ''\n",
        "a group has no field `nam`",
        6,
    ),
    (
        "version: 1\nrules: [{id: a, on: group, when: group.members, require: 'true', message: m}]",
        "`when` of rule a: must be true or false",
        2,
    ),
    (
        "version: 1\nrules: [{id: a, on: group, require: 'group.members[9] == \"\"', message: m}]",
        "has no result for group finance",
        2,
    ),
    ("<<<<<<< ours", "merge conflict", 1),
    ("", "empty", 1),
]


@pytest.mark.parametrize(("text", "said", "line"), BROKEN)
@pytest.mark.parametrize("command", ["validate", "plan"])
def test_errors_of_the_policy_file_are_told_with_their_place(
    text: str, said: str, line: int, command: str, workspace: Project
) -> None:
    (workspace.folder / "policy.yaml").write_text(text, encoding="utf-8")
    result = workspace.run(command)
    assert result.code == 3, result
    assert said in result.output, result
    assert f"policy.yaml:{line}:" in result.output, result


def test_the_column_of_an_expression_is_told(workspace: Project) -> None:
    rules(workspace, "{id: a, on: group, require: 'group.nam == \"\"', message: m}")
    assert "policy.yaml:3:40: `require` of rule a" in workspace.run("validate").stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../policy.yaml", "must stay inside"),
        ("/etc/passwd", "must be relative"),
        ("nowhere.yaml", "`nowhere.yaml`: this file does not exist"),
        ("teams", "this is a folder"),
    ],
)
def test_the_policy_file_is_in_the_folder(name: str, said: str, project: Project) -> None:
    (project.folder / "teams").mkdir()
    project.declare(BODY, policy=f"min_admins: 1, rules: {name}")
    result = project.run("validate")
    assert (result.code, said in result.stdout) == (3, True), result
    assert "workspace.yaml:3:" in result.stdout


def test_without_the_library_it_is_said_what_to_install(workspace: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.plan.policy import expressions

    expressions._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    rules(workspace, OURS)
    result = workspace.run("plan")
    assert result.code == 3
    assert "pip install 'clearml-reconciler[policy]'" in result.stderr
    expressions._environment.cache_clear()


@pytest.mark.parametrize("named", [True, False])
def test_the_library_is_loaded_only_for_rules(named: bool, project: Project) -> None:
    project.declare(BODY, policy=POLICY if named else "min_admins: 1")
    rules(project, WARN)
    script = (
        "import sys\nfrom reconciler.cli.main import run\nrun(['validate', '--format', 'json'])\n"
        "print(any(name.startswith('cel_expr_python') for name in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=project.folder, capture_output=True, text=True, check=True
    )
    assert done.stderr == f"{named}\n"


EXAMPLE_BREAKS = [
    (
        "admins-are-named",
        "workspace.yaml",
        "name: Linus, role: admin}",
        "name: Linus, role: admin}\n  - {email: mallory@acme.io, role: admin}",
    ),
    (
        "platform-is-ours",
        "teams/platform.yaml",
        "margaret@acme.io, ken@acme.io]",
        "margaret@acme.io, ken@acme.io, labels@contractor.example]",
    ),
    ("groups-have-an-owner", "teams/vision.yaml", "; owner: ada@acme.io", ""),
    ("credentials-end", "service-accounts.yaml", "expires_in: 30d, rotate_before: 7d, ", ""),
    ("credentials-end", "service-accounts.yaml", "expires_in: 52w", "expires_in: 80w"),
    ("no-admin-impersonates", "service-accounts.yaml", "impersonation: true ", "admin: true\n    impersonation: true "),
    ("secrets-stay-in-the-house", "teams/vision.yaml", "edsger@acme.io]", "edsger@acme.io, labels@contractor.example]"),
]


class TestTheExample:
    @pytest.fixture
    def example(self, tmp_path: Path) -> Project:
        return complete_example(tmp_path, "large-organization")

    @pytest.mark.parametrize(("rule", "file", "before", "after"), EXAMPLE_BREAKS)
    def test_keeps_each_of_its_rules(self, rule: str, file: str, before: str, after: str, example: Project) -> None:
        path = example.folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, before
        path.write_text(text.replace(before, after), encoding="utf-8")
        result = example.run("plan", "--server", example.sandbox.server)
        assert result.code == 4, result
        assert f"(rule {rule})" in result.stdout
        told = example.run("validate").stdout
        assert (f"rule {rule}," in told) == (rule != "secrets-stay-in-the-house")

    def test_warns_of_keys_that_are_not_replaced(self, example: Project) -> None:
        path = example.folder / "service-accounts.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace(", rotate_before: 7d", ""), encoding="utf-8")
        result = example.run("validate")
        assert result.code == 0
        assert "nightly-evaluation / ci lives 30 days and is not replaced before its end" in result.stdout
