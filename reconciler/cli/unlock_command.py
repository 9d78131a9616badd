"""``reconciler unlock``: break the lock of a run that is dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import declaration_argument
from reconciler.cli.record_places import find_places, record_option
from reconciler.cli.waiting import wait_for
from reconciler.errors import ExitCode, LockedError, UsageError
from reconciler.record.lock import break_lock, is_orphaned, read_lock

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.record.places import Found, Place


@click.command("unlock")
@click.option("--yes", is_flag=True, help="Do not ask; for CI.")
@record_option
@declaration_argument
@click.pass_obj
def command(console: Console, file: Path, *, yes: bool, record: str | None) -> int:
    """Break the lock of the workspace of FILE (workspace.yaml by default), after showing who holds it.

    A run that loses its lock this way starts nothing more. Make sure that it is dead all the same.
    """
    place = find_places(record, file).lock
    found = wait_for(place.read())
    if found is None or not found.content:
        console.note("The workspace is not locked.")
        return ExitCode.DONE
    console.note(_owner(console, place, found))
    if not yes and not console.interactive:
        raise UsageError("there is no terminal to ask in", hint="--yes breaks the lock without asking")
    if not yes and not click.confirm("Break this lock?", default=False, err=True):
        console.note("The lock was left as it is.")
        return ExitCode.INTERRUPTED
    if not wait_for(break_lock(place, found)):
        raise LockedError("the lock has changed since it was looked at", hint="run again")
    console.note("The lock is broken.")
    return ExitCode.DONE


def _owner(console: Console, place: Place, found: Found) -> str:
    try:
        lock = read_lock(found)
    except LockedError:
        return "The lock cannot be read."
    if lock is None:
        return "The workspace is not locked."
    if wait_for(is_orphaned(place, lock)):
        state = "this process is gone"
    elif lock.until <= console.edges.now():
        state = f"it is stale: its lease ended at {lock.until:%Y-%m-%d %H:%M} UTC"
    else:
        state = f"its lease lasts until {lock.until:%H:%M} UTC"
    return f"Locked by {lock.owner} since {lock.since:%Y-%m-%d %H:%M} UTC; {state}."
