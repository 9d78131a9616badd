"""A pull request that takes a protected resource away without removing it by its name."""

from __future__ import annotations

import pytest

from tests.support.project import Project

PROTECT = "min_admins: 1, max_removals: 100%, protect: {groups: [ops], vaults: [{group: ops, name: v}]}"
BODY = """
members: [{email: root@acme.io, role: admin}]
groups: [{name: ops, members: [root@acme.io]}]
vaults: [{name: v, group: ops, data: "sdk.a: 1, sdk.b: two"}]
access_rules: []
"""


@pytest.fixture
def applied(project: Project) -> Project:
    project.declare(BODY, policy=PROTECT)
    assert project.apply().code == 0
    return project


TAKEN_AWAY = {
    "renamed": (BODY.replace("name: ops,", "name: low, was: ops,").replace("group: ops", "group: low"), "renamed"),
    "emptied": (BODY.replace("members: [root@acme.io]}", "members: []}"), "emptied"),
    "a vault renamed": (BODY.replace("name: v,", "name: w, was: v,"), "renamed"),
    "a vault emptied": (BODY.replace("sdk.a: 1, sdk.b: two", "{}"), "emptied"),
    "a vault filled with something else": (BODY.replace("sdk.a: 1, sdk.b: two", "other.c: 1"), "emptied"),
    "a vault for something else": (BODY.replace("group: ops, data", "group: ops, target: monitoring, data"), "target"),
    "removed": (BODY.replace('vaults: [{name: v, group: ops, data: "sdk.a: 1, sdk.b: two"}]', "vaults: []"), "removed"),
}


@pytest.mark.parametrize(("body", "said"), TAKEN_AWAY.values(), ids=TAKEN_AWAY)
@pytest.mark.parametrize("protected", ["ops", "low"], ids=["by the old name", "by the new name"])
def test_what_is_protected_stays(body: str, said: str, protected: str, applied: Project) -> None:
    new = "w" if "name: w" in body else "v"
    owner = "low" if "name: low" in body else "ops"
    if protected == "low":
        policy = f"min_admins: 1, max_removals: 100%, protect: {{groups: [{owner}], vaults: [{{group: {owner}, name: {new}}}]}}"
    else:
        policy = PROTECT
    applied.declare(body, policy=policy)
    before = applied.sandbox.truth()
    result = applied.apply("--allow", "empty-group", "--allow", "empty-kind")
    assert (result.code, "protect: " in result.stderr, said in result.stderr) == (4, True, True), result
    assert applied.sandbox.truth() == before


def test_what_was_renamed_by_hand_is_still_protected(applied: Project) -> None:
    truth = applied.sandbox.truth()
    applied.sandbox.call(
        "permissions.add_or_update_user_group", id=truth.id_of("ops"), name="low", users=[truth.id_of("root@acme.io")]
    )
    applied.declare("members: [{email: root@acme.io, role: admin}]\ngroups: []\nvaults: []\n", policy=PROTECT)
    result = applied.apply("--allow", "empty-kind")
    assert (result.code, "group low is protected by the policy; it would be removed" in result.stderr) == (4, True), (
        result
    )


def test_what_is_protected_may_change(applied: Project) -> None:
    applied.declare(
        BODY.replace("sdk.b: two", "sdk.b: three").replace("name: ops,", "name: ops, description: d,"), policy=PROTECT
    )
    assert applied.apply().code == 0
