"""The sandbox on a port."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts connections: where, and how to stop it (from any thread)."""

    host: str
    port: int
    stop: Callable[[], None]

    @property
    def url(self) -> str:
        """The API server's address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def serve(
    store: Store,
    host: str = "127.0.0.1",
    port: int = 8008,
    *,
    on_ready: Callable[[Running], None],
    on_missing: Callable[[str], None] | None = None,
) -> None:
    """Serve a workspace until interrupted or stopped; port 0 takes a free one.

    ``on_ready`` is called once connections are accepted, ``on_missing`` once for each call that a client asked for and
    the sandbox does not have. Raises :class:`OSError` if the port cannot be had.
    """
    import uvicorn

    with listen(host, port) as listener:
        config = uvicorn.Config(
            create_app(store, on_missing),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            date_header=False,
            proxy_headers=False,
        )

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                on_ready(Running(host, listener.getsockname()[1], self.shut_down))

            def shut_down(self) -> None:
                self.should_exit = True

        with suppress(KeyboardInterrupt):  # uvicorn shuts down in order, then raises the signal again
            Server(config).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """Listen, naming the protocol: asyncio turns Nagle's algorithm off only on sockets that do.

    With it, each answer (head and body are two writes) waits some 40 ms for the client's acknowledgment. Raises
    :class:`OSError` if the port cannot be had.
    """
    made = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048)
    return socket.socket(made.family, made.type, socket.IPPROTO_TCP, fileno=made.detach())
