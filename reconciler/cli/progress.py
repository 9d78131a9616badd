"""Shows on stderr how far a command is: a bar in a terminal, one line per operation elsewhere.

Rich is imported only where something moves.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.cli.stderr import STDERR
from reconciler.plan.outcomes import Outcome
from reconciler.views.outcome import operation_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.progress import Progress, TaskID

    from reconciler.clearml.transport import CallEvent
    from reconciler.cli.console import Console
    from reconciler.errors import Problem
    from reconciler.plan.outcomes import Result


class ConsoleReporter:
    """The :class:`reconciler.commands.reporter.Reporter` of the command line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._moves = console.animated and not console.debug
        self._bar: tuple[Progress, TaskID] | None = None

    def note(self, text: str) -> None:
        """Print a line."""
        self._console.note(text)

    def warning(self, text: str) -> None:
        """Print a line that begins with a colored word."""
        self._console.note(f"{self._console.diagnostics.change('Warning:')} {text}")

    def problems(self, problems: Sequence[Problem]) -> None:
        """Print the warnings of a declaration."""
        from reconciler.views.problems import render_problems

        self._console.note(render_problems(problems, self._console.diagnostics).rstrip("\n"))

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Show that something is going on; only in a terminal."""
        if not self._moves:
            yield
            return
        from rich.console import Console as RichConsole

        with RichConsole(file=STDERR).status(what):
            yield

    @contextmanager
    def operations(self, total: int) -> Iterator[None]:
        """Show a bar; only in a terminal."""
        if not self._moves:
            yield
            return
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=RichConsole(file=STDERR)) as progress:
            self._bar = progress, progress.add_task("Applying", total=total)
            try:
                yield
            finally:
                self._bar = None

    def operation(self, result: Result) -> None:
        """Print how an operation ended; beside a bar only what was not applied."""
        line = operation_line(result, self._console.diagnostics)
        if self._bar is None:
            self._console.note(line)
            if self._console.debug and result.trace:
                self._console.note(result.trace.rstrip("\n"))
            return
        progress, task = self._bar
        if result.outcome is not Outcome.APPLIED:
            progress.console.print(self._console.secrets.mask(line), markup=False, highlight=False)
        progress.advance(task)

    def call(self, event: CallEvent) -> None:
        """Print a call, where debugging."""
        if self._console.debug:
            status = "no answer" if event.status is None else event.status
            self._console.note(f"{event.endpoint}: {status}, {event.seconds * 1000:.0f} ms")
