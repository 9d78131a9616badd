"""``reconciler fmt``: bring the declaration's files into the canonical style, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import declaration_argument
from reconciler.commands.fmt import format_files, formatted_files
from reconciler.commands.shown_lines import diff_text
from reconciler.errors import ExitCode
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.invocation import Invocation


@click.command("fmt")
@click.option("--check", is_flag=True, help="Write nothing; exit with 2 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change as a unified diff.")
@declaration_argument
@click.pass_obj
def command(invocation: Invocation, file: Path, *, check: bool, diff: bool) -> int:
    """Format FILE (workspace.yaml by default) and all that it includes in the canonical style.

    Keys come in one order, indentation, spaces and quotes become uniform; entries stay in their order and every comment
    at its line. What the files mean does not change, which is checked before anything is written.
    """
    console, session = invocation.console, invocation.session
    changed = formatted_files(session, file) if check or diff else format_files(session, file)
    if diff:
        console.result(diff_text(changed, {}, {}))
    for path in changed:
        console.note(f"{'would change' if check or diff else 'formatted'}  {harmless(str(path))}")
    if not changed:
        console.note("Every file is in the canonical style.")
    return ExitCode.DIFFERENCES if check and changed else ExitCode.DONE
