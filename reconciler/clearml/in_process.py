"""A client of a server that is an ASGI application in this process, without any of HTTP in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from reconciler.clearml.answers import Reply

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
"""What ASGI calls an application: it is given a scope, and what it receives and sends messages with."""


class InProcessClient:
    """Hands each request to the application and waits for the whole answer; a defect of it is raised as it is."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def post(self, endpoint: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        """Send one request and return the whole answer."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": f"/{endpoint}",
            "raw_path": f"/{endpoint}".encode("ascii"),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items()],
            "client": None,
            "server": None,
        }
        status = 0
        found: dict[str, str] = {}
        body: list[bytes] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                found.update((name.decode("ascii"), value.decode("latin-1")) for name, value in message["headers"])
            else:
                body.append(message.get("body", b""))

        await self._application(scope, receive, send)
        return Reply(status, found, b"".join(body))

    async def close(self) -> None:
        """Close nothing: the application stays the caller's."""
