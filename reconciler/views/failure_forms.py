"""The forms in which the lack of a plan is shown: every form of a plan says why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.text import json_document
from reconciler.views.failure import Failure, failure_findings
from reconciler.views.plan_forms import PlanFormat, where_all_is
from reconciler.views.workflow import workflow_command

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "clearml-reconciler/failure/1"


def render_failure(failure: Failure, form: PlanFormat, environment: Mapping[str, str]) -> str:
    """Return a failure in one of the forms of a plan; as text it is empty, since stderr says it.

    ``environment`` holds the variables of a workflow, which tell where its log is.
    """
    match form:
        case PlanFormat.TEXT:
            return ""
        case PlanFormat.JSON:
            return failure_json(failure)
        case PlanFormat.MARKDOWN:
            from reconciler.views.failure_markdown import render_failure_markdown

            return render_failure_markdown(failure, whole=where_all_is(environment))
        case PlanFormat.HTML:
            from reconciler.views.failure_html import render_failure_html

            return render_failure_html(failure)
        case PlanFormat.GITHUB:
            return failure_github(failure)
        case PlanFormat.SARIF:
            from reconciler.views.sarif import failure_sarif

            return failure_sarif(failure)
        case PlanFormat.JUNIT:
            from reconciler.views.junit import failure_junit

            return failure_junit(failure)
        case PlanFormat.GITLAB:
            from reconciler.views.code_quality import failure_code_quality

            return failure_code_quality(failure)


def render_failure_summary(failure: Failure, environment: Mapping[str, str]) -> str:
    """Return a failure as Markdown that fits the summary of a workflow's step."""
    from reconciler.views.failure_markdown import render_failure_markdown
    from reconciler.views.plan_markdown import SUMMARY_LIMIT

    return render_failure_markdown(failure, limit=SUMMARY_LIMIT, whole=where_all_is(environment))


def failure_json(failure: Failure) -> str:
    """Return a failure as one JSON document: the exit code, the message, and each problem with its place."""
    from reconciler.views.problems import problem_entries

    return json_document(
        {
            "format": FORMAT,
            "workspace": failure.workspace,
            "declaration": failure.declaration,
            "exit_code": failure.exit_code.value,
            "message": failure.message,
            "hint": failure.hint,
            "problems": problem_entries(failure.problems),
        }
    )


def failure_github(failure: Failure) -> str:
    """Return a failure as workflow commands, which become annotations beside the lines of the declaration."""
    return "".join(
        workflow_command(finding.level, finding.message, finding.rule, finding.place, column=True)
        for finding in failure_findings(failure)
    )
