"""Findings in SARIF 2.1.0, the format in which code scanning takes the results of tools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reconciler import __version__
from reconciler.errors import EXIT_CODES
from reconciler.model.text import harmless, json_document
from reconciler.views.failure import failure_findings
from reconciler.views.findings import ACTING, CRITICAL_IMPACT, UNREADABLE, Finding, plan_findings, problem_findings
from reconciler.views.guard_words import STOPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.errors import Place, Problem
    from reconciler.plan.document import Plan
    from reconciler.views.failure import Failure

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_INFORMATION = "https://pypi.org/project/clearml-reconciler/"
_HELP = {
    ACTING: "A program, a source of a secret, a delivery or the policy differs from what was last applied.",
    UNREADABLE: "It is left alone, and counts as a difference unless policy.unreadable accepts it by name.",
    CRITICAL_IMPACT: "Admins, impersonation, everyone, the last of its kind, or destroyed credentials: look closely.",
}


def problems_sarif(problems: Sequence[Problem], declaration: str) -> str:
    """Return the problems of a declaration as a SARIF log."""
    return _log(problem_findings(problems), _details("validate", declaration))


def plan_sarif(plan: Plan) -> str:
    """Return what stops a plan, what is critical in it, and its warnings as a SARIF log.

    What was allowed on purpose is in it as a suppressed result.
    """
    return _log(plan_findings(plan), _details("plan", plan.workspace))


def failure_sarif(failure: Failure) -> str:
    """Return why there is no plan as a SARIF log of a run that did not succeed."""
    reason = {"level": "error", "message": {"text": _message(failure.message)}}
    invocation = {
        "executionSuccessful": False,
        "exitCode": failure.exit_code.value,
        "exitCodeDescription": EXIT_CODES[failure.exit_code].replace("`", ""),
        "toolExecutionNotifications": [reason],
    }
    details = _details("plan", failure.workspace or failure.declaration)
    return _log(failure_findings(failure), {**details, "invocations": [invocation]})


def _details(command: str, subject: str) -> dict[str, Any]:
    """Return what tells the results of one workspace from those of another in the same repository."""
    return {"automationDetails": {"id": f"clearml-reconciler/{command}/{quote(harmless(subject), safe='._-')}/"}}


def _log(findings: Iterable[Finding], details: dict[str, Any]) -> str:
    results = list(findings)
    rules = sorted({finding.rule for finding in results})
    driver = {
        "name": "clearml-reconciler",
        "semanticVersion": __version__,
        "informationUri": _INFORMATION,
        "rules": [_rule(rule) for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        **details,
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder that the command ran in."}}},
        "results": [_result(finding, rules.index(finding.rule)) for finding in results],
    }
    return json_document({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: str) -> dict[str, Any]:
    name = rule.replace("-", " ").capitalize()
    stops = {guard.value: words for guard, words in STOPS.items()}
    if rule in stops:
        meaning = f"A plan is refused if {stops[rule].replace('`', '')}."
        guidance = f"{meaning} See docs/reference/guards.md for how to go on."
    else:
        meaning = guidance = _HELP.get(rule, f"{name}: each result says where, what is wrong, and what to do.")
    return {
        "id": rule,
        "shortDescription": {"text": f"{name}."},
        "fullDescription": {"text": meaning},
        "help": {"text": guidance},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": _message(finding.message)},
    }
    if finding.place is not None:
        result["locations"] = [{"physicalLocation": _location(finding.place)}]
    if finding.allowed is not None:
        result["suppressions"] = [{"kind": "external", "justification": finding.allowed}]
    return result


def _message(text: str) -> str:
    """Return a text in which nothing is a link or a placeholder (SARIF 3.11.5 and 3.11.6)."""
    doubled = harmless(text).replace("{", "{{").replace("}", "}}")
    return re.sub(r"([\\[\]])", r"\\\1", doubled)


def _location(place: Place) -> dict[str, Any]:
    artifact = {"uri": quote(place.file, safe="/", errors="replace"), "uriBaseId": _ROOT}
    if place.file.startswith("/"):
        artifact = {"uri": f"file://{artifact['uri']}"}
    return {"artifactLocation": artifact, "region": {"startLine": place.line, "startColumn": place.column}}
