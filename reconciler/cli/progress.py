"""Progress on stderr: a bar in a terminal, one line per operation elsewhere.

Rich is imported only where a bar is shown.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.cli.lasting import LASTING_STDERR
from reconciler.model.text import harmless
from reconciler.plan.outcomes import Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.cli.console import Console


@contextmanager
def working(console: Console, what: str) -> Iterator[None]:
    """Show that something is going on while it lasts; only in a terminal."""
    if not console.animated or console.debug:
        yield
        return
    from rich.console import Console as RichConsole

    with RichConsole(file=LASTING_STDERR).status(what):
        yield


@contextmanager
def operations_bar(console: Console, total: int) -> Iterator[Callable[[Result], None]]:
    """Show the operations of an apply as they end; yields the listener to tell each result to."""
    if not console.animated or console.debug:
        yield lambda result: _tell(result, console)
        return
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=RichConsole(file=LASTING_STDERR)) as progress:
        task = progress.add_task("Applying", total=total)

        def hear(result: Result) -> None:
            if result.outcome is not Outcome.APPLIED:
                progress.console.print(
                    console.secrets.mask(operation_line(result, console)), markup=False, highlight=False
                )
            progress.advance(task)

        yield hear


def _tell(result: Result, console: Console) -> None:
    console.note(operation_line(result, console))
    if console.debug and result.trace:
        console.note(result.trace.rstrip("\n"))


def operation_line(result: Result, console: Console) -> str:
    """Return how one operation ended, in one line."""
    palette = console.diagnostics
    style = {
        Outcome.APPLIED: palette.add,
        Outcome.SKIPPED: palette.change,
        Outcome.FAILED: palette.error,
        Outcome.UNKNOWN: palette.error,
    }[result.outcome]
    reason = f": {harmless(result.message)}" if result.message else ""
    return f"{style(f'{result.outcome.value:<8}')} {harmless(result.operation.title)}{reason}"
