"""Connections over the network, and to the embedded sandbox in this process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.commands.wire import Line, Network
from reconciler.errors import UsageError
from reconciler.model.secret import Secret
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.commands.server import Target


class SandboxWire(Network):
    """Runs a connection to ``sandbox:FILE`` in this process."""

    @contextmanager
    def line_to(self, target: Target) -> Iterator[Line]:
        """Open the sandbox's file, or go over the network."""
        if target.database is None:
            with super().line_to(target) as line:
                yield line
            return
        import httpx

        from reconciler.sandbox.app import create_app
        from reconciler.sandbox.errors import SandboxError
        from reconciler.sandbox.store import Store

        try:
            store = Store.open(target.database)
        except SandboxError as error:
            raise UsageError(harmless(str(error))) from error
        with store:
            try:
                token = Secret(store.session_for_admin())
            except SandboxError as error:
                raise UsageError(harmless(str(error))) from error
            name = harmless(str(target.database))
            new = f"{name} was not there: made a new sandbox, with one administrator."
            settings = replace(target.settings, token=token)
            transport = httpx.ASGITransport(create_app(store))
            yield Line(settings, transport, None if store.bootstrap is None else new)
