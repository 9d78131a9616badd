"""Which proxy is on the way to a server."""

from __future__ import annotations

from urllib.parse import urlsplit

from reconciler.clearml.failures import shown
from reconciler.clearml.settings import is_loopback
from reconciler.errors import UsageError


def proxy_for(server: str) -> str | None:
    """Return the proxy that the environment names for this server (``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``).

    Raises :class:`UsageError` for one of a sort that cannot be used.
    """
    address = urlsplit(server)
    host = address.hostname or ""
    if is_loopback(host):
        return None
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(address.netloc):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    scheme = proxy.partition("://")[0]
    if scheme not in {"http", "https"}:
        raise UsageError(
            f"the environment names a {shown(scheme, limit=20)}:// proxy for {server}, which cannot be used",
            hint="name an http:// or https:// proxy, or add the server to NO_PROXY",
        )
    return proxy
