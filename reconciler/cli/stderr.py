"""The streams that a process is given: closed ones, and stderr, whose loss stops no work."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Callable


class _Stderr:
    """Writes to whatever ``sys.stderr`` is; once that fails (a closed pipe, a full disk), nowhere.

    What it writes is progress and advice. An apply that stopped because nobody reads would leave its work half done
    and unrecorded.
    """

    def write(self, text: str) -> int:
        self._unless_lost(lambda: sys.stderr.write(text))
        return len(text)

    def flush(self) -> None:
        self._unless_lost(sys.stderr.flush)

    def __getattr__(self, name: str) -> object:
        return getattr(sys.stderr, name)

    @staticmethod
    def _unless_lost(do: Callable[[], object]) -> None:
        try:
            do()
        except OSError:
            drop(sys.stderr)


STDERR = cast("TextIO", _Stderr())
"""Where diagnostics go."""


def open_closed_streams() -> None:
    """Let the streams that this process was started without, as with ``>&-``, lead nowhere.

    Otherwise the next file that is opened, a record perhaps, would take the number of such a stream, and all that is
    printed to it. Python gives such a process no stream at all.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115


def drop(stream: TextIO) -> None:
    """Send what is still to be written to a stream nowhere, so that Python does not fail once more as it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
