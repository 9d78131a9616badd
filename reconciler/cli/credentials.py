"""``reconciler credentials``: look at the access keys of service accounts. Its connection cannot write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import connection_options, declaration_argument, format_option, gather
from reconciler.commands.credentials import CredentialsRequest, list_credentials
from reconciler.errors import ExitCode
from reconciler.views.credentials import credentials_json, render_credentials

if TYPE_CHECKING:
    from reconciler.cli.invocation import Invocation


@click.group("credentials")
def command() -> None:
    """Show the credentials of service accounts."""


@command.command("list")
@format_option
@connection_options
@declaration_argument
@gather("request", CredentialsRequest)
@click.pass_obj
def list_command(invocation: Invocation, *, request: CredentialsRequest, output_format: str) -> int:
    """List every credential with its age, its expiry, its last use, and whether FILE (workspace.yaml) declares it."""
    console = invocation.console
    report = invocation.wait_for(list_credentials(invocation.session, request))
    console.result(credentials_json(report) if output_format == "json" else render_credentials(report, console.output))
    return ExitCode.DONE
