"""The forms in which a plan is shown, each imported only when it is asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.views.run_link import run_link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.plan.document import Plan
    from reconciler.views.palette import Palette


class PlanFormat(StrEnum):
    """The forms of a plan."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"
    GITLAB = "gitlab"


def render_form(
    plan: Plan, form: PlanFormat, palette: Palette, environment: Mapping[str, str], *, full_impact: bool
) -> str:
    """Return a plan in one of its forms; text counts what is neither critical nor sensitive, or names all.

    ``environment`` holds the variables of a workflow, which tell where its log is.
    """
    match form:
        case PlanFormat.JSON:
            return plan.to_json()
        case PlanFormat.MARKDOWN:
            from reconciler.views.plan_markdown import render_markdown

            return render_markdown(plan, whole=where_all_is(environment))
        case PlanFormat.HTML:
            from reconciler.views.plan_html import render_html

            return render_html(plan)
        case PlanFormat.GITHUB:
            from reconciler.views.plan_github import render_github

            return render_github(plan)
        case PlanFormat.SARIF:
            from reconciler.views.sarif import plan_sarif

            return plan_sarif(plan)
        case PlanFormat.JUNIT:
            from reconciler.views.junit import plan_junit

            return plan_junit(plan)
        case PlanFormat.GITLAB:
            from reconciler.views.code_quality import plan_code_quality

            return plan_code_quality(plan)
        case PlanFormat.TEXT:
            from reconciler.views.plan_text import render_plan

            return render_plan(plan, palette, full_impact=full_impact)


def render_step_summary(plan: Plan, environment: Mapping[str, str]) -> str:
    """Return a plan as Markdown that fits the summary of a workflow's step."""
    from reconciler.views.plan_markdown import SUMMARY_LIMIT, render_markdown

    return render_markdown(plan, limit=SUMMARY_LIMIT, whole=where_all_is(environment))


def where_all_is(environment: Mapping[str, str]) -> str:
    """Say, as Markdown, where the whole plan is: in the log of the run of the workflow or pipeline, if there is one."""
    url = run_link(environment)
    return f"[the run that made it]({url})" if url is not None else "the output of `reconciler plan`"
