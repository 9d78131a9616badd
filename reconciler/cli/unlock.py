"""``reconciler unlock``: break the lock of a run that is dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import declaration_argument, record_option
from reconciler.commands.unlock import break_found_lock, find_lock
from reconciler.errors import ExitCode, UsageError
from reconciler.views.history import lock_sentence

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.invocation import Invocation


@click.command("unlock")
@click.option("--yes", is_flag=True, help="Skip the confirmation; for CI.")
@record_option
@declaration_argument
@click.pass_obj
def command(invocation: Invocation, file: Path, *, yes: bool, record: str | None) -> int:
    """Break the lock of the workspace of FILE (workspace.yaml by default), after showing who holds it.

    A run that loses its lock this way starts nothing more. Make sure first that it is dead.
    """
    console = invocation.console
    found = invocation.wait_for(find_lock(invocation.session, file, record))
    if found is None:
        console.note("The workspace is not locked.")
        return ExitCode.DONE
    console.note(lock_sentence(found.lock, orphaned=found.orphaned, stale=found.stale))
    if not yes and not console.interactive:
        raise UsageError("no terminal to confirm in", hint="pass --yes to skip the confirmation")
    if not yes and not click.confirm("Break this lock?", default=False, err=True):
        console.note("The lock was left as it is.")
        return ExitCode.INTERRUPTED
    invocation.wait_for(break_found_lock(found))
    console.note("The lock is broken.")
    return ExitCode.DONE
