"""A pull request that loosens the policy, and does in the same review what the policy of yesterday refuses."""

from __future__ import annotations

import pytest

from tests.support.project import Project

STRICT = "min_admins: 2, max_removals: 1, domains: [acme.io], protect: {groups: [ops]}"
PEOPLE = "members: [{email: root@acme.io, role: admin}, {email: ada@acme.io, role: admin}]\n"
GROUPS = "groups: [{name: ops, members: [root@acme.io]}, {name: a}, {name: b}, {name: c}]\n"
BODY = PEOPLE + GROUPS


@pytest.fixture
def applied(project: Project) -> Project:
    project.sandbox.add_member("ada@acme.io", role="admin")
    project.declare(BODY, policy=STRICT)
    result = project.apply()
    assert result.code == 0, result
    return project


LOOSENED = {
    "protect dropped": (
        "min_admins: 2, max_removals: 1, domains: [acme.io]",
        BODY.replace("{name: ops, members: [root@acme.io]}, ", ""),
        "group ops is protected by the policy; it would be removed",
    ),
    "a limit raised": (
        "min_admins: 2, max_removals: 100%, domains: [acme.io], protect: {groups: [ops]}",
        BODY.replace(", {name: b}, {name: c}", ""),
        "2 of 4 groups, the limit is 1",
    ),
    "fewer admins": (
        "min_admins: 1, max_removals: 1, domains: [acme.io], protect: {groups: [ops]}",
        BODY.replace("ada@acme.io, role: admin", "ada@acme.io, role: user"),
        "1 admin would be left, the minimum is 2",
    ),
    "domains dropped": (
        "min_admins: 2, max_removals: 1, protect: {groups: [ops]}",
        BODY.replace("members: [{", "members: [{email: eve@evil.example, role: user}, {", 1),
        "1 member would be invited from outside acme.io",
    ),
}


@pytest.mark.parametrize(("policy", "body", "said"), LOOSENED.values(), ids=LOOSENED)
def test_what_the_policy_of_yesterday_refuses_is_asked_about(
    policy: str, body: str, said: str, applied: Project
) -> None:
    applied.allows_gains = False
    applied.declare(body, policy=policy)
    before = applied.sandbox.truth()
    result = applied.run("apply", "--yes")
    assert result.code == 4, result
    assert "policy-loosened: the policy last applied refuses it (" in result.stderr
    assert said in result.stderr
    assert applied.sandbox.truth() == before
    lifted = applied.run("apply", "--yes", "--allow", "policy-loosened")
    assert lifted.code == 0, lifted
    assert "policy-loosened" not in applied.run("plan").output


def test_a_policy_that_is_loosened_and_not_used_is_no_refusal(applied: Project) -> None:
    applied.declare(BODY, policy="min_admins: 1, max_removals: 100%")
    assert applied.apply().code == 0
    applied.declare(
        BODY.replace("{name: ops, members: [root@acme.io]}, ", ""), policy="min_admins: 1, max_removals: 100%"
    )
    result = applied.apply()
    assert result.code == 0, result
