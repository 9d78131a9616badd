"""Sends one message, a few times over if the receiver is out of reach. Nothing of the answer but its status is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import httpx

    from reconciler.notify.target import Target

ATTEMPTS = 3
_SECONDS = 10.0
_PAUSE = 2.0


async def post(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    sleep: Callable[[float], Awaitable[None]],
    transport: httpx.AsyncBaseTransport | None = None,
) -> None:
    """Post a JSON body, over the network if no transport is given; redirects are not followed.

    Raises :class:`UnreachableError`, and :class:`reconciler.errors.UsageError` where the environment names a proxy or
    certificates that cannot be used. Neither shows the address.
    """
    import httpx

    from reconciler.clearml.http import connecting

    url = target.url.reveal()
    try:
        transport = transport or connecting(url, target.shown)()
    except httpx.InvalidURL:
        raise UnreachableError(f"{target.shown} could not be notified: this is not an address") from None
    sent = {"User-Agent": f"clearml-reconciler/{__version__}", "Content-Type": "application/json", **headers}
    async with httpx.AsyncClient(transport=transport, timeout=_SECONDS, follow_redirects=False) as http:
        for attempt in range(1, ATTEMPTS + 1):
            problem, again = await _once(http, url, body, sent)
            if problem is None:
                return
            if not again or attempt == ATTEMPTS:
                raise UnreachableError(f"{target.shown} could not be notified: {problem}")
            await sleep(_PAUSE * attempt)


async def _once(http: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[str | None, bool]:
    """Return what went wrong, if anything, and whether it may go better next time."""
    import httpx

    try:
        async with http.stream("POST", url, content=body, headers=dict(headers)) as response:
            status = response.status_code
    except httpx.TimeoutException:
        return f"no answer within {_SECONDS:g} seconds", True
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"it cannot be reached ({type(error).__name__})", True
    if 200 <= status < 300:
        return None, False
    return f"it answered with HTTP status {status}", status in (408, 429) or status >= 500
