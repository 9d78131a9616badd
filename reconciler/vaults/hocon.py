"""Runs pyhocon where it can do no harm: in a child process that is limited, watched and replaced.

pyhocon carries out includes while it parses, fills substitutions from the environment and takes quadratic or worse
time over some documents; nothing in the language can stop it from inside. See :mod:`reconciler.vaults.hocon_child`.
"""

from __future__ import annotations

import json
import signal
import struct
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.errors import ReconcilerError
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.tree import Expression, List, Object, Scalar, Substitution, Tree

if TYPE_CHECKING:
    import subprocess

_CHILD = Path(__file__).with_name("hocon_child.py")
_START_SECONDS = 30.0
_WALL_SECONDS = 10.0
"""The child's processor time is limited to far less; this is for a child that sleeps, or a machine that does."""

_SLOW = "the document takes too long to parse as HOCON"


class _ChildGone(Exception):  # noqa: N818 - control flow, never seen outside
    """The child ended, or had to be ended, in the middle of a document."""


class HoconProcess:
    """One child; started at the first document, replaced whenever it dies or overruns its time. Not thread-safe."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def parse(self, text: str) -> Tree:
        """Parse one document; raises :class:`DocumentError` for whatever is wrong with it, time and memory included."""
        body = text.encode("utf-8")
        child = self._child or self._start()
        try:
            answer = json.loads(self._ask(child, struct.pack(">I", len(body)) + body))
        except _ChildGone:
            status = self._stop()
            if status in {-signal.SIGPROF, -signal.SIGKILL, -signal.SIGXCPU}:
                raise DocumentError(_SLOW, hint="split the vault, or write it as JSON") from None
            raise DocumentError("the document ended the HOCON parser") from None
        except BaseException as error:
            # The answer to this document may still come: the next one must not be taken for it.
            self._stop()
            if not isinstance(error, RecursionError):
                raise
            raise DocumentError("the document is nested too deeply; clients fail beyond about 30 levels") from None
        if answer[0] == "ok":
            return _decode(answer[1])
        raise DocumentError(answer[1], answer[2], answer[3])

    def close(self) -> None:
        """End the child, if there is one."""
        self._stop()

    def _start(self) -> subprocess.Popen[bytes]:
        import subprocess
        import tempfile

        # The folder is gone as soon as the child is in it: nothing can be found or left there.
        with tempfile.TemporaryDirectory() as folder:
            child = subprocess.Popen(  # noqa: S603 - our own file, no shell, nothing from outside
                [sys.executable, "-I", "-B", str(_CHILD)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                cwd=folder,
                start_new_session=True,
            )
        self._child = child
        try:
            self._read(child, 5, time.monotonic() + _START_SECONDS)
        except _ChildGone:
            self._stop()
            raise ReconcilerError("the HOCON parser could not be started; is pyhocon installed?") from None
        return child

    def _ask(self, child: subprocess.Popen[bytes], question: bytes) -> bytes:
        assert child.stdin is not None  # noqa: S101 - opened as a pipe above
        try:
            child.stdin.write(question)
            child.stdin.flush()
        except OSError:
            raise _ChildGone from None
        deadline = time.monotonic() + _WALL_SECONDS
        return self._read(child, struct.unpack(">I", self._read(child, 4, deadline))[0], deadline)

    def _read(self, child: subprocess.Popen[bytes], count: int, deadline: float) -> bytes:
        import os
        import select

        assert child.stdout is not None  # noqa: S101 - opened as a pipe above
        descriptor = child.stdout.fileno()
        chunks = []
        while count:
            ready = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]
            chunk = os.read(descriptor, min(count, 1 << 16)) if ready else b""
            if not chunk:
                raise _ChildGone
            chunks.append(chunk)
            count -= len(chunk)
        return b"".join(chunks)

    def _stop(self) -> int | None:
        """End the child and return its status: what it died of by itself, if it did."""
        child, self._child = self._child, None
        if child is None:
            return None
        import contextlib
        import subprocess

        with contextlib.suppress(OSError):
            if child.stdin is not None:
                child.stdin.close()
        try:
            return child.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()
        finally:
            if child.stdout is not None:
                child.stdout.close()


def _decode(value: Any) -> Tree:
    if not isinstance(value, list):
        return Scalar(value)
    if value[0] == "o":
        return Object({key: _decode(item) for key, item in value[1]})
    if value[0] == "l":
        return List(tuple(_decode(item) for item in value[1]))
    parts = tuple(
        Substitution(*part[1:]) if isinstance(part, list) and part[0] == "s" else _decode(part) for part in value[1]
    )
    return Expression(parts, None if value[2] is None else _decode(value[2][1]))
