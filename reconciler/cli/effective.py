"""``reconciler effective``: somebody's merged client configuration. Its connection, if it needs one, cannot write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import complete_principal, connection_options, format_choice, gather, refuse_to_reveal
from reconciler.commands.effective import (
    EffectiveRequest,
    effective_configuration,
    effective_difference,
)
from reconciler.errors import ExitCode, UsageError
from reconciler.frozen import Frozen
from reconciler.model.text import harmless
from reconciler.vaults.tree import parse_path, path_text
from reconciler.views.effective import (
    difference_json,
    effective_document,
    failing_lines,
    note_lines,
    render_difference,
    render_effective,
)

if TYPE_CHECKING:
    from reconciler.cli.invocation import Invocation
    from reconciler.effective.configuration import Standings
    from reconciler.vaults.tree import Path as KeyPath


_Shown = tuple[str, "tuple[Standings, ...]"]
"""What is printed, and which vaults are not in it because clients do not take them."""


class _Output(Frozen):
    """What is shown, and in which form."""

    diff: bool
    output_format: str
    strict: bool


def _key_path(_: click.Context, __: click.Parameter, value: str | None) -> KeyPath:
    try:
        return parse_path(value) if value else ()
    except ValueError as error:
        raise UsageError(f"{harmless(value or '')} is {error}") from None


@click.command("effective")
@click.option("--base", type=click.Path(path_type=Path), metavar="FILE", help="The clearml.conf below the vaults.")
@click.option("--live", is_flag=True, help="Show what the workspace has, not what the declaration asks for.")
@click.option("--diff", is_flag=True, help="Show what differs between the workspace and the declaration.")
@format_choice(("text", "hocon", "json", "yaml"), "Form of the result; all but text give the merged document alone.")
@click.option("--path", metavar="PATH", callback=_key_path, help="Only what is at or below a path, such as sdk.aws.")
@click.option("--reveal", is_flag=True, help="Show secret values; only in a terminal.")
@click.option("--without-secrets", is_flag=True, help="Do not read the declared secrets.")
@click.option("--strict", is_flag=True, help="Exit with 2 if clients do not take a vault that is meant for them.")
@click.option("--run-commands", is_flag=True, help="Also run the declared commands that print secrets.")
@connection_options
@click.argument("who", shell_complete=complete_principal)
@click.argument("file", metavar="[FILE]", type=click.Path(path_type=Path), default=Path("workspace.yaml"))
@gather("request", EffectiveRequest)
@gather("output", _Output)
@click.pass_obj
def command(invocation: Invocation, *, request: EffectiveRequest, output: _Output) -> int:
    """Show the merged client configuration of WHO, a member's e-mail or a service account's name.

    Each value comes with the vault, file and line that says it. FILE (workspace.yaml by default) is enough: only
    --live and --diff need a server, and nothing needs a secret. Secret values are hidden.
    """
    if request.live and output.diff:
        raise UsageError("--diff compares with the live workspace already; leave --live out")
    if output.diff and output.output_format not in {"text", "json"}:
        raise UsageError("--diff can be shown as text or json")
    if request.reveal:
        refuse_to_reveal(invocation.console)
    show = _shown_difference if output.diff else _shown_configuration
    text, failing = show(invocation, request, output.output_format)
    if request.reveal:
        invocation.console.revealed(text)
    else:
        invocation.console.result(text)
    for line in failing_lines(failing, invocation.console.diagnostics):
        invocation.console.note(line)
    return ExitCode.DIFFERENCES if output.strict and failing else ExitCode.DONE


def _shown_configuration(invocation: Invocation, request: EffectiveRequest, output_format: str) -> _Shown:
    """Return the configuration that is declared, or that is live."""
    console = invocation.console
    result = invocation.wait_for(effective_configuration(invocation.session, request))
    found = result.configuration
    values = found.within(request.path)
    if output_format == "text":
        text = render_effective(found, values, result.where, console.output, path=path_text(request.path))
        return text, found.failing
    for line in note_lines(found, console.diagnostics):
        console.note(line)
    return effective_document(values, output_format), found.failing


def _shown_difference(invocation: Invocation, request: EffectiveRequest, output_format: str) -> _Shown:
    """Return what differs between the live and the declared configuration."""
    found = invocation.wait_for(effective_difference(invocation.session, request))
    if output_format == "json":
        return difference_json(found.difference), found.failing
    return render_difference(found.difference, found.title, invocation.console.output), found.failing
