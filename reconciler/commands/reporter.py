"""Who is shown how far a command is. What comes of it is in the command's result; this is for people who wait."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from reconciler.clearml.transport import CallEvent
    from reconciler.errors import Problem
    from reconciler.plan.outcomes import Result


class Reporter(Protocol):
    """Shows notes and progress. A reporter that fails never ends a run."""

    def note(self, text: str) -> None:
        """Show a line of progress or advice."""

    def warning(self, text: str) -> None:
        """Show a line that somebody should read."""

    def problems(self, problems: Sequence[Problem]) -> None:
        """Show what a declaration that is valid deserves to be warned of."""

    def step(self, what: str) -> AbstractContextManager[None]:
        """Show that something is going on while the block lasts."""

    def operations(self, total: int) -> AbstractContextManager[None]:
        """Show the operations of an apply, so many, while the block lasts."""

    def operation(self, result: Result) -> None:
        """Show how one operation ended."""

    def call(self, event: CallEvent) -> None:
        """Show one API call, for whoever debugs."""


class Silent:
    """Shows nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""

    def warning(self, text: str) -> None:
        """Show nothing."""

    def problems(self, problems: Sequence[Problem]) -> None:
        """Show nothing."""

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Show nothing."""
        del what
        yield

    @contextmanager
    def operations(self, total: int) -> Iterator[None]:
        """Show nothing."""
        del total
        yield

    def operation(self, result: Result) -> None:
        """Show nothing."""

    def call(self, event: CallEvent) -> None:
        """Show nothing."""


class ContainedReporter:
    """Passes everything on to another reporter, whose failures stay here; the first of them is shown as a note."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._failed = False

    def note(self, text: str) -> None:
        """Pass it on."""
        self._contained(lambda: self._reporter.note(text))

    def warning(self, text: str) -> None:
        """Pass it on."""
        self._contained(lambda: self._reporter.warning(text))

    def problems(self, problems: Sequence[Problem]) -> None:
        """Pass it on."""
        self._contained(lambda: self._reporter.problems(problems))

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Pass it on."""
        with self._while(lambda: self._reporter.step(what)):
            yield

    @contextmanager
    def operations(self, total: int) -> Iterator[None]:
        """Pass it on."""
        with self._while(lambda: self._reporter.operations(total)):
            yield

    def operation(self, result: Result) -> None:
        """Pass it on."""
        self._contained(lambda: self._reporter.operation(result))

    def call(self, event: CallEvent) -> None:
        """Pass it on."""
        self._contained(lambda: self._reporter.call(event))

    @contextmanager
    def _while(self, show: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
        shown = ExitStack()
        self._contained(lambda: shown.enter_context(show()))
        try:
            yield
        finally:
            self._contained(shown.close)

    def _contained(self, show: Callable[[], object]) -> None:
        try:
            show()
        except Exception as error:  # noqa: BLE001 - whatever it is, the workspace is more important
            if not self._failed:
                self._failed = True
                self.note(f"Progress could not be shown: internal error: {type(error).__name__}")
