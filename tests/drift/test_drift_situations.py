"""What moved where, and what drift says of it: each played on the sandbox through the real commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from drift_team import (
    TEAM,
    applied_team,
    group_with,
    impersonate,
    own_vault,
    remove_group,
    remove_member,
    remove_rule,
    remove_vault,
    rename_user,
    revoke,
    set_role,
)

from tests.support.project import Project
from tests.support.sandboxes import Sandbox

OUTSIDE, PENDING, CONFLICT = "changed-outside", "not-yet-applied", "conflict"
ALL = ("ada@acme.io", "bob@acme.io", "agent")


def nothing(sandbox: Sandbox) -> None:
    del sandbox


@dataclass(frozen=True)
class Situation:
    """``outside`` happens to the workspace, ``edit`` (old text, new text) to the declaration."""

    name: str
    outside: Callable[[Sandbox], object] = nothing
    edit: tuple[tuple[str, str], ...] = ()
    expected: dict[str, str] = field(default_factory=dict)
    parts: dict[str, dict[str, str]] = field(default_factory=dict)
    agreeing: tuple[str, ...] = ()
    memory: str = "record"


def edit(*pairs: str) -> tuple[tuple[str, str], ...]:
    return tuple(zip(pairs[::2], pairs[1::2], strict=True))


ROLE = edit("{email: bob@acme.io}", "{email: bob@acme.io, role: consumer}")
BOB_LEAVES = edit("[ada@acme.io, bob@acme.io], service", "[ada@acme.io], service")
NO_READERS = edit("  - {name: readers, members: [bob@acme.io]}\n", "")
NEW_GROUP = edit("groups:\n", "groups:\n  - {name: makers, members: [ada@acme.io]}\n")
REGION = edit("region: eu", "region: us")
IMPERSONATION = edit("impersonation: false", "impersonation: true")
NO_VAULT = edit('vaults:\n  - {name: s3, group: operators, format: hocon, data: "region: eu"}\n', "vaults: []\n")
NO_RULE = edit(TEAM[TEAM.index("  - {name: vision") :], "  []\n")
NO_KEY = edit("credentials: [{label: ci, deliver: {file: out/ci.conf}}]", "credentials: []")
NEW_KEY = edit("out/ci.conf}}]", "out/ci.conf}}, {label: cd, deliver: {file: out/cd.conf}}]")
NO_BOB = edit(
    "  - {email: bob@acme.io}\n",
    "",
    "ada@acme.io, bob@acme.io]",
    "ada@acme.io]",
    "members: [bob@acme.io]",
    "members: []",
)


def s3(text: str) -> Callable[[Sandbox], object]:
    return lambda sandbox: sandbox.set_vault("s3", "operators", text)


def vision(*people: str, **fields: Any) -> Callable[[Sandbox], object]:
    return lambda sandbox: sandbox.set_rule("vision", *people, **fields)


SITUATIONS = (
    Situation("nothing moved"),
    # Members
    Situation(
        "a role changed outside", lambda s: set_role(s, "bob@acme.io", "consumer"), expected={"bob@acme.io": OUTSIDE}
    ),
    Situation("a role changed in the file", edit=ROLE, expected={"bob@acme.io": PENDING}),
    Situation(
        "a role changed the same way on both sides",
        lambda s: set_role(s, "bob@acme.io", "consumer"),
        ROLE,
        agreeing=("bob@acme.io",),
    ),
    Situation(
        "a role changed differently on both sides",
        lambda s: set_role(s, "bob@acme.io", "admin"),
        ROLE,
        {"bob@acme.io": CONFLICT},
    ),
    Situation(
        "a name changed outside", lambda s: rename_user(s, "ada@acme.io", "Eve"), expected={"ada@acme.io": OUTSIDE}
    ),
    Situation(
        "a name outside and a role in the file",
        lambda s: rename_user(s, "ada@acme.io", "Eve"),
        edit("name: Ada}", "name: Ada, role: consumer}"),
        {"ada@acme.io": CONFLICT},
        {"ada@acme.io": {"name": OUTSIDE, "role": PENDING}},
    ),
    Situation("a member added outside", lambda s: s.add_member("eve@acme.io"), expected={"eve@acme.io": OUTSIDE}),
    Situation(
        "a member removed outside",
        lambda s: remove_member(s, "bob@acme.io"),
        expected={"bob@acme.io": OUTSIDE},
    ),
    Situation(
        "a member added in the file",
        edit=edit("members:\n  - {email: root", "members:\n  - {email: new@acme.io}\n  - {email: root"),
        expected={"new@acme.io": PENDING},
    ),
    Situation(
        "a member removed in the file",
        edit=NO_BOB,
        expected={"bob@acme.io": PENDING, "operators": PENDING, "readers": PENDING},
    ),
    Situation(
        "a member removed on both sides",
        lambda s: remove_member(s, "bob@acme.io"),
        NO_BOB,
        agreeing=("operators", "readers"),
    ),
    Situation(
        "a member removed in the file and promoted outside",
        lambda s: set_role(s, "bob@acme.io", "admin"),
        NO_BOB,
        {"bob@acme.io": CONFLICT, "operators": PENDING, "readers": PENDING},
    ),
    Situation(
        "an invitation sent outside",
        lambda s: s.call("login.add_whitelist_entries", emails=["x@acme.io"], role="user"),
        expected={"x@acme.io": OUTSIDE},
    ),
    # Groups
    Situation(
        "somebody joined a group outside",
        lambda s: group_with(s, *ALL, "root@acme.io"),
        expected={"operators": OUTSIDE},
        parts={"operators": {"members root@acme.io": OUTSIDE}},
    ),
    Situation(
        "somebody left a group outside",
        lambda s: group_with(s, "ada@acme.io", "agent"),
        expected={"operators": OUTSIDE},
    ),
    Situation("somebody leaves a group in the file", edit=BOB_LEAVES, expected={"operators": PENDING}),
    Situation(
        "somebody left a group on both sides",
        lambda s: group_with(s, "ada@acme.io", "agent"),
        BOB_LEAVES,
        agreeing=("operators",),
    ),
    Situation(
        "one joined outside, another leaves in the file",
        lambda s: group_with(s, *ALL, "root@acme.io"),
        BOB_LEAVES,
        {"operators": CONFLICT},
        {"operators": {"members root@acme.io": OUTSIDE, "members bob@acme.io": PENDING}},
    ),
    Situation(
        "an account left a group outside",
        lambda s: group_with(s, "ada@acme.io", "bob@acme.io"),
        expected={"operators": OUTSIDE},
        parts={"operators": {"service_accounts agent": OUTSIDE}},
    ),
    Situation(
        "a description changed outside",
        lambda s: group_with(s, *ALL, description="Hm"),
        expected={"operators": OUTSIDE},
    ),
    Situation(
        "a description changed differently on both sides",
        lambda s: group_with(s, *ALL, description="Hm"),
        edit("Who runs it", "Who keeps it"),
        {"operators": CONFLICT},
    ),
    Situation("a group made outside", lambda s: s.set_group("shadow", "bob@acme.io"), expected={"shadow": OUTSIDE}),
    Situation("a group made in the file", edit=NEW_GROUP, expected={"makers": PENDING}),
    Situation("a group made the same way on both sides", lambda s: s.set_group("makers", "ada@acme.io"), NEW_GROUP),
    Situation(
        "a group made differently on both sides",
        lambda s: s.set_group("makers", "bob@acme.io"),
        NEW_GROUP,
        {"makers": "unknown"},
    ),
    Situation("a group removed outside", lambda s: remove_group(s, "readers"), expected={"readers": OUTSIDE}),
    Situation("a group removed in the file", edit=NO_READERS, expected={"readers": PENDING}),
    Situation("a group removed on both sides", lambda s: remove_group(s, "readers"), NO_READERS),
    Situation(
        "a group removed in the file and joined outside",
        lambda s: s.set_group("readers", "ada@acme.io", "bob@acme.io"),
        NO_READERS,
        {"readers": CONFLICT},
    ),
    Situation(
        "a group removed outside and changed in the file",
        lambda s: remove_group(s, "readers"),
        edit("{name: readers, members: [bob@acme.io]}", "{name: readers, members: [ada@acme.io]}"),
        {"readers": CONFLICT},
    ),
    Situation(
        "a group renamed in the file",
        edit=edit("{name: readers,", "{name: watchers, was: readers,"),
        expected={"watchers": PENDING},
    ),
    Situation(
        "a group renamed in the file and joined outside",
        lambda s: s.set_group("readers", "ada@acme.io", "bob@acme.io"),
        edit("{name: readers,", "{name: watchers, was: readers,"),
        {"watchers": CONFLICT},
        {"watchers": {"name": PENDING, "members ada@acme.io": OUTSIDE}},
    ),
    # Service accounts and credentials
    Situation("an account changed outside", lambda s: impersonate(s, True), expected={"agent": OUTSIDE}),
    Situation("an account changed in the file", edit=IMPERSONATION, expected={"agent": PENDING}),
    Situation(
        "an account changed the same way on both sides",
        lambda s: impersonate(s, True),
        IMPERSONATION,
        agreeing=("agent",),
    ),
    Situation(
        "an account made outside",
        lambda s: s.call("auth.create_service_user", name="rogue"),
        expected={"rogue": OUTSIDE},
    ),
    Situation(
        "an account removed outside",
        lambda s: remove_member(s, "agent"),
        expected={"agent": OUTSIDE, "agent / ci": OUTSIDE, "agent → agent": OUTSIDE, "operators": OUTSIDE},
    ),
    Situation(
        "a key made outside",
        lambda s: s.acting_as("agent", "auth.create_credentials", label="mine"),
        expected={"agent / mine": OUTSIDE},
    ),
    Situation("a key revoked outside", revoke, expected={"agent / ci": OUTSIDE}),
    Situation("a key declared", edit=NEW_KEY, expected={"agent / cd": PENDING}),
    Situation("a key no longer declared", edit=NO_KEY, expected={"agent / ci": PENDING}),
    # Vaults
    Situation(
        "a vault's document changed outside",
        s3("region: us"),
        expected={"s3 → operators": OUTSIDE},
        parts={"s3 → operators": {"document": OUTSIDE}},
    ),
    Situation("a vault's document changed in the file", edit=REGION, expected={"s3 → operators": PENDING}),
    Situation(
        "a vault's document changed the same way on both sides", s3("region: us"), REGION, agreeing=("s3 → operators",)
    ),
    Situation(
        "a vault's document changed differently on both sides", s3("region: cn"), REGION, {"s3 → operators": CONFLICT}
    ),
    Situation("a vault's document only rewritten outside", s3("{ region = eu }"), agreeing=("s3 → operators",)),
    Situation(
        "a vault switched off outside, its document changed in the file",
        lambda s: s.set_vault("s3", "operators", "region: eu", enabled=False),
        REGION,
        {"s3 → operators": CONFLICT},
        {"s3 → operators": {"enabled": OUTSIDE, "document": PENDING}},
    ),
    Situation(
        "a vault removed outside", lambda s: remove_vault(s, "s3 → operators"), expected={"s3 → operators": OUTSIDE}
    ),
    Situation(
        "a vault removed outside and changed in the file",
        lambda s: remove_vault(s, "s3 → operators"),
        REGION,
        {"s3 → operators": CONFLICT},
    ),
    Situation("a vault removed in the file", edit=NO_VAULT, expected={"s3 → operators": PENDING}),
    Situation(
        "a vault removed in the file and changed outside", s3("region: cn"), NO_VAULT, {"s3 → operators": CONFLICT}
    ),
    Situation(
        "a vault made outside", lambda s: s.set_vault("trap", "readers", "a: 1"), expected={"trap → readers": OUTSIDE}
    ),
    Situation(
        "an account's own vault changed outside", lambda s: own_vault(s, "x: 2"), expected={"agent → agent": OUTSIDE}
    ),
    # Access rules
    Situation(
        "a rule's permission changed outside",
        vision("ada@acme.io", "operators", access_permission="read_write"),
        expected={"vision": OUTSIDE},
        parts={"vision": {"permission": OUTSIDE}},
    ),
    Situation(
        "a rule's permission changed in the file",
        edit=edit("permission: read,", "permission: read_write,"),
        expected={"vision": PENDING},
    ),
    Situation(
        "somebody added to a rule outside",
        vision("ada@acme.io", "bob@acme.io", "operators"),
        expected={"vision": OUTSIDE},
    ),
    Situation(
        "one added to a rule outside, another taken out in the file",
        vision("ada@acme.io", "bob@acme.io", "operators"),
        edit("members: [ada@acme.io], groups: [operators]", "groups: [operators]"),
        {"vision": CONFLICT},
        {"vision": {"members ada@acme.io": PENDING, "members bob@acme.io": OUTSIDE}},
    ),
    Situation(
        "a rule is about something else in the file",
        edit=edit("project: Vision", "project: Audio"),
        expected={"vision": PENDING},
        parts={"vision": {"resource": PENDING}},
    ),
    Situation("a rule removed outside", lambda s: remove_rule(s, "vision"), expected={"vision": OUTSIDE}),
    Situation("a rule removed in the file", edit=NO_RULE, expected={"vision": PENDING}),
    Situation("a rule made outside", lambda s: s.set_rule("sneaky", "bob@acme.io"), expected={"sneaky": OUTSIDE}),
)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_drift_says_which_side_moved(project: Project, situation: Situation) -> None:
    applied_team(project)
    situation.outside(project.sandbox)
    body = TEAM
    for old, new in situation.edit:
        assert old in body
        body = body.replace(old, new)
    project.declare(body)
    result = project.run("drift", "--format", "json")
    report = result.json
    assert {item["title"]: item["drift"] for item in report["findings"]} == situation.expected, result
    assert result.code == (2 if situation.expected else 0)
    assert report["in_sync"] is not bool(situation.expected)
    for title, parts in situation.parts.items():
        (finding,) = [item for item in report["findings"] if item["title"] == title]
        told = {" ".join(filter(None, (part["field"], part["element"]))): part["drift"] for part in finding["parts"]}
        assert told == parts
    assert tuple(report["agreeing"]) == situation.agreeing
    assert report["memory"] == situation.memory


@pytest.mark.parametrize(
    "situation", [one for one in SITUATIONS if one.expected][::4], ids=lambda situation: situation.name
)
def test_without_a_record_the_same_is_found_and_nobody_is_named(project: Project, situation: Situation) -> None:
    applied_team(project)
    situation.outside(project.sandbox)
    body = TEAM
    for old, new in situation.edit:
        body = body.replace(old, new)
    project.declare(body)
    result = project.run("drift", "--record", "none", "--format", "json")
    assert {item["title"] for item in result.json["findings"]} == set(situation.expected)
    assert {item["drift"] for item in result.json["findings"]} == {"unknown"}
    assert result.code == 2
    text = project.run("drift", "--record", "none").stdout
    assert text.count("Which side moved is unknown") == 1


def test_there_are_enough_of_them() -> None:
    assert len(SITUATIONS) >= 30
    assert len({situation.name for situation in SITUATIONS}) == len(SITUATIONS)
