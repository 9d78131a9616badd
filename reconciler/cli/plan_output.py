"""The forms in which ``plan`` shows its result, each imported only when it is asked for."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.cli.invocation import Invocation
    from reconciler.commands.session import Session
    from reconciler.plan.document import Plan


class PlanFormat(StrEnum):
    """The forms of a plan."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    GITHUB = "github"
    SARIF = "sarif"


def rendered(plan: Plan, form: PlanFormat, invocation: Invocation, *, full_impact: bool) -> str:
    """Return a plan in one of its forms."""
    match form:
        case PlanFormat.JSON:
            return plan.to_json()
        case PlanFormat.MARKDOWN:
            from reconciler.views.plan_markdown import render_markdown

            return render_markdown(plan, whole=_elsewhere(invocation.session.environment))
        case PlanFormat.HTML:
            from reconciler.views.plan_html import render_html

            return render_html(plan)
        case PlanFormat.GITHUB:
            from reconciler.views.plan_github import render_github

            return render_github(plan)
        case PlanFormat.SARIF:
            from reconciler.views.sarif import plan_sarif

            return plan_sarif(plan)
        case PlanFormat.TEXT:
            from reconciler.views.plan_text import render_plan

            return render_plan(plan, invocation.console.output, full_impact=full_impact)


def step_summary_file(session: Session) -> Path:
    """Return the file that becomes the summary of a workflow's step.

    Raises :class:`UsageError` outside of a workflow.
    """
    path = session.environment.get("GITHUB_STEP_SUMMARY")
    if not path:
        raise UsageError("--step-summary needs a GitHub workflow: GITHUB_STEP_SUMMARY is not set")
    return Path(path)


def step_summary(session: Session, plan: Plan) -> str:
    """Return a plan as Markdown that fits the summary of a workflow's step."""
    from reconciler.views.plan_markdown import SUMMARY_LIMIT, render_markdown

    return session.secrets.mask(render_markdown(plan, limit=SUMMARY_LIMIT, whole=_elsewhere(session.environment)))


def _elsewhere(environ: Mapping[str, str]) -> str:
    """Say, as Markdown, where the whole plan is: in the log of the run of the workflow, if there is one."""
    server, repository, run = (
        environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    )
    url = f"{server}/{repository}/actions/runs/{run}"
    if re.fullmatch(r"https?://[\w.:-]+/[\w.-]+/[\w.-]+/actions/runs/\d+", url, re.ASCII):
        return f"[the run that made it]({url})"
    return "the output of `reconciler plan`"
