"""The HTTP clients below the transport, and what one request can fail with before there is an answer."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from reconciler import __version__
from reconciler.clearml.answers import Reply
from reconciler.clearml.failures import Failure, shown
from reconciler.clearml.retrying import RetryPolicy
from reconciler.clearml.settings import is_loopback
from reconciler.errors import UnexpectedAnswerError, UnreachableError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


_HEADERS = {
    "User-Agent": f"clearml-reconciler/{__version__}",
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
}


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
    """One HTTP connection, which sends one request at a time.

    It is httpx's transport without httpx's client: there is one server, no redirect is followed and no cookie kept, and
    the client takes a fifth of a call's time for them.
    """

    def __init__(self, wire: httpx.AsyncBaseTransport, server: str, options: TransportOptions) -> None:
        self._wire = wire
        self._server = server
        self._options = options
        self._extensions = {"timeout": httpx.Timeout(options.read, connect=options.connect).as_dict()}
        self._urls: dict[str, httpx.URL] = {}

    async def post(self, endpoint: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        """Send one request and return the whole answer; raise :class:`Failure` if none came."""
        try:
            async with asyncio.timeout(self._options.whole):
                response = await self._wire.handle_async_request(self._request(endpoint, content, headers))
                try:
                    return Reply(response.status_code, response.headers, await self._body(endpoint, response))
                finally:
                    await response.aclose()
        except TimeoutError:
            raise self._lost(endpoint, f"no whole answer within {self._options.whole:g} seconds") from None
        except _NOTHING_SENT as error:
            raise self._not_sent(error) from None
        except httpx.TimeoutException:
            raise self._lost(endpoint, f"no answer within {self._options.read:g} seconds") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise self._lost(endpoint, f"the connection broke ({_words(error)})") from None

    def _request(self, endpoint: str, content: bytes, headers: Mapping[str, str]) -> httpx.Request:
        url = self._urls.get(endpoint)
        if url is None:
            url = self._urls[endpoint] = httpx.URL(f"{self._server}/{endpoint}")
        return httpx.Request("POST", url, headers={**_HEADERS, **headers}, content=content, extensions=self._extensions)

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
        if "[SSL" in words:
            return Failure(
                UnreachableError(
                    f"{self._server} cannot be reached with TLS: {words}",
                    hint="check the address, and whether what listens there speaks https:// at all",
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
        self._open: list[httpx.AsyncBaseTransport] = []
        self._trust: ssl.SSLContext | None = None
        self._shared = None if transport is None else Client(transport, server, options)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Client]:
        """Borrow a client; waits while as many requests as allowed are under way."""
        async with self._free:
            if self._shared is not None:
                yield self._shared
                return
            client = self._idle.pop() if self._idle else self._new()
            try:
                yield client
            finally:
                self._idle.append(client)

    async def close(self) -> None:
        """Close every connection."""
        self._idle.clear()
        while self._open:
            await self._open.pop().aclose()

    def _new(self) -> Client:
        wire = httpx.AsyncHTTPTransport(
            verify=self._verification(),
            # Shorter than the five seconds after which uvicorn, like many, closes an idle connection.
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=4.0),
            trust_env=False,
            proxy=proxy_for(self._server),
        )
        self._open.append(wire)
        return Client(wire, self._server, self._options)

    def _verification(self) -> ssl.SSLContext:
        """Return one TLS context for all clients, since loading it is slow; for http:// one that trusts nobody."""
        if self._trust is None:
            secure = self._server.startswith("https:")
            self._trust = httpx.create_ssl_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return self._trust


def proxy_for(server: str) -> str | None:
    """Return the proxy that the environment names for this server (``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``).

    Raises :class:`UsageError` for one of a sort that cannot be used.
    """
    address = urlsplit(server)
    host = address.hostname or ""
    proxies = getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    if not proxy or is_loopback(host) or proxy_bypass(address.netloc):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    scheme = proxy.partition("://")[0]
    if scheme not in {"http", "https"}:
        raise UsageError(
            f"the environment names a {shown(scheme, limit=20)}:// proxy for {server}, which cannot be used",
            hint="name an http:// or https:// proxy, or add the server to NO_PROXY",
        )
    return proxy


def _words(error: Exception) -> str:
    return shown(str(error) or type(error).__name__, limit=200)
