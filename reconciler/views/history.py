"""Past runs, as the record knows them (a table, one run in full, or JSON), and the lock of the present one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.model.text import harmless, json_document
from reconciler.plan.outcomes import Outcome
from reconciler.views.columns import columns
from reconciler.views.sentences import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from reconciler.record.document import Commit, OperationEntry, RunEntry, Workspace
    from reconciler.record.lock import Lock
    from reconciler.views.palette import Palette

FORMAT = "clearml-reconciler/history/1"
_HEAD = ("RUN", "STARTED (UTC)", "BY", "COMMIT", "APPLIED", "FAILED", "SKIPPED", "UNKNOWN", "END")
_SHORT_SHA = 10


def render_history(
    workspace: Workspace, runs: Sequence[RunEntry], known: int, running: str | None, palette: Palette
) -> str:
    """Return one line per run; ``known`` is how many runs there are in all, ``running`` the one that holds the lock."""
    lines = [palette.quiet(f"{harmless(workspace.name)}   {harmless(workspace.server)}")]
    if not runs:
        return f"{lines[0]}\nNothing has been applied yet.\n"
    rows = [_HEAD, *(_row(run, running) for run in runs)]
    head, *others = columns(rows)
    lines += [palette.strong(head), *others]
    if known > len(runs):
        lines.append(palette.quiet(f"{counted(known - len(runs), 'older run')} not shown (--limit)."))
    return "".join(f"{line}\n" for line in lines)


def _row(run: RunEntry, running: str | None) -> tuple[str, ...]:
    found = _counts(run, running)
    counts = (str(found.get(outcome, 0)) for outcome in _outcomes())
    return (harmless(run.id), _time(run.started), _who(run), _commit(run.commit), *counts, _end(run, running))


def _counts(run: RunEntry, running: str | None) -> dict[Outcome, int]:
    """Return the operations by outcome: of a run that was killed, every one that it did not count is unknown."""
    if run.finished is not None or run.id == running:
        return run.counts
    counted_ones = sum(number for outcome, number in run.counts.items() if outcome is not Outcome.UNKNOWN)
    return run.counts | {Outcome.UNKNOWN: max(0, run.total - counted_ones)}


def _outcomes() -> tuple[Outcome, ...]:
    return (Outcome.APPLIED, Outcome.FAILED, Outcome.SKIPPED, Outcome.UNKNOWN)


def render_run(run: RunEntry, running: str | None, palette: Palette) -> str:
    """Return one run in full, with every operation that is still known."""
    return "".join(f"{line}\n" for line in _run_lines(run, running, palette))


def _run_lines(run: RunEntry, running: str | None, palette: Palette) -> Iterator[str]:
    yield palette.strong(f"Run {harmless(run.id)}: {_end(run, running)}")
    yield f"  by        {_who(run)}"
    yield f"  started   {_time(run.started)} UTC"
    if run.finished is not None:
        yield f"  finished  {_time(run.finished)} UTC"
    yield f"  commit    {_commit(run.commit)}"
    yield f"  plan      {harmless(run.plan)}"
    if run.allowed:
        yield f"  allowed   {', '.join(harmless(guard) for guard in run.allowed)}"
    yield ""
    for operation in run.operations:
        outcome = _outcome(operation, run, running)
        reason = f": {harmless(operation.message)}" if operation.message else ""
        yield f"{outcome:<9} {harmless(operation.operation)} {harmless(operation.title)}{reason}"
    if run.total > len(run.operations):
        yield palette.quiet(f"{counted(run.total - len(run.operations), 'operation')} no longer kept.")


def _outcome(operation: OperationEntry, run: RunEntry, running: str | None) -> str:
    if operation.outcome is not None:
        return operation.outcome.value
    return "not ended" if run.id == running else Outcome.UNKNOWN.value


def history_json(workspace: Workspace, runs: Sequence[RunEntry], running: str | None) -> str:
    """Return runs as one JSON document."""
    document = {
        "format": FORMAT,
        "workspace": workspace.name,
        "server": workspace.server,
        "running": running,
        "runs": [replace(run, counts=_counts(run, running)).plain() for run in runs],
    }
    return json_document(document)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _who(run: RunEntry) -> str:
    started = f" ({harmless(run.who.started_by)})" if run.who.started_by else ""
    return f"{harmless(run.who.user)}{started}"


def _commit(commit: Commit | None) -> str:
    if commit is None:
        return "-"
    return harmless(commit.sha[:_SHORT_SHA]) + (" + changes" if commit.dirty else "")


def _end(run: RunEntry, running: str | None) -> str:
    if run.finished is None:
        if run.id == running:
            return "running"
        return "not finished, converged since" if run.remaining == 0 else "not finished"
    if run.interrupted:
        return "stopped"
    if run.remaining is None:
        return "not checked"
    return "converged" if run.remaining == 0 else f"{counted(run.remaining, 'change')} left"


def lock_sentence(lock: Lock | None, *, orphaned: bool, stale: bool) -> str:
    """Say who holds a lock and how it stands; ``None`` is one that cannot be read."""
    if lock is None:
        return "The lock cannot be read."
    if orphaned:
        state = "this process is gone"
    elif stale:
        state = f"it is stale: its lease ended at {lock.until:%Y-%m-%d %H:%M} UTC"
    else:
        state = f"its lease lasts until {lock.until:%H:%M} UTC"
    return f"Locked by {lock.owner} since {lock.since:%Y-%m-%d %H:%M} UTC; {state}."
