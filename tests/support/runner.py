"""Runs the real command in this process, or in a child where a terminal or a signal is needed."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

from reconciler.clearml.retrying import Timing
from reconciler.cli.edges import Edges
from reconciler.cli.main import run

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


def edges(wire: Wire | None = None) -> Edges:
    """Return edges at which no time passes; ``wire`` wraps the sandbox's in-process wire."""
    timing = Timing(sleep=no_wait, random=lambda: 0.5)
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return Edges(now=lambda: now, timing=timing) if wire is None else Edges(now=lambda: now, timing=timing, wire=wire)


def clean_environment(home: Path, **variables: str) -> dict[str, str]:
    """Return an environment that holds nothing of this machine's but what a program needs to run."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR", "PYTHONPATH")}
    return kept | {"HOME": str(home), "TERM": "xterm"} | variables


def invoke(
    *arguments: str | Path,
    folder: Path,
    environment: dict[str, str],
    edges: Edges,
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
        code = run([str(argument) for argument in arguments], edges=edges)
    return Result(int(code), out.getvalue(), err.getvalue())
