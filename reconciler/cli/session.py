"""Opens a connection: to a server over the network, or to the embedded sandbox in this process."""

from __future__ import annotations

import os
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from reconciler.clearml.clients import TransportOptions
from reconciler.clearml.settings import ConnectionSettings, find_settings
from reconciler.clearml.transport import ReadTransport, Transport
from reconciler.errors import UsageError
from reconciler.frozen import Frozen
from reconciler.model.secret import Secret
from reconciler.model.text import harmless
from reconciler.plan.fingerprints import DigestKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import httpx

    from reconciler.clearml.clients import CallEvent
    from reconciler.cli.console import Console
    from reconciler.cli.options import Connection

SANDBOX = "sandbox:"
SERVED_SANDBOX = "http://127.0.0.1:8008"
_SANDBOX_URL = "http://sandbox.localhost"

AnyTransport = TypeVar("AnyTransport", bound=ReadTransport)


class Target(Frozen):
    """A server that was settled on: how to reach it, what to call it, and the key for digests of documents."""

    settings: ConnectionSettings
    name: str
    key: DigestKey
    database: Path | None = None

    @property
    def client_server(self) -> str:
        """The address for clients; that of ``sandbox serve``, by default, for a sandbox in this process."""
        return self.name if self.database is None else SERVED_SANDBOX


def find_target(connection: Connection, declared_server: str | None) -> Target:
    """Settle which server to talk to and with which credentials.

    Raises :class:`UsageError` and :class:`reconciler.errors.SignInError`.
    """
    chosen = connection.server or declared_server or ""
    if chosen.startswith(SANDBOX):
        return _sandbox_target(chosen)
    settings = find_settings(
        server=connection.server,
        access_key=connection.access_key,
        secret_key=connection.secret_key.reveal() if connection.secret_key else None,
        declared_server=declared_server,
        environ=os.environ,
        home=Path.home(),
        allow_http=connection.allow_http,
    )
    secret = settings.secret_key or settings.token or Secret("")
    return Target(settings, settings.server, DigestKey.derive(settings.access_key or "token", secret))


def _sandbox_target(chosen: str) -> Target:
    path = chosen.removeprefix(SANDBOX)
    if not path:
        raise UsageError("sandbox: needs a file", hint="for example --server sandbox:workspace.db")
    settings = ConnectionSettings(_SANDBOX_URL, source="the embedded sandbox")
    return Target(settings, chosen, DigestKey.derive("sandbox", Secret(path)), Path(path))


@asynccontextmanager
async def open_reader(target: Target, connection: Connection, console: Console) -> AsyncIterator[ReadTransport]:
    """Open a connection that cannot write."""
    async with _opened(ReadTransport, target, connection, console) as transport:
        yield transport


@asynccontextmanager
async def open_writer(target: Target, connection: Connection, console: Console) -> AsyncIterator[Transport]:
    """Open a connection that can write; only ``apply`` asks for one."""
    async with _opened(Transport, target, connection, console) as transport:
        yield transport


@asynccontextmanager
async def _opened(
    sort: type[AnyTransport], target: Target, connection: Connection, console: Console
) -> AsyncIterator[AnyTransport]:
    console.secrets.add(target.settings.secret_key, target.settings.token)
    options = TransportOptions(concurrency=connection.concurrency, read=connection.timeout)

    def observe(event: CallEvent) -> None:
        status = "no answer" if event.status is None else event.status
        console.note(f"{event.endpoint}: {status}, {event.seconds * 1000:.0f} ms")

    observer = observe if console.debug else None
    timing = console.edges.timing
    if target.database is None:
        async with sort(target.settings, options=options, timing=timing, observer=observer) as transport:
            yield transport
        return
    with _sandbox(target.database, console) as (app, token):
        console.secrets.add(token)
        wire = console.edges.wire(app)
        settings = ConnectionSettings(target.settings.server, source=target.settings.source, token=token)
        async with sort(settings, transport=wire, options=options, timing=timing, observer=observer) as transport:
            yield transport


@contextmanager
def _sandbox(database: Path, console: Console) -> Iterator[tuple[httpx.AsyncBaseTransport, Secret]]:
    import httpx

    from reconciler.sandbox.app import create_app
    from reconciler.sandbox.errors import SandboxError
    from reconciler.sandbox.store import Store

    with ExitStack() as opened:
        try:
            store = opened.enter_context(Store.open(database))
            session = Secret(store.session_for_admin())
        except SandboxError as error:
            raise UsageError(harmless(str(error))) from error
        if store.bootstrap is not None:
            console.note(f"{harmless(str(database))} was not there: made a new sandbox, with one administrator.")
        yield httpx.ASGITransport(create_app(store)), session
