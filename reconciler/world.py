"""What the rooms below the commands reach the world through: time, chance, threads, programs and this machine.

A command is given all of it by its :class:`reconciler.commands.session.Session`, which in a process holds the real ones
(:mod:`reconciler.process`). A simulation gives a clock that it turns itself, a source of chance with a seed, and
threads that run at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


class Clock(Frozen):
    """The time of day (with its zone), seconds that never go back, and how to wait for some of them."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


class Chance(Frozen):
    """Randomness; ``draw`` returns so many random bytes, and everything else is made of them."""

    draw: Callable[[int], bytes]

    def token(self, count: int) -> str:
        """Return so many random bytes in hexadecimal digits."""
        return self.draw(count).hex()

    def fraction(self) -> float:
        """Return a number from 0 up to, but not including, 1."""
        return (int.from_bytes(self.draw(7)) >> 3) / (1 << 53)

    def identifier(self) -> str:
        """Return a random UUID (version 4), as a server takes it for the id of something new."""
        from uuid import UUID

        return str(UUID(bytes=self.draw(16), version=4))


class InThread(Protocol):
    """Runs blocking work beside the event loop; it is given nothing but values that never change."""

    async def __call__(
        self, work: Callable[Parameters, Returned], /, *arguments: Parameters.args, **named: Parameters.kwargs
    ) -> Returned:
        """Return what the work returns, or raise what it raises."""


class ProgramTimeoutError(Exception):
    """A program took longer than it may; it was ended."""


class Finished(Frozen):
    """How a program ended, and what it printed on stdout (empty if nobody asked for that)."""

    code: int
    output: bytes


class RunProgram(Protocol):
    """Runs a program to its end; stderr is never shown, since it could hold a secret."""

    def __call__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        seconds: float,
        given: bytes | None = None,
        group: bool = False,
    ) -> Finished:
        """Run ``command`` in ``folder`` without a shell, and wait for it.

        With ``given`` that is its stdin, and its stdout is thrown away; without, its stdout is returned. ``group``
        starts it in a session of its own, so that everything that it started ends with it. Raises :class:`OSError` or
        :class:`ValueError` if it cannot be started, and :class:`ProgramTimeoutError`.
        """


class Machine(Frozen):
    """What identifies this process: the host, its boot (where the system says it), and the process id."""

    host: str
    boot: str | None
    process: int


class World(Frozen):
    """All of it, for those who need several."""

    clock: Clock
    chance: Chance
    in_thread: InThread
    run_program: RunProgram
    machine: Machine
