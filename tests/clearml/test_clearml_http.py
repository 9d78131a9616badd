"""Calls over real sockets: when a connection is used again, what is understood, which failures are told apart."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
import trustme

from reconciler.clearml import http
from reconciler.clearml.retrying import RetryPolicy
from reconciler.errors import AnswerLostError, ServerError, UnexpectedAnswerError, UnreachableError, UsageError
from tests.clearml.clearml_sockets import (
    BODY,
    Behavior,
    Server,
    answer,
    chunked,
    connected,
    listening,
    opened,
    relaying,
)
from tests.support.servers import envelope

READ = "users.get_all_ex"
WRITE = "users.delete_user"
GZIPPED = gzip.compress(BODY)
DEFLATED = zlib.compress(BODY)
ATTEMPTS = RetryPolicy().attempts


def served(server: Server, *endpoints: str, between: Callable[[], object] = lambda: None, **options: object) -> None:
    """Make these calls one after the other, each of which must bring the usual data."""

    async def run() -> None:
        async with connected(server, **options) as transport:  # type: ignore[arg-type]
            for endpoint in endpoints:
                assert await transport.call(endpoint, {}, dict) == {"n": 1}
                between()
                await asyncio.sleep(0.02)

    asyncio.run(run())


class TestConnectionsThatAreUsedAgain:
    def test_one_serves_call_after_call(self) -> None:
        server = Server([[answer()] * 3])
        served(server, READ, WRITE, READ)
        assert [len(requests) for requests in server.requests] == [3]

    def test_a_request_names_the_host_the_path_and_what_it_understands(self) -> None:
        server = Server([[answer()]])
        served(server, READ, path="/api")
        head = server.requests[0][0].decode()
        assert head.startswith(f"POST /api/{READ} HTTP/1.1\r\nHost: 127.0.0.1:")
        assert "\r\nAccept-Encoding: gzip, deflate" in head
        assert "\r\nUser-Agent: clearml-reconciler/" in head

    @pytest.mark.parametrize(
        ("connections", "unasked"),
        [
            pytest.param([[answer(BODY, "Connection: close")]], b"", id="the server said that it closes it"),
            pytest.param([[answer()]], b"", id="the server closed it"),
            pytest.param(
                [[answer(), answer()]], answer(envelope({}), status="408 Late"), id="the server spoke unasked"
            ),
            pytest.param([[answer() + answer(envelope({}))]], b"", id="the server answered twice"),
            pytest.param([[answer() + b"garbage"]], b"", id="the server said more than an answer"),
            pytest.param([[chunked(BODY) + answer(envelope({}))]], b"", id="the server said more than the last chunk"),
        ],
    )
    @pytest.mark.parametrize("endpoint", [READ, WRITE])
    def test_one_that_has_ended_is_made_again_and_nothing_is_sent_twice(
        self, connections: list[list[bytes]], unasked: bytes, endpoint: str
    ) -> None:
        server = Server(connections, unasked)
        served(server, endpoint, endpoint, endpoint)
        assert sum(len(requests) for requests in server.requests) == 3
        assert len(server.requests) > 1

    def test_one_on_which_the_server_answered_twice_and_stays_is_made_again(self) -> None:
        server = Server([[answer() + answer(envelope({"n": 2})), answer(envelope({"n": 3}))], [answer()]])
        served(server, WRITE, WRITE)
        assert [len(requests) for requests in server.requests] == [1, 1]

    def test_one_that_the_server_closed_while_the_program_was_busy_is_made_again(self) -> None:
        with quickly_closing() as (address, requests):

            async def run() -> None:
                async with opened(address) as transport:
                    for _ in range(3):
                        assert await transport.call(WRITE, {}, dict) == {"n": 1}
                        time.sleep(0.2)  # noqa: ASYNC251 - the loop must see nothing of what happens meanwhile

            asyncio.run(run())
            assert len(requests) == 3

    def test_one_that_was_idle_for_long_is_made_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http, "_ONE_CONNECTION", httpx.Limits(max_connections=1, keepalive_expiry=0.0))
        server = Server([[answer()] * 2])
        served(server, WRITE, WRITE)
        assert [len(requests) for requests in server.requests] == [1, 1]

    @pytest.mark.parametrize("limit", ["read", "whole"])
    def test_after_a_call_was_given_up_its_late_answer_is_not_taken_for_the_next_one(self, limit: str) -> None:
        async def run() -> None:
            server = Server([])
            server.serve = hanging_first(server)  # type: ignore[method-assign]
            async with connected(server, **{limit: 0.05}) as transport:  # type: ignore[arg-type]
                with pytest.raises(AnswerLostError, match=r"within 0\.05 seconds"):
                    await transport.call(WRITE, {}, dict)
                assert await transport.call(READ, {}, dict) == {"n": 1}

        asyncio.run(run())


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
                    received = b""
                    while not received.endswith(b"\r\n\r\n{}"):
                        received += connection.recv(65536)
                    requests.append(received)
                    connection.sendall(answer())
                    time.sleep(0.05)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
        thread.join(10)


def hanging_first(server: Server) -> Behavior:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = not server.requests
        server.requests.append([])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(envelope({"n": 2}))[:30] if first else answer())
        await reader.read()
        writer.close()

    return serve


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(answer(GZIPPED, "Content-Encoding: gzip"), id="gzip"),
        pytest.param(answer(GZIPPED, "Content-Encoding: GZIP"), id="GZIP"),
        pytest.param(answer(GZIPPED, "content-encoding:x-gzip "), id="x-gzip"),
        pytest.param(answer(GZIPPED, "Content-Encoding: X-GZip"), id="X-GZip"),
        pytest.param(answer(GZIPPED, "Content-Encoding: identity, gzip"), id="identity and gzip"),
        pytest.param(answer(DEFLATED, "Content-Encoding: deflate"), id="deflate"),
        pytest.param(answer(BODY, "Content-Encoding: identity"), id="identity"),
        pytest.param(answer(BODY, "Content-Encoding:"), id="no encoding"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(), id="an interim answer first"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + BODY, id="as long as the connection"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n" + BODY, id="HTTP 1.0"),
        pytest.param(b"HTTP/1.1 200\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY), id="no words for the status"),
        pytest.param(chunked(BODY[:5], BODY[5:]), id="chunks"),
        pytest.param(chunked(BODY, end=b"0\r\nX-Trailer: 1\r\n\r\n"), id="chunks and a trailer"),
    ],
)
def test_an_answer_in_any_form_of_the_protocol_is_understood(raw: bytes) -> None:
    served(Server([[raw]]), READ)


LOST = ((UnreachableError, ATTEMPTS), (AnswerLostError, 1))
"""The connection broke after the request: a read is repeated, a write may have been carried out and is not."""
CUT = ((UnexpectedAnswerError, ATTEMPTS), (AnswerLostError, 1))
"""A whole answer that holds half of what it should."""
STRANGE = ((UnexpectedAnswerError, 1), (AnswerLostError, 1))
"""A whole answer that is not ClearML's: no repeating helps, but a write may have been carried out."""
ELSEWHERE = ((UnexpectedAnswerError, 1), (UnexpectedAnswerError, 1))
"""A whole answer that says that nothing was carried out."""
TWO_LENGTHS = chunked(BODY).replace(b"\r\n", b"\r\nContent-Length: 5\r\n", 1)
BOMB = gzip.compress(b"0" * 50_000_000)

BROKEN_ANSWERS = {
    # what arrives: (the bytes, what the message says, (read → error and requests, write → error and requests))
    "nothing at all": (b"", "without sending a response", LOST),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Le", "without sending a response", LOST),
    "half a body": (answer()[:-3], "without sending complete message body", LOST),
    "half a chunk": (chunked(BODY, end=b"")[:-9], "incomplete chunked read", LOST),
    "no last chunk": (chunked(BODY, end=b""), "incomplete chunked read", LOST),
    "a chunk without a length": (chunked(end=b"garbage\r\n"), "illegal chunk header", LOST),
    "a chunk of another length": (chunked(BODY).replace(b"\r\n\r\n", b"\r\n\r\n1", 1), "the connection broke", LOST),
    "no HTTP": (b"no HTTP\r\n\r\n", "illegal status line", LOST),
    "another protocol's greeting": (b"SSH-2.0-OpenSSH_9\r\n", "the connection broke", LOST),
    "TLS": (b"\x15\x03\x01\x00\x02\x02\x0a", "the connection broke", LOST),
    "a change of protocol": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "wants to speak another protocol",
        LOST,
    ),
    "an illegal header": (answer(BODY, "no header at all"), "illegal header line", LOST),
    "a large header": (answer(BODY, f"X: {'x' * 200_000}"), "the connection broke", LOST),
    "a hundred thousand headers": (answer(BODY, *["X: x"] * 100_000), "the connection broke", LOST),
    "a length that is no number": (answer().replace(b"Length: ", b"Length: x"), "bad Content-Length", LOST),
    "a length below zero": (answer().replace(b"Length: ", b"Length: -"), "bad Content-Length", LOST),
    "two lengths that differ": (answer(BODY, "Content-Length: 5"), "conflicting Content-Length", LOST),
    "a length and chunks": (TWO_LENGTHS, "the answer has two lengths", LOST),
    "an unknown way to transfer": (answer(BODY, "Transfer-Encoding: gzip"), "the connection broke", LOST),
    "damaged gzip": (answer(b"no gzip", "Content-Encoding: gzip"), "the connection broke", LOST),
    "damaged deflate": (answer(b"no deflate", "Content-Encoding: deflate"), "the connection broke", LOST),
    "half a gzip": (answer(GZIPPED[:20], "Content-Encoding: gzip"), "cut short or not JSON", CUT),
    "gzip within gzip": (
        answer(gzip.compress(GZIPPED), "Content-Encoding: gzip, gzip"),
        "HTTP status 200 with something packed as gzip, gzip",
        STRANGE,
    ),
    "an encoding that means harm": (
        answer(BODY[1:], "Content-Encoding: \x1b[31mx"),
        r"with something packed as \\x1b\[31mx",
        STRANGE,
    ),
    "an encoding that was not asked for": (
        answer(b"\x0b\x02\x80", "Content-Encoding: compress"),
        "HTTP status 200 with something packed as compress",
        STRANGE,
    ),
    "too much": (answer(b" " * 2_000_000), "larger than 1 MiB", STRANGE),
    "little that unpacks to too much": (answer(BOMB, "Content-Encoding: gzip"), "larger than 1 MiB", STRANGE),
    "a redirect": (answer(b"", "Location: https://evil.test/", status="302 Found"), "never followed", ELSEWHERE),
    "a page that is not there": (answer(b"<html>", status="404 Not Found"), "a web page", ELSEWHERE),
}


@pytest.mark.parametrize("fault", BROKEN_ANSWERS)
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_each_broken_answer_has_its_error_its_words_and_its_number_of_requests(fault: str, write: bool) -> None:
    raw, told, expected = BROKEN_ANSWERS[fault]
    kind, requests = expected[write]
    server = Server([[raw]])
    with pytest.raises(ServerError, match=told) as caught:
        served(server, WRITE if write else READ, largest_answer=1024 * 1024)
    assert type(caught.value) is kind
    assert sum(map(len, server.requests)) == requests
    assert caught.value.message.isprintable()


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def dripping(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for number in range(100):
        writer.write(answer()[number : number + 1])
        await asyncio.sleep(0.02)


async def putting_off(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _number in range(100):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await asyncio.sleep(0.02)


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n{}")
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def closing(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    return


async def speaking_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(answer(b"", status="400 Bad Request"))


NOT_SENT = ((UnreachableError, ATTEMPTS), (UnreachableError, ATTEMPTS))
"""Nothing was sent: even a write is repeated."""
NO_SERVER = ((UnreachableError, 1), (UnreachableError, 1))
"""Nothing was sent, and no repeating helps."""

PEERS = {
    # what listens: (scheme, what it does, our patience, what the message says, (read → error, attempts; write → the same))
    "one that takes a request and is silent": ("http", silent, {"read": 0.2}, r"no answer within 0\.2 seconds", LOST),
    "one that sends a byte now and then": ("http", dripping, {"whole": 0.5}, r"no whole answer within 0\.5 sec", LOST),
    "one that puts us off for ever": ("http", putting_off, {"whole": 0.5}, r"no whole answer within 0\.5 sec", LOST),
    "one that resets the connection": ("http", resetting, {}, "broke .Connection reset by peer.", LOST),
    "one that accepts the connection and is silent, instead of TLS": (
        "https",
        silent,
        {"connect": 1.0},
        r"with TLS: the connection was accepted, but the handshake was not answered within 1 seconds",
        NO_SERVER,
    ),
    "one that speaks HTTP, instead of TLS": (
        "https",
        speaking_http,
        {},
        "with TLS: .SSL: WRONG_VERSION_NUM",
        NO_SERVER,
    ),
    "one that closes the connection, instead of TLS": ("https", closing, {}, "cannot be reached with TLS: ", NOT_SENT),
}


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_each_wrong_server_has_its_error_its_words_and_its_number_of_attempts(peer: str, write: bool) -> None:
    scheme, behave, patience, told, expected = PEERS[peer]
    kind, attempts = expected[write]
    endpoint = WRITE if write else READ

    async def run() -> int:
        async with listening(behave) as port, opened(f"{scheme}://127.0.0.1:{port}", **patience) as transport:
            with pytest.raises(ServerError, match=told) as caught:
                await transport.call(endpoint, {}, dict)
            assert type(caught.value) is kind
            return transport.calls[endpoint]

    assert asyncio.run(run()) == attempts


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ("http://127.0.0.1:9", r"cannot be reached: Connection refused \(tried 6 times\)$"),
        ("https://127.0.0.1:9", r"cannot be reached: Connection refused \(tried 6 times\)$"),
        ("http://localhost:9", r"cannot be reached: Connection refused \(tried 6 times\)$"),
        ("http://nowhere.invalid", r"cannot be reached: [A-Z][a-z ]+ \(tried 6 times\)$"),
        ("http://a..b.invalid", "cannot be reached: "),
    ],
)
@pytest.mark.parametrize("endpoint", [READ, WRITE])
def test_an_address_where_nobody_is(server: str, told: str, endpoint: str) -> None:
    async def run() -> None:
        async with opened(server) as transport:
            await transport.call(endpoint, {}, dict)

    with pytest.raises(UnreachableError, match=told):
        asyncio.run(run())


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
            opened("https://api.acme.io")

    def test_a_handshake_that_hangs_later_is_tried_again(
        self, authority: trustme.CA, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Once the server has answered, a connection that hangs is bad luck, not a wrong address."""

        async def run() -> None:
            server = Server([[answer(BODY, "Connection: close")]])
            async with await asyncio.start_server(server.start, "127.0.0.1", 0, ssl=tls) as listener:
                behind = relaying(listener.sockets[0].getsockname()[1], silent=1)
                async with listening(behind) as port, opened(f"https://localhost:{port}", connect=1.0) as transport:
                    for _ in range(2):
                        assert await transport.call(WRITE, {}, dict) == {"n": 1}
                    assert transport.calls[WRITE] == 3

        with authority.cert_pem.tempfile() as path:
            monkeypatch.setenv("SSL_CERT_FILE", path)
            asyncio.run(run())
