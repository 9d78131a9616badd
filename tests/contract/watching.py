"""Where the judge listens: every sandbox application, in process or on a port, and every wire that misbehaves.

A command that runs in a process of its own against ``sandbox:FILE`` is out of its reach; one that runs against a port
of the test's process is not.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.sandbox.app import Application
from tests.contract import judge

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


def watch_sandboxes(patch: pytest.MonkeyPatch) -> None:
    """Show every request and answer of every sandbox application to the judge."""
    answer = Application.__call__

    async def watched(self: Application, scope: Scope, receive: Receive, send: Send) -> None:
        sent, answered = bytearray(), bytearray()
        start: MutableMapping[str, Any] = {}

        async def receiving() -> MutableMapping[str, Any]:
            message = await receive()
            sent.extend(message.get("body", b""))
            return message

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                answered.extend(message.get("body", b""))
            await send(message)

        await answer(self, scope, receiving, sending)
        if scope.get("method") != "OPTIONS" and start:
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
            judge.sent(scope["path"], headers, bytes(sent))
            judge.answered(scope["path"], start["status"], bytes(answered))

    patch.setattr(Application, "__call__", watched)


def judge_request(request: httpx.Request) -> None:
    """Show a request to the judge that may never reach a sandbox."""
    judge.sent(request.url.path, {name.lower(): value for name, value in request.headers.items()}, request.content)
