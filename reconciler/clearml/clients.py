"""The HTTP clients below the transport, and what one request can fail with before there is an answer."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from reconciler import __version__
from reconciler.clearml.answers import Reply
from reconciler.clearml.failures import Failure, shown
from reconciler.clearml.retrying import RetryPolicy
from reconciler.clearml.settings import is_loopback
from reconciler.errors import UnexpectedAnswerError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How patient and how busy a connection is. Times in seconds, sizes in bytes.

    ``connect`` and ``read`` bound single waits, ``whole`` one request from start to end.
    """

    concurrency: int = 16
    connect: float = 10.0
    read: float = 30.0
    whole: float = 120.0
    largest_answer: int = 64 * 1024 * 1024
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One request, for debug output: no headers, no bodies. ``status`` is ``None`` if no answer came."""

    endpoint: str
    status: int | None
    seconds: float


class Client:
    """One HTTP client with one connection, which sends one request at a time."""

    def __init__(self, http: httpx.AsyncClient, server: str, options: TransportOptions) -> None:
        self._http = http
        self._server = server
        self._options = options

    async def post(self, endpoint: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        """Send one request and return the whole answer; raise :class:`Failure` if none came."""
        try:
            async with asyncio.timeout(self._options.whole):
                async with self._http.stream(
                    "POST", f"{self._server}/{endpoint}", content=content, headers=dict(headers)
                ) as response:
                    body = await self._body(endpoint, response)
                    return Reply(response.status_code, response.headers, body)
        except TimeoutError:
            raise self._lost(endpoint, f"no whole answer within {self._options.whole:g} seconds") from None
        except _NOTHING_SENT as error:
            raise self._not_sent(error) from None
        except httpx.TimeoutException:
            raise self._lost(endpoint, f"no answer within {self._options.read:g} seconds") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise self._lost(endpoint, f"the connection broke ({_words(error)})") from None

    async def _body(self, endpoint: str, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._options.largest_answer:
                limit = self._options.largest_answer / (1024 * 1024)
                error = UnexpectedAnswerError(f"{endpoint}: the answer of {self._server} is larger than {limit:g} MiB")
                raise Failure(error, maybe_done=True)
        return bytes(body)

    def _lost(self, endpoint: str, what: str) -> Failure:
        return Failure(UnreachableError(f"{endpoint}: {self._server}: {what}"), maybe_done=True, repeat=True)

    def _not_sent(self, error: Exception) -> Failure:
        words = _words(error)
        if "CERTIFICATE_VERIFY_FAILED" in words:
            return Failure(
                UnreachableError(
                    f"the certificate of {self._server} is not trusted: {words}",
                    hint="for a private certificate authority, set SSL_CERT_FILE to its certificate",
                )
            )
        return Failure(
            UnreachableError(f"{self._server} cannot be reached: {words}", hint="check the address and the network"),
            repeat=True,
        )


class Clients:
    """A few narrow clients, made when needed: one wide pool of httpx gets slower the wider it is."""

    def __init__(self, server: str, options: TransportOptions, transport: httpx.AsyncBaseTransport | None) -> None:
        self._server = server
        self._options = options
        self._free = asyncio.Semaphore(options.concurrency)
        self._idle: list[Client] = []
        self._open: list[httpx.AsyncClient] = []
        self._trust: ssl.SSLContext | None = None
        self._shared = None if transport is None else self._new(transport)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Client]:
        """Borrow a client; waits while as many requests as allowed are under way."""
        async with self._free:
            if self._shared is not None:
                yield self._shared
                return
            client = self._idle.pop() if self._idle else self._new(None)
            try:
                yield client
            finally:
                self._idle.append(client)

    async def close(self) -> None:
        """Close every connection."""
        self._idle.clear()
        while self._open:
            await self._open.pop().aclose()

    def _new(self, transport: httpx.AsyncBaseTransport | None) -> Client:
        options = self._options
        http = httpx.AsyncClient(
            transport=transport,
            verify=self._verification(),
            timeout=httpx.Timeout(options.read, connect=options.connect),
            # Shorter than the five seconds after which uvicorn, like many, closes an idle connection.
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=4.0),
            follow_redirects=False,
            headers={"User-Agent": f"clearml-reconciler/{__version__}", "Content-Type": "application/json"},
            trust_env=transport is None and not is_loopback(urlsplit(self._server).hostname or ""),
        )
        self._open.append(http)
        return Client(http, self._server, options)

    def _verification(self) -> ssl.SSLContext:
        """Return one TLS context for all clients, since loading it is slow; for http:// one that trusts nobody."""
        if self._trust is None:
            secure = self._server.startswith("https:")
            self._trust = httpx.create_ssl_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return self._trust


def _words(error: Exception) -> str:
    return shown(str(error) or type(error).__name__, limit=200)
