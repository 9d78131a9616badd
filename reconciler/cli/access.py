"""``reconciler access``: who has what and why. Its connection, if it needs one, cannot write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import complete_principal, connection_options, format_choice, gather
from reconciler.commands.access import AccessRequest, report_access
from reconciler.errors import ExitCode, UnknownPrincipalError, UsageError
from reconciler.frozen import Frozen
from reconciler.plan.access.names import parse_entity
from reconciler.views.access import access_csv, access_json, render_access

if TYPE_CHECKING:
    from reconciler.cli.invocation import Invocation
    from reconciler.commands.connection import Connection

_FORMS = "reconciler access WHO [FILE], reconciler access --entity TYPE:NAME [FILE], or reconciler access --all [FILE]"


class _Asked(Frozen):
    """What was asked on the command line."""

    names: tuple[str, ...]
    entity_text: str | None
    everybody: bool
    live: bool


@click.command("access")
@click.option("--entity", "entity_text", metavar="TYPE:NAME", help="Show who reaches an entity, like project:Vision.")
@click.option("--all", "everybody", is_flag=True, help="Show everybody, for an audit.")
@click.option("--live", is_flag=True, help="Show what the workspace has, not what the declaration asks for.")
@format_choice(("text", "json", "csv"), "Form of the result; csv has one row per fact.")
@connection_options
@click.argument("names", metavar="[WHO] [FILE]", nargs=-1, shell_complete=complete_principal)
@gather("asked", _Asked)
@click.pass_obj
def command(invocation: Invocation, *, asked: _Asked, connection: Connection, output_format: str) -> int:
    """Show what WHO has and why, or with --entity who reaches an entity and how.

    WHO is a member's e-mail or a service account's name. FILE (workspace.yaml by default) is enough: no server and no
    secret is needed, unless --live asks for one. Of vaults the values and secrets are counted, and never shown.
    """
    console, request = invocation.console, _request(asked, connection)
    try:
        result = invocation.wait_for(report_access(invocation.session, request))
    except UnknownPrincipalError as error:
        if (request.who or "").endswith((".yaml", ".yml")):
            raise UsageError(error.message, hint=f"FILE comes last: {_FORMS}") from None
        raise
    if output_format == "csv":
        console.result(access_csv(result.report))
    elif output_format == "json":
        console.result(access_json(result.report, result.where, live=request.live))
    else:
        console.result(render_access(result.report, result.where, console.output))
    return ExitCode.DONE


def _request(asked: _Asked, connection: Connection) -> AccessRequest:
    who, file = _who_and_file(asked)
    if asked.entity_text is not None and asked.everybody:
        raise UsageError("--entity and --all cannot be combined", hint=_FORMS)
    entity = parse_entity(asked.entity_text) if asked.entity_text is not None else None
    return AccessRequest(who=who, entity=entity, live=asked.live, file=file, connection=connection)


def _who_and_file(asked: _Asked) -> tuple[str | None, Path]:
    """Keep the two arguments apart: somebody comes first, unless an option asks for something else."""
    names, usual = asked.names, AccessRequest().file
    alone = asked.entity_text is not None or asked.everybody
    if len(names) > (1 if alone else 2):
        raise UsageError("too many arguments", hint=_FORMS)
    if alone:
        return None, Path(names[0]) if names else usual
    if not names:
        raise UsageError("missing argument WHO", hint=_FORMS)
    return names[0], Path(names[1]) if len(names) > 1 else usual
