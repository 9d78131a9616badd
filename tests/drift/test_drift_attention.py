"""What deserves a look though it is no drift, and what the exit code is made of."""

from __future__ import annotations

from typing import Any

import pytest
from drift_nights import at, receiver
from drift_team import TEAM, applied_team, group_with, set_role

from tests.support.project import Project
from tests.support.wires import Calls, failing, refusal, rewriting

ADA, BOB, AGENT = "ada@acme.io", "bob@acme.io", "agent"
ENDING = TEAM.replace("{label: ci, deliver", "{label: ci, expires_in: 30d, deliver")
WAITING = TEAM.replace("members:\n  - {email: root", "members:\n  - {email: new@acme.io}\n  - {email: root", 1)
EMPTY = TEAM.replace("members: [bob@acme.io]}", "members: []}").replace(
    "vaults:\n", 'vaults:\n  - {name: lost, group: readers, format: hocon, data: "a: 1"}\n'
)


def attention(project: Project, days: float, *options: str) -> list[tuple[str, str]]:
    result = at(project, days, "drift", "--format", "json", *options)
    assert result.code in (0, 2), result
    return [(item["what"], item["title"]) for item in result.json["attention"]]


@pytest.mark.parametrize(
    ("body", "days", "expected"),
    [
        (TEAM, 1, []),
        (ENDING, 10, []),
        (ENDING, 20, [("expiring-credential", "agent / ci")]),
        (TEAM, 89, []),
        (TEAM, 91, [("unused-credential", "agent / ci")]),
        (WAITING, 13, []),
        (WAITING, 15, [("pending-invitation", "new@acme.io")]),
        (EMPTY, 0, [("empty-group", "readers"), ("unreached-vault", "lost → readers")]),
    ],
)
def test_what_deserves_a_look(project: Project, body: str, days: float, expected: list[tuple[str, str]]) -> None:
    applied_team(project, body)
    assert attention(project, days) == expected
    assert at(project, days, "drift").code == 0
    told = at(project, days, "drift").stdout
    assert told.count("Attention:") == len(expected)


def test_limits_can_be_moved_and_put_off(project: Project) -> None:
    applied_team(project, ENDING)
    assert attention(project, 10, "--expiring-within", "3w") == [("expiring-credential", "agent / ci")]
    assert attention(project, 20, "--expiring-within", "off") == []
    assert attention(project, 2, "--unused-for", "24h") == [("unused-credential", "agent / ci")]
    assert attention(project, 20, "--expiring-within", "99999d") == [("expiring-credential", "agent / ci")]
    off = ("--expiring-within", "off", "--unused-for", "off", "--pending-for", "off", "--inactive-for", "off")
    assert attention(project, 29, *off) == []


@pytest.mark.parametrize("text", ["14", "d", "-1d", "soon", "99999999999999d"])
def test_a_limit_that_is_none_is_wrong_usage(project: Project, text: str) -> None:
    project.declare("members: [{email: root@acme.io, role: admin}]\n")
    result = project.run("drift", "--unused-for", text)
    assert result.code == 64
    assert "--unused-for" in result.stderr


def test_an_admin_who_was_not_active_is_named_and_one_who_was_is_not(project: Project) -> None:
    applied_team(project)
    set_role(project.sandbox, ADA, "admin")
    found = attention(project, 181)
    assert ("inactive-admin", ADA) in found
    assert ("inactive-admin", BOB) not in found, "he is no admin"
    assert "is an admin and was not active for 181 days" in at(project, 181, "drift").stdout

    def seen(data: dict[str, Any]) -> None:
        for user in data["users"]:
            user["activity"] = {"last_ui_access": "2999-01-01T00:00:00+00:00", "something": 7}

    project.wire = rewriting("users.get_all_ex", seen)
    assert not [item for item in attention(project, 181) if item[0] == "inactive-admin"]


def test_activity_that_the_server_does_not_tell_is_not_guessed(project: Project) -> None:
    applied_team(project)

    def silent(data: dict[str, Any]) -> None:
        for user in data["users"]:
            user.pop("activity", None)

    project.wire = rewriting("users.get_all_ex", silent)
    assert not [item for item in attention(project, 400) if item[0] == "inactive-admin"]


def test_activity_is_asked_for_once_and_only_if_it_is_wanted(project: Project) -> None:
    applied_team(project)
    calls = Calls()
    project.run("drift", wire=calls.wire)
    with_it = calls.made.count("users.get_all_ex")
    calls.made.clear()
    project.run("drift", "--inactive-for", "off", wire=calls.wire)
    assert with_it - calls.made.count("users.get_all_ex") == 1


def test_a_server_that_refuses_to_tell_of_activity_is_noted(project: Project) -> None:
    applied_team(project)
    wire = failing("users.get_all_ex", lambda: refusal(403, 20, "not allowed"), matching="include_activity")
    result = project.run("drift", wire=wire)
    assert result.code == 0
    assert "When admins were last active is not known" in result.stderr


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [
        ("changed-outside", 2),
        ("not-yet-applied", 2),
        ("conflict", 2),
        ("unknown", 0),
        ("unknown, changed-outside", 2),
        ("attention", 2),
        ("empty-group", 2),
        ("inactive-admin,unused-credential", 0),
        ("none", 0),
    ],
)
def test_fail_on_chooses_what_makes_the_exit_code(project: Project, fail_on: str, code: int) -> None:
    applied_team(project, EMPTY)
    group_with(project.sandbox, ADA, BOB, AGENT, "root@acme.io")
    project.declare(EMPTY.replace("[ada@acme.io, bob@acme.io], service", "[ada@acme.io], service"))
    result = project.run("drift", "--fail-on", fail_on)
    assert result.code == code, result
    assert "Drift: 1 resource" in result.stdout, "it is reported all the same"


@pytest.mark.parametrize("fail_on", ["", "drift", "none,conflict", "changed_outside"])
def test_a_name_that_is_none_is_wrong_usage(project: Project, fail_on: str) -> None:
    project.declare("members: [{email: root@acme.io, role: admin}]\n")
    result = project.run("drift", "--fail-on", fail_on)
    assert result.code == 64
    assert "choose among changed-outside, not-yet-applied" in result.stderr


def test_attention_is_told_once_and_not_again_as_days_go_by(project: Project) -> None:
    applied_team(project, ENDING)
    with receiver() as received:
        for days in (18, 19, 20):
            assert at(project, days, "drift", "--notify", received.url).code == 0
        (request,) = received.requests
    assert [item["what"] for item in request.json["attention"]] == ["expiring-credential"]
    assert request.json["in_sync"] is True


def test_hostile_names_are_harmless_in_every_form(project: Project) -> None:
    hostile = "x\x1b[31m\u202e\n::error::y"
    applied_team(project)
    project.sandbox.set_group(hostile)
    project.sandbox.set_vault(hostile, hostile, "a: 1")
    text = project.run("drift", "--issue-body", "issue.md")
    body = (project.folder / "issue.md").read_text()
    for shown in (text.output, body):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert not [line for line in shown.splitlines() if line.startswith("::")]
    document = project.run("drift", "--format", "json").stdout
    assert "\x1b" not in document
    assert "\u202e" not in document
