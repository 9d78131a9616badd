"""A small process that starts the programs: Linux counts the memory of whoever starts a program as the program's own.

It reads orders from standard input and answers each with what the run took, one JSON object a line each.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypedDict

from benchmarks.programs import REPOSITORY


class Order(TypedDict):
    """What to run: a program and its arguments, where, with which variables, and where its output goes."""

    command: Sequence[str]
    folder: str
    environment: Mapping[str, str]
    output: str


class Taken(TypedDict):
    """What one run took: seconds and MiB, and its exit code."""

    wall: float
    cpu: float
    memory: float
    code: int


@cache
def starter() -> Starter:
    """Return the process that starts programs; called first while this one is still small."""
    return Starter()


class Starter:
    """Starts programs in a process of its own, one at a time."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "benchmarks.starter"]
        self._process = subprocess.Popen(
            command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        atexit.register(self._process.kill)

    def run(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], output: Path) -> Taken:
        """Run a program to its end; what it prints goes into a file."""
        order = Order(command=command, folder=str(folder), environment=environment, output=str(output))
        asked, answered = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answered is not None
        asked.write(json.dumps(order) + "\n")
        asked.flush()
        taken: Taken = json.loads(answered.readline())
        return taken


def _carry_out(order: Order) -> Taken:
    with Path(os.devnull).open() as nothing, Path(order["output"]).open("w", encoding="utf-8") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            order["command"],
            cwd=order["folder"],
            env=order["environment"],
            stdin=nothing,
            stdout=output,
            stderr=output,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    return {"wall": wall, "cpu": cpu, "memory": usage.ru_maxrss / 1024, "code": process.returncode}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(_carry_out(json.loads(line))), flush=True)
