"""One call of the program: where it prints, and what its command reaches the world through."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from reconciler.cli.console import Console
    from reconciler.commands.session import Session

Result = TypeVar("Result")


class Invocation:
    """What every command is given. The session is made when it is first asked for, since ``--help`` needs none."""

    def __init__(self, console: Console, given: Session | None = None) -> None:
        self.console = console
        self._given = given

    @cached_property
    def session(self) -> Session:
        """The session: the one that was given or the process's own, reporting to the console."""
        from msgspec.structs import replace

        from reconciler.cli.interrupt import stopping_on_signals
        from reconciler.cli.progress import ConsoleReporter
        from reconciler.cli.sandbox_wire import SandboxWire
        from reconciler.commands.session import Session

        console = self.console
        return replace(
            self._given or Session.of_process(wire=SandboxWire()),
            reporter=ConsoleReporter(console),
            secrets=console.secrets,
            asked_to_stop=lambda: stopping_on_signals(console),
        )

    def wait_for(self, work: Coroutine[object, object, Result]) -> Result:
        """Run a coroutine in an event loop of its own and return its result.

        The result is kept apart from the task: at its end ``asyncio.run`` makes a repr of the task with all that it
        returned (CPython restores the signal handler by trying it as a number first), which takes seconds for a
        workspace.
        """
        import asyncio

        results: list[Result] = []

        async def main() -> None:
            results.append(await work)

        asyncio.run(main())
        return results[0]
