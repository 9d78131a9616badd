"""Findings as a code quality report, which GitLab shows in a merge request and beside the lines of the files.

The format is that of https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from reconciler.model.text import harmless, json_document
from reconciler.views.failure import failure_findings
from reconciler.views.findings import Finding, plan_findings, problem_findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.errors import Problem
    from reconciler.plan.document import Plan
    from reconciler.views.failure import Failure

_SEVERITIES = {"error": "blocker", "warning": "major"}


def plan_code_quality(plan: Plan) -> str:
    """Return what stops a plan, what is critical in it, and its warnings; what was allowed on purpose is of note."""
    return _report(plan_findings(plan), plan.declaration)


def problems_code_quality(problems: Sequence[Problem], declaration: str) -> str:
    """Return the problems of a declaration."""
    return _report(problem_findings(problems), declaration)


def failure_code_quality(failure: Failure) -> str:
    """Return why there is no plan."""
    return _report(failure_findings(failure), failure.declaration)


def _report(findings: Iterable[Finding], declaration: str) -> str:
    """Return the report. A finding keeps its fingerprint when lines move, so that GitLab knows it again."""
    seen: Counter[str] = Counter()
    issues = []
    for finding in findings:
        path = (finding.place.file if finding.place else declaration).removeprefix("./")
        identity = f"{finding.rule}\n{path}\n{finding.message}"
        seen[identity] += 1
        issues.append(
            {
                "description": harmless(finding.message),
                "check_name": finding.rule,
                "fingerprint": hashlib.sha256(f"{identity}\n{seen[identity]}".encode(errors="replace")).hexdigest(),
                "severity": "info" if finding.allowed else _SEVERITIES[finding.level],
                "location": {"path": path, "lines": {"begin": finding.place.line if finding.place else 1}},
            }
        )
    return json_document(issues)
