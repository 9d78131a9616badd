"""``reconciler drift``: tell whether the workspace is what the declaration says. Its connection cannot write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.declared import load_declared
from reconciler.cli.options import connection_options, declaration_argument, exact_option, format_option
from reconciler.cli.planning import prepare, terms_for
from reconciler.cli.progress import working
from reconciler.cli.session import find_target, open_reader
from reconciler.cli.waiting import wait_for
from reconciler.errors import ExitCode
from reconciler.vaults.parse import DocumentParser
from reconciler.views.drift import drift_json, render_drift

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.cli.options import Connection
    from reconciler.plan.document import Plan


@click.command("drift")
@click.option("--without-secrets", is_flag=True, help="Compare without secret values.")
@exact_option
@format_option
@connection_options
@declaration_argument
@click.pass_obj
def command(
    console: Console,
    file: Path,
    *,
    connection: Connection,
    without_secrets: bool,
    exact_documents: bool,
    output_format: str,
) -> int:
    """Compare the live workspace with FILE (workspace.yaml by default).

    Exit code 0 if it is in sync (invitations that wait are no drift), 2 if it differs, another one if nobody can tell.
    """
    with DocumentParser() as parser:
        declared = load_declared(file, parser, console, without_secrets=without_secrets)
        target = find_target(connection, declared.desired.server)

        terms = terms_for(console, declared, target, parser, exact_documents=exact_documents)

        async def compare() -> Plan:
            async with open_reader(target, connection, console) as transport:
                return (await prepare(transport, declared.desired, terms)).plan

        with working(console, "Reading the workspace"):
            plan = wait_for(compare())
    console.result(drift_json(plan) if output_format == "json" else render_drift(plan, console.output))
    return ExitCode.DONE if plan.is_empty else ExitCode.DIFFERENCES
