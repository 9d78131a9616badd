"""One HTTP/1.1 connection straight to the server: h11 speaks the protocol, asyncio moves the bytes.

A plan makes a call for each service account and an apply one for each change, so that most of what they take is what
a call costs here: a third of what it costs with httpx, which stays for what is rarer (``through_httpx.py``).
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlsplit

import h11

from reconciler.clearml.answers import Reply
from reconciler.clearml.failures import lost, not_sent, reason, too_large
from reconciler.clearml.settings import is_loopback

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from reconciler.clearml.clients import TransportOptions

LONGEST_IDLE = 4.0
"""Seconds after which a connection is not used again: uvicorn, like many, closes an idle one after five."""

_WORTH_A_LOOK = 0.05
_PORTS = {"http": 80, "https": 443}
_LARGEST_HEAD = 100 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_NEXT_ADDRESS = 0.25
"""Seconds after which the next address of a host is tried too, as RFC 8305 asks: one of IPv6 may lead nowhere."""


class DirectClient:
    """Sends one request at a time, over a connection that is made when needed and never used again after a failure."""

    def __init__(
        self, server: str, options: TransportOptions, headers: Mapping[str, str], trust: ssl.SSLContext | None
    ) -> None:
        parts = urlsplit(server)
        self._server = server
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._path = quote(parts.path, safe="/%:@!$&'()*+,;=~")
        self._headers = [("Host", parts.netloc), *headers.items(), ("Accept-Encoding", "gzip")]
        self._options = options
        self._trust = trust
        self._open: _Connection | None = None

    async def post(self, endpoint: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        """Send one request and return the whole answer; raise :class:`Failure` if none came."""
        connection = await self._connection()
        try:
            async with asyncio.timeout(self._options.whole):
                connection.send(self._request(endpoint, len(content), headers), content)
                reply = await self._answer(endpoint, connection)
        except TimeoutError:
            raise lost(endpoint, self._server, f"no whole answer within {self._options.whole:g} seconds") from None
        except (h11.RemoteProtocolError, ConnectionError, zlib.error) as error:
            raise lost(endpoint, self._server, f"the connection broke ({reason(error)})") from None
        else:
            if connection.ready_for_another():
                self._open = connection
            return reply
        finally:
            if self._open is None:
                connection.abort()

    async def close(self) -> None:
        """Close the connection."""
        if self._open is not None:
            self._open.abort()
            self._open = None

    async def _connection(self) -> _Connection:
        connection, self._open = self._open, None
        if connection is not None:
            if await connection.is_usable():
                return connection
            connection.abort()
        try:
            async with asyncio.timeout(self._options.connect):
                _, connection = await asyncio.get_running_loop().create_connection(
                    _Connection,
                    self._host,
                    self._port,
                    ssl=self._trust,
                    # Not at home, where nobody is slow: asyncio forgets to close a socket if it is canceled meanwhile.
                    happy_eyeballs_delay=None if is_loopback(self._host) else _NEXT_ADDRESS,
                )
        except TimeoutError:
            raise not_sent(self._server, f"no connection within {self._options.connect:g} seconds") from None
        except (OSError, UnicodeError) as error:
            raise not_sent(self._server, reason(error)) from None
        return connection

    def _request(self, endpoint: str, length: int, headers: Mapping[str, str]) -> h11.Request:
        return h11.Request(
            method="POST",
            target=f"{self._path}/{endpoint}",
            headers=[*self._headers, *headers.items(), ("Content-Length", str(length))],
        )

    async def _answer(self, endpoint: str, connection: _Connection) -> Reply:
        head: h11.Response | None = None
        body = bytearray()
        decoder = None
        limit = self._options.largest_answer
        while True:
            event = await self._event(endpoint, connection)
            if isinstance(event, h11.Response):
                head = event
                headers = {name.decode("ascii"): value.decode("latin-1") for name, value in event.headers}
                decoder = zlib.decompressobj(_GZIP) if headers.get("content-encoding") == "gzip" else None
            elif isinstance(event, h11.Data):
                body += decoder.decompress(event.data, limit + 1 - len(body)) if decoder else event.data
                if len(body) > limit:
                    raise too_large(endpoint, self._server, limit)
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return Reply(head.status_code, headers, bytes(body))

    async def _event(self, endpoint: str, connection: _Connection) -> object:
        try:
            return await connection.event(self._options.read)
        except TimeoutError:
            raise lost(endpoint, self._server, f"no answer within {self._options.read:g} seconds") from None


class _Connection(asyncio.Protocol):
    """A connection that was made: what was sent and what arrived, as h11 understands it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)
        self._arrived = bytearray()
        self._ended = False
        self._error: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._last_use = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to write to."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Keep what arrived until it is asked for."""
        self._arrived += data
        self._wake()

    def eof_received(self) -> None:
        """Remember that nothing more will arrive."""
        self._ended = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """Remember that nothing more will arrive, and why."""
        self._ended = True
        self._error = error
        self._wake()

    def send(self, request: h11.Request, content: bytes) -> None:
        """Send a whole request."""
        events = (request, h11.Data(data=content), h11.EndOfMessage())
        self._transport.write(b"".join(self._protocol.send(event) or b"" for event in events))

    async def event(self, seconds: float) -> object:
        """Return the next part of the answer; raise :class:`TimeoutError` if nothing arrives for so many seconds."""
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            self._protocol.receive_data(await self._receive(seconds))
        return event

    def ready_for_another(self) -> bool:
        """Get ready for the next request, and tell whether that is possible."""
        if self._protocol.our_state is not h11.DONE or self._protocol.their_state is not h11.DONE:
            return False
        self._protocol.start_next_cycle()
        self._last_use = self._loop.time()
        return True

    async def is_usable(self) -> bool:
        """Tell whether the server surely still listens: it closes what is idle, and says nothing unasked."""
        idle = self._loop.time() - self._last_use
        if _WORTH_A_LOOK < idle < LONGEST_IDLE:
            # The loop may have been busy elsewhere and not have seen yet what came in: it takes three rounds at most.
            for _ in range(3):
                await asyncio.sleep(0)
        return not (self._arrived or self._ended) and idle < LONGEST_IDLE and not self._protocol.trailing_data[0]

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    async def _receive(self, seconds: float) -> bytes:
        if not self._arrived and not self._ended:
            self._waiting = self._loop.create_future()
            try:
                async with asyncio.timeout(seconds):
                    await self._waiting
            finally:
                self._waiting = None
        if self._error is not None and not self._arrived:
            raise ConnectionError(reason(self._error))
        arrived = bytes(self._arrived)
        self._arrived.clear()
        return arrived

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
