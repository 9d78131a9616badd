"""Servers on real sockets that do wrong on purpose, one connection after the other, and the way to them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import Transport, TransportOptions
from reconciler.model.secret import Secret
from tests.clearml.clearml_fakes import FakeTime
from tests.support.servers import envelope, token

BODY = envelope({"n": 1})

Behavior = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes = BODY, *lines: str, status: str = "200 OK") -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    parts = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + parts + end


@dataclass
class Server:
    """Gives each connection its answers in turn, then closes it; remembers the requests of each connection."""

    connections: Sequence[Sequence[bytes]]
    unasked: bytes = b""
    requests: list[list[bytes]] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.requests)
        self.requests.append([])
        try:
            for raw in self.connections[min(number, len(self.connections) - 1)]:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(2)
                self.requests[number].append(head)
                writer.write(raw)
            writer.write(self.unasked)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def connected(
    server: Server, *, path: str = "", tls: ssl.SSLContext | None = None, **options: object
) -> AsyncIterator[Transport]:
    async with await asyncio.start_server(server.start, "localhost" if tls else "127.0.0.1", 0, ssl=tls) as listener:
        port = listener.sockets[0].getsockname()[1]
        address = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        async with opened(f"{address}{path}", **options) as transport:
            yield transport
    await asyncio.gather(*server.tasks, return_exceptions=True)


def opened(address: str, **options: object) -> Transport:
    settings = ConnectionSettings(address, source="the test", token=Secret(token()))
    return Transport(settings, timing=FakeTime().timing, options=TransportOptions(**options))  # type: ignore[arg-type]


@asynccontextmanager
async def listening(behave: Behavior) -> AsyncIterator[int]:
    """Let every connection be treated so, then closed; yields the port."""
    tasks: list[asyncio.Task[None]] = []

    async def treated(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behave(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.get_running_loop().create_task(treated(reader, writer)))

    async with await asyncio.start_server(start, "127.0.0.1", 0) as listener:
        yield listener.sockets[0].getsockname()[1]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def relaying(port: int, *, silent: int | None = None) -> Behavior:
    """Pass all on to a port of this machine, both ways; only the ``silent`` connection, counted from 0, is left hanging."""
    seen: list[asyncio.StreamReader] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(reader)
        if len(seen) - 1 == silent:
            await reader.read()
            return
        there, back = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(_piped(reader, back), _piped(there, writer))
        finally:
            back.close()

    return relay


async def _piped(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
    target.close()
