"""A plan as GitHub workflow commands: they become annotations beside the lines of the declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.views.findings import plan_findings
from reconciler.views.plan_text import verdict
from reconciler.views.workflow import workflow_command

if TYPE_CHECKING:
    from reconciler.plan.document import Plan


def render_github(plan: Plan) -> str:
    """Return an error per refusal, a warning for all that is critical or warned of, and a notice with the totals.

    GitHub shows the first ten of each kind in a step: so refusals and what is critical come first.
    """
    findings = [
        workflow_command("notice" if finding.allowed else finding.level, finding.message, finding.rule, finding.place)
        for finding in plan_findings(plan)
    ]
    return "".join([*findings, workflow_command("notice", verdict(plan), "plan")])
