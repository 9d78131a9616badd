"""``reconciler plan``: show what an apply would change. Its connection cannot write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import (
    allow_option,
    connection_options,
    declaration_argument,
    exact_option,
    format_choice,
    gather,
    record_option,
    refuse_to_reveal,
)
from reconciler.commands.plan import PlanRequest, PlanResult, plan_changes
from reconciler.errors import ExitCode, UsageError
from reconciler.frozen import Frozen
from reconciler.views.plan_forms import PlanFormat, render_form, render_step_summary

if TYPE_CHECKING:
    from reconciler.cli.invocation import Invocation
    from reconciler.commands.session import Session


class PlanOutput(Frozen):
    """Where a plan goes, and in which form."""

    out: Path | None
    output_format: str
    impact: str
    step_summary: bool
    detailed_exitcode: bool


@click.command("plan")
@click.option("--out", type=click.Path(path_type=Path), metavar="PLAN", help="Save the plan, for apply, in this file.")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if there is something to change, or something could not be read.",
)
@click.option("--without-secrets", is_flag=True, help="Compare without secret values; such a plan cannot be applied.")
@click.option(
    "--impact",
    type=click.Choice(["short", "full"]),
    default="short",
    show_default=True,
    help="In text: name what is critical and sensitive and count the rest, or name everything.",
)
@click.option("--reveal", is_flag=True, help="Show every value of vault documents; only as text in a terminal.")
@click.option("--step-summary", is_flag=True, help="Also append the plan to the summary of a GitHub workflow's step.")
@allow_option
@exact_option
@record_option
@format_choice(
    PlanFormat, "Form of the result; markdown fits a pull-request comment, github makes workflow annotations."
)
@connection_options
@declaration_argument
@gather("request", PlanRequest)
@gather("output", PlanOutput)
@click.pass_obj
def command(invocation: Invocation, *, request: PlanRequest, output: PlanOutput) -> int:
    """Compare FILE (workspace.yaml by default) with the live workspace and show the differences."""
    console, session = invocation.console, invocation.session
    summary = _step_summary_file(session) if output.step_summary else None
    form, full = PlanFormat(output.output_format), output.impact == "full"
    if request.reveal:
        refuse_to_reveal(
            console, elsewhere=form is not PlanFormat.TEXT or output.out is not None or summary is not None
        )
    result = invocation.wait_for(plan_changes(session, request))
    if output.out is not None:
        session.files.write(session.folder / output.out, result.plan.to_json(), private=True)
    if summary is not None:
        text = render_step_summary(result.plan, session.environment)
        session.files.append(summary, session.secrets.mask(text))
    text = render_form(result.plan, form, console.output, session.environment, full_impact=full)
    (console.revealed if request.reveal else console.result)(text)
    return _exit_code(result, detailed=output.detailed_exitcode)


def _step_summary_file(session: Session) -> Path:
    """Return the file that becomes the summary of a workflow's step; raises :class:`UsageError` outside of one."""
    path = session.environment.get("GITHUB_STEP_SUMMARY")
    if not path:
        raise UsageError("--step-summary needs a GitHub workflow: GITHUB_STEP_SUMMARY is not set")
    return Path(path)


def _exit_code(result: PlanResult, *, detailed: bool) -> ExitCode:
    if result.plan.refused:
        return ExitCode.REFUSED
    return ExitCode.DIFFERENCES if detailed and not result.plan.in_sync else ExitCode.DONE
