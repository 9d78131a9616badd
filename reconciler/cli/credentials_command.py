"""``reconciler credentials``: look at the access keys of service accounts. Its connection cannot write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.cli.declared import load_declared
from reconciler.cli.options import connection_options, declaration_argument, format_option
from reconciler.cli.progress import working
from reconciler.cli.session import find_target, open_reader
from reconciler.cli.waiting import wait_for
from reconciler.errors import ExitCode
from reconciler.plan.credential_report import report_credentials
from reconciler.vaults.parse import DocumentParser
from reconciler.views.credentials import credentials_json, render_credentials

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.cli.options import Connection
    from reconciler.model.live import Live


@click.group("credentials")
def command() -> None:
    """Look at the credentials of service accounts."""


@command.command("list")
@format_option
@connection_options
@declaration_argument
@click.pass_obj
def list_credentials(console: Console, file: Path, *, connection: Connection, output_format: str) -> int:
    """List every credential with its age, its end, its last use, and whether FILE (workspace.yaml) declares it."""
    with DocumentParser() as parser:
        desired = load_declared(file, parser, console, without_secrets=True).desired
    target = find_target(connection, desired.server)

    async def read() -> Live:
        async with open_reader(target, connection, console) as transport:
            return await read_live(Reader(transport), accounts=None, vaults_of=())

    with working(console, "Reading the credentials"):
        live = wait_for(read())
    report = report_credentials(desired, live, console.edges.now())
    console.result(credentials_json(report) if output_format == "json" else render_credentials(report, console.output))
    return ExitCode.DONE
