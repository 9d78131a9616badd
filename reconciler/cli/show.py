"""``reconciler show``: a saved plan again, in any form. It needs no server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.plan_output import PlanOutput, failures_shown, plan_output_options, show_plan
from reconciler.commands.show import read_saved_plan
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.cli.invocation import Invocation


@click.command("show")
@plan_output_options
@click.argument("plan", metavar="PLAN", type=click.Path(path_type=Path))
@click.pass_obj
def command(invocation: Invocation, *, plan: Path, output: PlanOutput) -> int:
    """Show PLAN, saved by plan --out, in another form, and whether it is authentic. No server is asked."""
    with failures_shown(invocation, output, plan):
        shown = read_saved_plan(invocation.session, plan)
    invocation.console.note(shown.authenticity.value)
    show_plan(invocation, shown.plan, output)
    return ExitCode.DONE
