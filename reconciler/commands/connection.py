"""What a caller says about a server, and the server that was settled on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.clearml.settings import ConnectionSettings
    from reconciler.model.secret import Secret
    from reconciler.plan.fingerprints import DigestKey

_SERVED_SANDBOX = "http://127.0.0.1:8008"


class Connection(Frozen):
    """What the caller says about the server, and how to talk to it; all that is ``None`` is found elsewhere.

    ``concurrency`` is the most calls at once, ``timeout`` the longest wait for one answer in seconds.
    """

    server: str | None = None
    access_key: str | None = None
    secret_key: Secret | None = None
    allow_http: bool = False
    concurrency: int = 16
    timeout: float = 30.0


class Target(Frozen):
    """A server that was settled on: how to reach it, what to call it, and the key for digests of documents.

    ``database`` is the file of an embedded sandbox; ``creates`` is whether it is created if it is missing.
    """

    settings: ConnectionSettings
    name: str
    key: DigestKey
    database: Path | None = None
    creates: bool = False

    @property
    def client_server(self) -> str:
        """The address for clients; that of ``sandbox serve``, by default, for a sandbox in this process."""
        return self.name if self.database is None else _SERVED_SANDBOX
