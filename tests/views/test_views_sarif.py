"""SARIF: what its schema asks for, and what was decided about guards."""

from __future__ import annotations

import json
from collections.abc import Callable

import jsonschema
import pytest
from msgspec.structs import replace

from reconciler.errors import Place, Problem, Severity
from reconciler.plan.changes import Guard
from reconciler.plan.document import Plan
from reconciler.views.sarif import plan_sarif, problems_sarif

Golden = Callable[[str, str], None]
RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "level", "message"],
    "properties": {
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": {"type": "object", "required": ["text"]},
        "locations": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["physicalLocation"],
                "properties": {
                    "physicalLocation": {
                        "type": "object",
                        "required": ["artifactLocation"],
                        "properties": {
                            "artifactLocation": {
                                "type": "object",
                                "required": ["uri"],
                                "properties": {"uri": {"pattern": "^[!-~]+$"}},
                            },
                            "region": {"properties": {"startLine": {"type": "integer", "minimum": 1}}},
                        },
                    }
                },
            },
        },
        "suppressions": {"items": {"required": ["kind"], "properties": {"kind": {"enum": ["inSource", "external"]}}}},
    },
}
RULE = {
    "type": "object",
    "required": ["id", "shortDescription", "help"],
    "properties": {part: {"required": ["text"]} for part in ("shortDescription", "help")},
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name", "rules"],
                                "properties": {"rules": {"type": "array", "uniqueItems": True, "items": RULE}},
                            }
                        },
                    },
                    "results": {"type": "array", "items": RESULT},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                },
            },
        },
    },
}
"""What the SARIF 2.1.0 schema asks of the parts that are used here."""

PROBLEMS = [
    Problem("unknown-key", "`memberz` is no key", Place("teams/a b.yaml", 3, 1), "did you mean [members](x)?"),
    Problem("client-crash", "reads {0} otherwise", Place("/etc/workspace.yaml", 2), severity=Severity.WARNING),
    Problem("too-few-admins", "nobody is admin"),
]


def test_sarif_has_what_its_schema_asks_for(review: Plan) -> None:
    for text in (plan_sarif(review), problems_sarif(PROBLEMS, "workspace.yaml"), problems_sarif([], "workspace.yaml")):
        log = json.loads(text)
        jsonschema.validate(log, SARIF)
        for run in log["runs"]:
            rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
            assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])


def test_problems_as_sarif(golden: Golden) -> None:
    golden("problems.sarif", problems_sarif(PROBLEMS, "workspace.yaml"))


def test_what_was_allowed_is_suppressed(review: Plan) -> None:
    results = json.loads(plan_sarif(review))["runs"][0]["results"]
    suppressed = [result["ruleId"] for result in results if "suppressions" in result]
    assert suppressed == ["protect"]


@pytest.mark.parametrize("guard", Guard)
def test_every_guard_has_help(guard: Guard, review: Plan) -> None:
    refusal = replace(review.refusals[0], guard=guard, allowed=False)
    log = json.loads(plan_sarif(replace(review, refusals=(refusal,))))
    rule = next(rule for rule in log["runs"][0]["tool"]["driver"]["rules"] if rule["id"] == guard.value)
    assert "A plan is refused if" in rule["help"]["text"]
