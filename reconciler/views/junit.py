"""Findings as a JUnit report, which CI systems show as tests: one for each guard, and one for the plan itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junitparser import Error, JUnitXml, Skipped, TestCase, TestSuite
from junitparser import Failure as Failed

from reconciler.model.text import harmless
from reconciler.plan.changes import Guard
from reconciler.views.failure import failure_rule
from reconciler.views.findings import plan_findings, problem_findings
from reconciler.views.plan_text import verdict
from reconciler.views.sentences import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.errors import Problem
    from reconciler.plan.document import Plan
    from reconciler.views.failure import Failure
    from reconciler.views.findings import Finding


def plan_junit(plan: Plan) -> str:
    """Return each guard as a test: it fails if it stops the plan, and is skipped if it was lifted on purpose."""
    found = _by_rule(plan_findings(plan))
    guards = {guard.value: found.pop(guard.value, []) for guard in Guard}
    cases = [_case(plan.declaration, rule, findings) for rule, findings in (guards | found).items()]
    return _report(plan.workspace, [_passed(plan.declaration, "plan", verdict(plan)), *cases])


def problems_junit(problems: Sequence[Problem], declaration: str) -> str:
    """Return each rule that a declaration breaks as a test, after one for the declaration itself."""
    found = _by_rule(problem_findings(problems))
    cases = [_case(declaration, rule, findings) for rule, findings in found.items()]
    return _report(declaration, [_passed(declaration, "declaration", counted(len(problems), "problem")), *cases])


def failure_junit(failure: Failure) -> str:
    """Return the plan as a test that could not be run, and each problem of the declaration as one that fails."""
    plan = TestCase("plan", _clean(failure.declaration), 0.0)
    plan.result = [Error(_clean(failure.message), failure_rule(failure))]
    found = _by_rule(problem_findings(failure.problems))
    cases = [_case(failure.declaration, rule, findings) for rule, findings in found.items()]
    return _report(failure.workspace or failure.declaration, [plan, *cases])


def _by_rule(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.rule, []).append(finding)
    return found


def _passed(declaration: str, name: str, output: str) -> TestCase:
    case = TestCase(name, _clean(declaration), 0.0)
    case.system_out = _clean(output)
    return case


def _case(declaration: str, rule: str, findings: Sequence[Finding]) -> TestCase:
    """Return a rule as a test: its errors are failures, what was allowed makes it skipped, the rest is its output."""
    case = TestCase(_clean(rule), _clean(declaration), 0.0)
    failed = [_text(finding) for finding in findings if finding.level == "error" and finding.allowed is None]
    allowed = [_text(finding) for finding in findings if finding.allowed is not None]
    noted = [_text(finding) for finding in findings if finding.level != "error" and finding.allowed is None]
    if failed:
        case.result = [Failed(text, rule) for text in failed]
    elif allowed:
        case.result = [Skipped("\n".join(allowed), rule)]
    if noted:
        case.system_out = "\n".join(noted)
    return case


def _text(finding: Finding) -> str:
    return _clean(f"{finding.place}: {finding.message}" if finding.place else finding.message)


def _report(name: str, cases: Iterable[TestCase]) -> str:
    suite = TestSuite(_clean(name))
    suite.add_testcases(list(cases))
    report = JUnitXml("clearml-reconciler")
    report.add_testsuite(suite)
    report.update_statistics()  # type: ignore[no-untyped-call]
    text: bytes = report.tostring()  # type: ignore[no-untyped-call]
    return text.decode("utf-8") + "\n"


def _clean(text: str) -> str:
    """Return foreign text that XML can hold; line breaks of our own stay."""
    return "\n".join(harmless(line) for line in text.split("\n"))
