"""A client on one of httpx's transports: the embedded sandbox in this process, or a proxy on the way to the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from reconciler.clearml.answers import Reply
from reconciler.clearml.direct import LONGEST_IDLE
from reconciler.clearml.failures import lost, not_sent, reason, too_large

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from reconciler.clearml.clients import TransportOptions

_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class HttpxClient:
    """Sends requests through httpx's transport without httpx's client.

    There is one server, no redirect is followed and no cookie kept, and the client takes a fifth of a call's time for
    them.
    """

    def __init__(
        self, wire: httpx.AsyncBaseTransport, server: str, options: TransportOptions, headers: Mapping[str, str]
    ) -> None:
        self._wire = wire
        self._server = server
        self._options = options
        self._headers = {**headers, "Accept-Encoding": "gzip, deflate"}
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
            raise lost(endpoint, self._server, f"no whole answer within {self._options.whole:g} seconds") from None
        except _NOTHING_SENT as error:
            raise not_sent(self._server, reason(error)) from None
        except httpx.TimeoutException:
            raise lost(endpoint, self._server, f"no answer within {self._options.read:g} seconds") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise lost(endpoint, self._server, f"the connection broke ({reason(error)})") from None

    async def close(self) -> None:
        """Close the transport."""
        await self._wire.aclose()

    def _request(self, endpoint: str, content: bytes, headers: Mapping[str, str]) -> httpx.Request:
        url = self._urls.get(endpoint)
        if url is None:
            url = self._urls[endpoint] = httpx.URL(f"{self._server}/{endpoint}")
        return httpx.Request(
            "POST", url, headers={**self._headers, **headers}, content=content, extensions=self._extensions
        )

    async def _body(self, endpoint: str, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._options.largest_answer:
                raise too_large(endpoint, self._server, self._options.largest_answer)
        return bytes(body)


def proxied(proxy: str, trust: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    """Return a transport of one connection through a proxy."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=LONGEST_IDLE)
    return httpx.AsyncHTTPTransport(verify=trust, limits=limits, trust_env=False, proxy=proxy)
