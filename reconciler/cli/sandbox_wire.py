"""The embedded sandbox as commands reach it: opened from its file, in this process."""

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
    from pathlib import Path

    from reconciler.commands.connection import Target
    from reconciler.sandbox.store import Store


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

        shown = harmless(str(target.database))
        if not target.creates and not (target.database.is_file() and target.database.stat().st_size):
            raise UsageError(
                f"there is no sandbox {shown}",
                hint="reconciler sandbox serve --db FILE makes one, and so does apply --server sandbox:FILE",
            )
        with open_store(target.database) as store:
            with as_usage_errors():
                token = Secret(store.session_for_admin())
            new = f"{shown} did not exist: created a new sandbox with one admin."
            settings = replace(target.settings, token=token)
            transport = httpx.ASGITransport(create_app(store))
            yield Line(settings, transport, None if store.bootstrap is None else new)


@contextmanager
def as_usage_errors() -> Iterator[None]:
    """Raise what the sandbox refuses within the block as a :class:`UsageError`."""
    from reconciler.sandbox.errors import SandboxError

    try:
        yield
    except SandboxError as error:
        raise UsageError("\n".join(map(harmless, str(error).splitlines()))) from error


@contextmanager
def open_store(
    database: Path,
    *,
    admin_email: str = "root@acme.io",
    admin_key: str | None = None,
    admin_secret: str | None = None,
) -> Iterator[Store]:
    """Open a sandbox's file while the block lasts; raises :class:`UsageError` if that cannot be done."""
    from reconciler.sandbox.store import Store

    with as_usage_errors():
        store = Store.open(database, admin_email=admin_email, admin_key=admin_key, admin_secret=admin_secret)
    with store:
        yield store
