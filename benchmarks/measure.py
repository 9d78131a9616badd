"""Runs programs in turn and keeps what each of them took."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.starter import starter

DROPPED = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
"""Variables that distort figures: without kept bytecode, start-up is measured compiling."""


@dataclass(frozen=True)
class Job:
    """A program to measure. ``before`` is called before each run, outside of the time.

    With ``inner`` only a part of it counts: its last line tells, in JSON, the seconds and processor seconds of that.
    """

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    codes: Sequence[int] = (0,)
    calls: int | None = None
    inner: bool = False


@dataclass(frozen=True)
class Run:
    """One run: seconds and MiB."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Measured:
    """All runs of one job, the first (which warms the caches up) left out."""

    runs: tuple[Run, ...]

    @property
    def wall(self) -> float:
        return statistics.median(run.wall for run in self.runs)

    @property
    def cpu(self) -> float:
        return statistics.median(run.cpu for run in self.runs)

    @property
    def memory(self) -> float:
        return statistics.median(run.memory for run in self.runs)

    @property
    def noise(self) -> float:
        """How far apart the slowest and the fastest run are, as a share of the median."""
        walls = [run.wall for run in self.runs]
        return (max(walls) - min(walls)) / self.wall


def in_turn(jobs: Sequence[Job], repeat: int, *, warm: bool = True) -> dict[str, Measured]:
    """Run every job once, then every job again, and so on, so that all of them meet the same weather."""
    found: dict[str, list[Run]] = {job.name: [] for job in jobs}
    for round_number in range(repeat + warm):
        for job in jobs:
            run = run_once(job)
            if round_number or not warm:
                found[job.name].append(run)
    return {job.name: Measured(tuple(found[job.name])) for job in jobs}


def run_once(job: Job) -> Run:
    """Run a job to its end; raises :class:`RuntimeError` with its output if it ends otherwise than expected."""
    if job.before is not None:
        job.before()
    output = job.folder / "benchmark-output.txt"
    taken = starter().run(job.command, job.folder, environment(job.environment), output)
    if taken["code"] not in job.codes:
        printed = output.read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"{job.name} ended with {taken['code']}:\n{printed[-2000:]}")
    if job.inner:
        told = json.loads(output.read_text(encoding="utf-8").splitlines()[-1])
        return Run(told["seconds"], told["cpu"], taken["memory"])
    return Run(taken["wall"], taken["cpu"], taken["memory"])


def output_of(job: Job) -> str:
    """Run a job once more and return what it prints, errors included."""
    if job.before is not None:
        job.before()
    done = subprocess.run(
        job.command,
        cwd=job.folder,
        env=environment(job.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in DROPPED} | dict(extra)
