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
    gather,
    record_option,
    refuse_to_reveal,
)
from reconciler.cli.plan_output import PlanOutput, failures_shown, plan_output_options, show_plan
from reconciler.commands.plan import PlanRequest, PlanResult, plan_changes
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.cli.invocation import Invocation


@click.command("plan")
@click.option("--out", type=click.Path(path_type=Path), metavar="PLAN", help="Save the plan, for apply, in this file.")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if there is something to change, or something could not be read.",
)
@click.option("--without-secrets", is_flag=True, help="Compare without secret values; such a plan cannot be applied.")
@click.option("--reveal", is_flag=True, help="Show every value of vault documents; only as text in a terminal.")
@plan_output_options
@allow_option
@exact_option
@record_option
@connection_options
@declaration_argument
@gather("request", PlanRequest)
@click.pass_obj
def command(
    invocation: Invocation, *, request: PlanRequest, output: PlanOutput, out: Path | None, detailed_exitcode: bool
) -> int:
    """Compare FILE (workspace.yaml by default) with the live workspace and show the differences.

    If there is no plan (the declaration is invalid, a secret is missing, the server is down), every form but text says
    why, in the same places.
    """
    session = invocation.session
    if request.reveal:
        refuse_to_reveal(invocation.console, elsewhere=out is not None or output.goes_elsewhere)
    with failures_shown(invocation, output, request.file):
        result = invocation.wait_for(plan_changes(session, request))
    if out is not None:
        session.files.write(session.folder / out, result.plan.to_json(), private=True)
    show_plan(invocation, result.plan, output, revealed=request.reveal)
    return _exit_code(result, detailed=detailed_exitcode)


def _exit_code(result: PlanResult, *, detailed: bool) -> ExitCode:
    if result.plan.refused:
        return ExitCode.REFUSED
    return ExitCode.DIFFERENCES if detailed and not result.plan.in_sync else ExitCode.DONE
