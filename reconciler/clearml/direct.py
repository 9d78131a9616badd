"""One HTTP/1.1 connection straight to the server: llhttp (of Node) reads the answers, asyncio moves the bytes.

A plan makes a call for each service account and an apply one for each change, so that most of what they take is what
a call costs here: a fifth of what it costs with httpx, which stays for what is rarer (``through_httpx.py``).
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlsplit

import httptools

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
_FIRST_FINAL = 200
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
        self._headers = _lines({"Host": parts.netloc, **headers, "Accept-Encoding": "gzip"})
        self._options = options
        self._trust = trust
        self._open: _Connection | None = None

    async def post(self, endpoint: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        """Send one request and return the whole answer; raise :class:`Failure` if none came."""
        connection = await self._connection()
        try:
            async with asyncio.timeout(self._options.whole):
                connection.send(self._request(endpoint, content, headers))
                reply = await self._answer(endpoint, connection)
        except TimeoutError:
            raise lost(endpoint, self._server, f"no whole answer within {self._options.whole:g} seconds") from None
        except (httptools.HttpParserError, ConnectionError, zlib.error) as error:
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

    def _request(self, endpoint: str, content: bytes, headers: Mapping[str, str]) -> bytes:
        lines = _lines({**headers, "Content-Length": str(len(content))})
        return f"POST {self._path}/{endpoint} HTTP/1.1\r\n{self._headers}{lines}\r\n".encode("ascii") + content

    async def _answer(self, endpoint: str, connection: _Connection) -> Reply:
        answer = connection.answer
        body = bytearray()
        decoder = None
        limit = self._options.largest_answer
        while not answer.is_whole:
            await self._more(endpoint, connection)
            if decoder is None and answer.headers.get("content-encoding") == "gzip":
                decoder = zlib.decompressobj(_GZIP)
            for part in answer.taken_parts():
                body += decoder.decompress(part, limit + 1 - len(body)) if decoder else part
                if len(body) > limit:
                    raise too_large(endpoint, self._server, limit)
        return Reply(answer.status, answer.headers, bytes(body))

    async def _more(self, endpoint: str, connection: _Connection) -> None:
        try:
            await connection.receive(self._options.read)
        except TimeoutError:
            raise lost(endpoint, self._server, f"no answer within {self._options.read:g} seconds") from None


def _lines(headers: Mapping[str, str]) -> str:
    """Return headers as they are sent; what would end a line within one is a mistake of ours."""
    if any("\r" in value or "\n" in value for value in headers.values()):
        raise ValueError("a header holds a line end")
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


class _Answer:
    """One answer as far as it came; llhttp calls these methods. Header names are in lower case."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.is_whole = False
        self.leaves_open = False
        """Whether the connection may be used again: the server means to keep it, and sent nothing more."""
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._has_head = False
        self._head_length = 0

    def feed(self, data: bytes) -> None:
        """Take in what arrived; raise :class:`HttpParserError` if it is no answer."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if not self.is_whole:
                raise
            self.leaves_open = False
        except httptools.HttpParserUpgrade:
            raise ConnectionError("the server wants to speak another protocol") from None
        if self._head_length > _LARGEST_HEAD:
            raise ConnectionError("the head of the answer has no end")

    def end(self) -> None:
        """Take in that nothing more will arrive: so ends an answer that does not say its length."""
        says_length = "content-length" in self.headers or "transfer-encoding" in self.headers
        if not self._has_head or says_length:
            raise ConnectionError("the server closed it before the answer was whole")
        self.is_whole = True

    def taken_parts(self) -> list[bytes]:
        """Return what came of the body since the last time."""
        parts, self._parts = self._parts, []
        return parts

    def on_message_begin(self) -> None:
        """Begin anew after an interim answer; what comes after a whole one was not asked for."""
        self.leaves_open = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self._head_length += len(name) + len(value)
        if not self.is_whole:
            self.headers[name.decode("ascii").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Note the status."""
        if not self.is_whole:
            self.status = self._parser.get_status_code()
            self._has_head = self.status >= _FIRST_FINAL

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body."""
        if not self.is_whole:
            self._parts.append(data)

    def on_message_complete(self) -> None:
        """Note the end; an interim answer (``100 Continue``) is none."""
        if self.is_whole:
            return
        if not self._has_head:
            self.headers.clear()
            return
        self.is_whole = True
        self.leaves_open = self._parser.should_keep_alive()


class _Connection(asyncio.Protocol):
    """A connection that was made, and the answer to the last request that was sent."""

    def __init__(self) -> None:
        self.answer = _Answer()
        self._loop = asyncio.get_running_loop()
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

    def send(self, request: bytes) -> None:
        """Send a whole request."""
        self.answer = _Answer()
        self._transport.write(request)

    def ready_for_another(self) -> bool:
        """Get ready for the next request, and tell whether that is possible."""
        self._last_use = self._loop.time()
        return self.answer.leaves_open

    async def is_usable(self) -> bool:
        """Tell whether the server surely still listens: it closes what is idle, and says nothing unasked."""
        idle = self._loop.time() - self._last_use
        if _WORTH_A_LOOK < idle < LONGEST_IDLE:
            # The loop may have been busy elsewhere and not have seen yet what came in: it takes three rounds at most.
            for _ in range(3):
                await asyncio.sleep(0)
        return not (self._arrived or self._ended) and idle < LONGEST_IDLE

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    async def receive(self, seconds: float) -> None:
        """Wait for more of the answer; raise :class:`TimeoutError` if nothing arrives for so many seconds."""
        if not self._arrived and not self._ended:
            self._waiting = self._loop.create_future()
            try:
                async with asyncio.timeout(seconds):
                    await self._waiting
            finally:
                self._waiting = None
        if self._arrived:
            arrived = bytes(self._arrived)
            self._arrived.clear()
            self.answer.feed(arrived)
        elif self._error is not None:
            raise ConnectionError(reason(self._error))
        else:
            self.answer.end()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
