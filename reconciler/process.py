"""The edge of the process: the only place below ``cli/`` that asks the system for time, chance, threads and programs.

Everybody else is given them (:mod:`reconciler.world`). ``asyncio`` and ``subprocess`` are imported where they are used,
since every start of the program pays for what is imported here.
"""

from __future__ import annotations

import functools
import os
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.world import Chance, Clock, Finished, Machine, ProgramTimeoutError, World

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from subprocess import Popen
    from typing import ParamSpec, TypeVar

    Parameters = ParamSpec("Parameters")
    Returned = TypeVar("Returned")


def environment_of_process() -> Mapping[str, str]:
    """Return the variables of this process as they are now."""
    return MappingProxyType(dict(os.environ))


def home_in(environment: Mapping[str, str]) -> Path:
    """Return the home folder that the variables name, or else the user's."""
    named = environment.get("HOME")
    return Path(named) if named else Path.home()


async def _sleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


def _now() -> datetime:
    return datetime.now(UTC)


CLOCK = Clock(now=_now, monotonic=time.monotonic, sleep=_sleep)
CHANCE = Chance(os.urandom)


async def in_thread(
    work: Callable[Parameters, Returned], /, *arguments: Parameters.args, **named: Parameters.kwargs
) -> Returned:
    """Run blocking work in a thread; see :class:`reconciler.world.InThread`."""
    import asyncio

    return await asyncio.to_thread(work, *arguments, **named)


def run_program(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    seconds: float,
    given: bytes | None = None,
    group: bool = False,
) -> Finished:
    """Run a program; see :class:`reconciler.world.RunProgram`."""
    import subprocess

    process = subprocess.Popen(  # noqa: S603 - a list of arguments, without a shell
        list(command),
        stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
        stdout=subprocess.PIPE if given is None else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=dict(environment),
        start_new_session=group,
    )
    try:
        output, _ = process.communicate(given, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise ProgramTimeoutError from None
    finally:
        _end(process, group=group)
    return Finished(process.returncode, output or b"")


def _end(process: Popen[bytes], *, group: bool) -> None:
    """End a program that did not end by itself; if it has a group of its own, with everything that it started."""
    import signal

    if process.poll() is None:
        if group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


@functools.cache
def this_machine() -> Machine:
    """Return what identifies this process."""
    import platform

    return Machine(platform.node(), _boot(), os.getpid())


def _boot() -> str | None:
    """Return what identifies this start of the machine, where the system says it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None


def this_world() -> World:
    """Return the world as this process finds it."""
    return World(CLOCK, CHANCE, in_thread, run_program, this_machine())


@contextmanager
def never_asked_to_stop() -> Iterator[asyncio.Event]:
    """Yield an event that nobody sets: a program that uses this library handles its own signals."""
    import asyncio

    yield asyncio.Event()
