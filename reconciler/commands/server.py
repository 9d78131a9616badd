"""From what a caller says about a server to an open connection with it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from reconciler.clearml.retrying import Timing, TransportOptions
from reconciler.clearml.settings import ConnectionSettings, check_declared_sandbox, find_settings
from reconciler.clearml.transport import ReadTransport, Transport
from reconciler.commands.connection import Target
from reconciler.errors import UsageError
from reconciler.model.secret import Secret
from reconciler.plan.fingerprints import DigestKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from reconciler.commands.connection import Connection
    from reconciler.commands.session import Session

SANDBOX = "sandbox:"
KEY_VARIABLE = "RECONCILER_KEY"
SHORTEST_KEY = 32
"""The shortest ``RECONCILER_KEY`` (bytes)."""
_SANDBOX_URL = "http://sandbox.localhost"

AnyTransport = TypeVar("AnyTransport", bound=ReadTransport)


def find_target(session: Session, connection: Connection, declared_server: str | None) -> Target:
    """Settle which server to talk to and with which credentials.

    Raises :class:`UsageError` and :class:`reconciler.errors.SignInError`.
    """
    chosen = connection.server or declared_server or ""
    if chosen.startswith(SANDBOX):
        if not connection.server:
            check_declared_sandbox(chosen, session.environment)
        return _sandbox_target(session, chosen)
    settings = find_settings(
        server=connection.server,
        access_key=connection.access_key,
        secret_key=connection.secret_key.reveal() if connection.secret_key else None,
        declared_server=declared_server,
        environ=session.environment,
        home=session.home,
        allow_http=connection.allow_http,
    )
    return Target(settings, settings.server, _key(session, settings.secret_key))


def _sandbox_target(session: Session, chosen: str) -> Target:
    path = chosen.removeprefix(SANDBOX)
    if not path:
        raise UsageError("sandbox: needs a file", hint="for example --server sandbox:workspace.db")
    settings = ConnectionSettings(_SANDBOX_URL, source="the embedded sandbox")
    return Target(settings, chosen, _key(session, Secret(chosen)), session.folder / path)


def _key(session: Session, api_secret: Secret | None) -> DigestKey:
    """Return the key of this run: ``RECONCILER_KEY``, else one derived from the API secret.

    A run that signs in by a token has neither: its key is random, so that nothing it seals is believed by another run.
    Raises :class:`UsageError` for a key that is too short.
    """
    own = Secret(session.environment.get(KEY_VARIABLE, ""))
    session.secrets.add(own)
    if own:
        if len(own.reveal().encode("utf-8", "surrogatepass")) < SHORTEST_KEY:
            raise UsageError(
                f"{KEY_VARIABLE} is too short: at least {SHORTEST_KEY} bytes are needed",
                hint="make one, for example with: openssl rand -base64 48",
            )
        return DigestKey.derive(own)
    return DigestKey.derive(api_secret or Secret(session.world.chance.token(SHORTEST_KEY)))


@asynccontextmanager
async def open_reader(session: Session, target: Target, connection: Connection) -> AsyncIterator[ReadTransport]:
    """Open a connection that cannot write."""
    async with _opened(ReadTransport, session, target, connection) as transport:
        yield transport


@asynccontextmanager
async def open_writer(session: Session, target: Target, connection: Connection) -> AsyncIterator[Transport]:
    """Open a connection that can write; only ``apply`` asks for one.

    A sandbox that the caller names is created if it is missing; one that only the declaration names is not.
    """
    creating = replace(target, creates=bool(connection.server))
    async with _opened(Transport, session, creating, connection) as transport:
        yield transport


@asynccontextmanager
async def _opened(
    sort: type[AnyTransport], session: Session, target: Target, connection: Connection
) -> AsyncIterator[AnyTransport]:
    session.secrets.add(target.settings.secret_key, target.settings.token)
    clock, chance = session.world.clock, session.world.chance
    timing = Timing(
        sleep=clock.sleep, random=chance.fraction, clock=clock.monotonic, now=lambda: clock.now().timestamp()
    )
    options = TransportOptions(concurrency=connection.concurrency, read=connection.timeout)
    with session.wire.line_to(target) as line:
        session.secrets.add(line.settings.token)
        if line.note is not None:
            session.reporter.note(line.note)
        async with sort(
            line.settings,
            transport=line.transport,
            options=options,
            timing=timing,
            observer=session.reporter.call,
        ) as transport:
            yield transport
