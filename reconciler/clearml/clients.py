"""The HTTP clients below the transport: which sort is used, and no more of them than requests may be under way."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from msgspec import field

from reconciler import __version__
from reconciler.clearml.direct import DirectClient
from reconciler.clearml.proxies import proxy_for
from reconciler.clearml.retrying import RetryPolicy
from reconciler.clearml.trust import trusted
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    import httpx

    from reconciler.clearml.answers import Reply

_HEADERS = {
    "User-Agent": f"clearml-reconciler/{__version__}",
    "Content-Type": "application/json",
    "Accept": "application/json",
}


class TransportOptions(Frozen):
    """How patient and how busy a connection is. Times in seconds, sizes in bytes.

    ``connect`` bounds the making of a connection, ``read`` a single wait, ``whole`` a request from start to end.
    """

    concurrency: int = 16
    connect: float = 10.0
    read: float = 30.0
    whole: float = 120.0
    largest_answer: int = 64 * 1024 * 1024
    retry: RetryPolicy = field(default_factory=RetryPolicy)


class CallEvent(Frozen):
    """One request, for debug output: no headers, no bodies. ``status`` is ``None`` if no answer came."""

    endpoint: str
    status: int | None
    seconds: float


class Client(Protocol):
    """What sends one request at a time."""

    async def post(self, endpoint: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        """Send one request and return the whole answer; raise :class:`Failure` if none came."""

    async def close(self) -> None:
        """Close what is open."""


class Clients:
    """As many clients of one connection each as requests are under way, at most ``concurrency`` of them."""

    def __init__(self, concurrency: int, make: Callable[[], Client]) -> None:
        self._make = make
        self._free = asyncio.Semaphore(concurrency)
        self._idle: list[Client] = []
        self._made: list[Client] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Client]:
        """Borrow a client; waits while as many requests as allowed are under way."""
        async with self._free:
            client = self._idle.pop() if self._idle else self._new()
            try:
                yield client
            finally:
                self._idle.append(client)

    async def close(self) -> None:
        """Close every connection."""
        self._idle.clear()
        while self._made:
            await self._made.pop().close()

    def _new(self) -> Client:
        client = self._make()
        self._made.append(client)
        return client


def client_maker(
    server: str, options: TransportOptions, transport: httpx.AsyncBaseTransport | None
) -> Callable[[], Client]:
    """Return what makes a client: for ``transport`` if there is one, else for the network, by way of a proxy or not.

    Raises :class:`UsageError` where the environment names a proxy or certificates that cannot be used.
    """
    if transport is not None:
        from reconciler.clearml.through_httpx import HttpxClient

        shared = HttpxClient(transport, server, options, _HEADERS)
        return lambda: shared
    proxy = proxy_for(server)
    if proxy is not None:
        from reconciler.clearml.through_httpx import HttpxClient, proxied

        authorities = trusted()
        return lambda: HttpxClient(proxied(proxy, authorities), server, options, _HEADERS)
    trust = trusted() if server.startswith("https:") else None
    return lambda: DirectClient(server, options, _HEADERS, trust)
