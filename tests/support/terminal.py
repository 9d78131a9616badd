"""Runs the command as a program of its own: in a pseudo-terminal, or where a signal shall hit it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

from tests.support.runner import clean_environment

REPOSITORY = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "from reconciler.cli.main import main; main()"]
PATIENCE = 30.0


def program_environment(home: Path, **variables: str) -> dict[str, str]:
    return clean_environment(home, PYTHONPATH=str(REPOSITORY), PYTHONUNBUFFERED="1", **variables)


def run_script(
    script: str, *arguments: str, folder: Path = REPOSITORY, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a few lines of Python in a process of their own, to their end."""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=folder,
        env=program_environment(folder, **variables),
        capture_output=True,
        text=True,
        check=True,
    )


class Terminal:
    """A program in a pseudo-terminal that is read from and typed into."""

    def __init__(self, *arguments: str, folder: Path, environment: dict[str, str]) -> None:
        self._leader, follower = pty.openpty()
        self._process = subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=folder,
            env=environment,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
        )
        os.close(follower)
        self.screen = ""

    def type(self, text: str) -> None:
        os.write(self._leader, text.encode())

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait_for(self, text: str) -> None:
        """Read until a text is on the screen."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.screen:
            assert time.monotonic() < deadline, self.screen
            if not self._read(0.2) and self._process.poll() is not None:
                assert text in self.screen, self.screen

    def end(self) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read(0.2) or self._process.poll() is None:
            assert time.monotonic() < deadline, self.screen
        code = self._process.wait(PATIENCE)
        os.close(self._leader)
        return code

    def _read(self, seconds: float) -> bool:
        if not select.select([self._leader], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._leader, 65536)
        except OSError:
            return False
        self.screen += data.decode("utf-8", "replace")
        return bool(data)
