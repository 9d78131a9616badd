from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.sandbox import state
from tests.support.project import Project
from tests.support.runner import Result, clean_environment, invoke, session_at
from tests.support.wires import Calls

SECRET = "hunter2-imported-value"
HOSTILE = "evil\x1b[31m\u202e\nname"

PEOPLE = (
    state.Person("u-root", "root@acme.io", "Root", "admin"),
    state.Person("u-ada", "Ada@Acme.io", "Ada Lovelace", "admin"),
    state.Person("u-tom", "tom@acme.io", "tom: 'the \"cat\"' #1"),
    state.Person("u-eve", "eve@acme.io", "Eve", "consumer"),
    state.Person("u-bot", "bot@clear.ml", "Support", "admin", read_only=True, support=True),
)
ACCOUNTS = (
    state.ServiceAccount(
        "s-agent",
        "train-agent",
        allow_running_as_owner=True,
        credentials=(
            state.AccessKey("AK1", "k8s-prod", datetime(2026, 1, 1, tzinfo=UTC)),
            state.AccessKey("AK2", "ci: #1", datetime(2026, 1, 2, tzinfo=UTC)),
        ),
    ),
    state.ServiceAccount("s-robot", "null", role="admin"),
)
GROUPS = (
    state.Group("g-res", "researchers", "People who train", frozenset({"u-root", "u-ada", "s-agent"})),
    state.Group("g-yes", "yes", " blanks around ", frozenset({"u-tom"})),
    state.Group("g-lines", "lines", "two\nlines"),
    state.Group("g-empty", "1e3: {x}"),
    state.Group("g-queue", "Queue admins", users=frozenset({"u-tom", "s-agent"}), system=True),
)
VAULTS = (
    state.Vault("v-1", "s3", f'sdk.aws.s3 {{ key: "AKIA", secret: "{SECRET}" }}\n# note', "group", "g-res"),
    state.Vault("v-2", "json", f'{{"a": [1, {{"password": "{SECRET}"}}]}}', "group", "g-res", format="json"),
    state.Vault("v-3", "yaml", f"a:\n  - 1\n  - token: {SECRET}\n", "group", "g-yes", format="yaml"),
    state.Vault("v-4", "off", "a: 1", "group", "g-yes", enabled=False),
    state.Vault("v-5", "agent's own", "agent.git_pass: " + SECRET, "user", user="s-agent"),
    state.Vault("v-6", "train-agent-mine", "a: 1", "user", user="u-ada"),
    state.Vault("v-7", "literal", 'a: "@{NOT_A_REFERENCE}"', "group", "g-yes"),
    state.Vault("v-8", "ui", "a: 1", "group", "g-yes", type="ui_storage_credentials"),
)
RICH = state.Workspace(
    people=PEOPLE,
    invitations=(state.Invitation("new@acme.io", "user"), state.Invitation("tom@acme.io", "user", "u-tom")),
    service_accounts=ACCOUNTS,
    groups=GROUPS,
    vaults=VAULTS,
)


def imported(project: Project) -> Result:
    return project.run("import", "--server", project.sandbox.server, "--out", "imported")


def in_the_import(project: Project, listed: str, *arguments: str) -> Result:
    variables = dict.fromkeys(listed.split(), SECRET)
    if any(name.endswith("_KEY") for name in variables):
        variables |= {name: "AKIA" for name in variables if name.endswith("_KEY")}
    folder = project.folder / "imported"
    return invoke(
        *arguments,
        folder=folder,
        environment=clean_environment(folder, **variables),
        session=session_at(wire=project.wire),
    )


def test_a_plan_right_after_is_empty(project: Project) -> None:
    project.sandbox.load(RICH)
    before, calls = project.sandbox.truth(), Calls()
    result = project.run("import", "--server", project.sandbox.server, "--out", "imported", wire=calls.wire)
    assert result.code == 0, result
    assert calls.writes == []
    assert project.sandbox.truth() == before
    planned = in_the_import(project, result.stdout, "plan", "--detailed-exitcode")
    assert planned.code == 0, planned
    assert in_the_import(project, result.stdout, "drift").code == 0
    validated = in_the_import(project, "", "validate")
    assert validated.code == 0, validated


def test_secrets_are_listed_and_written_nowhere(project: Project) -> None:
    project.sandbox.load(RICH)
    result = imported(project)
    assert len(result.stdout.split()) >= 4
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", name) for name in result.stdout.split())
    for path in (project.folder / "imported").rglob("*"):
        if path.is_file():
            assert SECRET not in path.read_text(), path
    assert SECRET not in result.output


def test_everything_of_the_workspace_is_there(project: Project) -> None:
    project.sandbox.load(RICH)
    imported(project)
    text = (project.folder / "imported/workspace.yaml").read_text()
    for word in (
        "Ada@Acme.io",
        "k8s-prod",
        "Queue admins",
        "agent's own",
        "ui-storage",
        "enabled: false",
    ):
        assert word in text
    for word in ("bot@clear.ml", "train-agent-mine"):
        assert word not in text
    suffixes = {path.suffix for path in (project.folder / "imported/vaults").iterdir()}
    assert suffixes == {".conf", ".json", ".yaml"}


def test_what_cannot_be_declared_is_left_out_with_a_note_and_left_alone(project: Project) -> None:
    hostile = state.Workspace(
        people=(*PEOPLE, state.Person("u-sup", "sup@acme.io", "Sup", "superuser")),
        service_accounts=(
            *ACCOUNTS,
            state.ServiceAccount("s-1", "twin"),
            state.ServiceAccount("s-2", "Twin"),
            state.ServiceAccount("s-3", HOSTILE),
        ),
        groups=(*GROUPS, state.Group("g-evil", HOSTILE, HOSTILE, frozenset({"u-sup", "s-3"}))),
        vaults=(
            *VAULTS,
            state.Vault("v-evil", HOSTILE, "a: 1", "group", "g-res"),
            state.Vault("v-bad", "damaged", "a: {{{", "group", "g-res"),
        ),
    )
    project.sandbox.load(hostile)
    result = imported(project)
    assert result.code == 0, result
    assert "Note: member sup@acme.io is left out: nobody can be given the role superuser" in result.stderr
    assert "Note: service_account twin is left out: 2 of them share this name" in result.stderr
    assert "\\x1b[31m\\u202e\\nname is left out: its name holds a line break" in result.stderr
    assert "damaged → researchers is left out: its document is no hocon" in result.stderr
    assert not re.search("[\x1b\u202e]", result.output)
    planned = in_the_import(project, result.stdout, "plan", "--detailed-exitcode")
    assert planned.code == 0, planned
    assert "Left alone:" in planned.stdout


def test_a_member_that_the_server_keeps_is_declared_where_it_is_named(project: Project) -> None:
    kept = state.Person("u-sup", "sup@acme.io", "Sup", read_only=True)
    group = state.Group("g-help", "help", users=frozenset({"u-sup"}))
    project.sandbox.load(state.Workspace(people=(*PEOPLE, kept), groups=(group,)))
    assert imported(project).code == 0
    text = (project.folder / "imported/workspace.yaml").read_text()
    assert "{email: sup@acme.io, name: Sup, role: user}" in text
    assert in_the_import(project, "", "plan", "--detailed-exitcode").code == 0


LONG = "x" * 2500


@pytest.mark.parametrize(
    ("odd", "note"),
    [
        pytest.param(
            {"people": (*PEOPLE, state.Person("u-in", "in@intranet", "In"))},
            "member in@intranet is left out: its name is not an e-mail",
            id="an e-mail without a domain",
        ),
        pytest.param(
            {"people": (*PEOPLE, state.Person("u-in", "in@acme.io", LONG))}, None, id="somebody with a long name"
        ),
        pytest.param(
            {"service_accounts": (state.ServiceAccount("s-1", "agent", credentials=(state.AccessKey("A", LONG),)),)},
            "the credentials of service account agent are left out: not each has a label of its own",
            id="a long label",
        ),
        pytest.param(
            {
                "service_accounts": (state.ServiceAccount("s-1", "agent"),),
                "vaults": (state.Vault("v-1", "", "a: 1", "user", user="s-1"),),
            },
            None,
            id="an own vault without a name",
        ),
        pytest.param(
            {
                "groups": (state.Group("g-1", "ops"),),
                "vaults": (state.Vault("v-1", "", "a: 1", "group", "g-1"),),
            },
            "vault without a name is left out: its name is empty",
            id="a group's vault without a name",
        ),
        pytest.param(
            {
                "groups": (state.Group("g-1", "ops"),),
                "vaults": (state.Vault("v-1", "v", "a: 1", "group", "g-1", type="odd!"),),
            },
            "vault v → ops is left out: its type odd! cannot be declared",
            id="a vault of a type that no declaration can name",
        ),
        pytest.param(
            {"groups": (state.Group("g-1", "ops", LONG),)},
            "the description of group ops is left out: it is longer than 2000 characters",
            id="a long description",
        ),
        pytest.param(
            {"groups": (state.Group("g-1", LONG),), "vaults": (state.Vault("v-1", "v", "a: 1", "group", "g-1"),)},
            "is left out: the name of its group is longer than 200 characters",
            id="a vault of a group with a long name",
        ),
    ],
)
def test_what_is_too_odd_to_be_declared_is_left_out_and_the_rest_is_valid(
    odd: dict[str, tuple], note: str | None, project: Project
) -> None:
    project.sandbox.load(state.Workspace(**({"people": PEOPLE} | odd)))
    result = imported(project)
    assert result.code == 0, result
    assert note is None or note in result.stderr
    assert in_the_import(project, "", "validate").code == 0
    planned = in_the_import(project, "", "plan", "--detailed-exitcode")
    assert planned.code == 0, planned


def test_an_untouched_workspace_is_imported_too(project: Project) -> None:
    result = imported(project)
    assert (result.code, result.stdout) == (0, "")
    assert in_the_import(project, "", "plan", "--detailed-exitcode").code == 0


def test_one_thing_is_never_overwritten(project: Project) -> None:
    project.write_file("imported/workspace.yaml", "mine")
    result = imported(project)
    assert result.code == 64
    assert "imported/workspace.yaml is there already" in result.stderr
    assert (project.folder / "imported/workspace.yaml").read_text() == "mine"


@pytest.mark.parametrize("out", ["workspace.yaml/x", "workspace.yaml"])
def test_a_folder_that_cannot_be_made_is_wrong_usage(out: str, project: Project) -> None:
    project.declare("groups: []")
    result = project.run("import", "--server", project.sandbox.server, "--out", out)
    assert result.code == 64, result


def test_the_imported_name_can_be_chosen(project: Project) -> None:
    result = project.run("import", "--server", project.sandbox.server, "--out", "imported", "--name", "chosen")
    assert result.code == 0
    assert "name: chosen" in Path(project.folder / "imported/workspace.yaml").read_text()


def test_the_role_of_a_pending_invitation_is_never_guessed(project: Project) -> None:
    """The server does not say it: an admin who has not come yet would be demoted after the first sign-in."""
    project.sandbox.load(state.Workspace(people=PEOPLE[:2], invitations=(state.Invitation("boss@acme.io", "admin"),)))
    result = imported(project)
    assert "member boss@acme.io is left out: it is a pending invitation" in result.stderr
    text = (project.folder / "imported/workspace.yaml").read_text()
    assert "boss@acme.io" not in text
    assert "manage: {members: declared}" in text
    project.sandbox.accept("boss@acme.io")
    assert in_the_import(project, "", "plan", "--detailed-exitcode").code == 0
    assert project.sandbox.truth().members["boss@acme.io"] == "admin"
