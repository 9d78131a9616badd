"""Asks the clients' parser what a text says and what a client gets from it, where that can do no harm.

It runs in a child process that is limited, watched and replaced: it carries out includes while it parses, fills
substitutions from the environment, and takes minutes over some documents. See :mod:`reconciler.vaults.hocon_child`.
"""

from __future__ import annotations

import json
import re
import signal
import struct
import sys
import time
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.errors import ReconcilerError
from reconciler.frozen import Frozen
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.tree import (
    EMPTY,
    Expression,
    List,
    Object,
    PythonObject,
    Scalar,
    Substitution,
    Tree,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

_CHILD = Path(__file__).with_name("hocon_child.py")
_BASE_SECONDS = 2.0
_SECONDS_A_KILOBYTE = 0.12
"""Processor time for a step over a document: some four times what dense text takes on a slow machine."""

_START_SECONDS = 60.0
_WALL_FACTOR = 20
"""The child measures its own processor time; this is for one that was stopped, or a machine that sleeps."""

_FROM_ENVIRONMENT = re.compile("\ue000([^\ue000\ue001]*)\ue001")
_SLOW = "the document takes too long to parse as HOCON"


class Outcome(Enum):
    """What becomes of a text at a client: it is read, dropped with a warning, or keeps the client busy for minutes."""

    READ = auto()
    DROPPED = auto()
    ENDLESS = auto()


class Received(Frozen):
    """What a client has of a text: a ``tree`` to lay over its configuration if it was read, or a ``reason`` why not."""

    outcome: Outcome
    tree: Object = EMPTY
    reason: str = ""
    line: int | None = None
    column: int | None = None


class Reading(Frozen):
    """What clients make of a text: in an environment without anything, and in one that has all that it asks for.

    ``asked`` are the names that it asks the environment for; without any, both are the same. In the tree of ``full``
    what comes from the environment is an :class:`Expression`. ``included``: it includes something, which here is never
    there.
    """

    bare: Received
    full: Received
    asked: tuple[str, ...] = ()
    included: bool = False

    @property
    def usual(self) -> Received:
        """Without an environment, unless only clients that have all of it can read the text."""
        return self.bare if self.bare.outcome is Outcome.READ else self.full


class Answer(Frozen):
    """What a text says, with substitutions as its author wrote them, or why it is refused; and what clients get."""

    meaning: Tree | DocumentError
    reading: Reading


class _ChildGone(Exception):  # noqa: N818 - control flow, never seen outside
    """The child ended, or had to be ended, in the middle of a document."""


class HoconProcess:
    """One child; started at the first document, replaced whenever it dies or overruns its time. Not thread-safe."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._ready = False

    def read(self, text: str) -> Answer:
        """Ask about one text; never raises for what is wrong with it, time and memory included."""
        seconds = _seconds(text)
        try:
            said = self._ask({"read": text, "seconds": seconds})
        except _ChildGone:
            error = self._stopped()
            return Answer(error, _alike(Received(Outcome.ENDLESS, reason=error.message)))
        if "error" in said:
            error = DocumentError(*said["error"], dropped=True)
            return Answer(error, _alike(Received(Outcome.DROPPED, EMPTY, *said["error"])))
        try:
            meaning = DocumentError(*said["refused"]) if said["refused"] else _decode(said["meaning"])
            reading = self._reading(seconds)
        except RecursionError:
            self._stop()
            meaning = DocumentError("the document is nested too deeply; clients fail beyond about 30 levels")
            reading = _alike(Received(Outcome.DROPPED, reason=meaning.message))
        return Answer(meaning, reading)

    def _reading(self, seconds: float) -> Reading:
        """Take the child's answers about what clients get; one that does not come says that they never finish."""
        try:
            without = self._answer(seconds)
        except _ChildGone:
            return _alike(Received(Outcome.ENDLESS, reason=self._stopped().message))
        bare = _received(without["received"])
        if not without["asked"]:
            return Reading(bare, bare, (), without["included"])
        try:
            answer = self._answer(seconds)
            full = _received(answer["received"])
        except _ChildGone:
            answer, full = without, Received(Outcome.ENDLESS, reason=self._stopped().message)
        return Reading(bare, full, tuple(answer["asked"]), answer["included"])

    def merge(self, texts: Sequence[str], orders: Sequence[Sequence[int]]) -> list[Object]:
        """Lay texts that clients read over one another, the first lowest, once for each order of them."""
        if not texts:
            return [EMPTY for _ in orders]
        seconds = sum(map(_seconds, texts)) + _BASE_SECONDS * len(orders)
        try:
            answer = self._ask({"merge": list(texts), "orders": [list(order) for order in orders], "seconds": seconds})
        except _ChildGone:
            raise self._stopped() from None
        return [tree if isinstance(tree := _decode(item), Object) else EMPTY for item in answer]

    def start(self) -> None:
        """Start the child, without waiting until it is ready."""
        if self._child is None:
            self._child = _spawn()
            self._ready = False

    def close(self) -> None:
        """End the child, if there is one."""
        if self._child is not None:
            self._child.kill()
        self._stop()

    def _ask(self, question: dict[str, Any]) -> Any:
        """Return the first answer to a question."""
        self.start()
        child = self._child
        assert child is not None  # noqa: S101 - started above
        assert child.stdin is not None  # noqa: S101 - opened as a pipe
        if not self._ready:
            try:
                self._read(5, time.monotonic() + _START_SECONDS)
            except _ChildGone:
                self._stop()
                raise ReconcilerError("the HOCON parser could not be started; is pyhocon 0.3.54 installed?") from None
            self._ready = True
        body = json.dumps(question).encode("ascii")
        try:
            child.stdin.write(struct.pack(">I", len(body)) + body)
            child.stdin.flush()
        except OSError:
            raise _ChildGone from None
        return self._answer(question["seconds"])

    def _answer(self, seconds: float) -> Any:
        try:
            deadline = time.monotonic() + _START_SECONDS + _WALL_FACTOR * seconds
            return json.loads(self._read(struct.unpack(">I", self._read(4, deadline))[0], deadline))
        except (_ChildGone, RecursionError):
            raise
        except BaseException:
            # The answer may still come: the next question must not take it for its own.
            self._stop()
            raise

    def _read(self, count: int, deadline: float) -> bytes:
        import os
        import select

        if self._child is None or self._child.stdout is None:
            raise _ChildGone
        descriptor = self._child.stdout.fileno()
        chunks = []
        while count:
            ready = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]
            chunk = os.read(descriptor, min(count, 1 << 16)) if ready else b""
            if not chunk:
                raise _ChildGone
            chunks.append(chunk)
            count -= len(chunk)
        return b"".join(chunks)

    def _stopped(self) -> DocumentError:
        """End the child and return what it died of by itself."""
        if self._stop() in {-signal.SIGPROF, -signal.SIGKILL, -signal.SIGXCPU}:
            return DocumentError(_SLOW, hint="split the vault, or write it as JSON")
        return DocumentError("the document ended the HOCON parser")

    def _stop(self) -> int | None:
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


def _spawn() -> subprocess.Popen[bytes]:
    import subprocess
    import tempfile

    # The folder is gone as soon as the child is in it: nothing can be found or left there.
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.Popen(  # noqa: S603 - our own file, no shell, nothing from outside
            # pyhocon 0.3.54 uses names that today's pyparsing warns of.
            [sys.executable, "-I", "-B", "-W", "ignore", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd=folder,
            start_new_session=True,
        )


def _seconds(text: str) -> float:
    return _BASE_SECONDS + _SECONDS_A_KILOBYTE * len(text) / 1000


def _alike(received: Received) -> Reading:
    return Reading(received, received)


def _received(outcome: list[Any]) -> Received:
    kind, *rest = outcome
    if kind == "endless":
        return Received(Outcome.ENDLESS, reason=rest[0])
    if kind == "dropped":
        return Received(Outcome.DROPPED, EMPTY, *rest)
    tree = _decode(rest[0])
    if not isinstance(tree, Object):
        return Received(Outcome.DROPPED, reason="it is not an object at its top")
    return Received(Outcome.READ, tree)


def _decode(value: Any) -> Tree:
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, list):
        return Scalar(value)
    if value[0] == "o":
        return Object({key: _decode(item) for key, item in value[1]})
    if value[0] == "l":
        return List(tuple([_decode(item) for item in value[1]]))
    if value[0] == "p":
        return PythonObject(value[1])
    parts = tuple(
        Substitution(*part[1:]) if isinstance(part, list) and part[0] == "s" else _decode(part) for part in value[1]
    )
    return Expression(parts, None if value[2] is None else _decode(value[2][1]))


def _text(text: str) -> Tree:
    """Return a text, as an expression if some of it comes from a client's environment."""
    pieces = _FROM_ENVIRONMENT.split(text)
    if len(pieces) == 1:
        return Scalar(text)
    parts: list[Substitution | Tree] = []
    for index, piece in enumerate(pieces):
        if index % 2:
            parts.append(Substitution(piece))
        elif piece:
            parts.append(Scalar(piece))
    return Expression(tuple(parts))
