from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from reconciler.errors import Place, Problem, Severity
from reconciler.model.desired import Limit, Policy
from reconciler.model.resources import Address, Group, Kind, Member, MemberState, Role, ServiceAccount
from reconciler.plan.changes import Action, Guard
from reconciler.plan.document import Plan
from reconciler.plan.operations import operations_of
from reconciler.plan.outcomes import Left, Outcome, Report, Result
from reconciler.vaults.parse import DocumentParser
from reconciler.views.drift import drift_json, render_drift
from reconciler.views.outcome import outcome_json, render_outcome
from reconciler.views.palette import Palette
from reconciler.views.plan_text import render_plan
from reconciler.views.problems import problems_github, problems_json, render_problems
from tests.build import admin, credential, desired, group, invited, live, planned, vault

Golden = Callable[[str, str], None]
PLAIN, COLORED = Palette(), Palette(enabled=True)
ROOT = admin("root@acme.io")

WANTED = desired(
    ROOT,
    admin("ada@acme.io"),
    Member("lena@acme.io", name="Lena"),
    Member("new@acme.io", Role.CONSUMER),
    ServiceAccount("train-agent", impersonation=True),
    ServiceAccount("fresh", admin=True),
    credential("fresh", "k8s-prod", "out/k8s-prod.conf"),
    credential("train-agent", "ci"),
    group("researchers", "root@acme.io", "lena@acme.io", "new@acme.io", accounts=["fresh"], description="Who trains"),
    group("brand-new"),
    vault("s3", "researchers", 'sdk.aws.s3 { region: "eu-west-1", secret: "new-value" }, added: [1, 2]'),
    vault("off", "researchers", "a: 1", enabled=False),
    vault("made", "brand-new", "agent.git_pass: hunter2, b: true"),
    policy=Policy(min_admins=2, max_removals=Limit(share=0.2), protected=frozenset({Address.member("tom@acme.io")})),
    renames={Address.group("researchers"): Address.group("research")},
    credentials_of=["fresh", "train-agent"],
)
WANTED = replace(
    WANTED,
    places={
        address: Place("teams/ml.yaml" if address.kind is Kind.GROUP else "workspace.yaml", 10 + line)
        for line, address in enumerate(WANTED.snapshot.resources)
    },
)
EXISTING = live(
    ROOT,
    Member("ada@acme.io", Role.USER),
    Member("lena@acme.io", name="lena"),
    admin("tom@acme.io"),
    invited("gone@acme.io"),
    Member("support@clear.ml", Role.ADMIN, fixed=True),
    ServiceAccount("train-agent"),
    ServiceAccount("old-agent", impersonation=True),
    credential("train-agent", "ci"),
    credential("train-agent", "by hand"),
    Group("Admins", builtin=True),
    group("research", "root@acme.io", "tom@acme.io", accounts=["old-agent"], description="People"),
    group("doomed", "tom@acme.io"),
    vault("s3", "research", 'sdk.aws.s3 { region: "us-east-1", secret: "old-value" }, dropped: x'),
    vault("off", "research", "a: 1"),
    vault("orphan", "doomed", "a: 1"),
    credential_counts={Address.service_account("old-agent"): 3},
)


@pytest.fixture
def rich(parser: DocumentParser) -> Plan:
    return planned(WANTED, EXISTING, parser, allow=[Guard.PROTECT]).plan


@pytest.fixture
def nothing(parser: DocumentParser) -> Plan:
    resources = (ROOT, Member("ada@acme.io"), group("ops", "ada@acme.io"), vault("v", "ops", "a { b: 1 }"))
    existing = (ROOT, Member("ada@acme.io", None, state=MemberState.INVITED), group("ops"), vault("v", "ops", "a.b: 1"))
    return planned(desired(*resources), live(*existing), parser).plan


def test_a_plan(rich: Plan, golden: Golden) -> None:
    golden("plan.txt", render_plan(rich, PLAIN))


def test_a_plan_in_color(rich: Plan, golden: Golden) -> None:
    golden("plan.ansi", render_plan(rich, COLORED))


def test_a_plan_as_json(rich: Plan, golden: Golden) -> None:
    golden("plan.json", rich.to_json())


def test_an_empty_plan(nothing: Plan, golden: Golden) -> None:
    golden("plan-empty.txt", render_plan(nothing, PLAIN))


def test_a_plan_without_secrets(rich: Plan) -> None:
    without = replace(rich, without_secrets=True, secrets_left_out=2)
    told = render_plan(without, PLAIN)
    assert "Secrets:    2 secret values not compared (--without-secrets); this plan cannot be applied\n" in told


def test_drift(rich: Plan, golden: Golden) -> None:
    golden("drift.txt", render_drift(rich, PLAIN))


def test_drift_as_json(rich: Plan, golden: Golden) -> None:
    golden("drift.json", drift_json(rich))


def test_no_drift(nothing: Plan, golden: Golden) -> None:
    golden("drift-none.txt", render_drift(nothing, PLAIN))


def results(plan: Plan) -> Iterator[Result]:
    troubles = {
        "set role ada@acme.io": (Outcome.FAILED, "users.set_role: the server refused (400/12): not today"),
        "remove member tom@acme.io": (Outcome.SKIPPED, "waits for: set role ada@acme.io"),
        "create group brand-new": (Outcome.UNKNOWN, "it may or may not have been carried out"),
    }
    for operation in operations_of(plan.changes):
        outcome, message = troubles.get(operation.title, (Outcome.APPLIED, ""))
        yield Result(operation, outcome, message)


@pytest.fixture
def report(rich: Plan) -> Report:
    return Report(tuple(results(rich)))


def test_an_outcome(report: Report, golden: Golden) -> None:
    golden("outcome.txt", render_outcome(report, Left(3), PLAIN))


def test_an_outcome_in_color(report: Report, golden: Golden) -> None:
    golden("outcome.ansi", render_outcome(report, Left(3), COLORED))


def test_an_outcome_as_json(rich: Plan, report: Report, golden: Golden) -> None:
    golden("outcome.json", outcome_json(rich, report, Left(3)))


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (Left(0), "The workspace is as declared."),
        (Left(1), "Not converged: 1 change remains; run again."),
        (Left(2, 1), "Not converged: 2 changes remain; run again."),
        (Left(0, 1), "1 other difference has come up since: make a new plan."),
        (Left(None), "Whether the workspace has converged is not known; run again."),
    ],
)
def test_an_outcome_ends_with_what_remains(left: Left, told: str) -> None:
    assert render_outcome(Report(()), left, PLAIN).endswith(f"Applied: 0 added, 0 changed, 0 removed. {told}\n")


def test_only_what_was_applied_is_counted(rich: Plan, report: Report) -> None:
    ended = report.of_changes()
    added = sum(
        ended[change.address] is Outcome.APPLIED and change.action in (Action.CREATE, Action.INVITE)
        for change in rich.changes
    )
    assert f"Applied: {added} added" in render_outcome(report, Left(3), PLAIN)


PROBLEMS = [
    Problem("unknown-key", "`memberz` is no key", Place("workspace.yaml", 3, 1), "did you mean `members`?"),
    Problem("invalid-email", "nobody is not an e-mail", Place("teams/ml.yaml", 12, 14)),
    Problem("client-crash", "100% of clients\nread this: otherwise", None, severity=Severity.WARNING),
]
LINES = {Place("workspace.yaml", 3, 1): "memberz: []\n", Place("teams/ml.yaml", 12, 14): "\t- {email: nobody}"}


def test_problems(golden: Golden) -> None:
    golden("problems.txt", render_problems(PROBLEMS, PLAIN))


def test_problems_with_their_lines(golden: Golden) -> None:
    golden("problems-lines.txt", render_problems(PROBLEMS, PLAIN, LINES.get))


def test_problems_in_color(golden: Golden) -> None:
    golden("problems.ansi", render_problems(PROBLEMS, COLORED, LINES.get))


def test_problems_as_json(golden: Golden) -> None:
    golden("problems.json", problems_json(PROBLEMS))


def test_problems_as_workflow_annotations(golden: Golden) -> None:
    golden("problems.github", problems_github(PROBLEMS))


def test_the_caret_of_a_long_line_stays_in_sight() -> None:
    line = f"{'x' * 500}HERE{'y' * 500}"
    place = Place("workspace.yaml", 1, 501)
    shown = render_problems([Problem("rule", "wrong", place)], PLAIN, {place: line}.get).splitlines()
    assert shown[1][shown[2].index("^") :].startswith("HERE")
    assert all(len(text) < 120 for text in shown)
