"""What a caller says about a server, before anything of it is looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from reconciler.model.secret import Secret


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
