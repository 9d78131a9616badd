"""``reconciler history``: what was applied, by whom, when and from which commit. It needs no server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import declaration_argument, format_option
from reconciler.cli.record_places import find_places, record_option
from reconciler.cli.waiting import wait_for
from reconciler.errors import ExitCode, LockedError, UsageError
from reconciler.model.text import harmless
from reconciler.record.document import Record, read_record
from reconciler.record.lock import is_orphaned, read_lock
from reconciler.views.history import history_json, render_history, render_run

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.cli.record_places import Places
    from reconciler.record.document import RunEntry


@click.command("history")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Most runs to show.")
@click.option(
    "--run", "wanted", metavar="ID", help="Show the operations of one run; the beginning of its id is enough."
)
@record_option
@format_option
@declaration_argument
@click.pass_obj
def command(
    console: Console, file: Path, *, limit: int, wanted: str | None, record: str | None, output_format: str
) -> int:
    """Show the last runs of apply for FILE (workspace.yaml by default), the newest first, from the record."""
    places = find_places(record, file)
    known, running = wait_for(_read(places, console.edges.now()))
    runs = known.runs[:limit] if wanted is None else (_only(known, wanted),)
    if output_format == "json":
        console.result(history_json(known.workspace, runs, running))
    elif wanted is not None:
        console.result(render_run(runs[0], running, console.output))
    else:
        console.result(render_history(known.workspace, runs, len(known.runs), running, console.output))
    return ExitCode.DONE


async def _read(places: Places, now: datetime) -> tuple[Record, str | None]:
    """Return the record, and the id of the run that holds the lock and, for all that can be known, is alive."""
    found = await places.record.read()
    if found is None:
        raise UsageError(f"there is no record at {places.record.shown}", hint="apply makes one")
    record = read_record(found.content, places.record.shown, None)
    try:
        lock = read_lock(await places.lock.read())
    except LockedError:
        lock = None
    alive = lock is not None and lock.until > now and not await is_orphaned(places.lock, lock)
    return record, lock.run if lock is not None and alive else None


def _only(record: Record, wanted: str) -> RunEntry:
    found = [run for run in record.runs if run.id.startswith(wanted)]
    if len(found) != 1:
        problem = "there is no run" if not found else f"{len(found)} runs have an id"
        raise UsageError(f"{problem} that begins with {harmless(wanted)}", hint="reconciler history lists them")
    return found[0]
