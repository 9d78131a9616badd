"""Proxies: those that the environment names, for servers that are not on this machine."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.clearml.proxies import proxy_for
from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import ReadTransport
from reconciler.errors import UsageError
from reconciler.model.secret import Secret
from tests.support.servers import answering, envelope, http, token

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
        proxy_for("https://api.acme.io")
    assert "secret" not in raised.value.message
    assert raised.value.hint == "name an http:// or https:// proxy, or add the server to NO_PROXY"


def test_calls_go_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ConnectionSettings("http://api.acme.invalid", token=Secret(token()))

    async def ask() -> object:
        async with ReadTransport(settings) as transport:
            return await transport.call("login.get_settings", {}, dict)

    with answering(lambda _: http(envelope({"through": "the proxy"}))) as address:
        monkeypatch.setenv("HTTP_PROXY", address)
        assert asyncio.run(ask()) == {"through": "the proxy"}
