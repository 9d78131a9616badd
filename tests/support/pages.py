"""Runs the commands of a documentation page as a reader would, in a shell, and compares what they print.

A page is a session. Its ``console`` blocks hold commands (after ``$``) and their output; a line with ``…`` alone stands
for any lines. Comments, which no reader sees, say what else happens:

- ``<!-- file: PATH -->``: the block below is the content of this file.
- ``<!-- patch: PATH -->``: the ``diff`` block below is made to this file.
- ``<!-- hidden: COMMAND -->``: a command that only the test runs; ``by-hand`` calls the API as the web page would.
- ``<!-- not run: REASON -->``: the block below is not run.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from tests.support.runner import clean_environment

SHOWN_PORT = "8008"
_PART = re.compile(
    r"<!-- (?P<what>file|patch|hidden|not run): (?P<about>.*?) -->|^(?P<fence>```+)(?P<language>[\w-]*)\n(?P<text>.*?)^(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)
_VARYING = [
    (r"127\.0\.0\.1:\d+", f"127.0.0.1:{SHOWN_PORT}"),
    (r"\b\d{8}T\d{6}Z-[0-9a-f]{6}\b", "20261124T035341Z-a0c212"),
    (r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?", "2026-11-24 03:53:41"),
    (r"\b20\d\d-\d\d-\d\d\b", "2026-11-24"),
    (r"\b\d\d:\d\d UTC", "03:53 UTC"),
    (r"\b[A-Z0-9]{4}…[A-Z0-9]{4}\b", "K7QD…2M4X"),
    (r"(?<=@acme\.io  )[0-9a-f]{10}\b", "b7743b5adc"),
    (r"-[0-9a-f]{8}\.json\b", "-440f59e9.json"),
]


class Part(NamedTuple):
    """A block or comment of a page, with where it is."""

    what: str
    about: str
    text: str
    start: int
    end: int


class Step(NamedTuple):
    """One command of a ``console`` block and what the page says it prints."""

    command: str
    output: str


@dataclass
class Shell:
    """A folder and an environment that commands change one after the other."""

    folder: Path
    port: int
    root: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.folder
        self.state.write_text("")
        (self.root / "home").mkdir()
        (self.root / "work").mkdir()
        self.here = self.root / "work"
        self._provide("by-hand", f'exec {sys.executable} {Path(__file__).parent / "by_hand.py"} "$@"')

    @property
    def state(self) -> Path:
        return self.root / "environment"

    def run(self, command: str) -> str:
        """Return what a command prints on both streams, and its exit code unless that is 0."""
        output, ended = self.root / "output", self.root / "ended"
        script = (
            f". {self.state}\n{command.replace(SHOWN_PORT, str(self.port))}\n"
            f'code=$?\n[ -z "$!" ] || echo $! >>{self.root}/started\nexport -p >{self.state}\npwd >{ended}\nexit $code\n'
        )
        environment = clean_environment(self.root / "home", GIT_CONFIG_NOSYSTEM="1")
        environment["PATH"] = f"{self.root / 'bin'}:{Path(sys.executable).parent}:{environment['PATH']}"
        with output.open("w", encoding="utf-8") as into:
            done = subprocess.run(
                ["sh", "-c", script],
                cwd=self.here,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=into,
                stderr=subprocess.STDOUT,
                timeout=120,
                check=False,
            )
        if ended.exists():
            self.here = Path(ended.read_text(encoding="utf-8").strip())
        if command.rstrip().endswith("&"):
            self._wait_until(listening=True)
            return ""
        printed = output.read_text(encoding="utf-8").replace(f"{self.root}/work/", "")
        for varying, shown in _VARYING:
            printed = re.sub(varying, shown, printed)
        return printed + (f"(exit code {done.returncode})\n" if done.returncode else "")

    def _provide(self, name: str, script: str) -> None:
        program = self.root / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)

    def _wait_until(self, *, listening: bool) -> None:
        for _ in range(600):
            if self._listens() is listening:
                return
            time.sleep(0.05)
        raise AssertionError((self.root / "output").read_text(encoding="utf-8"))

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def stop(self) -> None:
        """End what was started in the background, and wait until the port is free for the next page."""
        started = self.root / "started"
        for pid in started.read_text(encoding="utf-8").split() if started.exists() else ():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGTERM)
        if started.exists():
            self._wait_until(listening=False)


@contextmanager
def shell(folder: Path, port: int) -> Iterator[Shell]:
    opened = Shell(folder, port)
    try:
        yield opened
    finally:
        opened.stop()


def parts(page: str) -> Iterator[Part]:
    """Yield the blocks of a page; a comment about the block below it comes with that block."""
    comment: re.Match[str] | None = None
    for found in _PART.finditer(page):
        if found["what"] == "hidden":
            yield Part("hidden", found["about"], "", found.start(), found.end())
        elif found["what"]:
            comment = found
        else:
            what = comment["what"] if comment is not None else found["language"]
            about = comment["about"] if comment is not None else ""
            yield Part(what, about, found["text"], found.start("text"), found.end("text"))
            comment = None


def steps(block: str) -> Iterator[Step]:
    """Yield the commands of a ``console`` block; a command goes on after a backslash."""
    for found in re.finditer(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
        lines = [line for line in found[2].splitlines() if not line.startswith("# ")]
        yield Step(found[1], "".join(f"{line}\n" for line in lines))


def play(page: str, opened: Shell) -> str:
    """Carry out a page, and return it with what the commands printed now."""
    played, after = "", 0
    for part in parts(page):
        text = part.text
        if part.what == "hidden":
            printed = opened.run(part.about)
            assert "(exit code" not in printed, f"{part.about}\n{printed}"
        elif part.what == "file":
            (opened.here / part.about).parent.mkdir(parents=True, exist_ok=True)
            (opened.here / part.about).write_text(text.replace(SHOWN_PORT, str(opened.port)), encoding="utf-8")
        elif part.what == "patch":
            _patch(opened.here / part.about, text, opened.port)
        elif part.what == "console":
            text = "\n".join(_shown(step, opened.run(step.command)) for step in steps(part.text))
        if part.what != "hidden":
            played += page[after : part.start] + text
            after = part.end
    return played + page[after:]


def _shown(step: Step, printed: str) -> str:
    """Return a step as the page should have it: as it is where that fits, with all that was printed otherwise."""
    if fits(step.output, printed):
        return f"$ {step.command}\n{step.output}".rstrip("\n") + "\n"
    return f"$ {step.command}\n{printed}".rstrip("\n") + "\n"


def fits(expected: str, printed: str) -> bool:
    """Return whether an output is the expected one; ``…`` stands for any lines, and blank lines at the end for none."""
    if _exit_code(expected) != _exit_code(printed):
        return False
    pattern = re.escape(_ordered(expected).strip("\n")).replace(re.escape("…\n"), r"(?:.*\n)*?")
    pattern = re.sub(r"\\\n…$", r"(?:\n.*)*", pattern)
    return pattern == "…" or re.fullmatch(pattern, _ordered(printed).strip("\n")) is not None


def _exit_code(output: str) -> list[str]:
    return re.findall(r"^\(exit code \d+\)$", output, re.MULTILINE)


def _ordered(text: str) -> str:
    """Return the text with operations that ran side by side in one order, and what varies as it is shown."""
    for varying, shown in _VARYING:
        text = re.sub(varying, shown, text)
    runs = groupby(text.splitlines(keepends=True), key=lambda line: line.startswith("applied "))
    return "".join(line for applied, lines in runs for line in (sorted(lines) if applied else lines))


def _patch(path: Path, change: str, port: int) -> None:
    lines = change.replace(SHOWN_PORT, str(port)).splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{path.name} has this {text.count(before)} times:\n{before}"
    path.write_text(text.replace(before, "".join(line[1:] for line in lines if line[0] in " +")), encoding="utf-8")
