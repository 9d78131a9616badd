"""Runs the real command in this process, or in a child where a terminal or a signal is needed."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from msgspec.structs import replace

from reconciler.cli.main import run
from reconciler.cli.sandbox_wire import SandboxWire
from reconciler.commands.connection import Target
from reconciler.commands.session import Session
from reconciler.commands.wire import Line
from reconciler.process import this_world
from reconciler.world import Clock, World

Wire = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


@dataclass(frozen=True)
class Result:
    """How a command ended and what it printed."""

    code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    def __str__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.stdout}--- stderr\n{self.stderr}"


class Terminal(io.StringIO):
    """Takes text as a terminal does."""

    def isatty(self) -> bool:
        return True


async def no_wait(seconds: float) -> None:
    del seconds


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def world_at(now: datetime = NOON, *, waits: bool = False) -> World:
    """Return this world at a moment at which the clock stands still; no wait takes time, unless it ``waits``."""
    world = this_world()
    sleep = world.clock.sleep if waits else no_wait
    return replace(world, clock=Clock(now=lambda: now, monotonic=world.clock.monotonic, sleep=sleep))


@dataclass
class Dated(httpx.AsyncBaseTransport):
    """Dates every answer with the moment at which a test has its server."""

    inner: httpx.AsyncBaseTransport
    now: datetime

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.inner.handle_async_request(request)
        response.headers["Date"] = format_datetime(self.now, usegmt=True)
        return response


class WrappedSandbox(SandboxWire):
    """A wire to the sandbox in this process that goes through another one; ``now`` is the time on the server."""

    def __init__(self, wrap: Wire | None, now: datetime | None = None) -> None:
        self._wrap = wrap
        self._now = now

    @contextmanager
    def line_to(self, target: Target) -> Iterator[Line]:
        with super().line_to(target) as line:
            if line.transport is None:
                yield line
                return
            dated = line.transport if self._now is None else Dated(line.transport, self._now)
            yield replace(line, transport=dated if self._wrap is None else self._wrap(dated))


def session_at(now: datetime = NOON, wire: Wire | None = None) -> Session:
    """Return a session in which no time passes, here or on the server; ``wire`` wraps the sandbox's in-process wire."""
    return replace(Session.of_process(wire=WrappedSandbox(wire, now)), world=world_at(now))


def clean_environment(home: Path, **variables: str) -> dict[str, str]:
    """Return an environment that holds nothing of this machine's but what a program needs to run."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR", "PYTHONPATH")}
    return kept | {"HOME": str(home), "TERM": "xterm"} | variables


def invoke(
    *arguments: str | Path,
    folder: Path,
    environment: dict[str, str],
    session: Session,
    stdin: str | None = None,
    terminal: bool = False,
) -> Result:
    """Run the command in this process, within a folder and with this environment only; ``terminal`` is its stdout."""
    out, err = Terminal() if terminal else io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "stdin", io.StringIO(stdin or "")),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        seen = replace(session, environment=environment, home=Path(environment["HOME"]))
        code = run([str(argument) for argument in arguments], session=seen)
    return Result(int(code), out.getvalue(), err.getvalue())
