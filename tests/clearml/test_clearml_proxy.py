"""Proxies: those that the environment names, for servers that are not on this machine."""

from __future__ import annotations

import asyncio
import ssl

import pytest
import trustme

from reconciler.clearml.http import proxy_for
from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import ReadTransport
from reconciler.errors import UnreachableError, UsageError
from reconciler.model.secret import Secret
from tests.clearml.clearml_sockets import Behavior, Server, answer, listening, opened, relaying
from tests.support.servers import token

READ, WRITE = "users.get_all_ex", "users.delete_user"
PROXY = "http://proxy.acme.io:3128"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("server", "environment", "proxy"),
    [
        ("https://api.acme.io", {}, None),
        ("https://api.acme.io", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://api.acme.io", {"https_proxy": "proxy.acme.io:3128"}, PROXY),
        ("https://api.acme.io", {"ALL_PROXY": PROXY}, PROXY),
        ("https://api.acme.io", {"HTTP_PROXY": PROXY}, None),
        ("http://api.acme.io:8008", {"http_proxy": PROXY}, PROXY),
        ("https://api.acme.io", {"HTTPS_PROXY": PROXY, "NO_PROXY": "acme.io"}, None),
        ("https://api.acme.io:8008", {"HTTPS_PROXY": PROXY, "NO_PROXY": "api.acme.io"}, None),
        ("https://api.acme.io", {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, None),
        ("https://api.acme.io", {"HTTPS_PROXY": PROXY, "NO_PROXY": "other.io"}, PROXY),
        ("https://api.acme.io", {"HTTPS_PROXY": PROXY, "NO_PROXY": "other.io, .acme.io"}, None),
        ("https://acme.io", {"HTTPS_PROXY": PROXY, "NO_PROXY": ".acme.io"}, PROXY),
        ("https://myacme.io", {"HTTPS_PROXY": PROXY, "NO_PROXY": "acme.io"}, PROXY),
        ("https://api.acme.io:8008", {"HTTPS_PROXY": PROXY, "NO_PROXY": "api.acme.io:8008"}, None),
        ("https://api.acme.io", {"HTTPS_PROXY": PROXY, "NO_PROXY": "https://api.acme.io"}, None),
        ("https://10.0.0.7", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.7"}, None),
        ("https://[fd00::7]:8008", {"HTTPS_PROXY": PROXY, "NO_PROXY": "fd00::7"}, None),
        ("https://api.acme.io", {"HTTPS_PROXY": PROXY, "ALL_PROXY": "socks5://127.0.0.1:1080"}, PROXY),
        ("https://api.acme.io", {"ALL_PROXY": "socks5://127.0.0.1:1080", "NO_PROXY": "acme.io"}, None),
        ("http://127.0.0.1:8008", {"HTTP_PROXY": PROXY}, None),
        ("http://localhost:8008", {"ALL_PROXY": PROXY}, None),
    ],
)
def test_the_environment_names_the_proxy(
    server: str, environment: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(server) == proxy


def test_a_proxy_that_cannot_be_used_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://user:secret@127.0.0.1:1080")
    with pytest.raises(UsageError, match=r"a socks5:// proxy for https://api\.acme\.io") as raised:
        ReadTransport(ConnectionSettings("https://api.acme.io", token=Secret(token())))
    assert "secret" not in raised.value.message
    assert raised.value.hint == "name an http:// or https:// proxy, or add the server to NO_PROXY"


def test_a_list_of_exceptions_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "https://api.acme.io:port")
    with pytest.raises(UsageError, match="names proxies in a form that cannot be read"):
        proxy_for("https://api.acme.io")


def test_calls_go_through_it_over_one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server([[answer()] * 3])

    async def run() -> None:
        async with listening(server.serve) as port:
            monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
            async with opened("http://api.acme.invalid/api") as transport:
                for endpoint in (READ, WRITE, READ):
                    assert await transport.call(endpoint, {}, dict) == {"n": 1}

    asyncio.run(run())
    assert [len(requests) for requests in server.requests] == [3]
    assert server.requests[0][0].startswith(b"POST http://api.acme.invalid/api/users.get_all_ex HTTP/1.1\r\n")


def test_calls_over_tls_go_through_a_tunnel_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    authority, tls = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("api.acme.invalid").configure_cert(tls)
    server, asked = Server([[answer()] * 3]), []

    async def run() -> None:
        async with await asyncio.start_server(server.start, "127.0.0.1", 0, ssl=tls) as listener:
            relay = relaying(listener.sockets[0].getsockname()[1])

            async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                asked.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await relay(reader, writer)

            async with listening(tunnel) as port:
                monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{port}")
                async with opened("https://api.acme.invalid") as transport:
                    for endpoint in (READ, WRITE, READ):
                        assert await transport.call(endpoint, {}, dict) == {"n": 1}

    with authority.cert_pem.tempfile() as path:
        monkeypatch.setenv("SSL_CERT_FILE", path)
        asyncio.run(run())
    (head,) = asked
    assert head.startswith(b"CONNECT api.acme.invalid:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " in head
    assert b"Bearer" not in head
    assert [len(requests) for requests in server.requests] == [3]
    assert b"Proxy-Authorization" not in server.requests[0][0]


def saying(*words: bytes, silent: bool = False) -> Behavior:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.writelines(words)
        if silent:
            await reader.read()

    return say


async def leading_to_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await saying(b"HTTP/1.1 200 OK\r\n\r\n")(reader, writer)
    await reader.read(1)
    writer.write(answer(b"", status="400 Bad Request"))


BAD_PROXIES = {
    # what the proxy does: (how, our patience, what the message says, attempts, whether to read or to write)
    "wants a password": (saying(b"HTTP/1.1 407 Password\r\n\r\n"), {}, "the proxy answers 407 Password", 6),
    "refuses": (saying(b"HTTP/1.1 403 Forbidden\r\n\r\n"), {}, "the proxy answers 403 Forbidden", 6),
    "is silent": (
        saying(silent=True),
        {"read": 0.2},
        r"the proxy did not open a tunnel: no answer within 0\.2 seconds",
        6,
    ),
    "closes the connection": (saying(), {}, "the proxy did not open a tunnel", 6),
    "does not speak HTTP": (saying(b"hello\r\n\r\n"), {}, "the proxy did not open a tunnel", 6),
    "leads to one that is silent": (
        saying(b"HTTP/1.1 200 OK\r\n\r\n", silent=True),
        {"connect": 1.0},
        r"cannot be reached with TLS: the connection was accepted, but the handshake was not answered within 1 seconds",
        1,
    ),
    "leads to one that speaks HTTP": (leading_to_http, {}, "with TLS: .SSL: WRONG_VERSION_NUMBER", 1),
    "leads to one that closes the connection": (
        saying(b"HTTP/1.1 200 OK\r\n\r\n"),
        {},
        "cannot be reached with TLS: ",
        6,
    ),
}


@pytest.mark.parametrize("how", BAD_PROXIES)
@pytest.mark.parametrize("endpoint", [READ, WRITE])
def test_nothing_was_sent_through_one_that_does_not_let_us_through(
    how: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    behave, patience, told, attempts = BAD_PROXIES[how]

    async def run() -> None:
        async with listening(behave) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{port}")
            async with opened("https://api.acme.invalid", **patience) as transport:
                with pytest.raises(UnreachableError, match=told) as caught:
                    await transport.call(endpoint, {}, dict)
                assert "secret" not in caught.value.message
                assert transport.calls[endpoint] == attempts

    asyncio.run(run())
