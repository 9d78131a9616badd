"""The calls over HTTP, all with httpx: one connection for each request that may be under way.

Each connection is a transport of httpx with a pool of one: a wide pool gets slower as it gets wider, and httpx's client
adds half to the time of a call for redirects, cookies and authentication, none of which this API has.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from enum import Enum, auto
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from reconciler import __version__
from reconciler.clearml.answers import Reply
from reconciler.clearml.failures import Failure, lost, no_handshake, not_sent, reason, shown, too_large
from reconciler.clearml.settings import is_loopback
from reconciler.errors import UsageError

# httpx does without both of these, but tries to import them: its own command line, with which come rich and Pygments (a
# third of the time to import it), and sniffio, at every lock (a third of the time of a call where it is not installed).
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

import httpx  # noqa: E402
from httpx._decoders import SUPPORTED_DECODERS  # noqa: E402 - what else says which of them are installed?
from httpx._utils import URLPattern, get_environment_proxies  # noqa: E402 - as httpx's client reads them

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from reconciler.clearml.retrying import TransportOptions

_LONGEST_IDLE = 4.0
"""Seconds after which a connection is not used again: uvicorn, like many, closes an idle one after five."""

_ONE_CONNECTION = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_LONGEST_IDLE)
_HEADERS = {
    "User-Agent": f"clearml-reconciler/{__version__}",
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": ", ".join(name for name in SUPPORTED_DECODERS if name != "identity"),
}
_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    UnicodeError,
)


class HttpCalls:
    """Sends requests to one server, at most ``options.concurrency`` of them at once.

    ``transport`` replaces the network. Raises :class:`UsageError` if the environment names a proxy or certificates that
    cannot be used.
    """

    def __init__(self, server: str, options: TransportOptions, transport: httpx.AsyncBaseTransport | None) -> None:
        self._server = server
        self._options = options
        self._timeouts = httpx.Timeout(options.read, connect=options.connect).as_dict()
        self._urls: dict[str, httpx.URL] = {}
        self._has_answered = False
        self._free = asyncio.Semaphore(options.concurrency)
        self._connections_are_ours = transport is None
        self._connect = connecting(server, server) if transport is None else lambda: transport
        self._idle = [self._connect()]
        self._all = list(self._idle)

    async def post(self, endpoint: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        """Send one request and return the whole answer; raise :class:`Failure` if none came.

        Waits while as many requests as allowed are under way.
        """
        async with self._free:
            if not self._idle:
                self._idle.append(self._connect())
                self._all.append(self._idle[-1])
            connection = self._idle.pop()
            try:
                return await self._post(connection, endpoint, content, headers)
            finally:
                self._idle.append(connection)

    async def close(self) -> None:
        """Close every connection."""
        while self._all:
            await self._all.pop().aclose()

    async def _post(
        self, connection: httpx.AsyncBaseTransport, endpoint: str, content: bytes, headers: Mapping[str, str]
    ) -> Reply:
        progress = _Progress()
        is_whole = False
        try:
            async with asyncio.timeout(self._options.whole):
                request = self._request(endpoint, content, headers, progress)
                response = await connection.handle_async_request(request)
                try:
                    reply = Reply(response.status_code, response.headers, await self._body(endpoint, response))
                finally:
                    await response.aclose()
            is_whole = True
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise self._failure(endpoint, error, progress) from None
        finally:
            if self._connections_are_ours and not (is_whole and _is_clean(connection)):
                await connection.aclose()
        self._has_answered = True
        return reply

    def _request(self, endpoint: str, content: bytes, headers: Mapping[str, str], progress: _Progress) -> httpx.Request:
        url = self._urls.get(endpoint)
        if url is None:
            url = self._urls[endpoint] = httpx.URL(f"{self._server}/{endpoint}")
        extensions = {"timeout": self._timeouts, "trace": progress.note}
        return httpx.Request("POST", url, headers={**_HEADERS, **headers}, content=content, extensions=extensions)

    async def _body(self, endpoint: str, response: httpx.Response) -> bytes:
        if "content-length" in response.headers and "transfer-encoding" in response.headers:
            raise lost(endpoint, self._server, "the connection broke (the answer has two lengths)")
        body = bytearray()
        async for part in _parts(response):
            body += part
            if len(body) > self._options.largest_answer:
                raise too_large(endpoint, self._server, self._options.largest_answer)
        return bytes(body)

    def _failure(self, endpoint: str, error: Exception, progress: _Progress) -> Failure:
        """Return what an error means: only a request whose sending began may have been carried out."""
        if isinstance(error, httpx.ConnectTimeout) and progress.step is _Step.TLS:
            return no_handshake(self._server, self._options.connect, repeat=self._has_answered)
        words = self._words(error)
        if progress.step is _Step.TUNNEL and not isinstance(error, httpx.ProxyError):
            return not_sent(self._server, f"the proxy did not open a tunnel: {words}")
        if progress.step in (_Step.TCP, _Step.TLS) or isinstance(error, _NOTHING_SENT):
            return not_sent(self._server, words)
        return lost(endpoint, self._server, words)

    def _words(self, error: Exception) -> str:
        options = self._options
        if isinstance(error, httpx.ConnectTimeout):
            return f"no connection within {options.connect:g} seconds"
        if isinstance(error, httpx.TimeoutException):
            return f"no answer within {options.read:g} seconds"
        if isinstance(error, TimeoutError):
            return f"no whole answer within {options.whole:g} seconds"
        if isinstance(error, httpx.ProxyError):
            return f"the proxy answers {reason(error)}"
        if isinstance(error, _NOTHING_SENT):
            return reason(error)
        if "_SWITCH_" in str(error):
            return "the server wants to speak another protocol"
        return f"the connection broke ({reason(error)})"


class _Step(Enum):
    """What a request is at: a connection is made in up to three steps before anything is sent to the server."""

    TCP = auto()
    TUNNEL = auto()
    TLS = auto()
    SENDING = auto()


class _Progress:
    """Follows one request by httpx's ``trace`` extension. ``step`` is ``None`` as long as httpx reports nothing."""

    def __init__(self) -> None:
        self.step: _Step | None = None

    async def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Note the step that begins with this event, if one does."""
        if event.endswith("connect_tcp.started"):
            self.step = _Step.TCP
        elif event.endswith("start_tls.started"):
            self.step = _Step.TLS
        elif event == "http11.send_request_headers.started":
            self.step = _Step.TUNNEL if info["request"].method == b"CONNECT" else _Step.SENDING


def _parts(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return the body in parts, unpacked; as it is if it was packed twice, when a few bytes may unpack to any size."""
    packed = [name.strip().lower() for name in response.headers.get_list("content-encoding", split_commas=True)]
    packed = [name for name in packed if name not in ("", "identity")]
    if packed == ["x-gzip"]:
        response.headers["content-encoding"] = "gzip"
    return response.aiter_bytes() if len(packed) <= 1 else response.aiter_raw()


def _is_clean(connection: httpx.AsyncBaseTransport) -> bool:
    """Return whether no more than the answer came; httpx would take the rest for the answer to the next request."""
    pool = getattr(connection, "_pool", None)
    for pooled in pool.connections if pool else ():
        inner = pooled
        while hasattr(inner, "_connection"):
            inner = inner._connection  # noqa: SLF001 - httpx does not say it otherwise
        h11 = getattr(inner, "_h11_state", None)
        if h11 is None or h11.trailing_data[0]:
            return False
    return pool is not None


def connecting(url: str, shown_as: str) -> Callable[[], httpx.AsyncBaseTransport]:
    """Return what makes a connection to a server, by way of the proxy that the environment names for it, if any.

    Raises :class:`UsageError` where the environment names a proxy or certificates that cannot be used. The message
    calls the server ``shown_as``, since an address may hold a token.
    """
    proxy = proxy_for(url)
    trust = _trusted() if url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def connect() -> httpx.AsyncBaseTransport:
        try:
            return httpx.AsyncHTTPTransport(verify=trust, limits=_ONE_CONNECTION, trust_env=False, proxy=proxy)
        except (ImportError, ValueError, httpx.InvalidURL):
            # Their texts may hold the proxy's password.
            scheme = shown(str(proxy).partition("://")[0], limit=20)
            raise UsageError(
                f"the environment names a {scheme}:// proxy for {shown_as}, which cannot be used",
                hint="name an http:// or https:// proxy, or add the server to NO_PROXY",
            ) from None

    return connect


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for a server, read as httpx reads it; none for this very machine.

    ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` count, in either case. Raises :class:`UsageError`.
    """
    address = httpx.URL(url)
    if is_loopback(address.host):
        return None
    try:
        named = {URLPattern(pattern): proxy for pattern, proxy in get_environment_proxies().items()}
    except (ValueError, httpx.InvalidURL):
        raise UsageError(
            "the environment names proxies in a form that cannot be read",
            hint="look at HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY",
        ) from None
    return next((named[pattern] for pattern in sorted(named) if pattern.matches(address)), None)


def _trusted() -> ssl.SSLContext:
    """Return what a server's certificate is checked with: what the environment names, or else certifi's list.

    Raises :class:`UsageError` for a file that cannot be used. Loading is slow: once for all connections.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        name = next((name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)), None)
        place = shown(os.environ[name], limit=200) if name else "its own list"
        raise UsageError(
            f"no certificate authorities can be read from {place}: {reason(error)}",
            hint=f"{name} must name the authorities that signed the server's certificate" if name else None,
        ) from error
