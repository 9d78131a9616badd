"""What connections run over: the network, unless somebody hands in something else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from reconciler.errors import UsageError
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import httpx

    from reconciler.clearml.settings import ConnectionSettings
    from reconciler.commands.connection import Target


class Line(Frozen):
    """What a connection runs over: what to sign in with, and a transport (``None``: the network).

    ``note`` is what whoever connects should know of it.
    """

    settings: ConnectionSettings
    transport: httpx.AsyncBaseTransport | None = None
    note: str | None = None


class Wire(Protocol):
    """What connections to servers run over."""

    def line_to(self, target: Target) -> AbstractContextManager[Line]:
        """Open a line; raises :class:`UsageError` where there can be none."""

    def webhook_transport(self) -> httpx.AsyncBaseTransport | None:
        """Return what messages to webhooks are sent over (``None``: the network)."""


class Network:
    """Runs connections over the network; it knows no embedded sandbox."""

    @contextmanager
    def line_to(self, target: Target) -> Iterator[Line]:
        """Return the line to a server."""
        if target.database is not None:
            raise UsageError(f"{target.name}: the embedded sandbox is not available here")
        yield Line(target.settings)

    def webhook_transport(self) -> None:
        """Send messages over the network."""
