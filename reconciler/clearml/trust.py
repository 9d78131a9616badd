"""Which certificate authorities are trusted."""

from __future__ import annotations

import os
import ssl

from reconciler.clearml.failures import reason, shown
from reconciler.errors import UsageError

_PLACES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def trusted() -> ssl.SSLContext:
    """Return what a server's certificate is checked with: what the environment names, or else certifi's list.

    Raises :class:`UsageError` for a file that cannot be used. Loading is slow: once for all connections.
    """
    name = next((place for place in _PLACES if os.environ.get(place)), None)
    try:
        if name is None:
            import certifi

            context = ssl.create_default_context(cafile=certifi.where())
        elif name == "SSL_CERT_FILE":
            context = ssl.create_default_context(cafile=os.environ[name])
        else:
            context = ssl.create_default_context(capath=os.environ[name])
    except OSError as error:
        place = shown(os.environ.get(name or "", "its own list"), limit=200)
        raise UsageError(
            f"no certificate authorities can be read from {place}: {reason(error)}",
            hint=f"{name} is to name those that signed the server's certificate" if name else None,
        ) from error
    context.set_alpn_protocols(["http/1.1"])
    return context
