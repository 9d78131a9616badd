"""``reconciler apply``: carry out a saved plan, or make one and ask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.interrupt import confirmed
from reconciler.cli.options import (
    allow_option,
    connection_options,
    declaration_argument,
    exact_option,
    format_option,
    gather,
    record_option,
)
from reconciler.commands.apply import (
    ApplyRequest,
    ApplyResult,
    carry_out,
    check_proposal,
    open_apply,
    propose,
    propose_again,
)
from reconciler.errors import ExitCode, UsageError
from reconciler.model.text import harmless
from reconciler.views.outcome import outcome_json, render_outcome
from reconciler.views.plan_text import render_plan

if TYPE_CHECKING:
    from reconciler.cli.invocation import Invocation


@click.command("apply")
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    metavar="PLAN",
    help="Apply this plan, saved by plan --out from the same FILE, with the same key.",
)
@click.option("--yes", is_flag=True, help="Skip the confirmation; for CI.")
@allow_option
@exact_option
@format_option
@record_option
@connection_options
@declaration_argument
@gather("request", ApplyRequest)
@click.pass_obj
def command(invocation: Invocation, *, request: ApplyRequest, yes: bool, output_format: str) -> int:
    """Make a plan from FILE (workspace.yaml by default) and confirm it; or apply a saved one, if it still fits.

    Nothing is written without a plan that was shown or saved, and nothing if a guard refuses it.
    """
    console, folder = invocation.console, invocation.session.folder
    if request.plan is not None and not (folder / request.plan).exists():
        raise UsageError(f"there is no plan at {harmless(str(request.plan))}", hint="plan --out saves a plan")
    if not yes and not console.interactive:
        raise UsageError("no terminal to confirm in", hint="pass --yes to skip the confirmation")
    text = output_format == "text"
    result = invocation.wait_for(_apply(invocation, request, ask=not yes, text=text))
    if result is None:
        console.note("Nothing was changed.")
        return ExitCode.INTERRUPTED
    if not text:
        console.result(outcome_json(result.plan, result.report, result.left))
    elif result.report is not None:
        console.result(render_outcome(result.report, result.left, console.output))
    return _exit_code(result)


async def _apply(invocation: Invocation, request: ApplyRequest, *, ask: bool, text: bool) -> ApplyResult | None:
    """Show the plan, ask, and carry it out; ``None`` if somebody said no."""
    console = invocation.console
    async with open_apply(invocation.session, request) as opened:
        proposal = await propose(opened)
        if proposal.carried_out:
            console.note("This plan was applied already: nothing is left to do.")
        if text or ask:
            show = console.result if text else console.note
            show(render_plan(proposal.plan, console.output))
        check_proposal(proposal)
        if ask and not proposal.plan.is_empty:
            if not confirmed("Apply this plan?"):
                return None
            proposal = await propose_again(opened, proposal)
        return await carry_out(opened, proposal)


def _exit_code(result: ApplyResult) -> ExitCode:
    report = result.report
    if report is None:
        return ExitCode.DIFFERENCES if result.plan.doubts else ExitCode.DONE
    if not result.recorded:
        return ExitCode.PARTLY_DONE
    if report.interrupted and not report.has_failures:
        return ExitCode.INTERRUPTED
    if not report.is_complete or result.left.planned != 0:
        return ExitCode.PARTLY_DONE
    return ExitCode.DIFFERENCES if result.left.unreadable else ExitCode.DONE
