"""``reconciler history``: what was applied, by whom, when and from which commit. It needs no server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import declaration_argument, format_option, gather, record_option
from reconciler.commands.history import HistoryRequest, read_history
from reconciler.errors import ExitCode
from reconciler.views.history import history_json, render_history, render_run

if TYPE_CHECKING:
    from reconciler.cli.invocation import Invocation


@click.command("history")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Maximum number of runs to show.")
@click.option("--run", metavar="ID", help="Show the operations of one run; the beginning of its id is enough.")
@record_option
@format_option
@declaration_argument
@gather("request", HistoryRequest)
@click.pass_obj
def command(invocation: Invocation, *, request: HistoryRequest, output_format: str) -> int:
    """Show the last runs of apply for FILE (workspace.yaml by default), the newest first, from the record."""
    console = invocation.console
    found = invocation.wait_for(read_history(invocation.session, request))
    if output_format == "json":
        console.result(history_json(found.workspace, found.runs, found.running))
    elif request.run is not None:
        console.result(render_run(found.runs[0], found.running, console.output))
    else:
        console.result(render_history(found.workspace, found.runs, found.total, found.running, console.output))
    return ExitCode.DONE
