"""Wires between the command and the sandbox that misbehave on purpose, or watch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.contract.watching import judge_request

Answer = Callable[[httpx.Request], httpx.Response | None]


def endpoint_of(request: httpx.Request) -> str:
    return request.url.path.rpartition("/")[2]


@dataclass
class Tampering(httpx.AsyncBaseTransport):
    """Answers in the server's place where ``instead`` does, and shows every call to ``before`` and ``after``."""

    inner: httpx.AsyncBaseTransport
    instead: Answer = lambda request: None
    before: Callable[[httpx.Request], None] = lambda request: None
    after: Callable[[httpx.Request, httpx.Response], httpx.Response] = lambda request, response: response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        judge_request(request)
        self.before(request)
        answer = self.instead(request)
        if answer is not None:
            return answer
        response = await self.inner.handle_async_request(request)
        await response.aread()
        return self.after(request, response)


def tampering(**hooks: Any) -> Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]:
    """Return a wire with these hooks of :class:`Tampering`."""
    return lambda inner: Tampering(inner, **hooks)


def refusal(code: int, subcode: int, text: str) -> httpx.Response:
    """Return an envelope that refuses."""
    meta = {
        "id": "1",
        "trx": "1",
        "endpoint": {"name": "", "requested_version": "2.31", "actual_version": "2.31"},
        "result_code": code,
        "result_subcode": subcode,
        "result_msg": text,
        "error_stack": "",
        "error_data": {},
    }
    return httpx.Response(code, json={"meta": meta, "data": {}})


def failing(endpoint: str, response: Callable[[], httpx.Response], *, matching: str = "") -> Any:
    """Return a wire on which one endpoint (with a body that holds ``matching``) gets another answer."""

    def instead(request: httpx.Request) -> httpx.Response | None:
        hit = endpoint_of(request) == endpoint and matching in request.content.decode()
        return response() if hit else None

    return tampering(instead=instead)


def rewriting(endpoint: str, change: Callable[[dict[str, Any]], None]) -> Any:
    """Return a wire on which the data of one endpoint's successful answers are changed."""

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if endpoint_of(request) != endpoint or response.status_code != 200:
            return response
        envelope = json.loads(response.content)
        change(envelope["data"])
        return httpx.Response(200, content=json.dumps(envelope).encode())

    return tampering(after=after)


@dataclass
class Calls:
    """Remembers which endpoints were called."""

    made: list[str] = field(default_factory=list)

    @property
    def wire(self) -> Any:
        return tampering(before=lambda request: self.made.append(endpoint_of(request)))

    @property
    def writes(self) -> list[str]:
        verbs = ("add_", "set_", "delete", "create", "edit", "update", "revoke", "remove")
        return [call for call in self.made if call.partition(".")[2].startswith(verbs)]
