"""The connection straight to the server: when it is used again, what it understands, whom it trusts."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import pytest
import trustme

from reconciler.clearml import direct
from reconciler.clearml.retrying import RetryPolicy
from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import Transport, TransportOptions
from reconciler.errors import AnswerLostError, UnexpectedAnswerError, UnreachableError, UsageError
from reconciler.model.secret import Secret
from tests.clearml.clearml_fakes import FakeTime
from tests.support.servers import envelope, token

READ = "users.get_all_ex"
WRITE = "users.delete_user"
BODY = envelope({"n": 1})
GZIPPED = gzip.compress(BODY)


def answer(body: bytes = BODY, *lines: str, status: str = "200 OK") -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@dataclass
class Server:
    """Gives each connection its answers in turn, then closes it; remembers the requests of each connection."""

    connections: Sequence[Sequence[bytes]]
    unasked: bytes = b""
    requests: list[list[bytes]] = field(default_factory=list)
    ended: list[asyncio.Event] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.requests)
        self.requests.append([])
        self.ended.append(asyncio.Event())
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
            self.ended[number].set()


@asynccontextmanager
async def connected(
    server: Server, *, path: str = "", tls: ssl.SSLContext | None = None, **options: object
) -> AsyncIterator[Transport]:
    async with await asyncio.start_server(server.start, "localhost" if tls else "127.0.0.1", 0, ssl=tls) as listener:
        port = listener.sockets[0].getsockname()[1]
        address = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        settings = ConnectionSettings(f"{address}{path}", source="the test", token=Secret(token()))
        patience = TransportOptions(**options)  # type: ignore[arg-type]
        async with Transport(settings, timing=FakeTime().timing, options=patience) as transport:
            yield transport
    await asyncio.gather(*server.tasks, return_exceptions=True)


def served(server: Server, *endpoints: str, between: Callable[[], object] = lambda: None, **options: object) -> None:
    """Make these calls one after the other, each of which must bring the usual data."""

    async def run() -> None:
        async with connected(server, **options) as transport:  # type: ignore[arg-type]
            for endpoint in endpoints:
                assert await transport.call(endpoint, {}, dict) == {"n": 1}
                between()
                await asyncio.sleep(0.02)

    asyncio.run(run())


def test_one_connection_serves_call_after_call() -> None:
    server = Server([[answer()] * 3])
    served(server, READ, WRITE, READ)
    assert [len(requests) for requests in server.requests] == [3]


def test_a_request_names_the_host_the_path_and_what_it_understands() -> None:
    server = Server([[answer()]])
    served(server, READ, path="/api")
    head = server.requests[0][0].decode()
    assert head.startswith(f"POST /api/{READ} HTTP/1.1\r\nHost: 127.0.0.1:")
    assert "\r\nAccept-Encoding: gzip\r\n" in head
    assert "\r\nUser-Agent: clearml-reconciler/" in head


@pytest.mark.parametrize(
    ("connections", "unasked"),
    [
        pytest.param([[answer(BODY, "Connection: close")]], b"", id="the server said that it closes it"),
        pytest.param([[answer()]], b"", id="the server closed it"),
        pytest.param([[answer(), answer()]], answer(envelope({}), status="408 Late"), id="the server spoke unasked"),
        pytest.param([[answer() + answer(envelope({}))]], b"", id="the server answered twice"),
        pytest.param([[answer() + b"garbage"]], b"", id="the server said more than an answer"),
    ],
)
@pytest.mark.parametrize("endpoint", [READ, WRITE])
def test_a_connection_that_has_ended_is_made_again_and_nothing_is_sent_twice(
    connections: list[list[bytes]], unasked: bytes, endpoint: str
) -> None:
    server = Server(connections, unasked)
    served(server, endpoint, endpoint, endpoint)
    assert sum(len(requests) for requests in server.requests) == 3
    assert len(server.requests) > 1


def test_a_connection_that_the_server_closed_while_the_program_was_busy_is_made_again() -> None:
    with quickly_closing() as (address, requests):

        async def run() -> None:
            settings = ConnectionSettings(address, source="the test", token=Secret(token()))
            async with Transport(settings, timing=FakeTime().timing) as transport:
                for _ in range(3):
                    assert await transport.call(WRITE, {}, dict) == {"n": 1}
                    time.sleep(0.2)  # noqa: ASYNC251 - the loop must see nothing of what happens meanwhile

        asyncio.run(run())
        assert len(requests) == 3


@contextmanager
def quickly_closing() -> Iterator[tuple[str, list[bytes]]]:
    """Answer each connection once, in a thread, and close it a moment later without a word; yields the requests."""
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def serve() -> None:
            for _ in range(3):
                connection, _ = listener.accept()
                with connection:
                    requests.append(connection.recv(65536))
                    connection.sendall(answer())
                    time.sleep(0.05)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
        thread.join(10)


def test_a_connection_that_was_idle_for_long_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "LONGEST_IDLE", 0.0)
    server = Server([[answer()] * 2])
    served(server, WRITE, WRITE)
    assert [len(requests) for requests in server.requests] == [1, 1]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(answer(GZIPPED, "Content-Encoding: gzip"), id="gzip"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(), id="an interim answer first"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + BODY, id="as long as the connection"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n" + BODY, id="HTTP 1.0"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (BODY[:5], len(BODY) - 5, BODY[5:]),
            id="chunks",
        ),
    ],
)
def test_an_answer_in_any_form_of_the_protocol_is_understood(raw: bytes) -> None:
    served(Server([[raw]]), READ)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        pytest.param(answer(b"no gzip", "Content-Encoding: gzip"), "the connection broke", id="damaged gzip"),
        pytest.param(answer(GZIPPED[:20], "Content-Encoding: gzip"), "cut short or not JSON", id="half a gzip"),
        pytest.param(answer(BODY, f"X: {'x' * 200_000}"), "the connection broke", id="an endless head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", "the connection broke", id="half a head"),
        pytest.param(b"", "the connection broke", id="nothing at all"),
        pytest.param(answer(BODY)[:-3], "closed it before the answer was whole", id="half a body"),
        pytest.param(b"no HTTP\r\n\r\n", "the connection broke", id="no HTTP"),
        pytest.param(answer(BODY, "Transfer-Encoding: chunked"), "the connection broke", id="two lengths"),
        pytest.param(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "another protocol",
            id="another protocol",
        ),
    ],
)
def test_a_damaged_answer_to_a_write_is_lost_and_the_write_is_not_repeated(raw: bytes, told: str) -> None:
    server = Server([[raw]])
    with pytest.raises(AnswerLostError, match=told):
        served(server, WRITE)
    assert sum(len(requests) for requests in server.requests) == 1


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="half a head"),
        pytest.param(answer(BODY)[:-3], id="half a body"),
        pytest.param(b"no HTTP\r\n\r\n", id="no HTTP"),
    ],
)
def test_a_read_whose_answer_breaks_is_asked_again_and_then_given_up(raw: bytes) -> None:
    server = Server([[raw]])
    with pytest.raises(UnreachableError):
        served(server, READ)
    assert sum(len(requests) for requests in server.requests) == RetryPolicy().attempts


def test_a_small_answer_that_unpacks_to_a_large_one_is_not_unpacked() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    with pytest.raises(UnexpectedAnswerError, match="larger than 1 MiB"):
        served(Server([[answer(bomb, "Content-Encoding: gzip")]]), READ, largest_answer=1024 * 1024)


@pytest.mark.parametrize("limit", ["read", "whole"])
def test_after_a_call_was_given_up_its_late_answer_is_not_taken_for_the_next_one(limit: str) -> None:
    async def run() -> None:
        server = Server([[b"HTTP/1.1 200 OK\r\n"], [answer()]])
        server.serve = hanging_first(server)  # type: ignore[method-assign]
        async with connected(server, **{limit: 0.05}) as transport:  # type: ignore[arg-type]
            with pytest.raises(AnswerLostError, match=r"within 0\.05 seconds"):
                await transport.call(WRITE, {}, dict)
            assert await transport.call(READ, {}, dict) == {"n": 1}

    asyncio.run(run())


def hanging_first(server: Server) -> Callable[..., object]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = not server.requests
        server.requests.append([])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(envelope({"n": 2}))[:30] if first else answer())
        await reader.read()
        writer.close()

    return serve


class TestCertificates:
    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def tls(self, authority: trustme.CA) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(context)
        return context

    def test_one_signed_by_an_authority_that_the_environment_names_is_trusted(
        self, authority: trustme.CA, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with authority.cert_pem.tempfile() as path:
            monkeypatch.setenv("SSL_CERT_FILE", path)
            server = Server([[answer()] * 2])
            served(server, READ, WRITE, tls=tls)
        assert [len(requests) for requests in server.requests] == [2]

    def test_another_one_is_refused_before_anything_is_sent(
        self, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        monkeypatch.delenv("SSL_CERT_DIR", raising=False)
        server = Server([[answer()]])
        with pytest.raises(UnreachableError, match=r"the certificate of https://localhost:[0-9]+ is not trusted"):
            served(server, READ, tls=tls)
        assert server.requests == []

    def test_one_for_another_host_is_refused(self, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("elsewhere.io").configure_cert(context)
        with authority.cert_pem.tempfile() as path:
            monkeypatch.setenv("SSL_CERT_FILE", path)
            with pytest.raises(UnreachableError, match="is not trusted"):
                served(Server([[answer()]]), READ, tls=context)

    def test_a_list_of_authorities_that_is_not_there_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
        with pytest.raises(UsageError, match=r"/nowhere/ca\.pem: No such file"):
            Transport(ConnectionSettings("https://api.acme.io", source="the test", token=Secret(token())))

    def test_a_server_without_tls_is_told(self) -> None:
        async def run() -> None:
            async with await asyncio.start_server(Server([[b"hello"]]).start, "127.0.0.1", 0) as listener:
                port = listener.sockets[0].getsockname()[1]
                settings = ConnectionSettings(f"https://127.0.0.1:{port}", source="the test", token=Secret(token()))
                async with Transport(settings, timing=FakeTime().timing) as transport:
                    await transport.call(READ, {}, dict)

        with pytest.raises(UnreachableError, match="cannot be reached"):
            asyncio.run(run())


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ("http://127.0.0.1:9", "cannot be reached: Connection refused"),
        ("http://nowhere.invalid", r"cannot be reached: [A-Z][a-z ]+ \(tried 6 times\)$"),
        ("http://a..b.invalid", "cannot be reached: "),
    ],
)
def test_an_address_where_nobody_is(server: str, told: str) -> None:
    async def run() -> None:
        settings = ConnectionSettings(server, source="the test", token=Secret(token()))
        async with Transport(settings, timing=FakeTime().timing) as transport:
            await transport.call(WRITE, {}, dict)

    with pytest.raises(UnreachableError, match=told):
        asyncio.run(run())
