"""A polite stop: the first signal lets the operations under way finish and starts no more."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.cli.console import Console

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What asks for an end: Ctrl-C, a CI that cancels, a terminal that hung up (which Windows does not know)."""


@contextmanager
def answering() -> Iterator[None]:
    """Let Ctrl-C end a question at once: asyncio only asks its main task to stop, which waits for the answer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def confirmed(question: str) -> bool:
    """Ask in the terminal; nothing but a yes is one."""
    with answering():
        return click.confirm(question, default=False, err=True)


@contextmanager
def stopping_on_signals(console: Console) -> Iterator[asyncio.Event]:
    """Set the yielded event on SIGINT, SIGTERM or SIGHUP while the block lasts. Call it within a running event loop."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def hear() -> None:
        if not stop.is_set():
            console.note("Stopping: operations in progress are finished, nothing new is started.")
        stop.set()

    with contextlib.ExitStack() as stack:
        for number in _SIGNALS:
            # Only the main thread may handle signals; anywhere else there is nobody to send them.
            with contextlib.suppress(ValueError, NotImplementedError, RuntimeError):
                loop.add_signal_handler(number, hear)
                stack.callback(loop.remove_signal_handler, number)
        yield stop
